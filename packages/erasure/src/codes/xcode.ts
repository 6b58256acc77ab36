/**
 * X-Code (Xu and Bruck, 1999): p nodes of p rows, two parities on every node.
 *
 *   C[p−2][i] = XOR of C[t][i + t + 2], t = 0..p−3   (slope −1)
 *   C[p−1][i] = XOR of C[t][i − t − 2], t = 0..p−3   (slope 1)
 * Columns are taken modulo p. It is a vertical code: a lost node loses data
 * and parities, and no column can be left out. The check groups are the two
 * imaginary parity nodes of the paper's section 3.
 */
import { buildCode, type CheckDefinition, type ErasureCode, requirePrime } from './code.ts';

export function xcode(p: number): ErasureCode {
  requirePrime('xcode: p', p, 3);
  const checks: CheckDefinition[] = [];
  for (const [group, slope] of [1, -1].entries()) {
    for (let i = 0; i < p; i++) {
      const symbols = [i * p + p - 2 + group];
      for (let t = 0; t < p - 2; t++) symbols.push(((i + slope * (t + 2) + 2 * p) % p) * p + t);
      checks.push({ group, symbols });
    }
  }
  const paritySymbols = Array.from({ length: 2 * p }, (_, i) => Math.floor(i / 2) * p + p - 2 + (i % 2));
  return buildCode({
    name: 'xcode',
    parameters: { p },
    nodes: p,
    rows: p,
    tolerance: 2,
    checks,
    paritySymbols,
  });
}
