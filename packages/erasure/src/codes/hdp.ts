/**
 * HDP, horizontal-diagonal parity (Wu et al., DSN 2011): p − 1 nodes of p − 1
 * rows, the parities on the two diagonals of the array.
 *
 *   C[i][i]     = XOR of C[i][j], j ≠ i (that includes the parity below)
 *   C[i][p−2−i] = XOR of C[(2i + j + 2) mod p][j], j ≠ p−2−i, without row p−1
 * The check groups are the imaginary nodes of horizontal and anti-diagonal
 * parities. A column cannot be left out: it holds parities.
 */
import { buildCode, type CheckDefinition, type ErasureCode, requirePrime } from './code.ts';

export function hdp(p: number): ErasureCode {
  requirePrime('hdp: p', p, 5);
  const rows = p - 1;
  const checks: CheckDefinition[] = [];
  const paritySymbols: number[] = [];
  for (let i = 0; i < rows; i++) {
    const symbols = Array.from({ length: rows }, (_, j) => j * rows + i);
    checks.push({ group: 0, symbols });
    paritySymbols.push(i * rows + i);
  }
  for (let i = 0; i < rows; i++) {
    const symbols = [(p - 2 - i) * rows + i];
    for (let j = 0; j < rows; j++) {
      const r = (2 * i + j + 2) % p;
      if (j !== p - 2 - i && r !== p - 1) symbols.push(j * rows + r);
    }
    checks.push({ group: 1, symbols });
    paritySymbols.push((p - 2 - i) * rows + i);
  }
  return buildCode({
    name: 'hdp',
    parameters: { p },
    nodes: rows,
    rows,
    tolerance: 2,
    checks,
    paritySymbols,
  });
}
