import { HoldfastError } from '../errors.js';
import { connectClient } from '../replication/status-client.js';
import { readSecret, type SecretSource } from './arguments.js';
import { printLine } from './output.js';
import { type Answer, type ClusterPicture, parseAnswer, pictureOf } from './status-picture.js';
import { tableOf } from './table.js';

/** Options of `holdfast status`. */
export interface StatusOptions extends SecretSource {
  peer: string[];
  timeoutMs: number;
  json?: boolean;
}

async function ask(address: string, secret: string | undefined, timeoutMs: number): Promise<Answer> {
  try {
    const client = await connectClient(address, secret, timeoutMs);
    try {
      return { address, status: parseAnswer(address, await client.status()) };
    } finally {
      await client.close();
    }
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return { address, failure: error };
  }
}

/** Asks the peers named, then those that they name. */
async function askAll({ peer, timeoutMs }: StatusOptions, secret: string | undefined): Promise<Answer[]> {
  const answers = await Promise.all(peer.map((address) => ask(address, secret, timeoutMs)));
  const named = answers.flatMap((answer) => answer.status?.peers ?? []);
  const asked = new Set(
    answers.flatMap(({ address, status }) => [address, status?.peers.find(isSelf(status))?.address]),
  );
  const others = new Set(named.map(({ address }) => address).filter((address) => !asked.has(address)));
  return [...answers, ...(await Promise.all([...others].map((address) => ask(address, secret, timeoutMs))))];
}

const isSelf = (status: { name: string }) => (peer: { name: string }) => peer.name === status.name;

function render({ shards, peers }: ClusterPicture): string {
  const links = peers.map(({ name, address, up, reason }) => {
    return [name ?? '?', address, up ? 'up' : `down: ${reason ?? 'no answer'}`];
  });
  const replicas = shards.flatMap(({ shard, leader, term, replicas }) =>
    replicas.map(({ peer, role, commit, applied, lag }) => {
      return [shard, leader ?? 'none', term, peer, role, commit, applied, lag];
    }),
  );
  return [
    tableOf(links, { head: ['peer', 'address', 'state'] }),
    tableOf(replicas, { head: ['shard', 'leader', 'term', 'peer', 'role', 'commit', 'applied', 'lag'] }),
  ].join('\n');
}

/** Prints what the peers say of themselves. Resolves to the exit code: 1 if a shard has no leader. */
export async function statusCommand(options: StatusOptions): Promise<number> {
  const answers = await askAll(options, await readSecret(options));
  const picture = pictureOf(answers);
  if (picture.shards.length === 0) {
    throw (
      answers.find(({ failure }) => failure !== undefined)?.failure ??
      new HoldfastError('IO', 'no peer answered')
    );
  }
  printLine(options.json ? JSON.stringify(picture, null, 2) : render(picture));
  return picture.shards.every(({ leader }) => leader !== undefined) ? 0 : 1;
}
