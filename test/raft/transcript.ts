import type { Message } from '../../src/raft/types.js';
import { Cluster, type Filter } from './cluster.js';

/**
 * Runs a transcript: commands, a line of dashes, what came of them, and prose between. The expected part holds state and
 * messages, nothing else.
 *
 *     # prose
 *     > campaign 1
 *     > deliver
 *     ----
 *     1 -> 2 vote term=1 ...
 *
 * `deliver` and `drop` take `from=1 to=2 type=vote,beat without=3`, and `silently`.
 */
export class Transcript {
  #cluster = new Cluster();
  readonly #lines: string[] = [];

  /** What a block of commands brings about. */
  block(commands: readonly string[]): string[] {
    this.#lines.length = 0;
    for (const command of commands) this.#run(command.split(/\s+/));
    return [...this.#lines];
  }

  #run([name = '', ...words]: readonly string[]): void {
    const [first = ''] = words;
    const id = Number(first);
    const { now } = this.#cluster;
    const actions: Readonly<Record<string, () => void>> = {
      cluster: () => this.#found(words),
      campaign: () => this.#cluster.do(id, (raft) => raft.campaign(now)),
      propose: () => this.#lines.push(`-> ${this.#cluster.propose(id, words[1] ?? '')}`),
      read: () => this.#cluster.do(id, (raft) => raft.readIndex(now, Number(words[1]))),
      transfer: () =>
        this.#lines.push(`-> ${this.#cluster.do(id, (raft) => raft.transfer(now, Number(words[1])))}`),
      'step-down': () => this.#cluster.do(id, (raft) => raft.stepDown(now, 'asked')),
      deliver: () => this.#deliver(words),
      drop: () => {
        const lost = this.#cluster.drop(filter(words));
        if (!words.includes('silently'))
          this.#lines.push(...lost.map((message) => `lost ${describe(message)}`));
      },
      pass: () => this.#cluster.pass(id),
      hold: () => this.#hold(words, false),
      release: () => this.#hold(words, true),
      crash: () => this.#cluster.crash(id),
      restart: () => this.#cluster.restart(id),
      disconnect: () => this.#cluster.disconnect(id),
      connect: () => this.#cluster.connect(id),
      compact: () => this.#lines.push(`-> ${mark(this.#cluster.compact(id))}`),
      install: () => this.#install(id, Number(words[1])),
      wire: () => {
        for (const message of this.#cluster.wire) this.#lines.push(describe(message));
      },
      status: () => this.#status(),
    };
    const action = actions[name];
    if (action === undefined) throw new Error(`transcript: no command ${name}`);
    action();
  }

  #found(words: readonly string[]): void {
    this.#cluster = new Cluster({ peers: Number(option(words, 'peers') ?? 3) });
  }

  #deliver(words: readonly string[]): void {
    const delivered = this.#cluster.deliver(filter(words));
    if (!words.includes('silently')) this.#lines.push(...delivered.map(describe));
  }

  /** `hold 2 disk`: writes of 2 wait; `hold 2 apply`: what is committed waits. */
  #hold([id, what]: readonly string[], auto: boolean): void {
    const member = this.#cluster.member(Number(id));
    if (what === 'disk') {
      member.autoSync = auto;
      if (auto) this.#cluster.sync(member.id);
    } else {
      member.autoApply = auto;
      if (auto) this.#cluster.apply(member.id);
    }
  }

  /** The snapshot that `from` has on disk travels whole. */
  #install(id: number, from: number): void {
    const { snapshot } = this.#cluster.member(from);
    this.#lines.push(`-> ${this.#cluster.install(id, snapshot)}`);
    this.#cluster.do(from, (raft) => raft.snapshotSent(this.#cluster.now, id, snapshot));
  }

  #status(): void {
    for (const { id, raft, alive, leaseUntil, reads, snapshots } of this.#cluster.members) {
      if (!alive) {
        this.#lines.push(`${id}: down`);
        continue;
      }
      const { role, term, leader, commit, applied } = raft.status();
      const parts = [`${id}: ${role} term=${term} leader=${leader} commit=${commit} applied=${applied}`];
      parts.push(`log=[${this.#cluster.log(id)}]`);
      if (this.#cluster.now < leaseUntil) parts.push(`lease=+${(leaseUntil - this.#cluster.now).toFixed(0)}`);
      const barrier = raft.status().barrierUntil - this.#cluster.now;
      if (role === 'leader' && barrier > 0) parts.push(`barrier=+${barrier.toFixed(0)}`);
      if (reads.length > 0)
        parts.push(`reads=[${reads.map((read) => `${read.id}@${read.index}`).join(' ')}]`);
      if (snapshots.length > 0) parts.push(`snapshots=[${snapshots.join(' ')}]`);
      this.#lines.push(parts.join(' '));
    }
  }
}

function option(words: readonly string[], name: string): string | undefined {
  return words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** All of what is given has to hold. */
function filter(words: readonly string[]): Filter {
  const [from, to, type, without] = ['from', 'to', 'type', 'without'].map((name) => option(words, name));
  return (message) =>
    (from === undefined || message.from === Number(from)) &&
    (to === undefined || message.to === Number(to)) &&
    (type === undefined || type.split(',').includes(message.type)) &&
    (without === undefined || (message.from !== Number(without) && message.to !== Number(without)));
}

function mark({ index, term }: { readonly index: number; readonly term: number }): string {
  return `${index}/${term}`;
}

/** Times are left out: they say nothing that `status` does not. */
function describe(message: Message): string {
  const head = `${message.from} -> ${message.to} ${message.type} term=${message.term}`;
  switch (message.type) {
    case 'preVote':
      return `${head} last=${message.lastIndex}/${message.lastTerm} round=${message.round}`;
    case 'preVoteReply':
      return `${head} ${message.granted ? 'granted' : 'refused'} round=${message.round}`;
    case 'vote':
      return `${head} last=${message.lastIndex}/${message.lastTerm}${message.transfer ? ' token' : ''}`;
    case 'voteReply':
      return `${head} ${message.granted ? 'granted' : 'refused'} promise=${message.promiseRemaining.toFixed(0)}`;
    case 'beat':
      return `${head} commit=${message.commit} round=${message.readRound}${message.leased ? ' leased' : ''}`;
    case 'beatReply':
      return `${head} round=${message.readRound}`;
    case 'append': {
      const entries = message.entries.map((entry) => `${mark(entry)}${entry.kind === 'noop' ? ' noop' : ''}`);
      return `${head} prev=${message.prevIndex}/${message.prevTerm} commit=${message.commit} [${entries.join(', ')}]`;
    }
    case 'appendReply':
      return message.ok
        ? `${head} ok ${message.index}`
        : `${head} refused ${message.index} hint=${message.hintIndex}/${message.hintTerm}`;
    case 'snapshotChunk':
      return `${head} ${mark(message.mark)}`;
    case 'snapshotReply':
      return `${head} ${message.ok ? 'ok' : 'refused'} ${message.index}`;
    case 'readIndexReply':
      return `${head} id=${message.id} index=${message.index}`;
    case 'readIndex':
      return `${head} id=${message.id}`;
    default:
      return head;
  }
}

/** Runs a whole file and returns it with the expected parts as they came out. */
export function rewrite(text: string): string {
  const transcript = new Transcript();
  const out: string[] = [];
  let commands: string[] = [];
  let expected = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('> ')) {
      commands.push(line.slice(2));
      out.push(line);
      expected = false;
    } else if (line === '----') {
      out.push(line, ...transcript.block(commands));
      commands = [];
      expected = true;
    } else if (!expected) out.push(line);
    else if (line === '') {
      out.push(line);
      expected = false;
    }
  }
  return out.join('\n');
}
