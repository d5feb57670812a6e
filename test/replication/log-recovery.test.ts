import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HoldfastError } from '../../src/errors.js';
import { LogFile, type LogFileOptions, type OpenedLog } from '../../src/replication/log-file.js';
import type { LogRecord } from '../../src/replication/log-records.js';
import { segmentHeaderBytes } from '../../src/replication/log-segment.js';
import { emptyDirectory } from './directories.js';

const options: LogFileOptions = { shard: 0, clusterId: 'c1'.repeat(16) };
const open = (dir: string, fields: Partial<LogFileOptions> = {}): OpenedLog =>
  LogFile.open(dir, { ...options, ...fields });
const only = '0000000000000001.log';

const entry = (index: number, term: number, data: string | Buffer = `${index}/${term}`): LogRecord => ({
  type: 'entry',
  entry: { index, term, kind: 'batch', data: Buffer.from(data) },
});
const vote = (term: number, candidate: number): LogRecord => ({
  type: 'hardState',
  hardState: { term, vote: candidate },
});

/** What a reader of the log sees: term, vote, mark, entries. */
function seen(opened: OpenedLog): string {
  opened.log.close();
  const { hardState, mark, entries } = opened;
  return JSON.stringify([
    hardState,
    mark,
    entries.map(({ index, term, data }) => [index, term, String(data)]),
  ]);
}

/** Writes each step by itself; the file's length and what it means after each. */
function written(steps: readonly ((log: LogFile) => void)[]): {
  dir: string;
  states: { bytes: number; seen: string }[];
} {
  const dir = emptyDirectory();
  const { log } = open(dir);
  const states: { bytes: number; seen: string }[] = [];
  const note = (): void => {
    const copy = join(emptyDirectory(), 'copy');
    cpSync(dir, copy, { recursive: true });
    states.push({ bytes: readFileSync(join(dir, only)).length, seen: seen(open(copy)) });
  };
  note();
  for (const step of steps) {
    step(log);
    log.sync();
    note();
  }
  log.close();
  return { dir, states };
}

const history: readonly ((log: LogFile) => void)[] = [
  (log) => log.append([vote(1, 2)]),
  (log) => log.append([entry(1, 1), entry(2, 1), entry(3, 1)]),
  (log) => log.append([vote(2, 3)]),
  (log) => log.append([entry(2, 2), entry(3, 2)]),
  (log) => log.setMark({ index: 1, term: 1 }),
  (log) => log.append([vote(3, 1), entry(3, 3, 'replaces entry 3')]),
  (log) => log.setMark({ index: 5, term: 3 }),
  (log) => log.append([vote(4, 1)]),
];

function stateAt(
  states: readonly { bytes: number; seen: string }[],
  bytes: number,
): { bytes: number; seen: string } {
  const found = states.findLast((state) => state.bytes <= bytes);
  if (found === undefined) throw new Error(`no state at ${bytes}`);
  return found;
}

function caught(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('a log after a crash', { timeout: 60_000 }, () => {
  const { dir, states } = written(history);
  const whole = readFileSync(join(dir, only));

  function withFile(content: Buffer): string {
    const copy = emptyDirectory();
    writeFileSync(join(copy, only), content);
    return copy;
  }

  it('at any byte of any write holds what was before that write, or after it (TE2, TR1, TR11)', () => {
    for (let cut = segmentHeaderBytes; cut <= whole.length; cut += 1) {
      const copy = withFile(whole.subarray(0, cut));
      const opened = open(copy);
      const expected = stateAt(states, cut);
      expect(opened.droppedBytes, `cut at ${cut}`).toBe(cut - expected.bytes);
      expect(seen(opened), `cut at ${cut}`).toBe(expected.seen);
      expect(seen(open(copy))).toBe(expected.seen);
      rmSync(copy, { recursive: true });
    }
  });

  it('goes on where the dropped end was', () => {
    const cut = whole.length - 3;
    const copy = withFile(whole.subarray(0, cut));
    const { log } = open(copy);
    log.append([entry(6, 3, 'after the crash')]);
    log.close();
    expect(open(copy).entries.map(({ data }) => String(data))).toEqual(['after the crash']);
  });

  it('ignores an end that was never written, or only half', () => {
    for (const tail of [Buffer.alloc(4096), Buffer.alloc(5, 0xff), Buffer.from('noise'.repeat(100))]) {
      const opened = open(withFile(Buffer.concat([whole, tail])));
      expect(opened.droppedBytes).toBe(tail.length);
      expect(seen(opened)).toBe(states.at(-1)?.seen);
    }
    const lastWrite = states.at(-2)?.bytes ?? 0;
    const zeroed = Buffer.from(whole).fill(0, lastWrite + 8);
    expect(seen(open(withFile(zeroed)))).toBe(states.at(-2)?.seen);
  });

  it('is not taken in by a value that holds the bytes of a log', () => {
    const copy = emptyDirectory();
    const { log } = open(copy);
    log.append([entry(1, 1, Buffer.concat([whole, whole]))]);
    log.close();
    const path = join(copy, only);
    truncateSync(path, readFileSync(path).length - 8);
    const opened = open(copy);
    expect(opened.entries).toEqual([]);
    expect(opened.droppedBytes).toBeGreaterThan(whole.length);
    opened.log.close();
  });

  it('refuses any flipped bit that is not at the very end, and changes nothing', () => {
    const lastWrite = states.at(-2)?.bytes ?? 0;
    const copy = withFile(whole);
    const path = join(copy, only);
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const damaged = Buffer.from(whole);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(path, damaged);
      if (bit >> 3 >= lastWrite) {
        expect(seen(open(copy)), `bit ${bit}`).toBe(states.at(-2)?.seen);
        continue;
      }
      const error = caught(() => open(copy));
      expect(error, `bit ${bit}`).toBeInstanceOf(HoldfastError);
      expect(error).toMatchObject({
        code: 'CORRUPT',
        message: expect.stringMatching(/0000000000000001\.log, offset \d+: /),
      });
      expect(readFileSync(path).equals(damaged), `bit ${bit}`).toBe(true);
    }
  });
});

describe('a log of several files', { timeout: 60_000 }, () => {
  function made(): { dir: string; names: string[] } {
    const dir = emptyDirectory();
    const { log } = open(dir, { segmentBytes: 300 });
    log.append([vote(1, 1)]);
    for (let index = 1; index <= 20; index += 1) log.append([entry(index, 1)]);
    log.close();
    const names = readdirSync(dir).sort();
    expect(names.length).toBeGreaterThan(3);
    return { dir, names };
  }

  it('takes no unfinished end for one but in the last', () => {
    const { dir, names } = made();
    const path = join(dir, names[1] ?? '');
    const bytes = readFileSync(path);
    for (let cut = 0; cut < bytes.length; cut += 1) {
      writeFileSync(path, bytes.subarray(0, cut));
      expect(
        caught(() => open(dir)),
        `cut at ${cut}`,
      ).toMatchObject({
        code: 'CORRUPT',
        message: expect.stringContaining(path),
      });
      expect(readFileSync(path).length).toBe(cut);
    }
    writeFileSync(path, bytes);
    expect(open(dir).entries).toHaveLength(20);
  });

  it('refuses damage in any of them', () => {
    const { dir, names } = made();
    for (const name of names.slice(0, -1)) {
      const path = join(dir, name);
      const bytes = readFileSync(path);
      for (let offset = 0; offset < bytes.length; offset += 1) {
        const damaged = Buffer.from(bytes);
        damaged[offset] = (damaged[offset] ?? 0) ^ 0x10;
        writeFileSync(path, damaged);
        expect(
          caught(() => open(dir)),
          `${name} at ${offset}`,
        ).toMatchObject({ code: 'CORRUPT' });
      }
      writeFileSync(path, bytes);
    }
  });

  it('misses a file that is missing, or replaced by another', () => {
    const { dir, names } = made();
    const [first = '', second = '', third = ''] = names;
    const bytes = readFileSync(join(dir, second));
    rmSync(join(dir, second));
    expect(() => open(dir)).toThrow(`${join(dir, second)}, offset 0: the log file is missing`);
    writeFileSync(join(dir, second), readFileSync(join(dir, third)));
    expect(() => open(dir)).toThrow(/was number 3/);
    writeFileSync(join(dir, second), bytes);
    rmSync(join(dir, first));
    expect(() => open(dir)).toThrow(
      expect.objectContaining({
        code: 'CORRUPT',
        message: expect.stringMatching(
          /0000000000000001\.log, offset 0: the log file is missing, with the entries from 1$/,
        ),
      }),
    );
  });

  it('of another cluster or shard is refused, and what a crash left of a new file is removed', () => {
    const { dir, names } = made();
    expect(() => open(dir, { clusterId: 'd2'.repeat(16) })).toThrow(
      expect.objectContaining({ code: 'FOREIGN', message: expect.stringMatching(/cluster c1c1/) }),
    );
    expect(() => open(dir, { shard: 1 })).toThrow(expect.objectContaining({ code: 'FOREIGN' }));
    writeFileSync(join(dir, '0000000000000099.log.tmp'), 'half a header');
    expect(open(dir).entries).toHaveLength(20);
    expect(readdirSync(dir).sort()).toEqual(names);
  });

  it('whose old files are gone in any order, as a crash in the middle of dropping them may leave it', () => {
    const { dir } = made();
    const { log } = open(dir, { segmentBytes: 300 });
    log.setMark({ index: 15, term: 1 });
    log.close();
    const whole = readdirSync(dir);
    const compacted = join(emptyDirectory(), 'compacted');
    cpSync(dir, compacted, { recursive: true });
    const held = open(compacted).log;
    held.compact(15);
    held.close();
    const dropped = whole.filter((name) => !readdirSync(compacted).includes(name));
    expect(dropped.length).toBeGreaterThan(2);
    for (let subset = 0; subset < 2 ** dropped.length; subset += 1) {
      const copy = join(emptyDirectory(), 'copy');
      cpSync(dir, copy, { recursive: true });
      for (const [i, name] of dropped.entries()) if ((subset >> i) & 1) rmSync(join(copy, name));
      const opened = open(copy);
      opened.log.close();
      expect(opened).toMatchObject({ hardState: { term: 1, vote: 1 }, mark: { index: 15, term: 1 } });
      expect(opened.entries.map(({ index }) => index)).toEqual([16, 17, 18, 19, 20]);
    }
    rmSync(join(dir, whole.at(-2) ?? ''));
    expect(() => open(dir)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
  });
});
