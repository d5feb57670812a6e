/** The commands that are about the connection, the endpoint or the table of commands. All others are the store's. */
import { type CommandFact, native } from '../keyspace/native.js';
import { BAD_CLIENT_NAME, type Client, clientName, type Surroundings } from './client.js';
import { settingsLike } from './config.js';
import * as encode from './encode.js';
import { hello } from './hello.js';
import { infoText, roleReply } from './info.js';

/** One such command. */
export interface ConnectionCommand {
  /** As in the command table: words with the name; negative: at least so many. */
  readonly arity: number;
  run(words: readonly Buffer[], client: Client, around: Surroundings): string | Promise<string>;
}

/** The error for a wrong number of words. */
export function wrongArity(name: string): string {
  return encode.error(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
}

/** Whether so many words fit. */
export function fitsArity(arity: number, words: number): boolean {
  return arity >= 0 ? words === arity : words >= -arity;
}

/** Longest name that is looked up. */
const NAME_BYTES_MAX = 32;

/** The name of a command, in upper case; empty for what can be no name. */
export function nameOf(word: Buffer | undefined): string {
  if (word === undefined || word.length > NAME_BYTES_MAX) return '';
  return word.toString('latin1').toUpperCase();
}

function ping(words: readonly Buffer[]): string {
  const [, message] = words;
  if (words.length > 2) return wrongArity('ping');
  return message === undefined ? encode.status('PONG') : encode.bulk(message);
}

function select([, index]: readonly Buffer[]): string {
  const text = index?.toString('latin1') ?? '';
  if (!/^-?\d+$/.test(text)) return encode.error('ERR value is not an integer or out of range');
  return Number(text) === 0 ? encode.OK : encode.error('ERR DB index is out of range');
}

function auth(words: readonly Buffer[]): string {
  const [, user] = words;
  if (words.length > 3) return encode.error('ERR syntax error');
  if (words.length === 2) {
    const reason = 'called without any password configured for the default user';
    return encode.error(`ERR AUTH <password> ${reason}. Are you sure your configuration is correct?`);
  }
  if (user?.toString('latin1') === 'default') return encode.OK;
  return encode.error('WRONGPASS invalid username-password pair or user is disabled.');
}

type Subcommand = (
  words: readonly Buffer[],
  client: Client,
  around: Surroundings,
) => string | Promise<string>;

interface SubcommandRow {
  readonly arity: number;
  readonly run: Subcommand;
}

/** Runs the subcommand that the second word names. */
function family(name: string, rows: Readonly<Record<string, SubcommandRow>>): Subcommand {
  const table = new Map(Object.entries(rows));
  return (words, client, around) => {
    const row = table.get(nameOf(words[1]));
    if (row === undefined) {
      const given = words[1]?.toString('utf8', 0, 128) ?? '';
      return encode.error(`ERR unknown subcommand '${given}'. Try ${name} HELP.`);
    }
    if (!fitsArity(row.arity, words.length)) {
      return wrongArity(`${name}|${nameOf(words[1])}`);
    }
    return row.run(words, client, around);
  };
}

function setName([, , word]: readonly Buffer[], client: Client): string {
  const name = clientName(word ?? Buffer.alloc(0));
  if (name === undefined) return encode.error(BAD_CLIENT_NAME);
  client.name = name;
  return encode.OK;
}

function setInfo([, , attribute, value]: readonly Buffer[], client: Client): string {
  const name = attribute?.toString('latin1').toLowerCase() ?? '';
  const text = clientName(value ?? Buffer.alloc(0));
  if (name !== 'lib-name' && name !== 'lib-ver') {
    return encode.error(`ERR Unrecognized option '${name}'`);
  }
  if (text === undefined) {
    return encode.error(`ERR ${name} cannot contain spaces, newlines or special characters.`);
  }
  if (name === 'lib-name') client.library = text;
  else client.libraryVersion = text;
  return encode.OK;
}

function flagsOf(client: Client): string {
  if (client.unblock !== undefined) return 'b';
  return client.queued >= 0 ? 'x' : 'N';
}

function describe(client: Client, nowMs: number): string {
  const seconds = (sinceMs: number): number => Math.floor((nowMs - sinceMs) / 1000);
  const fields = {
    ...{ id: client.id, addr: client.address, laddr: client.localAddress, name: client.name },
    age: seconds(client.connectedAtMs),
    idle: seconds(client.lastCommandAtMs),
    ...{ flags: flagsOf(client), db: 0, sub: 0, psub: 0, multi: client.queued },
    ...{ cmd: client.lastCommand.toLowerCase(), user: 'default' },
    ...{ 'lib-name': client.library, 'lib-ver': client.libraryVersion, resp: client.protocol },
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function listClients(_: readonly Buffer[], { protocol }: Client, { clients, nowMs }: Surroundings): string {
  const now = nowMs();
  const lines = [...clients.values()].map((client) => `${describe(client, now)}\n`);
  return encode.verbatim(lines.join(''), protocol);
}

function unblock([, , id, kind]: readonly Buffer[], _: Client, { clients }: Surroundings): string {
  const text = id?.toString('latin1') ?? '';
  const how = kind === undefined ? 'TIMEOUT' : nameOf(kind);
  if (how !== 'TIMEOUT' && how !== 'ERROR') {
    return encode.error('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
  }
  if (!/^-?\d+$/.test(text)) return encode.error('ERR value is not an integer or out of range');
  const waiting = clients.get(Number(text))?.unblock;
  waiting?.(how);
  return encode.integer(waiting === undefined ? 0 : 1);
}

const CLIENT = family('CLIENT', {
  ID: { arity: 2, run: (_, client) => encode.integer(client.id) },
  GETNAME: {
    arity: 2,
    run: (_, { name, protocol }) => (name === '' ? encode.nil(protocol) : encode.bulk(name)),
  },
  SETNAME: { arity: 3, run: setName },
  SETINFO: { arity: 4, run: setInfo },
  INFO: {
    arity: 2,
    run: (_, client, { nowMs }) => encode.verbatim(`${describe(client, nowMs())}\n`, client.protocol),
  },
  LIST: { arity: -2, run: listClients },
  UNBLOCK: { arity: -3, run: unblock },
});

function configGet(words: readonly Buffer[], { protocol }: Client, { settings }: Surroundings): string {
  const patterns = words.slice(2).map((word) => word.toString('latin1'));
  const found = settingsLike(settings, patterns);
  return encode.map(
    found.map(([name, value]) => [encode.bulk(name), encode.bulk(value)]),
    protocol,
  );
}

function configFixed(words: readonly Buffer[]): string {
  const how = 'what a store is opened with stays: options of open(), flags of holdfast serve';
  return encode.error(`ERR CONFIG ${nameOf(words[1])} is not supported: ${how}`);
}

const CONFIG = family('CONFIG', {
  GET: { arity: -3, run: configGet },
  SET: { arity: -4, run: configFixed },
  REWRITE: { arity: 2, run: configFixed },
});

/** A row of the table in the form of COMMAND: name, arity, flags, keys, and what Redis 7 added, of which nothing is known. */
function factReply({ name, arity, write, grows, keys }: CommandFact, { protocol }: Client): string {
  const flags = [encode.status(write ? 'write' : 'readonly')];
  if (grows) flags.push(encode.status('denyoom'));
  const range = typeof keys === 'object' && 'first' in keys ? keys : { first: 0, last: 0, step: 0 };
  if (keys === 'found' || (typeof keys === 'object' && 'counted' in keys))
    flags.push(encode.status('movablekeys'));
  return encode.array([
    ...[encode.bulk(name), encode.integer(arity), encode.set(flags, protocol)],
    ...[range.first, range.last, range.step].map(encode.integer),
    ...[encode.set([], protocol), encode.array([]), encode.array([]), encode.array([])],
  ]);
}

function commandInfo(words: readonly Buffer[], client: Client): string {
  const facts = new Map(native.commandTable().map((fact) => [fact.name.toUpperCase(), fact]));
  const names = words.length > 2 ? words.slice(2).map(nameOf) : [...facts.keys()];
  const rows = names.map((name) => {
    const fact = facts.get(name);
    return fact === undefined ? encode.nil(client.protocol) : factReply(fact, client);
  });
  return encode.array(rows);
}

const COMMAND_FAMILY = family('COMMAND', {
  COUNT: { arity: 2, run: () => encode.integer(native.commandTable().length) },
  INFO: { arity: -2, run: commandInfo },
  LIST: { arity: 2, run: () => encode.array(native.commandTable().map(({ name }) => encode.bulk(name))) },
  DOCS: { arity: -2, run: (_, { protocol }) => encode.map([], protocol) },
});

/** By name. Inside of MULTI those that the store has as well are the store's, and the others are refused. */
export const CONNECTION_COMMANDS: ReadonlyMap<string, ConnectionCommand> = new Map<string, ConnectionCommand>(
  [
    ['PING', { arity: -1, run: ping }],
    ['ECHO', { arity: 2, run: ([, message = '']) => encode.bulk(message) }],
    ['HELLO', { arity: -1, run: hello }],
    ['AUTH', { arity: -2, run: auth }],
    ['SELECT', { arity: 2, run: select }],
    ['CLIENT', { arity: -2, run: CLIENT }],
    ['CONFIG', { arity: -2, run: CONFIG }],
    [
      'COMMAND',
      {
        arity: -1,
        run: (words, client, around) =>
          words.length === 1 ? commandInfo(words, client) : COMMAND_FAMILY(words, client, around),
      },
    ],
    [
      'INFO',
      {
        arity: -1,
        run: async ([, ...sections], { protocol }, around) => {
          const text = await infoText(
            around,
            sections.map((section) => section.toString('latin1')),
          );
          return encode.verbatim(text, protocol);
        },
      },
    ],
    ['ROLE', { arity: 1, run: async (_, __, { status }) => roleReply(await status()) }],
  ],
);
