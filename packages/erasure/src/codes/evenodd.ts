/**
 * EVENODD (Blaum et al., 1995): two parity nodes after k ≤ p data nodes.
 *
 *   P[r] = XOR of a[r][c], c = 0..p−1
 *   S    = XOR of a[p−1−c][c], c = 1..p−1 (the adjuster)
 *   Q[d] = S ⊕ XOR of a[(d − c) mod p][c], d = 0..p−2
 * Row p−1 is imaginary. Shortened: data columns k..p−1 are zero.
 */
import { buildCode, type ErasureCode, requirePrime, requireRange } from './code.ts';
import { adjustedDiagonalChecks, rowChecks } from './diagonals.ts';

export function evenodd(p: number, k: number = p): ErasureCode {
  requirePrime('evenodd: p', p, 3);
  requireRange(`evenodd with p = ${p}: k`, k, 1, p);
  const rows = p - 1;
  const checks = [...rowChecks(p, k, 0), ...adjustedDiagonalChecks(p, k, 1, -1)];
  const paritySymbols = Array.from({ length: 2 * rows }, (_, i) => k * rows + i);
  return buildCode({
    name: 'evenodd',
    parameters: { p, k },
    nodes: k + 2,
    rows,
    tolerance: 2,
    checks,
    paritySymbols,
  });
}
