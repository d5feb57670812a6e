/** The comparison: one sequence of random requests to a real Redis and to a keyspace, every reply held against the other. */
import { SeededRandom } from '../support/random.js';
import type { Redis } from '../support/redis.js';
import type { Comparable, Family, Request } from './families/family.js';
import { FAMILIES } from './families/index.js';
import { Generator } from './generate.js';
import { type Answers, EQUAL, Pair } from './pair.js';
import { shrink } from './shrink.js';

/** Requests sent before both states are compared. */
const BATCH = 400;
/** Requests before a difference that are shown at most. */
const SHOWN_MAX = 40;
const SHRINK_TIMEOUT_MS = 30_000;

/** How the content of a key is read whole, by its type. */
const STATE = new Map(FAMILIES.flatMap(({ state = {} }) => Object.entries(state)));

/** What a comparison came to. */
export interface Outcome {
  readonly requests: number;
  /** Meant differences met, by reason. */
  readonly meant: ReadonlyMap<string, number>;
  /** The first difference that is not meant, told for a reader; `undefined` if there is none. */
  readonly difference: string | undefined;
}

/** Compares a sequence made from `seed`, of at least so many requests. Stops at the first difference. */
export async function compareWithRedis(
  redis: Redis,
  seed: number,
  requests: number,
  families: readonly Family[] = FAMILIES,
): Promise<Outcome> {
  await using pair = new Pair(redis);
  await pair.clear();
  const comparison = new Comparison(pair, new Generator(new SeededRandom(seed), families));
  while (comparison.differing === undefined && comparison.requests < requests) await comparison.advance();
  const { differing, meant, sent } = comparison;
  const difference = differing && (await told(pair, sent, differing));
  return { requests: comparison.requests, meant, difference };
}

class Comparison {
  requests = 0;
  readonly meant = new Map<string, number>();
  /** The requests so far, up to the one that differs. */
  readonly sent: Request[] = [];
  differing: Answers | undefined;
  readonly #pair: Pair;
  readonly #generator: Generator;

  constructor(pair: Pair, generator: Generator) {
    this.#pair = pair;
    this.#generator = generator;
  }

  /** Sends a batch, and compares the states after it. */
  async advance(): Promise<void> {
    const batch = Array.from({ length: BATCH }, () => this.#generator.next());
    await this.#run(batch);
    if (this.differing === undefined) this.sent.push(...batch);
    await this.#run([['DBSIZE'], ['KEYS', '*']]);
    const reads = this.#pair.keys().flatMap(({ key, type }) => stateReads(key, type));
    await this.#run(reads);
  }

  async #run(batch: readonly Request[]): Promise<void> {
    if (this.differing !== undefined) return;
    const answers = await this.#pair.ask(batch);
    this.requests += batch.length;
    for (const [i, one] of answers.entries()) {
      if (one.verdict === EQUAL) continue;
      if (one.verdict === undefined) {
        this.differing = one;
        this.sent.push(...batch.slice(0, i));
        return;
      }
      this.meant.set(one.verdict, (this.meant.get(one.verdict) ?? 0) + 1);
    }
  }
}

/** Type, encoding, expiry and all of the content. */
function stateReads(key: Buffer, type: string): Request[] {
  // Expired between the two reads.
  if (type === 'none') return [['TYPE', key]];
  const content = STATE.get(type);
  if (content === undefined) throw new Error(`no family says how a ${type} is read whole`);
  return [['TYPE', key], ['OBJECT', 'ENCODING', key], ['PEXPIRETIME', key], ...content(key)];
}

/** The difference with the few requests that lead to it. */
async function told(pair: Pair, sent: readonly Request[], differing: Answers): Promise<string> {
  const replay = async (requests: readonly Request[]): Promise<Answers | undefined> => {
    await pair.clear();
    const last = (await pair.ask([...requests, differing.request])).at(-1);
    return last?.verdict === undefined ? last : undefined;
  };
  const differs = async (requests: readonly Request[]) => (await replay(requests)) !== undefined;
  const again = await differs(sent);
  const few = again ? await shrink(sent, differing.request, differs, SHRINK_TIMEOUT_MS) : sent;
  const { request, redis, ours } = (again ? await replay(few) : undefined) ?? differing;
  return [
    again
      ? `after ${few.length} requests of ${sent.length}:`
      : `not met again; after ${sent.length} requests:`,
    ...few.slice(-SHOWN_MAX).map((one) => `  ${printed(one)}`),
    `  ${printed(request)}`,
    `redis:    ${shown(redis)}`,
    `holdfast: ${shown(ours)}`,
  ].join('\n');
}

function printed(request: Request): string {
  const words = request.map((word) =>
    JSON.stringify(typeof word === 'string' ? word : word.toString('latin1')),
  );
  return words.length > 20 ? `${words.slice(0, 20).join(' ')} ... (${words.length} words)` : words.join(' ');
}

function shown(reply: Comparable): string {
  return JSON.stringify(reply).slice(0, 2000);
}
