/** HELLO: which protocol the connection speaks from here on. */
import type { RespProtocol } from '../keyspace/native.js';
import { BAD_CLIENT_NAME, type Client, clientName, type Surroundings } from './client.js';
import * as encode from './encode.js';
import { REDIS_VERSION, roleOf } from './info.js';

interface Wishes {
  readonly protocol: RespProtocol;
  readonly name: string | undefined;
}

/** The reply to HELLO; the protocol is in force at once. A refused HELLO changes nothing. */
export function hello(
  words: readonly Buffer[],
  client: Client,
  around: Surroundings,
): string | Promise<string> {
  const wishes = readWishes(words, client);
  if (typeof wishes === 'string') return encode.error(wishes);
  client.protocol = wishes.protocol;
  client.name = wishes.name ?? client.name;
  return describe(client.id, wishes.protocol, around);
}

async function describe(id: number, protocol: RespProtocol, { status }: Surroundings): Promise<string> {
  const { master } = roleOf(await status());
  return encode.map(
    [
      [encode.bulk('server'), encode.bulk('redis')],
      [encode.bulk('version'), encode.bulk(REDIS_VERSION)],
      [encode.bulk('proto'), encode.integer(protocol)],
      [encode.bulk('id'), encode.integer(id)],
      [encode.bulk('mode'), encode.bulk('standalone')],
      [encode.bulk('role'), encode.bulk(master ? 'master' : 'replica')],
      [encode.bulk('modules'), encode.array([])],
    ],
    protocol,
  );
}

/** What is asked for, or the line of the error. */
function readWishes([, version, ...options]: readonly Buffer[], client: Client): Wishes | string {
  const text = version?.toString('latin1') ?? String(client.protocol);
  if (!/^-?\d{1,18}$/.test(text)) return 'ERR Protocol version is not an integer or out of range';
  if (text !== '2' && text !== '3') return 'NOPROTO unsupported protocol version';
  let name: string | undefined;
  for (let i = 0; i < options.length; ) {
    const option = options[i]?.toString('latin1').toUpperCase() ?? '';
    const left = options.length - i - 1;
    if (option === 'AUTH' && left >= 2) {
      if (options[i + 1]?.toString('latin1') !== 'default') {
        return 'WRONGPASS invalid username-password pair or user is disabled.';
      }
      i += 3;
    } else if (option === 'SETNAME' && left >= 1) {
      name = clientName(options[i + 1] ?? Buffer.alloc(0));
      if (name === undefined) return BAD_CLIENT_NAME;
      i += 2;
    } else {
      return `ERR Syntax error in HELLO option '${options[i]?.toString('utf8', 0, 128)}'`;
    }
  }
  return { protocol: text === '2' ? 2 : 3, name };
}
