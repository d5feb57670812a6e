/** The families in the comparison with Redis, one line each. */
import { bitmaps } from './bitmaps.js';
import { blocking } from './blocking.js';
import { dumps } from './dumps.js';
import type { Family } from './family.js';
import { geo } from './geo.js';
import { hashes } from './hashes.js';
import { hyperloglogs } from './hyperloglogs.js';
import { keys } from './keys.js';
import { lexRanges } from './lex-ranges.js';
import { lists } from './lists.js';
import { sets } from './sets.js';
import { sortedSets } from './sorted-sets.js';
import { sorting } from './sorting.js';
import { streams } from './streams.js';
import { strings } from './strings.js';

/** All families. Their order decides what a seed makes. */
export const FAMILIES: readonly Family[] = [
  strings,
  bitmaps,
  hyperloglogs,
  geo,
  hashes,
  lists,
  sets,
  sortedSets,
  lexRanges,
  keys,
  sorting,
  dumps,
  streams,
  blocking,
];
