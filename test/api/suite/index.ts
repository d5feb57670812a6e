import { describeBitmaps } from './bitmaps.js';
import { describeCalls } from './calls.js';
import { describeGeo } from './geo.js';
import { describeHashes } from './hashes.js';
import { describeHyperloglogs } from './hyperloglogs.js';
import { describeKeys } from './keys.js';
import { describeLists } from './lists.js';
import { describeSets } from './sets.js';
import { describeSortedSetAlgebra } from './sorted-set-algebra.js';
import { describeSortedSets } from './sorted-sets.js';
import { describeSorting } from './sorting.js';
import { describeStreams } from './streams.js';
import { describeStrings } from './strings.js';
import type { Open } from './subject.js';
import { describeTransactions } from './transactions.js';

/** Every suite of the command surface, for one kind of subject. */
export function describeCommands(open: Open): void {
  describeStrings(open);
  describeBitmaps(open);
  describeHyperloglogs(open);
  describeGeo(open);
  describeHashes(open);
  describeLists(open);
  describeSets(open);
  describeSortedSets(open);
  describeSortedSetAlgebra(open);
  describeSorting(open);
  describeStreams(open);
  describeKeys(open);
  describeTransactions(open);
  describeCalls(open);
}
