/** holdfast: a highly available store with the Redis data model, inside of a Node.js process. */

export {
  type BackupFile,
  type BadBackup,
  type GoodBackup,
  type LatestBackup,
  latestBackup,
} from './backups/files.js';
export type { BackupOptions } from './backups/schedule.js';
export { AsyncCommands } from './commands/async.js';
export type {
  Bit,
  BitcountRange,
  BitfieldGet,
  BitfieldIncrement,
  BitfieldOffset,
  BitfieldOverflow,
  BitfieldSet,
  BitfieldStep,
  BitfieldType,
  BitOperation,
  BitposRange,
  BitUnit,
} from './commands/bitmaps.js';
export type {
  BlmpopOptions,
  BlockingCommands,
  BzmpopOptions,
  PoppedItem,
  PoppedMember,
  WaitOptions,
  XreadBlockingOptions,
  XreadgroupBlockingOptions,
} from './commands/blocking.js';
export type {
  Async,
  Bulk,
  Delivery,
  Fields,
  Form,
  Iteration,
  OneOrMany,
  Queued,
  Reply,
  Sync,
} from './commands/form.js';
export type {
  GeoaddOptions,
  GeoFrom,
  GeoLimit,
  GeoMatch,
  GeoMatches,
  GeoMember,
  GeoPosition,
  GeoShape,
  GeosearchOptions,
  GeosearchstoreOptions,
  GeoUnit,
} from './commands/geo.js';
export type { FieldValue, HrandfieldOptions } from './commands/hashes.js';
export type { CopyOptions, ExpireCondition, KeyScanOptions, KeyType } from './commands/keys.js';
export type { ListEnd, LmpopOptions, LposOptions, PoppedItems } from './commands/lists.js';
export type { Cursor, ScanOptions } from './commands/scan.js';
export type { SintercardOptions } from './commands/sets.js';
export type {
  ZdiffOptions,
  ZintercardOptions,
  ZunionOptions,
  ZunionstoreOptions,
} from './commands/sorted-set-algebra.js';
export type {
  PoppedMembers,
  RankedScore,
  ScoreBound,
  ScoredMember,
  ScoredMembers,
  ScoreEnd,
  ZaddOptions,
  ZincrbyOptions,
  ZmpopOptions,
  ZrandmemberOptions,
  ZrangeOptions,
  ZrangestoreOptions,
  ZrankOptions,
} from './commands/sorted-sets.js';
export type { Sorted, SortOptions, SortRoOptions } from './commands/sorting.js';
export type {
  Autoclaimed,
  ConsumerInfo,
  GroupInfo,
  PendingEntry,
  PendingRange,
  PendingSummary,
  XautoclaimOptions,
  XclaimOptions,
  XgroupCreateOptions,
  XgroupSetIdOptions,
  XreadgroupOptions,
} from './commands/stream-groups.js';
export type {
  StreamEntries,
  StreamEntry,
  StreamInfo,
  StreamTrimOptions,
  XaddOptions,
  XrangeOptions,
  XreadOptions,
  XsetidOptions,
} from './commands/streams.js';
export type {
  ExpiryOptions,
  GetexOptions,
  LcsMatch,
  LcsMatches,
  LcsOptions,
  SetOptions,
} from './commands/strings.js';
export { ReadOnlyCommands, SyncCommands } from './commands/sync.js';
export type { Commands, ReadCommands, ScanIterators, WriteCommands } from './commands/table.js';
export { Transaction, TransactionError } from './commands/transaction.js';
export { type ShardStatus, StoreReads, type StoreStatus } from './engine/engine.js';
export { type ErrorCode, HoldfastError } from './errors.js';
export type { StoreEvents } from './events.js';
export type { CollectionLimits } from './keyspace/collection-limits.js';
export { Keyspace, type KeyspaceMemory, type KeyspaceOptions } from './keyspace/keyspace.js';
export type { MemoryOptions } from './keyspace/memory-options.js';
export type { Bytes, MaxMemoryPolicy, ReplyMap, ReplyValue, Word } from './keyspace/native.js';
export type { OpenOptions, RespOptions, StoreListeners } from './options.js';
export type { Role, Timers } from './raft/types.js';
export type { KeyFilter, LoadOptions, LoadResult, SaveOptions, SaveResult } from './rdb/index.js';
export * from './remote/index.js';
export type { RespAddress } from './resp/server.js';
export type { LoadProgress, StoreLoadOptions, StoreLoadResult } from './shards/load.js';
export { open, Store, type StoreSaveOptions } from './store.js';
