/** Blocking requests: what they wait for, how long, and what to ask when it may be there. */
import type { ReplyValue, TicketKind, Word } from '../keyspace/native.js';
import type { Request } from './executor.js';

/** Asks something of the keyspaces that a request waits in. */
export type Ask = (words: readonly Word[]) => ReplyValue | Promise<ReplyValue>;

/** A request that waits while it finds nothing. */
export interface Wait {
  readonly kind: TicketKind;
  /** What it waits for. */
  readonly keys: readonly Word[];
  /**
   * What is asked of them, beside the timeout. Of two requests that ask the same of the same keys, each can be answered with the other's
   * reply.
   */
  readonly asks: string;
  /** How long; `undefined`: for ever. */
  readonly timeoutMs: number | undefined;
  /** The request about some of the keys, by their positions among them. */
  requestFor(positions: readonly number[]): Request;
  /**
   * What waits in its place, if the request speaks of the time when it was made: `$` is the end of a stream as it is then, and not
   * as it is at the second attempt.
   */
  fixed?(ask: Ask): Promise<Wait>;
}

/** Longest timeout, in milliseconds, that Redis takes. */
const TIMEOUT_MS_MAX = 2 ** 63;
const DECIMAL = /^\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const text = (word: Word | undefined): string =>
  word instanceof Uint8Array ? Buffer.from(word).toString('latin1') : String(word ?? '');

const isOneOf = (word: Word | undefined, names: readonly string[]): boolean =>
  names.includes(text(word).toUpperCase());

/** A command, and those of its words that are neither keys that are waited for nor the timeout. */
function asksOf({ command }: Request, others: readonly Word[]): string {
  const marked = others.map((word) => (word instanceof Uint8Array ? { bytes: text(word) } : String(word)));
  return JSON.stringify([command.name, ...marked]);
}

/** What to make of a timeout that is none is the command's to say. */
type Timeout = { readonly ms: number | undefined } | undefined;

/** Seconds; 0 is for ever. */
function secondsOf(word: Word | undefined): Timeout {
  const decimal = text(word);
  const ms = Math.ceil(Number(decimal) * 1000);
  if (!DECIMAL.test(decimal) || ms >= TIMEOUT_MS_MAX) return undefined;
  return { ms: ms === 0 ? undefined : ms };
}

/** `NAME key [key ...] timeout`. */
function keysThenTimeout(kind: TicketKind): (request: Request) => Wait | undefined {
  return (request) => {
    const { words, command } = request;
    const [name = '', ...keys] = words;
    const last = keys.pop();
    const timeout = secondsOf(last);
    if (timeout === undefined || last === undefined || keys.length === 0) return undefined;
    const requestFor = (positions: readonly number[]): Request => {
      return { words: [name, ...pick(keys, positions), last], command };
    };
    return { kind, keys, asks: asksOf(request, []), timeoutMs: timeout.ms, requestFor };
  };
}

/** `NAME timeout numkeys key [key ...] end [COUNT count]`. */
function countedKeys(kind: TicketKind, ends: readonly string[]): (request: Request) => Wait | undefined {
  return (request) => {
    const { words, command } = request;
    const [name = '', seconds = '', count = '', ...rest] = words;
    const timeout = secondsOf(seconds);
    const keyCount = positiveOf(count);
    if (timeout === undefined || keyCount === undefined || keyCount >= rest.length) return undefined;
    const keys = rest.slice(0, keyCount);
    const others = rest.slice(keyCount);
    const [end, option, limit] = others;
    const hasLimit = isOneOf(option, ['COUNT']) && positiveOf(limit) !== undefined;
    const isComplete = rest.length === keyCount + (hasLimit ? 3 : 1);
    if (!isOneOf(end, ends) || !isComplete) return undefined;
    const requestFor = (positions: readonly number[]): Request => {
      const tried = pick(keys, positions);
      return { words: [name, seconds, tried.length, ...tried, ...others], command };
    };
    return { kind, keys, asks: asksOf(request, others), timeoutMs: timeout.ms, requestFor };
  };
}

/** A request that takes from one list and puts into another: nothing of it changes from attempt to attempt. */
function move(timeoutAt: number, isComplete: (words: readonly Word[]) => boolean) {
  return (request: Request): Wait | undefined => {
    const [, source] = request.words;
    const timeout = secondsOf(request.words[timeoutAt]);
    if (timeout === undefined || source === undefined || !isComplete(request.words)) return undefined;
    const asks = asksOf(
      request,
      request.words.filter((_, at) => at > 1 && at !== timeoutAt),
    );
    return { kind: 'list', keys: [source], asks, timeoutMs: timeout.ms, requestFor: () => request };
  };
}

/** Milliseconds; 0 is for ever. */
function millisecondsOf(word: Word | undefined): Timeout {
  const decimal = text(word);
  return /^\d{1,15}$/.test(decimal) ? { ms: Number(decimal) || undefined } : undefined;
}

/** How many words an option of `XREAD` takes, itself included. */
function optionWords(option: Word | undefined): number {
  if (isOneOf(option, ['GROUP'])) return 3;
  return isOneOf(option, ['COUNT', 'BLOCK']) ? 2 : 1;
}

/** `NAME [options] BLOCK milliseconds [options] STREAMS key [key ...] id [id ...]`. */
function streams(kind: TicketKind): (request: Request) => Wait | undefined {
  return (request) => {
    const { words } = request;
    let timeout: Timeout;
    let at = 1;
    for (; at < words.length && !isOneOf(words[at], ['STREAMS']); at += optionWords(words[at])) {
      if (isOneOf(words[at], ['BLOCK'])) timeout = millisecondsOf(words[at + 1]);
    }
    const rest = words.slice(at + 1);
    if (timeout === undefined || rest.length === 0 || rest.length % 2 !== 0) return undefined;
    const keys = rest.slice(0, rest.length / 2);
    const asks = asksOf(request, [...words.slice(1, at), ...rest.slice(keys.length)]);
    const wait = { kind, keys, asks, timeoutMs: timeout.ms, requestFor: () => request };
    const hasEnd = kind === 'stream' && rest.slice(keys.length).some((id) => text(id) === '$');
    return hasEnd ? { ...wait, fixed: (ask) => withLastIds(wait, request, ask) } : wait;
  };
}

/** Puts the last ids of streams in the places of `$`. */
async function withLastIds(wait: Wait, { words, command }: Request, ask: Ask): Promise<Wait> {
  const ids = words.length - wait.keys.length;
  const fixed = words.map((word, at) => {
    const key = wait.keys[at - ids];
    return key !== undefined && text(word) === '$' ? lastIdOf(key, ask) : word;
  });
  const request = { words: await Promise.all(fixed), command };
  return { ...wait, requestFor: () => request };
}

/** The last entry's id does as well as the stream's last one: no entry will come between them. */
async function lastIdOf(key: Word, ask: Ask): Promise<Word> {
  const entries = await ask(['XREVRANGE', key, '+', '-', 'COUNT', 1]);
  const [last] = Array.isArray(entries) ? entries : [];
  const [id] = Array.isArray(last) ? last : [];
  return typeof id === 'string' || Buffer.isBuffer(id) ? id : '0-0';
}

const SIDES = ['LEFT', 'RIGHT'];
const SCORE_ENDS = ['MIN', 'MAX'];

const FORMS: ReadonlyMap<string, (request: Request) => Wait | undefined> = new Map([
  ['blpop', keysThenTimeout('list')],
  ['brpop', keysThenTimeout('list')],
  ['bzpopmin', keysThenTimeout('zset')],
  ['bzpopmax', keysThenTimeout('zset')],
  ['blmpop', countedKeys('list', SIDES)],
  ['bzmpop', countedKeys('zset', SCORE_ENDS)],
  ['brpoplpush', move(3, () => true)],
  ['xread', streams('stream')],
  ['xreadgroup', streams('group')],
  ['blmove', move(5, (words) => isOneOf(words[3], SIDES) && isOneOf(words[4], SIDES))],
]);

/**
 * What a request waits for; `undefined` if it never waits, or if something is wrong with its words: running it tells what.
 */
export function waitOf(request: Request): Wait | undefined {
  return FORMS.get(request.command.name)?.(request);
}

function positiveOf(word: Word | undefined): number | undefined {
  const decimal = text(word);
  return /^[1-9]\d{0,14}$/.test(decimal) ? Number(decimal) : undefined;
}

function pick(keys: readonly Word[], positions: readonly number[]): Word[] {
  return positions.map((at) => keys[at] ?? '');
}
