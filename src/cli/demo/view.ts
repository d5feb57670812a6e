import { monotonicMs } from './ack-spans.js';
import type { PeerView } from './cluster.js';
import { number } from './result.js';

/** Everything a view may show at an instant. */
export interface Picture {
  peers: PeerView[];
  acknowledged: number;
  writesPerSecond: number;
  writing: boolean;
  /** Set while the file is being restored. */
  restore: { keys: number; totalKeys: number } | undefined;
}

/** Where a demo shows what it does. */
export interface View {
  /** Something that happened. */
  note(text: string): void;
  /** How things stand; called several times per second. */
  draw(picture: Picture): void;
  /** The last picture is over. */
  close(): void;
}

/** Shows nothing, for `--json`. */
export const silentView: View = { note() {}, draw() {}, close() {} };

const PLAIN_EVERY_MS = 1_000;

/** Lines for a pipe: each event, and once a second how things stand. */
export class PlainView implements View {
  readonly #print: (line: string) => void;
  readonly #startedMs = monotonicMs();
  #drawnMs = this.#startedMs;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  note(text: string): void {
    const seconds = (monotonicMs() - this.#startedMs) / 1_000;
    this.#print(`${seconds.toFixed(1).padStart(5)} s  ${text}`);
  }

  draw(picture: Picture): void {
    if (monotonicMs() - this.#drawnMs < PLAIN_EVERY_MS) return;
    const line = statusLine(picture);
    if (line === undefined) return;
    this.#drawnMs = monotonicMs();
    this.note(line);
  }

  close(): void {}
}

function statusLine({ restore, writing, acknowledged, writesPerSecond, peers }: Picture): string | undefined {
  if (restore !== undefined) return `restored ${percent(restore)} (${number(restore.keys)} keys)`;
  if (!writing) return undefined;
  const roles = peers.map((peer) => `${peer.name} ${peer.state === 'running' ? roleText(peer) : peer.state}`);
  return `${number(acknowledged)} writes, ${number(writesPerSecond)}/s; ${roles.join(', ')}`;
}

/** How much of a restore is done. */
export function percent({ keys, totalKeys }: { keys: number; totalKeys: number }): string {
  return `${totalKeys === 0 ? 100 : Math.floor((100 * keys) / totalKeys)} %`;
}

/** `leader` or `follower`; with several shards, which of them the peer leads. */
export function roleText(peer: PeerView): string {
  const [first] = peer.shards;
  if (first === undefined) return peer.state;
  if (peer.shards.length === 1) return first.role;
  const led = peer.shards.filter((shard) => shard.role === 'leader').map((shard) => shard.shard);
  return led.length === 0 ? 'follower' : `leader of ${led.join(' ')}`;
}
