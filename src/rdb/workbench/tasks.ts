/** What the pool's threads are asked to do with files: everything here crosses threads by structured clone. */
import type { NativeRdbConvertOptions } from '../../keyspace/native.js';
import { openFile } from './source.js';
import { openNewFile } from './target.js';
import { checkFrom, convertFrom, diffFrom, type InspectForm, inspectFrom, jsonFrom } from './tools.js';

/** A tool with its files. */
export type Task =
  | { tool: 'inspect'; path: string; form: InspectForm }
  | { tool: 'check'; path: string; folder: string }
  | { tool: 'diff'; before: string; after: string; folder: string }
  | { tool: 'convert'; from: string; to: string; form: NativeRdbConvertOptions }
  | { tool: 'json'; path: string; canonical: boolean; folder: string };

/** Who waits for a task. */
export interface TaskClient {
  /** Throws to end the task. */
  progress(done: number, total: number | undefined): void;
  /** Waits until there is room for the piece. */
  piece(bytes: Uint8Array): Promise<void>;
  /** Ends the task where it waits. */
  readonly signal: AbortSignal;
}

/** Runs a task on this thread. Resolves to its result, if it has one. */
export async function runTask(task: Task, client: TaskClient): Promise<unknown> {
  const { signal } = client;
  switch (task.tool) {
    case 'inspect':
      return inspectFrom(await openFile(task.path, { signal }), task.form, client);
    case 'check':
      return checkFrom(await openFile(task.path, { signal }), task.folder, client);
    case 'diff': {
      const [before, after] = [
        await openFile(task.before, { signal }),
        await openFile(task.after, { signal }),
      ];
      return passOn(diffFrom(before, after, task.folder, client), client);
    }
    case 'convert': {
      const source = await openFile(task.from, { signal });
      return convertFrom(source, await openNewFile(task.to), task.form, client);
    }
    case 'json': {
      const source = await openFile(task.path, { signal });
      return passOn(jsonFrom(source, task.canonical, task.folder, client), client);
    }
  }
}

async function passOn(pieces: AsyncIterable<Uint8Array>, client: TaskClient): Promise<void> {
  for await (const piece of pieces) await client.piece(piece);
}
