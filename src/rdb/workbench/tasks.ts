/** What the pool's threads are asked to do with files: everything here crosses threads by structured clone. */
import { openFile } from './source.js';
import { openNewFile } from './target.js';
import {
  type ConvertForm,
  checkFrom,
  convertFrom,
  diffFrom,
  type InspectForm,
  inspectFrom,
  jsonFrom,
} from './tools.js';

/** A tool with its files. */
export type Task =
  | { tool: 'inspect'; path: string; form: InspectForm }
  | { tool: 'check'; path: string; folder: string }
  | { tool: 'diff'; before: string; after: string; folder: string }
  | { tool: 'convert'; from: string; to: string; form: ConvertForm }
  | { tool: 'json'; path: string; canonical: boolean; folder: string };

/** Who waits for a task. */
export interface TaskClient {
  /** Throws to end the task. */
  progress(done: number, total: number | undefined): void;
  /** Waits until there is room for the piece. */
  piece(bytes: Uint8Array): Promise<void>;
}

/** Runs a task on this thread. Resolves to its result, if it has one. */
export async function runTask(task: Task, client: TaskClient): Promise<unknown> {
  switch (task.tool) {
    case 'inspect':
      return inspectFrom(await openFile(task.path), task.form, client);
    case 'check':
      return checkFrom(await openFile(task.path), task.folder, client);
    case 'diff':
      return passOn(
        diffFrom(await openFile(task.before), await openFile(task.after), task.folder, client),
        client,
      );
    case 'convert': {
      const source = await openFile(task.from);
      return convertFrom(source, await openNewFile(task.to), task.form, client);
    }
    case 'json':
      return passOn(jsonFrom(await openFile(task.path), task.canonical, task.folder, client), client);
  }
}

async function passOn(pieces: AsyncIterable<Uint8Array>, client: TaskClient): Promise<void> {
  for await (const piece of pieces) await client.piece(piece);
}
