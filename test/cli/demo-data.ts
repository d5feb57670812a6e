/** What the demo's RDB file holds, as the requests that make it: a pure function of the seed below. */

/** The words of one request. */
export type DemoRequest = readonly string[];

/** Keys by type. The fixture's test counts them again in the file. */
export const DEMO_KEYS = { hash: 6_000, zset: 41, list: 4_000, set: 3_204, string: 9_000 } as const;
/** Keys with a time to live. */
export const DEMO_EXPIRING_KEYS = 5_000;
/** No session ends before this instant (November 2042). */
export const DEMO_FIRST_EXPIRY_MS = 2_300_000_000_000;

const SEED = 0x5ea_51de;
const USERS = 4_000;
const PRODUCTS = 1_500;

const GOODS = [
  'anchor',
  'bell',
  'block',
  'bollard',
  'buoy',
  'capstan',
  'cleat',
  'compass',
  'fender',
  'flag',
  'halyard',
  'hook',
  'jib',
  'kedge',
  'lamp',
  'line',
  'log',
  'mainsail',
  'oar',
  'pulley',
  'rope',
  'rudder',
  'sextant',
  'shackle',
  'tiller',
  'whistle',
  'winch',
];
const MATERIALS = [
  'ash',
  'brass',
  'bronze',
  'canvas',
  'cork',
  'hemp',
  'iron',
  'oak',
  'steel',
  'tarred cotton',
];
const HARBOURS = [
  'Aldermouth',
  'Brinsey',
  'Corhaven',
  'Dunwick Bay',
  'Eastferry',
  'Farholm',
  'Grimsand',
  'Hollin',
];
const REMARKS = [
  'fair wind all the way from',
  'waiting for the tide at',
  'the new paint is dry, come and see her in',
  'lost a fender somewhere near',
  'anyone for a race back from',
  'fog again at',
  'rope is cheap this week in',
  'thank you for the tow into',
];

class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer in 0..limit-1. */
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
}

function* products(random: Random): Iterable<DemoRequest> {
  for (let id = 0; id < PRODUCTS; id++) {
    const name = `${random.pick(MATERIALS)} ${random.pick(GOODS)}`;
    const description = `A ${name}. Every ${name} is made by hand in ${random.pick(HARBOURS)}, and every ${name} is tested at sea.`;
    const body = JSON.stringify({
      id,
      name,
      priceCents: 150 + random.below(40_000),
      description,
      tags: name.split(' '),
    });
    yield ['SET', `product:${id}`, body];
    yield ['SET', `views:product:${id}`, String(random.below(1_000_000))];
  }
  for (let id = 0; id < 1_000; id++) yield ['SET', `stock:${id}`, String(random.below(300) - 20)];
}

function* carts(random: Random): Iterable<DemoRequest> {
  for (let id = 0; id < DEMO_KEYS.hash; id++) {
    // Every 1500th customer is a shipyard whose cart no longer fits the packed form.
    const lines = id % 1_500 === 0 ? 600 : 1 + random.below(6);
    const words = ['HSET', `cart:${id}`];
    for (let line = 0; line < lines; line++)
      words.push(`sku:${(id * 7 + line * 13) % PRODUCTS}`, String(1 + random.below(9)));
    yield words;
  }
}

function* leaderboards(random: Random): Iterable<DemoRequest> {
  for (let user = 0; user < USERS; user++)
    yield ['ZADD', 'leaderboard:all', String(random.below(5_000_000) / 100), `user:${user}`];
  for (let week = 1; week <= 40; week++) {
    const words = ['ZADD', `leaderboard:week:${week}`];
    for (let place = 0; place < 20 + week; place++)
      words.push(String(random.below(10_000)), `user:${(week * 97 + place * 31) % USERS}`);
    yield words;
  }
}

function* feeds(random: Random): Iterable<DemoRequest> {
  for (let user = 0; user < DEMO_KEYS.list; user++) {
    // A few harbour masters have talked enough for several nodes.
    const messages = user % 1_000 === 0 ? 600 : 1 + random.below(8);
    const words = ['RPUSH', `feed:${user}`];
    for (let n = 0; n < messages; n++) {
      words.push(`user:${random.below(USERS)} ${random.pick(REMARKS)} ${random.pick(HARBOURS)} (${n})`);
    }
    yield words;
  }
}

function* followers(random: Random): Iterable<DemoRequest> {
  for (let user = 0; user < 3_000; user++) {
    const words = ['SADD', `followers:${user}`, String(user + 1)];
    // Ids of accounts moved from elsewhere need 32 or 64 bits.
    const base = user % 10 === 0 ? 5_000_000_000 : user % 3 === 0 ? 100_000 : 0;
    for (let n = random.below(20); n > 0; n--) words.push(String(base + random.below(USERS)));
    yield words;
  }
  for (let club = 0; club < 200; club++) {
    const words = ['SADD', `club:${club}`, `${random.pick(HARBOURS)} yacht club`];
    for (let n = random.below(12); n > 0; n--) words.push(`user:${random.below(USERS)}`);
    yield words;
  }
  for (let harbour = 0; harbour < 4; harbour++) {
    const words = ['SADD', `visitors:${HARBOURS[harbour]}`];
    for (let n = 0; n < 1_500; n++)
      words.push(harbour % 2 === 0 ? String(n * 3 + harbour) : `user:${n * 2 + harbour}`);
    yield words;
  }
}

function* sessions(random: Random): Iterable<DemoRequest> {
  for (let n = 0; n < DEMO_EXPIRING_KEYS; n++) {
    const token = `${n.toString(36).padStart(4, '0')}${random
      .below(2 ** 31)
      .toString(36)
      .padStart(6, '0')}`;
    const body = `user=${n % USERS}&since=${1_700_000_000 + random.below(50_000_000)}&harbour=${random.pick(HARBOURS)}`;
    yield [
      'SET',
      `session:${token}`,
      body,
      'PXAT',
      String(DEMO_FIRST_EXPIRY_MS + random.below(2 ** 31) * 60),
    ];
  }
}

/** All requests, in order. */
export function* demoData(): Iterable<DemoRequest> {
  const random = new Random(SEED);
  yield* products(random);
  yield* carts(random);
  yield* leaderboards(random);
  yield* feeds(random);
  yield* followers(random);
  yield* sessions(random);
}
