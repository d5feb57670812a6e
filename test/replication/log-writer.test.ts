/** Worker threads run compiled files only: these tests use what `npm run build:ts` made. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { HoldfastError } from '../../src/errors.js';
import type * as Threads from '../../src/replication/disk-thread.js';
import { LogFile } from '../../src/replication/log-file.js';
import type { LogRecord } from '../../src/replication/log-records.js';
import { LogWriter, type LogWriterOptions } from '../../src/replication/log-writer.js';
import { emptyDirectory } from './directories.js';
import { until } from './links.js';

const compiled = new URL('../../dist/replication/disk-thread.js', import.meta.url).href;
const { DiskThread }: typeof Threads = await import(compiled);

const clusterId = 'c1'.repeat(16);
const threads: Threads.DiskThread[] = [];
afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.close()));
});

function makeThread(options: Threads.DiskThreadOptions = { fsync: 'always' }): Threads.DiskThread {
  const thread = new DiskThread(options);
  threads.push(thread);
  return thread;
}

interface Opened {
  readonly writer: LogWriter;
  readonly entries: readonly { index: number; data: Uint8Array }[];
  readonly durable: number[];
  readonly errors: HoldfastError[];
}

async function openWriter(
  thread: Threads.DiskThread,
  dir: string,
  fields: Partial<LogWriterOptions> = {},
): Promise<Opened> {
  const durable: number[] = [];
  const errors: HoldfastError[] = [];
  const { writer, recovered } = await LogWriter.open({
    port: thread.connect(),
    dir,
    shard: 0,
    clusterId,
    onDurable: (seq) => durable.push(seq),
    onError: (error) => errors.push(error),
    ...fields,
  });
  return { writer, entries: recovered.entries, durable, errors };
}

const entry = (index: number, data: Uint8Array = Buffer.from(`entry ${index}`)): LogRecord => ({
  type: 'entry',
  entry: { index, term: 1, kind: 'batch', data },
});

describe('log writer', () => {
  it.each(['always', 'everysec'] as const)(
    'makes what is queued durable together and in order (%s)',
    async (fsync) => {
      const dir = join(emptyDirectory(), 'shard-0');
      const thread = makeThread({ fsync, syncMs: 20 });
      const { writer, durable } = await openWriter(thread, dir);
      for (let seq = 1; seq <= 2_000; seq += 1) writer.append(seq, [entry(seq)]);
      expect(writer.queuedBytes).toBeGreaterThan(2_000 * 20);
      await until(() => durable.at(-1) === 2_000);
      expect(writer.queuedBytes).toBe(0);
      expect(durable).toEqual(durable.toSorted((a, b) => a - b));
      expect(durable.length).toBeLessThan(200);
      writer.append(2_001, [entry(2_001), { type: 'hardState', hardState: { term: 4, vote: 2 } }]);
      await writer.close();
      expect(durable.at(-1)).toBe(2_001);
      const again = await openWriter(thread, dir);
      expect(again.entries.map(({ index }) => index)).toEqual(Array.from({ length: 2_001 }, (_, i) => i + 1));
      expect(Buffer.from(again.entries[999]?.data ?? []).toString()).toBe('entry 1000');
      await again.writer.close();
    },
  );

  it('keeps marks, and drops what is behind them', async () => {
    const dir = emptyDirectory();
    const thread = makeThread({ fsync: 'always', segmentBytes: 500 });
    const { writer, durable } = await openWriter(thread, dir);
    for (let seq = 1; seq <= 30; seq += 1) {
      writer.append(seq, [entry(seq)]);
      await until(() => durable.at(-1) === seq);
    }
    const files = readdirSync(dir).length;
    writer.setMark(31, { index: 25, term: 1 });
    writer.compact(25);
    await until(() => durable.at(-1) === 31);
    await writer.close();
    expect(readdirSync(dir).length).toBeLessThan(files);
    const { mark, entries, log } = LogFile.open(dir, { shard: 0, clusterId });
    log.close();
    expect(mark).toEqual({ index: 25, term: 1 });
    expect(entries).toHaveLength(5);
  });

  it('owns the bytes that it was given (R9)', async () => {
    const dir = emptyDirectory();
    const { writer } = await openWriter(makeThread(), dir);
    const data = Buffer.from('as it was');
    writer.append(1, [entry(1, data)]);
    data.fill('x');
    await writer.close();
    expect(String(LogFile.open(dir, { shard: 0, clusterId }).entries[0]?.data)).toBe('as it was');
  });

  it('says when its limit is reached, and refuses nothing all the same', async () => {
    const { writer, durable } = await openWriter(makeThread(), emptyDirectory(), { queueBytesMax: 1_000 });
    let seq = 0;
    while (!writer.full) {
      seq += 1;
      writer.append(seq, [entry(seq)]);
    }
    writer.append(seq + 1, [entry(seq + 1)]);
    expect(() => writer.setMark(seq + 1, { index: 1, term: 1 })).toThrow(RangeError);
    await until(() => durable.at(-1) === seq + 1);
    expect(writer.full).toBe(false);
    await writer.close();
    expect(() => writer.append(seq + 2, [])).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });

  it('says that a log is damaged, and serves the other shards', async () => {
    const [bad, good] = [emptyDirectory(), emptyDirectory()];
    writeFileSync(join(bad, '0000000000000001.log'), 'this is no log');
    const thread = makeThread();
    const { writer, durable } = await openWriter(thread, good, { shard: 1 });
    await expect(openWriter(thread, bad)).rejects.toMatchObject({ code: 'CORRUPT' });
    writer.append(1, [entry(1)]);
    await until(() => durable.at(-1) === 1);
    await writer.close();
  });

  it('acknowledges nothing after a failure, and says why once', async () => {
    const dir = emptyDirectory();
    const { writer, durable, errors } = await openWriter(
      makeThread({ fsync: 'always', segmentBytes: 200 }),
      dir,
    );
    rmSync(dir, { recursive: true });
    let seq = 0;
    await until(() => {
      seq += 1;
      if (errors.length === 0) writer.append(seq, [entry(seq)]);
      return errors.length > 0;
    });
    const acknowledged = durable.at(-1);
    expect(errors).toMatchObject([{ code: 'IO', message: expect.stringContaining(dir) }]);
    expect(() => writer.append(seq + 1, [entry(seq + 1)])).toThrow(errors[0]);
    await writer.close();
    expect(durable.at(-1)).toBe(acknowledged);
    expect(errors).toHaveLength(1);
  });

  it('hears that the thread was closed under it', async () => {
    const dir = emptyDirectory();
    const thread = makeThread();
    const { writer, durable, errors } = await openWriter(thread, dir);
    writer.append(1, [entry(1)]);
    await thread.close();
    await thread.close();
    await until(() => errors.length > 0);
    expect(durable).toEqual([1]);
    expect(errors).toMatchObject([{ code: 'CLOSED' }]);
    await writer.close();
    expect(() => thread.connect()).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });

  it.each(['always', 'everysec'])(
    'loses nothing acknowledged when its process is killed (%s)',
    async (fsync) => {
      const program = `
      import { DiskThread } from ${JSON.stringify(compiled)};
      import { LogWriter } from ${JSON.stringify(compiled.replace('disk-thread', 'log-writer'))};
      const thread = new DiskThread({ fsync: '${fsync}', segmentBytes: 100_000 });
      let seq = 0;
      const { writer } = await LogWriter.open({
        port: thread.connect(), dir: process.argv[1], shard: 0, clusterId: '${clusterId}',
        onDurable: (durable) => process.stdout.write(durable + '\\n'), onError: (error) => console.error(error),
      });
      const more = () => {
        for (let i = 0; i < 20; i += 1) {
          seq += 1;
          const data = Buffer.alloc(seq % 500, seq);
          writer.append(seq, [{ type: 'entry', entry: { index: seq, term: 1, kind: 'batch', data } }]);
        }
        setImmediate(more);
      };
      more();`;
      const dir = emptyDirectory();
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, '--', dir]);
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
      await until(() => output.length > 40, 'acknowledgements', 20_000);
      child.kill('SIGKILL');
      await once(child, 'close');
      const acknowledged = Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1));
      const { entries, log } = LogFile.open(dir, { shard: 0, clusterId });
      log.close();
      expect(acknowledged).toBeGreaterThan(100);
      expect(entries.length).toBeGreaterThanOrEqual(acknowledged);
      const wrong = entries.filter(
        ({ index, data }) => Buffer.compare(data, Buffer.alloc(index % 500, index)) !== 0,
      );
      expect(wrong).toEqual([]);
    },
    30_000,
  );

  it('leaves nothing behind that would keep its process alive', () => {
    const program = `
      import { DiskThread } from ${JSON.stringify(compiled)};
      import { LogWriter } from ${JSON.stringify(compiled.replace('disk-thread', 'log-writer'))};
      const thread = new DiskThread({ fsync: 'always' });
      const { writer } = await LogWriter.open({
        port: thread.connect(), dir: process.argv[1], shard: 0, clusterId: '${clusterId}',
        onDurable: (seq) => console.log('durable', seq), onError: (error) => console.log(error.message),
      });
      writer.append(1, [{ type: 'hardState', hardState: { term: 1, vote: 1 } }]);
      await writer.close();
      await thread.close();
      console.log('closed');`;
    const args = ['--input-type=module', '-e', program, '--', emptyDirectory()];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, {
      timeout: 10_000,
      encoding: 'utf8',
    });
    expect({ stdout, stderr, status }).toEqual({ stdout: 'durable 1\nclosed\n', stderr: '', status: 0 });
  });
});
