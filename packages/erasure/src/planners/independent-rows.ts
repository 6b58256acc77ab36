/**
 * The first rows, in the order given, that are independent on the targets.
 */
import { BitMatrix, xorWords } from '../matrix/bit-matrix.ts';

/** Greedy over `order` (all rows in their order unless given); at most one row per target. */
export function independentRows(
  equations: BitMatrix,
  targets: readonly number[],
  order?: ArrayLike<number>,
): number[] {
  const restricted = equations.selectColumns(targets);
  const { words } = restricted;
  const basis = new BitMatrix(targets.length, targets.length);
  const taken = new Uint8Array(targets.length);
  const chosen: number[] = [];
  const count = order?.length ?? equations.rows;
  for (let i = 0; i < count && chosen.length < targets.length; i++) {
    const row = order ? order[i]! : i;
    const work = restricted.row(row).slice();
    for (let c = 0; c < targets.length; c++) {
      if (((work[c >>> 5]! >>> (c & 31)) & 1) === 0) continue;
      if (taken[c]) {
        xorWords(work, 0, basis.data, c * words, words);
        continue;
      }
      basis.row(c).set(work);
      taken[c] = 1;
      chosen.push(row);
      break;
    }
  }
  return chosen;
}
