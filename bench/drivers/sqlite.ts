/** SQLite in memory: a table of keys and values, read and written with prepared statements. */
import { createRequire } from 'node:module';
import type { KeyValueDriver } from './key-value.js';

/** What the two bindings have in common, as far as it is used. */
interface Statement {
  get(...values: string[]): unknown;
  run(...values: string[]): unknown;
}
interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  close(): unknown;
}
type OpenDatabase = (path: string) => Database;

/** A binding that is there or not. */
interface Binding {
  readonly name: string;
  readonly version?: string;
  load(): Promise<OpenDatabase>;
}

function driverOf({ name, version, load }: Binding): KeyValueDriver {
  return {
    name,
    ...(version === undefined ? {} : { version }),
    async unavailable() {
      try {
        (await load())(':memory:').close();
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message.split('\n')[0] : String(error);
      }
    },
    async open() {
      const database = (await load())(':memory:');
      database.exec('CREATE TABLE pairs (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID');
      const read = database.prepare('SELECT value FROM pairs WHERE key = ?');
      const write = database.prepare('INSERT OR REPLACE INTO pairs (key, value) VALUES (?, ?)');
      return {
        store: {
          get: (key) => (read.get(key) as { value: string } | undefined)?.value,
          set: (key, value) => write.run(key, value),
        },
        batch(writes) {
          database.exec('BEGIN');
          writes();
          database.exec('COMMIT');
        },
        async close() {
          database.close();
        },
      };
    },
  };
}

/** Imports a module that TypeScript does not know, because it is not everywhere. */
async function optional<M>(name: string): Promise<M> {
  return (await import(name)) as M;
}

/** The one that comes with Node 22.5 and later. */
export const nodeSqliteDriver = driverOf({
  name: 'node:sqlite',
  async load() {
    const { DatabaseSync } = await optional<{ DatabaseSync: new (path: string) => Database }>('node:sqlite');
    return (path) => new DatabaseSync(path);
  },
});

function versionOf(name: string): string | undefined {
  try {
    return (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;
  } catch {
    return undefined;
  }
}

const installed = versionOf('better-sqlite3');

/** better-sqlite3, where it is installed. */
export const betterSqliteDriver = driverOf({
  name: 'better-sqlite3',
  ...(installed === undefined ? {} : { version: installed }),
  async load() {
    const { default: Opened } = await optional<{ default: new (path: string) => Database }>('better-sqlite3');
    return (path) => new Opened(path);
  },
});
