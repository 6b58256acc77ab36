/**
 * Liber8tion (Plank, NCA 2008): minimum density RAID-6 with ω = 8, k ≤ 8.
 *
 *   P = XOR of all data nodes
 *   Q = XOR of X_j times data node j, where X_j is a permutation matrix and for
 *       j > 0 one more bit. Plank found the matrices by search; they are the
 *       tables below.
 */
import { BitMatrix } from '../matrix/bit-matrix.ts';
import { buildGeneratorCode, type ErasureCode, requireRange } from './code.ts';

const ROWS = 8;

/** For each data node: the column of each row's one. */
const PERMUTATIONS: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5, 6, 7],
  [7, 3, 0, 2, 6, 1, 5, 4],
  [6, 2, 4, 0, 7, 3, 1, 5],
  [2, 5, 7, 6, 0, 3, 4, 1],
  [5, 6, 1, 7, 2, 4, 3, 0],
  [1, 2, 3, 4, 5, 6, 7, 0],
  [3, 0, 6, 5, 1, 7, 4, 2],
  [4, 7, 1, 5, 3, 2, 0, 6],
];

/** For each data node: row and column of the additional one. */
const EXTRA_BITS: readonly (readonly [row: number, column: number] | undefined)[] = [
  undefined,
  [4, 7],
  [1, 3],
  [5, 4],
  [2, 0],
  [7, 2],
  [6, 5],
  [3, 1],
];

export function liber8tion(k: number): ErasureCode {
  requireRange('liber8tion: k', k, 1, ROWS);
  const generator = new BitMatrix(2 * ROWS, k * ROWS);
  for (let j = 0; j < k; j++) {
    for (const [i, column] of PERMUTATIONS[j]!.entries()) {
      generator.set(i, j * ROWS + i);
      generator.set(ROWS + i, j * ROWS + column);
    }
    const extra = EXTRA_BITS[j];
    if (extra) generator.set(ROWS + extra[0], j * ROWS + extra[1]);
  }
  return buildGeneratorCode({ name: 'liber8tion', parameters: { k }, rows: ROWS, tolerance: 2 }, generator);
}
