/**
 * The field GF(2^ω) for small ω, and the ω × ω bit matrix of an element.
 *
 * Elements are integers whose bit i is the coefficient of x^i. The bit matrix
 * of e has e·x^j as column j, so that multiplying it with the bits of d gives
 * the bits of e·d (Blömer et al., the Cauchy Reed-Solomon report).
 */
import { illegalParameters } from '../errors.ts';
import { FIELD_BITS_MAX, FIELD_BITS_MIN } from '../limits.ts';
import type { BitMatrix } from './bit-matrix.ts';

/** Primitive polynomials with their leading term, indexed by ω. */
const PRIMITIVE_POLYNOMIALS: readonly number[] = [
  0, 0o3, 0o7, 0o13, 0o23, 0o45, 0o103, 0o211, 0o435, 0o1021, 0o2011,
];

export class GaloisField {
  readonly bits: number;
  readonly size: number;
  readonly #logarithms: Uint16Array;
  /** Powers of x, twice over, so that sums of two logarithms need no modulo. */
  readonly #powers: Uint16Array;

  constructor(bits: number) {
    if (!Number.isInteger(bits) || bits < FIELD_BITS_MIN || bits > FIELD_BITS_MAX) {
      throw illegalParameters(`field width must be ${FIELD_BITS_MIN}..${FIELD_BITS_MAX} bits, not ${bits}`);
    }
    const polynomial = PRIMITIVE_POLYNOMIALS[bits]!;
    this.bits = bits;
    this.size = 1 << bits;
    this.#logarithms = new Uint16Array(this.size);
    this.#powers = new Uint16Array(2 * this.size);
    let power = 1;
    for (let i = 0; i < this.size - 1; i++) {
      this.#powers[i] = power;
      this.#powers[i + this.size - 1] = power;
      this.#logarithms[power] = i;
      power <<= 1;
      if (power & this.size) power ^= polynomial;
    }
  }

  multiply(a: number, b: number): number {
    if (a === 0 || b === 0) return 0;
    return this.#powers[this.#logarithms[a]! + this.#logarithms[b]!]!;
  }

  /** a / b; b must not be zero. */
  divide(a: number, b: number): number {
    if (a === 0) return 0;
    return this.#powers[this.#logarithms[a]! + this.size - 1 - this.#logarithms[b]!]!;
  }

  power(a: number, exponent: number): number {
    if (exponent === 0) return 1;
    if (a === 0) return 0;
    return this.#powers[(this.#logarithms[a]! * exponent) % (this.size - 1)]!;
  }

  /** Writes the bit matrix of an element with its corner at (row, column). */
  placeBitMatrix(target: BitMatrix, row: number, column: number, element: number): void {
    for (let j = 0; j < this.bits; j++) {
      const product = this.multiply(element, 1 << j);
      for (let i = 0; i < this.bits; i++) if ((product >>> i) & 1) target.set(row + i, column + j);
    }
  }

  /** Ones in the bit matrix of an element: the XORs that multiplying by it costs. */
  bitMatrixWeight(element: number): number {
    let weight = 0;
    for (let j = 0; j < this.bits; j++) {
      for (let v = this.multiply(element, 1 << j); v !== 0; v &= v - 1) weight++;
    }
    return weight;
  }
}

/** The inverse of a square matrix over the field, or undefined when singular. */
export function invertFieldMatrix(
  field: GaloisField,
  matrix: readonly (readonly number[])[],
): number[][] | undefined {
  const size = matrix.length;
  const work = matrix.map((row, r) => [...row, ...row.map((_, c) => (c === r ? 1 : 0))]);
  for (let c = 0; c < size; c++) {
    const pivot = work.findIndex((row, r) => r >= c && row[c] !== 0);
    if (pivot < 0) return undefined;
    const pivotRow = work[pivot]!;
    work[pivot] = work[c]!;
    const lead = pivotRow[c]!;
    work[c] = pivotRow.map((value) => field.divide(value, lead));
    for (const [r, row] of work.entries()) {
      const factor = row[c]!;
      if (r === c || factor === 0) continue;
      work[r] = row.map((value, i) => value ^ field.multiply(factor, work[c]![i]!));
    }
  }
  return work.map((row) => row.slice(size));
}
