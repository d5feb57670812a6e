import { tableOf } from '../table.js';
import type { PeerName } from './cluster.js';

/** What the demo found; printed by `--json` as it is. */
export interface DemoResult {
  /** Nothing lost, duplicated, stray or torn, and all digests equal. */
  ok: boolean;
  rdb: string;
  shards: number;
  keysRestored: number;
  restoreMs: number;
  /** Acknowledged writes. */
  acknowledged: number;
  /** Writes whose outcome nobody was told; each may be there once or not at all. */
  unknown: number;
  /** Writes that failed and cannot have taken effect. */
  refused: number;
  /** Acknowledged writes per second while the workload ran. */
  writesPerSecond: number;
  /** Acknowledged writes that are missing on some peer; so too the next three. */
  lost: number;
  duplicated: number;
  /** Writes that are there though they were never acknowledged nor under way. */
  stray: number;
  /** Transactions of which only a part took effect. */
  torn: number;
  killed: PeerName;
  newLeader: PeerName;
  term: number;
  /** The longest time without an acknowledged write around the kill. */
  unavailableMs: number;
  /** From starting the killed peer again until it had applied what the leader had. */
  catchUpMs: number;
  digests: Record<PeerName, string>;
  digestsEqual: boolean;
  /** The first few flaws in words. */
  examples: string[];
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
/** A whole number with thousands apart. */
export const number = (value: number): string => grouped.format(value);

/** The table at the end. */
export function resultTable(result: DemoResult): string {
  const rows = [
    ['keys restored', number(result.keysRestored)],
    ['restore', `${number(result.restoreMs)} ms`],
    ['writes acknowledged', number(result.acknowledged)],
    ['writes per second', number(result.writesPerSecond)],
    ['outcome unknown', number(result.unknown)],
    ['lost', number(result.lost)],
    ['duplicated', number(result.duplicated)],
    ['stray, torn', `${number(result.stray)}, ${number(result.torn)}`],
    ['killed leader', result.killed],
    ['new leader', `${result.newLeader}, term ${result.term}`],
    ['unavailable', `${number(result.unavailableMs)} ms`],
    ['catch-up', `${number(result.catchUpMs)} ms`],
    ...Object.entries(result.digests).map(([name, digest]) => [`digest of ${name}`, digest]),
  ];
  return tableOf(rows, { align: ['left', 'right'] });
}
