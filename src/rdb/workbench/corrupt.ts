import { HoldfastError } from '../../errors.js';

/** What is wrong with an RDB file, and where. Thrown with the code `CORRUPT`. */
export class CorruptRdbError extends HoldfastError {
  /** Of the byte that the fault begins at, or of the record that it is in, from the file's first byte. */
  readonly offset: number;
  /** What is wrong, without file and offset. */
  readonly reason: string;
  /** The file's path; empty for one that came as bytes. */
  readonly path: string;

  constructor(path: string, reason: string, offset: number) {
    super('CORRUPT', `${path === '' ? '' : `${path}: `}${reason} at offset ${offset}`);
    this.path = path;
    this.reason = reason;
    this.offset = offset;
  }
}

/** A native tool that knows what was wrong with the file it was fed. */
export interface Faulty {
  readonly fault: { offset: number; reason: string } | null;
}

/** Codes of native failures that are passed on as they are. */
const OWN_CODES = new Set(['CORRUPT', 'CLOSED', 'FAULTED', 'ERR', 'IO']);

/** What a tool or the file system has thrown, as this package throws it. */
export function asFailure(error: unknown, name: string, tool?: Faulty): unknown {
  const fault = tool?.fault;
  if (fault) return new CorruptRdbError(name, fault.reason, fault.offset);
  if (error instanceof HoldfastError || !(error instanceof Error) || !('code' in error)) return error;
  const place = name === '' ? '' : `${name}: `;
  const { code } = error;
  if (code === 'ERR_OUT_OF_RANGE') return new RangeError(error.message);
  if (typeof code === 'string' && OWN_CODES.has(code))
    return new HoldfastError(code, `${place}${error.message}`, { cause: error });
  if (!('syscall' in error)) return error;
  return new HoldfastError('IO', `${place}${error.message}`, { cause: error });
}
