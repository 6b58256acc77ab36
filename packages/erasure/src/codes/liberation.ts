/**
 * Liberation (Plank, FAST 2008): minimum density RAID-6, ω prime, k ≤ ω.
 *
 *   P = XOR of all data nodes
 *   Q = XOR of X_j times data node j, where row i of X_j has its one in column
 *       (i + j) mod ω, and for j > 0 row y = j(ω−1)/2 mod ω has one more in
 *       column (y + j − 1) mod ω.
 */
import { BitMatrix } from '../matrix/bit-matrix.ts';
import { buildGeneratorCode, type ErasureCode, requirePrime, requireRange } from './code.ts';

export function liberation(k: number, w: number): ErasureCode {
  requirePrime('liberation: w', w, 3);
  requireRange(`liberation with w = ${w}: k`, k, 1, w);
  const generator = new BitMatrix(2 * w, k * w);
  for (let j = 0; j < k; j++) {
    for (let i = 0; i < w; i++) {
      generator.set(i, j * w + i);
      generator.set(w + i, j * w + ((i + j) % w));
    }
    if (j > 0) {
      const y = (j * ((w - 1) / 2)) % w;
      generator.set(w + y, j * w + ((y + j - 1) % w));
    }
  }
  return buildGeneratorCode({ name: 'liberation', parameters: { k, w }, rows: w, tolerance: 2 }, generator);
}
