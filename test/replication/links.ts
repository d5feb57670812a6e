/** Links on loopback for tests: real sockets, made and closed per test. */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach } from 'vitest';
import type { HoldfastError } from '../../src/errors.js';
import type { Frame } from '../../src/replication/frame.js';
import type { Hello } from '../../src/replication/handshake.js';
import { Link, type LinkOptions, type LinkPeer } from '../../src/replication/link.js';
import { helloOf } from './hello.js';

let links: Link[] = [];
afterEach(async () => {
  const open = links;
  links = [];
  await Promise.all(open.map((link) => link.close()));
});

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Members 1 = a, 2 = b, ... on free ports. */
export async function members(count: number): Promise<LinkPeer[]> {
  const ports = await Promise.all(Array.from({ length: count }, freePort));
  return ports.map((port, i) => ({
    id: i + 1,
    name: String.fromCharCode('a'.charCodeAt(0) + i),
    address: `127.0.0.1:${port}`,
  }));
}

export interface Peer {
  readonly link: Link;
  readonly hello: Hello;
  readonly frames: { from: number; frame: Frame }[];
  readonly events: string[];
  readonly refused: { peer: number | undefined; error: HoldfastError }[];
}

/** A link that writes down all that happens. Not started. */
export function makePeer(peers: readonly LinkPeer[], id: number, options: Partial<LinkOptions> = {}): Peer {
  const frames: Peer['frames'] = [];
  const events: string[] = [];
  const refused: Peer['refused'] = [];
  const hello = options.hello?.() ?? helloOf(id);
  let seed = id;
  const link = new Link({
    self: id,
    peers,
    random: () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    },
    judge: () => undefined,
    onFrame: (from, frame) => frames.push({ from, frame }),
    onUp: (peer) => events.push(`up ${peer}`),
    onDown: (peer) => events.push(`down ${peer}`),
    onRefused: (peer, error) => refused.push({ peer, error }),
    ...options,
    hello: () => hello,
    limits: { linkRetryMsMin: 5, linkRetryMsMax: 40, linkRefusedRetryMs: 60, ...options.limits },
  });
  links.push(link);
  return { link, hello, frames, events, refused };
}

/** All members, started and connected with each other. */
export async function makeCluster(count: number, options: Partial<LinkOptions> = {}): Promise<Peer[]> {
  const peers = await members(count);
  const made = peers.map(({ id }) => makePeer(peers, id, options));
  await Promise.all(made.map(({ link }) => link.start()));
  await until(() => made.every(({ link }) => peers.filter(({ id }) => link.isUp(id)).length === count - 1));
  return made;
}

/** Waits for a condition, and fails by name when it does not come. */
export async function until(condition: () => boolean, what = 'condition', ms = 5_000): Promise<void> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(1);
  }
}
