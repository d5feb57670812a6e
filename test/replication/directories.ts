import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

// Tests that crash a file at every byte sync thousands of times: in memory where the system offers that.
const root = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** An empty directory that is gone after the test. */
export function emptyDirectory(): string {
  const dir = mkdtempSync(join(root, 'holdfast-test-'));
  made.push(dir);
  return dir;
}
