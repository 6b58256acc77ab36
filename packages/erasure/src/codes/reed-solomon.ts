/**
 * Reed-Solomon over GF(2^8) (polynomial 0x11D), the baseline that people know:
 * k + m ≤ 255, parity from a systematic Vandermonde matrix.
 *
 * V[r][c] = (α^r)^c with α = x; the matrix is V·(top k rows of V)⁻¹, then its
 * columns and rows are scaled so that the first row and the first column are
 * all ones, which keeps it MDS and leaves fewer XORs. Spread to bit matrices it
 * is an XOR code with ω = 8 like the others: symbol b of a node holds bit b of
 * its elements. RS(10,4) has 922 ones, so 890 XORs before any sharing.
 */
import { GaloisField, invertFieldMatrix } from '../matrix/galois-field.ts';
import { buildFieldCode } from './cauchy.ts';
import { type ErasureCode, requireRange } from './code.ts';

const FIELD_BITS = 8;

export function rs(k: number, m: number): ErasureCode {
  return buildFieldCode('rs', new GaloisField(FIELD_BITS), reedSolomonRows(k, m));
}

/** The m × k parity part of the systematic matrix: parity i = sum of row i's elements times the data. */
export function reedSolomonRows(k: number, m: number): number[][] {
  requireRange('rs: k', k, 1, 2 ** FIELD_BITS - 2);
  requireRange(`rs with k = ${k}: m`, m, 1, 2 ** FIELD_BITS - 1 - k);
  const field = new GaloisField(FIELD_BITS);
  const vandermonde = Array.from({ length: k + m }, (_, r) =>
    Array.from({ length: k }, (_, c) => field.power(field.power(2, r), c)),
  );
  const inverse = invertFieldMatrix(field, vandermonde.slice(0, k))!;
  const systematic = vandermonde
    .slice(k)
    .map((row) =>
      inverse.map((_, c) =>
        row.reduce((sum, element, i) => sum ^ field.multiply(element, inverse[i]![c]!), 0),
      ),
    );
  const scaled = systematic.map((row) => row.map((element, j) => field.divide(element, systematic[0]![j]!)));
  return scaled.map((row) => row.map((element) => field.divide(element, row[0]!)));
}
