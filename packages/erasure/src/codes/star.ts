/**
 * STAR (Huang and Xu, 2008): EVENODD and a third parity node of slope −1.
 *
 *   P and Q as in EVENODD
 *   S′   = XOR of a[c−1][c], c = 1..p−1 (the second adjuster)
 *   R[d] = S′ ⊕ XOR of a[(d + c) mod p][c], d = 0..p−2
 * Row p−1 is imaginary. Shortened: data columns k..p−1 are zero.
 */
import { buildCode, type ErasureCode, requirePrime, requireRange } from './code.ts';
import { adjustedDiagonalChecks, rowChecks } from './diagonals.ts';

export function star(p: number, k: number = p): ErasureCode {
  requirePrime('star: p', p, 3);
  requireRange(`star with p = ${p}: k`, k, 1, p);
  const rows = p - 1;
  const checks = [
    ...rowChecks(p, k, 0),
    ...adjustedDiagonalChecks(p, k, 1, -1),
    ...adjustedDiagonalChecks(p, k, 2, 1),
  ];
  const paritySymbols = Array.from({ length: 3 * rows }, (_, i) => k * rows + i);
  return buildCode({
    name: 'star',
    parameters: { p, k },
    nodes: k + 3,
    rows,
    tolerance: 3,
    checks,
    paritySymbols,
  });
}
