/**
 * Blaum-Roth (1999): minimum density RAID-6, p = ω + 1 prime, k ≤ ω.
 *
 *   P = XOR of all data nodes
 *   Q = XOR of X_j times data node j; X_0 is the identity, and for j ≥ 1, with
 *       rows and columns counted from 1: row l ≠ p − j has its one in column
 *       (l + j) mod p; row p − j has ones in column j and in column j/2 (j
 *       even) or (p−1)/2 + 1 + ⌊j/2⌋ (j odd).
 */
import { BitMatrix } from '../matrix/bit-matrix.ts';
import { buildGeneratorCode, type ErasureCode, requirePrime, requireRange } from './code.ts';

export function blaumRoth(k: number, w: number): ErasureCode {
  const p = w + 1;
  requirePrime('blaum-roth: w + 1', p, 3);
  requireRange(`blaum-roth with w = ${w}: k`, k, 1, w);
  const generator = new BitMatrix(2 * w, k * w);
  for (let j = 0; j < k; j++) {
    for (let l = 1; l <= w; l++) {
      const row = w + l - 1;
      generator.set(l - 1, j * w + l - 1);
      if (j === 0 || l !== p - j) {
        generator.set(row, j * w + ((l + j) % p) - 1);
      } else {
        const second = j % 2 === 0 ? j / 2 : (p - 1) / 2 + 1 + (j - 1) / 2;
        generator.flip(row, j * w + j - 1);
        generator.flip(row, j * w + second - 1);
      }
    }
  }
  return buildGeneratorCode({ name: 'blaum-roth', parameters: { k, w }, rows: w, tolerance: 2 }, generator);
}
