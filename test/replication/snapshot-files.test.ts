import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SnapshotFiles } from '../../src/replication/snapshot-files.js';
import { emptyDirectory } from './directories.js';

function publish(files: SnapshotFiles, term: number, index: number, content: string): void {
  const draft = files.draftPath({ term, index });
  writeFileSync(draft, content);
  SnapshotFiles.publish(draft);
}

describe('snapshot files', () => {
  it('are listed newest first, by index', () => {
    const dir = join(emptyDirectory(), 'new', 'shard-0');
    const files = SnapshotFiles.open(dir);
    expect(files.list()).toEqual([]);
    publish(files, 2, 900, 'a');
    publish(files, 10, 1_000, 'bb');
    publish(files, 3, 1_000, 'c');
    writeFileSync(join(dir, 'snapshot-1-x.rdb'), 'not one of them');
    writeFileSync(join(dir, '0000000000000001.log'), 'nor this');
    expect(files.list()).toEqual([
      { path: join(dir, 'snapshot-10-1000.rdb'), mark: { term: 10, index: 1_000 }, sizeBytes: 2 },
      { path: join(dir, 'snapshot-3-1000.rdb'), mark: { term: 3, index: 1_000 }, sizeBytes: 1 },
      { path: join(dir, 'snapshot-2-900.rdb'), mark: { term: 2, index: 900 }, sizeBytes: 1 },
    ]);
  });

  it('that were not finished are not there, and gone after a start (TR12)', () => {
    const dir = emptyDirectory();
    const files = SnapshotFiles.open(dir);
    publish(files, 1, 10, 'whole');
    const [first, second] = [
      files.draftPath({ term: 1, index: 20 }),
      files.draftPath({ term: 1, index: 20 }),
    ];
    expect(first).not.toBe(second);
    writeFileSync(first, 'ha');
    writeFileSync(second, 'half of i');
    expect(files.list().map(({ mark }) => mark.index)).toEqual([10]);
    files.discard(second);
    SnapshotFiles.open(dir);
    expect(readdirSync(dir)).toEqual(['snapshot-1-10.rdb']);
    expect(readFileSync(join(dir, 'snapshot-1-10.rdb'), 'utf8')).toBe('whole');
  });

  it('are removed only when a newer one is published', () => {
    const dir = emptyDirectory();
    const files = SnapshotFiles.open(dir);
    publish(files, 1, 10, 'a');
    publish(files, 1, 20, 'b');
    expect(() => files.removeOlder({ term: 1, index: 30 })).toThrow(/no snapshot at 30/);
    expect(files.removeOlder({ term: 1, index: 10 })).toBe(0);
    expect(files.list()).toHaveLength(2);
    expect(files.removeOlder({ term: 1, index: 20 })).toBe(1);
    expect(files.list().map(({ mark }) => mark.index)).toEqual([20]);
  });

  it('of the same mark replace each other in one step', () => {
    const dir = emptyDirectory();
    const files = SnapshotFiles.open(dir);
    publish(files, 1, 10, 'first');
    publish(files, 1, 10, 'second');
    expect(readFileSync(join(dir, 'snapshot-1-10.rdb'), 'utf8')).toBe('second');
  });

  it('that cannot be published say why', () => {
    const dir = emptyDirectory();
    const files = SnapshotFiles.open(dir);
    const draft = files.draftPath({ term: 1, index: 10 });
    expect(() => SnapshotFiles.publish(draft)).toThrow(
      expect.objectContaining({ code: 'IO', message: expect.stringContaining(draft) }),
    );
    expect(() => SnapshotFiles.publish(join(dir, 'other.rdb'))).toThrow(TypeError);
    expect(() => files.discard('/etc/passwd')).toThrow(TypeError);
    rmSync(dir, { recursive: true });
    expect(() => files.list()).toThrow(expect.objectContaining({ code: 'IO' }));
    expect(() => SnapshotFiles.open('/dev/null/x')).toThrow(expect.objectContaining({ code: 'IO' }));
  });
});
