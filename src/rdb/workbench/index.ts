/**
 * RDB files for programs, `import ... from 'holdfast/rdb'`: read keys, write keys, inspect, check, compare, convert. Everything
 * takes a path, bytes, or a stream of chunks of any size, and holds no more of a file than one value.
 */
export { type ErrorCode, HoldfastError } from '../../errors.js';
export { closePool } from '../pool.js';
export type { Watched } from '../watched.js';
export { type Checked, type CheckOptions, checkRdb } from './check.js';
export { type Converted, type ConvertOptions, convertRdb, RDB_TYPES, RDB_VERSIONS } from './convert.js';
export { CorruptRdbError } from './corrupt.js';
export {
  type Change,
  type Difference,
  type DiffOptions,
  type DiffSide,
  diffRdb,
  type KeyDifference,
  type LibraryDifference,
} from './diff.js';
export {
  type BigKey,
  type InspectOptions,
  inspectRdb,
  type Report,
  type SlotCounts,
  type TimesToLive,
} from './inspect.js';
export { type JsonOptions, rdbJson } from './json.js';
export { type Oversized, RdbReading, type ReadOptions, readRdb } from './read.js';
export type * from './shapes.js';
export type { RdbSource } from './source.js';
export type { RdbTarget } from './target.js';
export { type WriteOptions, type Written, writeRdb } from './write.js';
