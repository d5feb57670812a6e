import type { MemberId } from '../../src/raft/types.js';
import type { Random } from './random.js';
import type { Scheduler } from './scheduler.js';
import type { Swarm } from './swarm.js';

/** Who is at the ends of the links. */
export interface Ends {
  readonly ids: readonly MemberId[];
  alive(id: MemberId): boolean;
  down(id: MemberId, peer: MemberId): void;
  up(id: MemberId, peer: MemberId): void;
}

interface Link {
  /** A frame of an earlier connection never arrives on a later one. */
  epoch: number;
  open: boolean;
}

/** Names the direction from one peer to another. */
function way(from: MemberId, to: MemberId): number {
  return from * 64 + to;
}

/** Links between peers: connections that open and close, and frames that are lost, doubled, delayed and reordered. */
export class Network {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #ends: Ends;
  #swarm: Swarm['network'];
  readonly #cut = new Set<number>();
  readonly #links = new Map<number, Link>();
  /** When the newest frame of a direction arrives: later ones stay behind it unless reordering is on. */
  readonly #arrivals = new Map<number, number>();
  frames = 0;

  constructor(scheduler: Scheduler, random: Random, swarm: Swarm['network'], ends: Ends) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#swarm = swarm;
    this.#ends = ends;
    for (const a of ends.ids)
      for (const b of ends.ids) if (a < b) this.#links.set(way(a, b), { epoch: 0, open: true });
  }

  #link(a: MemberId, b: MemberId): Link {
    return this.#links.get(a < b ? way(a, b) : way(b, a)) as Link;
  }

  /** From now on frames travel well, where they travel at all. */
  calm(noticeMs: number): void {
    const well = { loss: 0, duplication: 0, reorder: false, delayMs: 0.2, reconnectMs: 1, noticeMs };
    this.#swarm = { ...this.#swarm, ...well };
  }

  get delay(): number {
    return this.#swarm.delayMs * 0.3 + this.#random.around(this.#swarm.delayMs * 0.7);
  }

  /** Runs `deliver` at the other end, perhaps late, twice or never. */
  send(from: MemberId, to: MemberId, deliver: () => void): void {
    const { loss, duplication } = this.#swarm;
    if (loss > 0 && this.#random.chance(loss)) return;
    this.#carry(from, to, deliver);
    if (duplication > 0 && this.#random.chance(duplication)) this.#carry(from, to, deliver);
  }

  #carry(from: MemberId, to: MemberId, deliver: () => void): void {
    const link = this.#link(from, to);
    const { epoch } = link;
    if (!link.open || this.#cut.has(way(from, to))) return;
    const { now } = this.#scheduler;
    let at = now + this.delay;
    if (!this.#swarm.reorder) {
      const key = way(from, to);
      at = Math.max(at, this.#arrivals.get(key) ?? 0);
      this.#arrivals.set(key, at);
    }
    this.#scheduler.after(at - now, () => {
      if (link.epoch !== epoch || !link.open || this.#cut.has(way(from, to))) return;
      this.frames++;
      deliver();
    });
  }

  open(a: MemberId, b: MemberId): boolean {
    return this.#link(a, b).open && !this.#cut.has(way(a, b));
  }

  epoch(a: MemberId, b: MemberId): number {
    return this.#link(a, b).epoch;
  }

  /** Frames from `from` no longer reach `to`. The connection closes when that is noticed. */
  cut(from: MemberId, to: MemberId): void {
    if (from === to || this.#cut.has(way(from, to))) return;
    this.#cut.add(way(from, to));
    this.#scheduler.after(this.#random.around(this.#swarm.noticeMs), () => {
      if (this.#cut.has(way(from, to))) this.#close(from, to);
    });
  }

  heal(): void {
    this.#cut.clear();
    for (const a of this.#ends.ids) for (const b of this.#ends.ids) if (a < b) this.#reconnect(a, b);
  }

  #close(a: MemberId, b: MemberId): void {
    const link = this.#link(a, b);
    if (!link.open) return;
    link.open = false;
    link.epoch++;
    this.#ends.down(a, b);
    this.#ends.down(b, a);
  }

  /** A process ended: its connections close now, or, if the whole host died, when that is noticed. */
  crashed(id: MemberId): void {
    const { resets, noticeMs } = this.#swarm;
    for (const peer of this.#ends.ids) {
      if (peer === id) continue;
      const link = this.#link(id, peer);
      link.epoch++;
      const { epoch } = link;
      const delay = resets ? this.#random.between(0, 2) : this.#random.around(noticeMs);
      this.#scheduler.after(delay, () => {
        if (link.epoch === epoch) this.#close(id, peer);
      });
    }
  }

  /** A process began: all it had is gone, and it connects anew. */
  started(id: MemberId, reconnectMs = this.#swarm.reconnectMs): void {
    for (const peer of this.#ends.ids) {
      if (peer === id) continue;
      const link = this.#link(id, peer);
      link.open = false;
      link.epoch++;
      this.#ends.down(peer, id);
      this.#ends.down(id, peer);
      this.#reconnect(id, peer, reconnectMs);
    }
  }

  #reconnect(a: MemberId, b: MemberId, meanMs = this.#swarm.reconnectMs): void {
    this.#scheduler.after(this.#random.around(meanMs), () => {
      const link = this.#link(a, b);
      const cut = this.#cut.has(way(a, b)) || this.#cut.has(way(b, a));
      if (link.open || cut || !this.#ends.alive(a) || !this.#ends.alive(b)) return;
      link.open = true;
      link.epoch++;
      this.#ends.up(a, b);
      this.#ends.up(b, a);
    });
  }
}
