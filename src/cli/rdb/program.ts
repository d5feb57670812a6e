/** `holdfast rdb`: the workbench for RDB files. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { places, secretFileOption, wholeNumber } from '../arguments.js';
import { examples, type Finish } from '../help.js';
import type { ConvertCommandOptions } from './convert.js';
import type { BackupOptions, RestoreOptions } from './remote.js';

const FILE = 'RDB file; - for stdin';
const BIGGEST_MAX = 10_000;
const TIMEOUT_MS_MAX = 600_000;
const DATABASE_MAX = 2 ** 31 - 1;
const PREFIX_MEANS =
  "put this before the name of every key (keys that begin with a text are chosen by --match 'text*')";
/** Names that a key's type may have. */
const TYPES = ['string', 'list', 'set', 'zset', 'hash', 'stream', 'module'];
const VERSIONS = [9, 10, 11, 12];

// Commands are imported when they run, so that help needs no addon.
function inspect(finish: Finish): Command {
  return new Command('inspect')
    .description('count the keys of an RDB file by type and encoding, and verify its structure and checksum')
    .argument('<file>', FILE)
    .option('--biggest <n>', 'how many of the biggest keys are named', wholeNumber(0, BIGGEST_MAX), 10)
    .option('--slots', 'count keys by slot, as a cluster would spread them')
    .option('--json', 'print the counts as JSON')
    .addHelpText('after', examples('holdfast rdb inspect dump.rdb --biggest 50 --slots'))
    .action(async (file: string, options: { biggest: number; slots?: true; json?: true }) => {
      const { inspectCommand } = await import('./inspect.js');
      finish(await inspectCommand(file, options));
    });
}

function check(finish: Finish): Command {
  return new Command('check')
    .description('verify everything in an RDB file; exit 1 if it is damaged, and say where')
    .argument('<file>', FILE)
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      examples('holdfast rdb check dump.rdb && echo fine', 'zcat dump.rdb.gz | holdfast rdb check -'),
    )
    .action(async (file: string, options: { json?: true }) => {
      const { checkCommand } = await import('./check.js');
      finish(await checkCommand(file, options));
    });
}

function json(finish: Finish): Command {
  return new Command('json')
    .description('print the keys and values of an RDB file as JSON')
    .argument('<file>', FILE)
    .option('--canonical', 'one form for equal data: keys, fields and members in the order of their bytes')
    .addHelpText(
      'after',
      examples('holdfast rdb json dump.rdb', 'holdfast rdb json --canonical dump.rdb | sha256sum'),
    )
    .action(async (file: string, options: { canonical?: true }) => {
      const { jsonCommand } = await import('./json.js');
      finish(await jsonCommand(file, options));
    });
}

function diff(finish: Finish): Command {
  return new Command('diff')
    .description(
      'print the keys and libraries of functions that differ between two RDB files; exit 1 if there are any',
    )
    .argument('<before>', FILE)
    .argument('<after>', FILE)
    .option('--json', 'print the differences as JSON')
    .addHelpText('after', examples('holdfast rdb diff monday.rdb tuesday.rdb'))
    .action(async (before: string, after: string, options: { json?: true }) => {
      const { diffCommand } = await import('./diff.js');
      finish(await diffCommand(before, after, options));
    });
}

function convert(finish: Finish): Command {
  return new Command('convert')
    .description('write another RDB file: for other servers, with some of the keys, under other names')
    .argument('<in>', FILE)
    .argument('<out>', 'file to write, replaced when the new one is complete; - for stdout')
    .addOption(
      new Option('--rdb-version <n>', 'version to write: 9 for Redis 5, 10 for 7.0, 11 for 7.2, 12 for 7.4')
        .argParser(oneOf(VERSIONS))
        .default(10),
    )
    .option('--match <glob>', 'only keys whose names match the pattern')
    .option('--type <type>', `only keys of this type, one of ${TYPES.join(', ')}; may be repeated`, addType)
    .option('--db <n>', 'only keys of this database', wholeNumber(0, DATABASE_MAX))
    .option('--prefix <text>', PREFIX_MEANS)
    .option('--strip-ttl', 'leave out when keys and fields of hashes expire')
    .option('--drop-functions', 'leave out libraries of functions, which version 9 cannot hold')
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      examples(
        'holdfast rdb convert dump.rdb old.rdb --rdb-version 9',
        "holdfast rdb convert dump.rdb carts.rdb --match 'cart:*' --type hash --strip-ttl",
      ),
    )
    .action(async (from: string, to: string, options: ConvertCommandOptions) => {
      const { convertCommand } = await import('./convert.js');
      finish(await convertCommand(from, to, options));
    });
}

const ELSEWHERE =
  'a peer (or several), or redis[s]://[user:password@]host[:port][/db] (password also: HOLDFAST_REDIS_PASSWORD)';

function restore(finish: Finish): Command {
  return remote(new Command('restore'))
    .description('restore the keys of an RDB file into a running store, or into Redis')
    .argument('<file>', 'RDB file')
    .requiredOption('--to <host:port,...>', ELSEWHERE, places)
    .option('--match <glob>', 'only keys whose names match the pattern')
    .option('--type <type>', `only keys of this type, one of ${TYPES.join(', ')}; may be repeated`, addType)
    .option('--db <n>', 'only keys of this database', wholeNumber(0, DATABASE_MAX))
    .option('--prefix <text>', PREFIX_MEANS)
    .addOption(
      new Option('--on-conflict <mode>', 'what happens to a key that is there already')
        .choices(['skip', 'replace', 'fail'])
        .default('fail'),
    )
    .addHelpText(
      'after',
      examples(
        'holdfast rdb restore dump.rdb --to 10.0.0.1:7600 --on-conflict replace',
        "holdfast rdb restore dump.rdb --to redis://10.0.0.9:6379 --match 'user:*' --on-conflict skip",
      ),
    )
    .action(async (file: string, options: RestoreOptions) => {
      const { rdbRestoreCommand } = await import('./remote.js');
      finish(await rdbRestoreCommand(file, options));
    });
}

function backup(finish: Finish): Command {
  return remote(new Command('backup'))
    .description('take a backup of a running store, or of Redis, as an RDB file')
    .argument('<out>', 'where the file goes; it is replaced when the new one is complete')
    .requiredOption('--from <host:port,...>', ELSEWHERE, places)
    .addOption(
      new Option(
        '--rdb-version <n>',
        'version to write, for a store (default: 10, that of Redis 7.0)',
      ).argParser(oneOf(VERSIONS)),
    )
    .addHelpText(
      'after',
      examples(
        'holdfast rdb backup backup.rdb --from 10.0.0.1:7600',
        'holdfast rdb backup cluster.rdb --from redis://10.0.0.9:7000',
      ),
    )
    .action(async (out: string, options: BackupOptions) => {
      const { rdbBackupCommand } = await import('./remote.js');
      finish(await rdbBackupCommand(out, options));
    });
}

/** What restores and backups have in common. */
function remote(command: Command): Command {
  return command
    .addOption(secretFileOption())
    .option('--cacert <file>', 'certificates (PEM) that a rediss:// server is verified with')
    .option('--cert <file>', 'certificate (PEM) to show to a rediss:// server')
    .option('--key <file>', 'private key (PEM) of that certificate')
    .option('--timeout-ms <n>', 'how long connecting may take', wholeNumber(1, TIMEOUT_MS_MAX), 2_000)
    .option('--retry-ms <n>', 'how long to go on without an answer', wholeNumber(0, TIMEOUT_MS_MAX), 60_000)
    .option('--json', 'print the result as JSON');
}

function oneOf(numbers: readonly number[]): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (numbers.includes(value)) return value;
    throw new InvalidArgumentError(`It must be one of ${numbers.join(', ')}.`);
  };
}

function addType(text: string, types: readonly string[] = []): readonly string[] {
  if (TYPES.includes(text)) return [...types, text];
  throw new InvalidArgumentError(`It must be one of ${TYPES.join(', ')}.`);
}

/** The command with its commands. */
export function rdb(finish: Finish): Command {
  const command = new Command('rdb')
    .description('look into RDB files, compare, convert and restore them, and take backups')
    .addHelpText(
      'after',
      `${examples('holdfast rdb inspect dump.rdb')}\n\nExit code 2 also tells that a file cannot be used.`,
    );
  for (const make of [inspect, check, json, diff, convert, restore, backup]) command.addCommand(make(finish));
  return command;
}
