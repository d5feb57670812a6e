/** Who is served when attempts take their time, as they do where a log decides: here, as long as the test says. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from 'holdfast';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Attempt, Request } from '../../dist/commands/executor.js';
import { requestOf } from '../../dist/commands/surface.js';
import { replyWay, WaitingRoom, type WaitWay } from '../../dist/commands/waiting-room.js';
import { native, type ReplyValue, type Word } from '../../dist/keyspace/native.js';

/** An attempt on its way to the log and back. */
interface Sent {
  readonly attempt: Attempt | undefined;
  /** It has its place in the log. */
  execute(): void;
  /** Its answer arrives, or another one. */
  arrive(answer?: ReplyValue): void;
  fail(error: HoldfastError): void;
}

/** A reply that is one, where replies are bytes. */
const REFUSAL = 'refused';

class SlowLog {
  readonly id = native.keyspaceCreate();
  readonly handle = native.attach([this.id], 'plain', false);
  readonly room = new WaitingRoom();
  readonly sent: Sent[] = [];
  readonly #way: WaitWay<ReplyValue> = {
    ...replyWay(this.handle, false, (request) => this.#send(request)),
    valueOf: (reply) => {
      if (reply === REFUSAL) throw new HoldfastError('WRONGTYPE', 'no list');
      return reply;
    },
  };

  wait(words: readonly Word[], signal?: AbortSignal): Promise<ReplyValue> {
    return this.room.wait(requestOf(words), this.#way, { signal });
  }

  call(...words: Word[]): void {
    this.handle.call(...words);
  }

  /** The attempts that were sent since the last look, when everybody has heard of everything. */
  async next(): Promise<Sent[]> {
    await sleep(20);
    return this.sent.splice(0);
  }

  close(): void {
    this.room.refuse(new HoldfastError('CLOSED', 'the test is over'));
    this.handle.release();
    native.keyspaceClose(this.id);
  }

  #send({ words, attempt }: Request): Promise<ReplyValue> {
    return new Promise((resolve, reject) => {
      let reply: ReplyValue = null;
      const execute = (): void => {
        reply = this.handle.call(words) ?? null;
      };
      this.sent.push({ attempt, execute, arrive: (answer = reply) => resolve(answer), fail: reject });
    });
  }
}

const WITHDRAWN = new HoldfastError('WITHDRAWN', 'the caller gave the request up');

describe('of waiters that ask the same', () => {
  let log: SlowLog;
  beforeEach(() => {
    log = new SlowLog();
  });
  afterEach(() => log.close());

  /** Waiters in line, each with an attempt on its way for one of the elements that there were. */
  async function trying(requests: readonly (readonly Word[])[], signals: readonly AbortSignal[] = []) {
    const waits = requests.map((words, i) => log.wait(words, signals[i]));
    for (const wait of waits) wait.catch(() => {});
    for (const first of await log.next()) first.arrive();
    log.call('RPUSH', 'q', ...requests.map((_, i) => `gone ${i}`));
    const sent = await log.next();
    log.call('DEL', 'q');
    return { waits, sent };
  }

  test('the first one gets what comes between two attempts', async () => {
    const { waits, sent } = await trying([1, 2, 3].map((timeout) => ['BLPOP', 'q', timeout]));
    expect(sent).toHaveLength(3);
    sent[0]?.execute();
    log.call('RPUSH', 'q', 'a', 'b');
    sent[1]?.execute();
    sent[2]?.execute();
    for (const attempt of sent) attempt.arrive();
    expect(await Promise.all(waits.slice(0, 2))).toEqual([
      ['q', 'a'],
      ['q', 'b'],
    ]);
    log.call('RPUSH', 'q', 'c');
    const [last, ...more] = await log.next();
    expect(more).toEqual([]);
    last?.execute();
    last?.arrive();
    expect(await waits[2]).toEqual(['q', 'c']);
    expect(native.ticketCount(log.id)).toBe(0);
  });

  test('one that is given another one’s element gives its attempt for it', async () => {
    const { waits, sent } = await trying([
      ['BLPOP', 'q', 0],
      ['BLPOP', 'q', 0],
    ]);
    sent[0]?.execute();
    log.call('RPUSH', 'q', 'a', 'b');
    sent[0]?.arrive();
    const [again] = await log.next();
    sent[1]?.execute();
    again?.execute();
    sent[1]?.arrive();
    expect(await waits[0]).toEqual(['q', 'a']);
    expect(await log.next()).toEqual([]);
    again?.arrive();
    expect(await waits[1]).toEqual(['q', 'b']);
  });

  test('one that is to stop takes what is its turn, and its withdrawn attempt costs nobody a turn', async () => {
    const stops = new AbortController();
    const { waits, sent } = await trying(
      [
        ['BLPOP', 'q', 0],
        ['BLPOP', 'q', 0],
      ],
      [stops.signal],
    );
    sent[0]?.execute();
    log.call('RPUSH', 'q', 'a', 'b');
    sent[0]?.arrive();
    const [again] = await log.next();
    let withdrawn = 0;
    if (again?.attempt !== undefined) again.attempt.withdraw = () => withdrawn++;
    stops.abort();
    expect(withdrawn).toBe(1);
    sent[1]?.execute();
    sent[1]?.arrive();
    expect(await waits[0]).toEqual(['q', 'a']);
    again?.fail(WITHDRAWN);
    const [last] = await log.next();
    last?.execute();
    last?.arrive();
    expect(await waits[1]).toEqual(['q', 'b']);
  });

  test('one that is to stop does so when its element has gone to the first one', async () => {
    const stops = new AbortController();
    const kept = new AbortController();
    const { waits, sent } = await trying(
      [
        ['BLPOP', 'q', 0],
        ['BLPOP', 'q', 0],
      ],
      [kept.signal, stops.signal],
    );
    sent[0]?.execute();
    log.call('RPUSH', 'q', 'a');
    stops.abort('enough');
    sent[1]?.execute();
    sent[0]?.arrive();
    sent[1]?.arrive();
    expect(await waits[0]).toEqual(['q', 'a']);
    await expect(waits[1]).rejects.toBe('enough');
    expect(native.ticketCount(log.id)).toBe(0);
  });

  test('an attempt that is handed over to one that is to stop is withdrawn', async () => {
    const stops = new AbortController();
    const kept = new AbortController();
    const { waits, sent } = await trying(
      [
        ['BLPOP', 'q', 0],
        ['BLPOP', 'q', 0],
      ],
      [kept.signal, stops.signal],
    );
    sent[0]?.execute();
    log.call('RPUSH', 'q', 'a', 'b');
    sent[0]?.arrive();
    const [again] = await log.next();
    if (again?.attempt !== undefined) again.attempt.withdraw = () => again.fail(WITHDRAWN);
    stops.abort('enough');
    sent[1]?.execute();
    sent[1]?.arrive();
    expect(await waits[0]).toEqual(['q', 'a']);
    await expect(waits[1]).rejects.toBe('enough');
    expect(log.handle.call('LRANGE', 'q', 0, -1)).toEqual(['b']);
  });

  test('a refusal is for the one whose attempt it was', async () => {
    const { waits, sent } = await trying([
      ['BLPOP', 'q', 0],
      ['BLPOP', 'q', 0],
      ['BLPOP', 'q', 0],
    ]);
    sent[0]?.arrive();
    const refusal = new HoldfastError('TIMEOUT', 'no answer');
    sent[1]?.fail(refusal);
    await expect(waits[1]).rejects.toBe(refusal);
    sent[2]?.arrive(REFUSAL);
    expect(await waits[2]).toBe(REFUSAL);
    log.call('RPUSH', 'q', 'a');
    const [last] = await log.next();
    last?.execute();
    last?.arrive();
    expect(await waits[0]).toEqual(['q', 'a']);
  });
});

test('waiters that ask something else try when those before them have left', async () => {
  const log = new SlowLog();
  const requests = [
    ['BLPOP', 'q', 0],
    ['BRPOP', 'q', 0],
    ['BLMOVE', 'q', 'é', 'LEFT', 'LEFT', 0],
    ['BLMOVE', 'q', Buffer.from('é'), 'LEFT', 'LEFT', 0],
    ['BLMPOP', 0, 1, 'q', 'LEFT', 'COUNT', 1],
    ['BLMPOP', 0, 1, 'q', 'LEFT', 'COUNT', 2],
    ['BLMPOP', 1, 1, 'q', 'LEFT', 'COUNT', 2],
  ];
  const waits = requests.map((words) => log.wait(words));
  for (const first of await log.next()) first.arrive();
  log.call('RPUSH', 'q', ...'abcdefghi');
  const together: number[] = [];
  for (let served = 0; served < requests.length; served += together.at(-1) ?? 1) {
    const sent = await log.next();
    together.push(sent.length);
    for (const attempt of sent) attempt.execute();
    for (const attempt of sent) attempt.arrive();
  }
  expect(together).toEqual([1, 1, 1, 1, 1, 2]);
  expect(await Promise.all(waits)).toEqual([
    ['q', 'a'],
    ['q', 'i'],
    'b',
    'c',
    ['q', ['d']],
    ['q', ['e', 'f']],
    ['q', ['g', 'h']],
  ]);
  log.close();
});
