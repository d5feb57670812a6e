import { checkRdb } from '../../rdb/index.js';
import type { Checked } from '../../rdb/workbench/check.js';
import { CorruptRdbError } from '../../rdb/workbench/corrupt.js';
import { EXIT } from '../failure.js';
import { printLine } from '../output.js';
import { counted, runTool, sourceOf } from './run.js';

/** `holdfast rdb check`: whether the file is sound. Resolves to the exit code. */
export async function checkCommand(path: string, { json = false }: { json?: boolean }): Promise<number> {
  try {
    const checked = await runTool({ verb: 'checking', path }, (options) => checkRdb(sourceOf(path), options));
    printLine(json ? jsonOf({ sound: true, ...factsOf(checked) }) : sentencesOf(checked));
    return EXIT.fine;
  } catch (error) {
    if (!(error instanceof CorruptRdbError)) throw error;
    const { offset, reason } = error;
    printLine(json ? jsonOf({ sound: false, offset, reason }) : `damaged at offset ${offset}: ${reason}`);
    return EXIT.failed;
  }
}

function jsonOf(result: object): string {
  return JSON.stringify(result, null, 2);
}

function factsOf({ trailingHead, ...facts }: Checked): object {
  return facts.trailingBytes === 0 ? facts : { ...facts, trailing: kindOf(trailingHead) };
}

function sentencesOf({
  format,
  version,
  keys,
  bytes,
  checksum,
  trailingBytes,
  trailingHead,
}: Checked): string {
  const sum = {
    right: 'checksum right',
    disabled: 'written without a checksum',
    none: 'too old for a checksum',
  };
  const sound = `sound: ${format} version ${version}, ${counted(keys, 'key')}, ${counted(bytes, 'byte')}, ${sum[checksum]}`;
  return trailingBytes === 0
    ? sound
    : `${sound}\n${counted(trailingBytes, 'byte')} behind the end: ${kindOf(trailingHead)}`;
}

/** What bytes behind the end of a file may be. */
function kindOf(head: Uint8Array): string {
  const text = Buffer.from(head).toString('latin1');
  if (/^(REDIS\d{4}|VALKEY\d{3})/.test(text)) return 'another RDB file';
  if (/^[0-9a-f]{40}/.test(text)) return 'the end mark of a replication stream';
  if (/^\*\d+\r\n\$/.test(text)) return 'commands, as in an append-only file';
  return 'of no kind that is known here';
}
