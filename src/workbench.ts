/**
 * RDB files for programs, `import ... from 'holdfast/rdb'`: what is done with files alone, and what brings them into running stores and
 * Redis, and out of them.
 */
export * from './rdb/workbench/index.js';
export {
  type BackupProgress,
  type BackupRdbOptions,
  type BackupReport,
  backupRdb,
  type Conflict,
  type RefusedKey,
  type RemoteOptions,
  RestoreError,
  type RestoreProgress,
  type RestoreRdbOptions,
  type RestoreReport,
  restoreRdb,
} from './remote/index.js';
