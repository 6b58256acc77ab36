/**
 * Checks of EVENODD's kind: rows and adjusted diagonals over p data columns.
 *
 * The array has p − 1 rows and an imaginary row p−1 of zeros. The diagonal of
 * slope σ that is not stored (it would start in the imaginary row) is the
 * adjuster: its XOR is added to every stored diagonal of that slope.
 */
import type { CheckDefinition } from './code.ts';

/** Row parity of k data columns, stored on node k + group. */
export function rowChecks(p: number, k: number, group: number): CheckDefinition[] {
  const rows = p - 1;
  return Array.from({ length: rows }, (_, r) => {
    const symbols = [(k + group) * rows + r];
    for (let c = 0; c < k; c++) symbols.push(c * rows + r);
    return { group, symbols };
  });
}

/**
 * Diagonals d = 0..p−2 holding the cells ((d + slope·c) mod p, c), each with
 * the whole adjuster (the diagonal d = p−1), stored on node k + group.
 */
export function adjustedDiagonalChecks(
  p: number,
  k: number,
  group: number,
  slope: 1 | -1,
): CheckDefinition[] {
  const rows = p - 1;
  const diagonal = (d: number): number[] => {
    const symbols: number[] = [];
    for (let c = 0; c < k; c++) {
      const r = (d + slope * c + p) % p;
      if (r !== p - 1) symbols.push(c * rows + r);
    }
    return symbols;
  };
  const adjuster = diagonal(p - 1);
  return Array.from({ length: rows }, (_, d) => ({
    group,
    symbols: [(k + group) * rows + d, ...adjuster, ...diagonal(d)],
  }));
}
