import { createRequire } from 'node:module';
import { Command, Option } from 'commander';
import { POLICIES, SAMPLES_MAX } from '../keyspace/memory-options.js';
import {
  address,
  addresses,
  limitList,
  peerList,
  seconds,
  secretFileOption,
  size,
  wholeNumber,
} from './arguments.js';
import type { DemoCommandOptions } from './demo/command.js';
import { examples, type Finish } from './help.js';
import { rdb } from './rdb/program.js';
import type { ServeOptions } from './serve.js';
import type { StatusOptions } from './status.js';

const SHARDS_MAX = 64;
const SECONDS_MAX = 600;
const IN_FLIGHT_MAX = 1_024;
const TIMEOUT_MS_MAX = 600_000;
const PORT_MAX = 65_535;
const BACKUP_SECONDS_MAX = 2_147_483;
const BACKUPS_MAX = 10_000;

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

export type { Finish } from './help.js';

// Commands are imported when they run, so that help needs no addon.
function demo(finish: Finish): Command {
  return new Command('demo')
    .description(
      'three peers on this machine, a restored RDB file, a killed leader, and a check that nothing was lost',
    )
    .option(
      '--rdb <file>',
      'RDB file to restore (default: a shop of 22,245 keys that comes with the package)',
    )
    .option('--shards <n>', 'shards of the cluster', wholeNumber(1, SHARDS_MAX), 1)
    .option('--seconds <n>', 'how long the workload runs', seconds(1, SECONDS_MAX), 9)
    .option('--in-flight <n>', 'writes at a time, from each peer', wholeNumber(1, IN_FLIGHT_MAX), 32)
    .option('--keep', 'leave the data directory')
    .option('--json', 'print the result as JSON and nothing else')
    .addHelpText('after', examples('holdfast demo --shards 3', 'holdfast demo --rdb dump.rdb --json'))
    .action(async (options: DemoCommandOptions) => {
      const { demoCommand } = await import('./demo/command.js');
      finish(await demoCommand(options));
    });
}

/** The same on all peers, unless their memory differs. */
function withLimits(command: Command): Command {
  return command
    .addOption(
      new Option('--max-memory <bytes>', 'what keys and values may take, as 512mb (default: no limit)')
        .env('HOLDFAST_MAX_MEMORY')
        .argParser(size),
    )
    .addOption(
      new Option('--max-memory-policy <policy>', 'what happens at the limit (default: noeviction)')
        .env('HOLDFAST_MAX_MEMORY_POLICY')
        .choices(POLICIES),
    )
    .addOption(
      new Option('--max-memory-samples <n>', 'keys looked at to find one that should go (default: 5)')
        .env('HOLDFAST_MAX_MEMORY_SAMPLES')
        .argParser(wholeNumber(1, SAMPLES_MAX)),
    )
    .addOption(
      new Option(
        '--limits <list>',
        'sizes up to which collections are compact, as hash-max-listpack-entries=512,set-max-intset-entries=512,...',
      )
        .env('HOLDFAST_LIMITS')
        .argParser(limitList),
    );
}

function withBackups(command: Command): Command {
  return command
    .addOption(
      new Option('--backup-dir <dir>', 'where backups go (default: none are made)').env(
        'HOLDFAST_BACKUP_DIR',
      ),
    )
    .addOption(
      new Option('--backup-every <seconds>', 'from one backup to the next (default: 3600)')
        .env('HOLDFAST_BACKUP_EVERY')
        .argParser(wholeNumber(1, BACKUP_SECONDS_MAX)),
    )
    .addOption(
      new Option('--backup-keep <n>', 'how many backups of this peer are kept (default: 24)')
        .env('HOLDFAST_BACKUP_KEEP')
        .argParser(wholeNumber(1, BACKUPS_MAX)),
    );
}

function serve(finish: Finish): Command {
  const command = new Command('serve')
    .description('run a peer until SIGTERM, then hand over and exit 0')
    .addOption(new Option('--name <name>', "this peer's name").env('HOLDFAST_NAME').makeOptionMandatory())
    .addOption(
      new Option('--peers <list>', 'all peers, as a=host:port,b=host:port,...')
        .env('HOLDFAST_PEERS')
        .argParser(peerList)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--dir <dir>', 'directory for log and snapshots (default: memory only)').env('HOLDFAST_DIR'),
    )
    .addOption(
      new Option('--listen <host:port>', 'where to listen, if not at the address in --peers')
        .env('HOLDFAST_LISTEN')
        .argParser(address),
    )
    .addOption(
      new Option('--shards <n>', 'shards of the cluster')
        .env('HOLDFAST_SHARDS')
        .argParser(wholeNumber(1, SHARDS_MAX))
        .default(1),
    )
    .addOption(
      new Option('--fsync <mode>', 'when writes are on disk')
        .env('HOLDFAST_FSYNC')
        .choices(['always', 'everysec']),
    )
    .addOption(
      new Option('--resp-port <port>', 'port for Redis clients, who need no password (default: none)')
        .env('HOLDFAST_RESP_PORT')
        .argParser(wholeNumber(0, PORT_MAX)),
    )
    .addOption(
      new Option('--resp-host <host>', 'address for Redis clients')
        .env('HOLDFAST_RESP_HOST')
        .default('127.0.0.1'),
    )
    .addOption(secretFileOption())
    .option('--json', 'log lines as JSON');
  return withBackups(withLimits(command))
    .addHelpText(
      'after',
      examples(
        'holdfast serve --name a --peers a=10.0.0.1:7600,b=10.0.0.2:7600,c=10.0.0.3:7600 --dir /var/lib/holdfast',
        'holdfast serve --name a --peers a=10.0.0.1:7600 --max-memory 2gb --max-memory-policy allkeys-lru',
      ),
    )
    .action(async (options: ServeOptions) => {
      const { serveCommand } = await import('./serve.js');
      finish(await serveCommand(options));
    });
}

function status(finish: Finish): Command {
  return new Command('status')
    .description('ask running peers; exit 1 if a shard has no leader')
    .requiredOption(
      '--peer <host:port,...>',
      'a peer, or several; the others are found through it',
      addresses,
    )
    .addOption(secretFileOption())
    .option('--timeout-ms <n>', 'how long to wait for each peer', wholeNumber(1, TIMEOUT_MS_MAX), 2_000)
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', examples('holdfast status --peer 10.0.0.1:7600 --secret-file /etc/holdfast/secret'))
    .action(async (options: StatusOptions) => {
      const { statusCommand } = await import('./status.js');
      finish(await statusCommand(options));
    });
}

/** The whole command line. */
export function program(finish: Finish): Command {
  const root = new Command('holdfast')
    .description('an embeddable, highly available store with the Redis data model')
    .version(version)
    .option('--verbose', 'say where an error comes from (also: HOLDFAST_DEBUG=1)')
    .addHelpText(
      'after',
      `${examples('holdfast demo')}\n\nExit codes: 0 fine, 1 failed, 2 wrong usage, 128 + n ended by signal n.`,
    );
  for (const command of [demo, serve, status, rdb]) root.addCommand(command(finish));
  const all = [root, ...root.commands, ...root.commands.flatMap((command) => command.commands)];
  for (const command of all) {
    command.exitOverride().configureOutput({ outputError: (text, write) => write(usageLine(text, command)) });
  }
  return root;
}

/** What commander says, in the form of all errors, with the way to more. */
function usageLine(text: string, command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  const message = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
  return `holdfast: USAGE: ${message} (see ${names.join(' ')} --help)\n`;
}
