import { backupRdb, RestoreError, restoreRdb } from 'holdfast';
import { expect, it } from 'vitest';
import {
  RestoreError as AlsoError,
  backupRdb as alsoBackup,
  restoreRdb as alsoRestore,
} from '../../dist/workbench.js';

it('is the same from both entries of the package', () => {
  expect([alsoBackup, alsoRestore, AlsoError]).toEqual([backupRdb, restoreRdb, RestoreError]);
});
