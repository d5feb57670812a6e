/** The tools, each from its sources to its end, on whatever thread: the native part parses, this part moves bytes. */
import { type NativeRdbConvertOptions, native } from '../../keyspace/native.js';
import { asFailure, type Faulty } from './corrupt.js';
import { feed, type Listener, type OpenSource, type Trailing } from './source.js';
import type { OpenTarget } from './target.js';

/** What {@link inspectRdb} counts beside what it always counts. */
export interface InspectForm {
  biggest: number;
  slots: boolean;
}

/** One write to a file. */
const WRITE_BYTES = 1024 * 1024;

/** About how many bytes of differences are handed over at once. */
const DIFF_BATCH_BYTES = 64 * 1024;

/** Runs a step of a tool; what it throws is told as a failure of the file. */
function step<T>(name: string, tool: Faulty, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw asFailure(error, name, tool);
  }
}

/** Counts what is in a file. */
export async function inspectFrom(
  source: OpenSource,
  form: InspectForm,
  listener: Listener,
): Promise<Omit<Trailing, 'trailingHead'> & object> {
  const tool = new native.RdbInspect(form);
  const push = (chunk: Uint8Array) => step(source.name, tool, () => tool.push(chunk));
  const { bytes, trailingBytes } = await feed(source, push, listener);
  return { bytes, trailingBytes, ...(JSON.parse(step(source.name, tool, () => tool.finish())) as object) };
}

/** Checks a file. */
export async function checkFrom(source: OpenSource, folder: string, listener: Listener): Promise<object> {
  const tool = new native.RdbCheck(folder);
  const push = (chunk: Uint8Array) => step(source.name, tool, () => tool.push(chunk));
  const trailing = await feed(source, push, listener);
  step(source.name, tool, () => tool.finish());
  return { ...trailing, ...tool.counts };
}

/** What differs between two files, in batches for `differencesIn`. */
export async function* diffFrom(
  before: OpenSource,
  after: OpenSource,
  folder: string,
  listener: Listener,
): AsyncGenerator<Uint8Array, void, undefined> {
  const tool = new native.RdbDiff(folder);
  const total =
    before.total === undefined || after.total === undefined ? undefined : before.total + after.total;
  let done = 0;
  for (const source of [before, after]) {
    const push = (chunk: Uint8Array) => step(source.name, tool, () => tool.push(chunk));
    const { bytes, trailingBytes } = await feed(source, push, listener, done, total);
    step(source.name, tool, () => tool.finish());
    done += bytes + trailingBytes;
  }
  for (;;) {
    const batch = step('', tool, () => tool.next(DIFF_BATCH_BYTES));
    if (batch.length === 0) return;
    listener.progress(done, total);
    yield batch;
  }
}

/** Makes another file of a file. */
export async function convertFrom(
  source: OpenSource,
  target: OpenTarget,
  form: NativeRdbConvertOptions,
  listener: Listener,
): Promise<object> {
  const tool = new native.RdbConvert(form);
  const buffers = [Buffer.allocUnsafeSlow(WRITE_BYTES), Buffer.allocUnsafeSlow(WRITE_BYTES)];
  let writing: Promise<void> = Promise.resolve();
  /** Writes one buffer while the next one is being filled. */
  const push = async (chunk: Uint8Array) => {
    const taken = step(source.name, tool, () => tool.push(chunk));
    for (;;) {
      const [buffer = Buffer.alloc(0)] = buffers;
      const count = tool.read(buffer);
      if (count === 0) return taken;
      const written = buffer.subarray(0, count);
      await writing;
      writing = target.write(target.keeps ? Uint8Array.from(written) : written);
      // Awaited behind the next buffer, which may fail first.
      writing.catch(() => {});
      buffers.reverse();
    }
  };
  try {
    await feed(source, push, listener);
    await writing;
    await target.write(step(source.name, tool, () => tool.finish()));
    await target.commit();
  } catch (error) {
    await writing.catch(() => {});
    await target.discard();
    throw error;
  }
  const [keys = 0, keysLeftOut = 0, bytes = 0] = tool.counts;
  return { keys, keysLeftOut, bytes };
}

/** A file as JSON text. */
export async function* jsonFrom(
  source: OpenSource,
  canonical: boolean,
  folder: string,
  listener: Listener,
): AsyncGenerator<Uint8Array, void, undefined> {
  const tool = new native.RdbJson(canonical, folder);
  let done = 0;
  for await (const chunk of source.chunks) {
    const text = step(source.name, tool, () => tool.push(chunk));
    done += chunk.length;
    listener.progress(done, source.total);
    if (text.length > 0) yield text;
  }
  for (;;) {
    const text = step(source.name, tool, () => tool.finish());
    if (text.length === 0) return;
    yield text;
  }
}
