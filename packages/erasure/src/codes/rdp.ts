/**
 * RDP, row-diagonal parity (Corbett et al., FAST 2004): two parity nodes.
 *
 * p prime; the array has columns 0..p−1, of which p−1 is the row parity P, and
 * rows 0..p−2 besides an imaginary row p−1 of zeros.
 *   P[r] = XOR of data a[r][c], c = 0..p−2
 *   Q[d] = XOR of a[(d − c) mod p][c], c = 0..p−1 (P is column p−1), d = 0..p−2
 * Diagonal p−1 is not stored. Shortened: data columns k..p−2 are zero, P keeps
 * its array index p−1. Nodes: data 0..k−1, P, Q.
 */
import { buildCode, type CheckDefinition, type ErasureCode, requirePrime, requireRange } from './code.ts';

export function rdp(p: number, k: number = p - 1): ErasureCode {
  requirePrime('rdp: p', p, 3);
  requireRange(`rdp with p = ${p}: k`, k, 1, p - 1);
  const rows = p - 1;
  const columns = [...Array.from({ length: k }, (_, c) => c), p - 1];
  const checks: CheckDefinition[] = [];
  for (let r = 0; r < rows; r++) {
    checks.push({ group: 0, symbols: columns.map((_, node) => node * rows + r) });
  }
  for (let d = 0; d < rows; d++) {
    const symbols = [(k + 1) * rows + d];
    for (const [node, c] of columns.entries()) {
      const r = (d - c + p) % p;
      if (r !== p - 1) symbols.push(node * rows + r);
    }
    checks.push({ group: 1, symbols });
  }
  const paritySymbols = Array.from({ length: 2 * rows }, (_, i) => k * rows + i);
  return buildCode({
    name: 'rdp',
    parameters: { p, k },
    nodes: k + 2,
    rows,
    tolerance: 2,
    checks,
    paritySymbols,
  });
}
