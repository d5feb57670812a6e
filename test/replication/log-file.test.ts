import { closeSync, openSync, readdirSync, readFileSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry, HardState, SnapshotMark } from '../../src/raft/types.js';
import { type Disk, LogFile, type LogFileOptions, type OpenedLog } from '../../src/replication/log-file.js';
import type { LogRecord } from '../../src/replication/log-records.js';
import { emptyDirectory } from './directories.js';

const clusterId = 'c1'.repeat(16);
const options: LogFileOptions = { shard: 3, clusterId, segmentBytes: 400 };
const open = (dir: string, fields: Partial<LogFileOptions> = {}): OpenedLog =>
  LogFile.open(dir, { ...options, ...fields });

const entry = (index: number, term: number, data = `${index}/${term}`): LogRecord => ({
  type: 'entry',
  entry: { index, term, kind: 'batch', data: Buffer.from(data) },
});
const vote = (term: number, candidate: number): LogRecord => ({
  type: 'hardState',
  hardState: { term, vote: candidate },
});
const plain = ({ hardState, mark, entries }: OpenedLog): object => ({
  hardState,
  mark,
  entries: entries.map(({ index, term, kind, data }) => [index, term, kind, Buffer.from(data).toString()]),
});

describe('log on disk', () => {
  it('is empty at first, and comes back as it was', () => {
    const dir = join(emptyDirectory(), 'shard-3');
    const first = open(dir);
    expect(plain(first)).toEqual({
      hardState: { term: 0, vote: 0 },
      mark: { index: 0, term: 0 },
      entries: [],
    });
    first.log.append([vote(2, 1), entry(1, 2), entry(2, 2)]);
    first.log.append([]);
    first.log.append([
      entry(2, 2, 'again'),
      { type: 'entry', entry: { index: 3, term: 2, kind: 'noop', data: Buffer.alloc(0) } },
    ]);
    first.log.sync();
    first.log.close();
    first.log.close();
    expect(() => first.log.append([entry(4, 2)])).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    const again = open(dir);
    expect(plain(again)).toEqual({
      hardState: { term: 2, vote: 1 },
      mark: { index: 0, term: 0 },
      entries: [
        [1, 2, 'batch', '1/2'],
        [2, 2, 'batch', 'again'],
        [3, 2, 'noop', ''],
      ],
    });
    expect(again.log.lastIndex).toBe(3);
    again.log.close();
  });

  it('equals a list in memory, whatever was written, over segments, marks, compaction and restarts', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const dir = emptyDirectory();
        const model = new Model();
        let opened = open(dir);
        for (const doStep of steps) {
          if (doStep.type !== 'reopen') {
            model.play(doStep, opened.log);
            continue;
          }
          opened.log.close();
          opened = open(dir);
          expect(plain(opened)).toEqual(model.expected());
        }
        opened.log.close();
        const last = open(dir);
        expect(plain(last)).toEqual(model.expected());
        last.log.close();
      }),
      { numRuns: 150 },
    );
  });

  it('takes writes that come in pieces', () => {
    const dir = emptyDirectory();
    const disk: Disk = {
      writev: (fd, pieces, position) => {
        const first = pieces.find(({ length }) => length > 0) ?? Buffer.alloc(0);
        return writevSync(fd, [first.subarray(0, 3)], position);
      },
      datasync: () => {},
    };
    const { log } = open(dir, { disk });
    log.append([vote(1, 2), entry(1, 1), entry(2, 1)]);
    log.close();
    expect(open(dir)).toMatchObject({
      hardState: { term: 1, vote: 2 },
      entries: [{ index: 1 }, { index: 2 }],
    });
  });

  it('refuses to write what it would refuse to read', () => {
    for (const records of [[entry(2, 1)], [vote(2, 1), vote(1, 1)]]) {
      const { log } = open(emptyDirectory());
      expect(() => log.append(records)).toThrow(expect.objectContaining({ code: 'FAULTED' }));
      expect(() => log.append([entry(1, 1)])).toThrow(expect.objectContaining({ code: 'FAULTED' }));
      log.close();
    }
  });

  it('keeps term and vote when the segments that held them are dropped (TR13)', () => {
    const dir = emptyDirectory();
    const { log } = open(dir);
    log.append([vote(7, 2)]);
    for (let index = 1; index <= 40; index += 1) log.append([entry(index, 7)]);
    const before = readdirSync(dir).length;
    log.setMark({ index: 30, term: 7 });
    log.compact(30);
    expect(readdirSync(dir).length).toBeLessThan(before - 2);
    log.close();
    const again = open(dir);
    expect(again.hardState).toEqual({ term: 7, vote: 2 });
    expect(again.entries.map(({ index }) => index)).toEqual([31, 32, 33, 34, 35, 36, 37, 38, 39, 40]);
    again.log.compact(10_000);
    again.log.close();
    expect(open(dir).entries).toHaveLength(10);
  });

  it('starts anew behind a snapshot that it does not agree with, in one step (S3)', () => {
    const dir = emptyDirectory();
    const { log } = open(dir);
    log.append([vote(3, 1), entry(1, 1), entry(2, 1), entry(3, 2)]);
    log.setMark({ index: 2, term: 3 });
    expect(log.lastIndex).toBe(2);
    log.append([entry(3, 3)]);
    log.setMark({ index: 9, term: 3 });
    log.close();
    const again = open(dir);
    expect(plain(again)).toEqual({
      hardState: { term: 3, vote: 1 },
      mark: { index: 9, term: 3 },
      entries: [],
    });
    again.log.append([entry(10, 3)]);
    again.log.close();
    expect(open(dir).entries.map(({ index }) => index)).toEqual([10]);
  });
});

describe('log on a failing disk', () => {
  it('says that the device is full, and stops', () => {
    const full = openSync('/dev/full', 'w');
    const disk: Disk = { writev: (_fd, pieces) => writevSync(full, pieces), datasync: () => {} };
    const dir = emptyDirectory();
    const { log } = open(dir, { disk });
    expect(() => log.append([entry(1, 1)])).toThrow(
      expect.objectContaining({ code: 'IO', message: expect.stringMatching(/no space left on the device$/) }),
    );
    expect(() => log.sync()).toThrow(/no space left/);
    log.close();
    closeSync(full);
    expect(open(dir).entries).toEqual([]);
  });

  it('never syncs again after a sync that failed (TD5)', () => {
    let syncs = 0;
    const disk: Disk = {
      writev: writevSync,
      datasync: () => {
        syncs += 1;
        if (syncs === 2) throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
      },
    };
    const { log } = open(emptyDirectory(), { disk });
    log.append([entry(1, 1)]);
    log.sync();
    log.append([entry(2, 1)]);
    for (const again of [
      () => log.sync(),
      () => log.sync(),
      () => log.append([entry(3, 1)]),
      () => log.compact(1),
    ]) {
      expect(again).toThrow(
        expect.objectContaining({ code: 'IO', message: expect.stringMatching(/cannot sync .*EIO/) }),
      );
    }
    log.close();
    expect(syncs).toBe(2);
  });

  it('names the file that it cannot read', () => {
    expect(() => open('/proc/self/mem')).toThrow(expect.objectContaining({ code: 'IO' }));
    const dir = emptyDirectory();
    open(dir).log.close();
    expect(readFileSync(join(dir, '0000000000000001.log')).subarray(0, 8).toString()).toBe('HOLDFLOG');
  });
});

type Step =
  | {
      readonly type: 'append';
      readonly back: number;
      readonly count: number;
      readonly newTerm: boolean;
      readonly size: number;
    }
  | { readonly type: 'vote'; readonly candidate: number }
  | { readonly type: 'mark'; readonly place: number; readonly conflict: boolean; readonly ahead: number }
  | { readonly type: 'compact' }
  | { readonly type: 'reopen' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('append' as const),
      back: fc.nat({ max: 5 }),
      count: fc.nat({ max: 5 }),
      newTerm: fc.boolean(),
      size: fc.nat({ max: 60 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('vote' as const), candidate: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('mark' as const),
      place: fc.nat({ max: 100 }),
      conflict: fc.boolean(),
      ahead: fc.nat({ max: 10 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'compact' as const }) },
  { weight: 2, arbitrary: fc.constant({ type: 'reopen' as const }) },
);

/** The obvious log: a list, a term, a mark. */
class Model {
  #hardState: HardState = { term: 0, vote: 0 };
  #mark: SnapshotMark = { index: 0, term: 0 };
  #entries: Entry[] = [];

  play(doStep: Exclude<Step, { type: 'reopen' }>, log: LogFile): void {
    if (doStep.type === 'compact') log.compact(this.#mark.index);
    if (doStep.type === 'vote') {
      this.#hardState = { term: this.#hardState.term + 1, vote: doStep.candidate };
      log.append([{ type: 'hardState', hardState: this.#hardState }]);
    }
    if (doStep.type === 'append') this.#append(doStep, log);
    if (doStep.type === 'mark') this.#setMark(doStep, log);
  }

  #append({ back, count, newTerm, size }: Extract<Step, { type: 'append' }>, log: LogFile): void {
    const records: LogRecord[] = [];
    if (newTerm) {
      this.#hardState = { term: this.#hardState.term + 1, vote: 0 };
      records.push({ type: 'hardState', hardState: this.#hardState });
    }
    const kept = Math.max(0, this.#entries.length - back);
    if (count > 0) this.#entries.length = kept;
    for (let i = 0; i < count; i += 1) {
      const index = this.#mark.index + kept + i + 1;
      const data = Buffer.alloc(size, index);
      const made: Entry = { index, term: this.#hardState.term, kind: 'batch', data };
      this.#entries.push(made);
      records.push({ type: 'entry', entry: made });
    }
    log.append(records);
  }

  #setMark({ place, conflict, ahead }: Extract<Step, { type: 'mark' }>, log: LogFile): void {
    const held = this.#entries[place % (this.#entries.length + 1)];
    if (held !== undefined && !conflict) {
      this.#mark = { index: held.index, term: held.term };
      this.#entries = this.#entries.filter(({ index }) => index > held.index);
    } else {
      this.#hardState = { term: this.#hardState.term + 1, vote: 0 };
      log.append([{ type: 'hardState', hardState: this.#hardState }]);
      this.#mark = { index: (held?.index ?? this.#mark.index) + ahead + 1, term: this.#hardState.term };
      this.#entries = [];
    }
    log.setMark(this.#mark);
  }

  expected(): object {
    return {
      hardState: this.#hardState,
      mark: this.#mark,
      entries: this.#entries.map(({ index, term, kind, data }) => [
        index,
        term,
        kind,
        Buffer.from(data).toString(),
      ]),
    };
  }
}
