import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';
import { tableOf } from '../table.js';
import type { PeerView } from './cluster.js';
import { number } from './result.js';
import { type Picture, percent, roleText, type View } from './view.js';

const BAR_CHARS = 40;

type Style = Parameters<typeof styleText>[0];

/** A picture that is drawn anew in place, with the events as lines above it. */
export class TerminalView implements View {
  readonly #stream: NodeJS.WriteStream;
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #paint: (style: Style, text: string) => string;
  #drawn = '';

  constructor(stream: NodeJS.WriteStream, colors: boolean) {
    this.#stream = stream;
    this.#update = createLogUpdate(stream);
    this.#paint = colors ? styleText : (_style, text) => text;
  }

  note(text: string): void {
    this.#update.clear();
    this.#stream.write(`${this.#paint('cyan', '*')} ${text}\n`);
    if (this.#drawn !== '') this.#update(this.#drawn);
  }

  draw(picture: Picture): void {
    this.#drawn = [this.#peers(picture.peers), ...this.#work(picture)].join('\n');
    this.#update(this.#drawn);
  }

  close(): void {
    this.#drawn = '';
    this.#update.clear();
    // Gives the cursor back.
    this.#update.done();
  }

  #peers(peers: readonly PeerView[]): string {
    const sum = (numbers: number[]) => number(numbers.reduce((total, each) => total + each, 0));
    const rows = peers.map((peer) => {
      const { name, pid, state, shards } = peer;
      if (state === 'killed' || shards.length === 0) return [name, pid ?? '', this.#role(peer), '', '', ''];
      const term = Math.max(...shards.map((shard) => shard.term));
      const commit = sum(shards.map((shard) => shard.commit));
      return [name, pid ?? '', this.#role(peer), term, commit, sum(shards.map((shard) => shard.applied))];
    });
    return tableOf(rows, {
      head: ['peer', 'process', 'role', 'term', 'commit', 'applied'],
      align: ['left', 'right', 'left', 'right', 'right', 'right'],
    });
  }

  #role(peer: PeerView): string {
    if (peer.state === 'killed') return this.#paint('red', 'killed');
    if (peer.state !== 'running') return this.#paint('yellow', peer.state);
    const role = roleText(peer);
    return role.startsWith('leader') ? this.#paint('green', role) : role;
  }

  #work({ restore, writing, acknowledged, writesPerSecond }: Picture): string[] {
    if (restore !== undefined) {
      const done = restore.totalKeys === 0 ? 1 : restore.keys / restore.totalKeys;
      const filled = Math.round(done * BAR_CHARS);
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_CHARS - filled);
      return [`restoring ${bar} ${percent(restore)}, ${number(restore.keys)} keys`];
    }
    if (!writing && acknowledged === 0) return [];
    return [`${number(acknowledged)} writes acknowledged, ${number(writesPerSecond)} per second`];
  }
}
