/**
 * Cauchy Reed-Solomon (Blömer et al., 1995; "good" after Plank and Xu, 2006):
 * any k and m, ω bits per element with k + m ≤ 2^ω.
 *
 *   original   parity i = sum over data j of d_j / (i ⊕ (m + j)) in GF(2^ω)
 *   good       the same code class with fewer ones in its bit matrix. m = 2:
 *              row 0 all ones, row 1 the distinct elements of least weight (in
 *              a tabulated order for ω ≤ 6). Otherwise every column is divided
 *              so that row 0 is all ones, then every later row by the one of
 *              its elements that leaves the fewest ones, if fewer than now.
 *
 * Each element becomes an ω × ω bit matrix, so that all arithmetic is XOR of
 * symbols. Scaling rows and columns keeps every square submatrix invertible.
 */
import { FIELD_BITS_MAX } from '../limits.ts';
import { BitMatrix } from '../matrix/bit-matrix.ts';
import { GaloisField } from '../matrix/galois-field.ts';
import { buildGeneratorCode, type CodeName, type ErasureCode, requireRange } from './code.ts';

/** Elements of GF(2^ω) by weight of their bit matrices, in Plank's order. */
const LIGHT_ELEMENTS: Readonly<Record<number, readonly number[]>> = {
  2: [1, 2, 3],
  3: [1, 2, 5, 4, 7, 3, 6],
  4: [1, 2, 9, 4, 8, 13, 3, 6, 12, 5, 11, 15, 10, 14, 7],
  5: [
    1, 2, 18, 4, 9, 8, 22, 16, 3, 11, 19, 5, 10, 6, 20, 27, 13, 23, 26, 12, 17, 25, 24, 31, 30, 7, 15, 21, 29,
    14, 28,
  ],
  6: [
    1, 2, 33, 4, 8, 49, 16, 32, 57, 3, 6, 12, 24, 48, 5, 35, 9, 37, 10, 17, 41, 51, 56, 61, 18, 28, 53, 14,
    20, 34, 7, 13, 25, 36, 59, 26, 39, 40, 45, 50, 60, 52, 63, 11, 30, 55, 19, 22, 29, 43, 58, 15, 21, 38, 44,
    47, 62, 27, 54, 42, 31, 23, 46,
  ],
};

/** The smallest ω that the code allows. */
export function cauchyBitsMin(k: number, m: number): number {
  return Math.max(1, Math.ceil(Math.log2(k + m)));
}

/** Cauchy Reed-Solomon with the improved matrix; ω is the least possible unless given. */
export function crs(k: number, m: number, w: number = cauchyBitsMin(k, m)): ErasureCode {
  checkParameters('crs', k, m, w);
  const field = new GaloisField(w);
  const elements = m === 2 ? lightRows(field, k) : improvedRows(field, cauchyRows(field, k, m));
  return buildFieldCode('crs', field, elements);
}

/** Cauchy Reed-Solomon with the matrix as first published. */
export function crsOriginal(k: number, m: number, w: number = cauchyBitsMin(k, m)): ErasureCode {
  checkParameters('crs-original', k, m, w);
  const field = new GaloisField(w);
  return buildFieldCode('crs-original', field, cauchyRows(field, k, m));
}

/** The code of an m × k matrix over GF(2^ω), each element spread to its bit matrix. */
export function buildFieldCode(
  name: CodeName,
  field: GaloisField,
  elements: readonly (readonly number[])[],
): ErasureCode {
  const w = field.bits;
  const m = elements.length;
  const k = elements[0]!.length;
  const generator = new BitMatrix(m * w, k * w);
  for (const [i, row] of elements.entries()) {
    for (const [j, element] of row.entries()) field.placeBitMatrix(generator, i * w, j * w, element);
  }
  // The field of `rs` is part of its name; parameters are what `createCode` takes.
  const parameters = name === 'rs' ? { k, m } : { k, m, w };
  return buildGeneratorCode({ name, parameters, rows: w, tolerance: m }, generator);
}

function checkParameters(name: string, k: number, m: number, w: number): void {
  requireRange(`${name}: k`, k, 1, 2 ** FIELD_BITS_MAX);
  requireRange(`${name}: m`, m, 1, 2 ** FIELD_BITS_MAX);
  requireRange(
    `${name}: w (k + m = ${k + m} nodes need 2^w of at least that)`,
    w,
    cauchyBitsMin(k, m),
    FIELD_BITS_MAX,
  );
}

function cauchyRows(field: GaloisField, k: number, m: number): number[][] {
  return Array.from({ length: m }, (_, i) =>
    Array.from({ length: k }, (_, j) => field.divide(1, i ^ (m + j))),
  );
}

function lightRows(field: GaloisField, k: number): number[][] {
  const byWeight = Array.from({ length: field.size - 1 }, (_, i) => i + 1).sort(
    (a, b) => field.bitMatrixWeight(a) - field.bitMatrixWeight(b) || a - b,
  );
  const light = LIGHT_ELEMENTS[field.bits] ?? byWeight;
  return [new Array<number>(k).fill(1), light.slice(0, k)];
}

function improvedRows(field: GaloisField, cauchy: readonly (readonly number[])[]): number[][] {
  const weight = (row: readonly number[]) => row.reduce((sum, e) => sum + field.bitMatrixWeight(e), 0);
  const scaled = cauchy.map((row) => row.map((element, j) => field.divide(element, cauchy[0]![j]!)));
  return scaled.map((row, i) => {
    if (i === 0) return row;
    let best = row;
    for (const divisor of row) {
      const divided = row.map((element) => field.divide(element, divisor));
      if (weight(divided) < weight(best)) best = divided;
    }
    return best;
  });
}
