/**
 * A matrix over GF(2) with bit-packed rows.
 *
 * Row r occupies `words` consecutive 32-bit integers of `data`; bit c of a
 * row is bit c & 31 of its word c >>> 5. Adding two rows is a loop of XORs.
 */

export class BitMatrix {
  readonly rows: number;
  readonly columns: number;
  /** 32-bit words per row. */
  readonly words: number;
  readonly data: Uint32Array;

  constructor(rows: number, columns: number) {
    this.rows = rows;
    this.columns = columns;
    this.words = (columns + 31) >>> 5;
    this.data = new Uint32Array(rows * this.words);
  }

  static identity(size: number): BitMatrix {
    const matrix = new BitMatrix(size, size);
    for (let i = 0; i < size; i++) matrix.set(i, i);
    return matrix;
  }

  /** Builds a matrix from the column indices of each row's ones. */
  static fromRows(columns: number, rows: readonly (readonly number[])[]): BitMatrix {
    const matrix = new BitMatrix(rows.length, columns);
    for (const [r, ones] of rows.entries()) for (const c of ones) matrix.flip(r, c);
    return matrix;
  }

  get(row: number, column: number): number {
    return (this.data[row * this.words + (column >>> 5)]! >>> (column & 31)) & 1;
  }

  set(row: number, column: number): void {
    this.data[row * this.words + (column >>> 5)]! |= 1 << (column & 31);
  }

  flip(row: number, column: number): void {
    this.data[row * this.words + (column >>> 5)]! ^= 1 << (column & 31);
  }

  /** target ^= source, both rows of this matrix. */
  xorRow(target: number, source: number): void {
    xorWords(this.data, target * this.words, this.data, source * this.words, this.words);
  }

  swapRows(a: number, b: number): void {
    if (a === b) return;
    const { data, words } = this;
    for (let i = 0; i < words; i++) {
      const kept = data[a * words + i]!;
      data[a * words + i] = data[b * words + i]!;
      data[b * words + i] = kept;
    }
  }

  row(row: number): Uint32Array {
    return this.data.subarray(row * this.words, (row + 1) * this.words);
  }

  rowWeight(row: number): number {
    return weightOf(this.row(row));
  }

  /** Column indices of a row's ones, ascending. */
  rowOnes(row: number): number[] {
    return onesOf(this.row(row));
  }

  /** Number of ones in the whole matrix. */
  weight(): number {
    return weightOf(this.data);
  }

  clone(): BitMatrix {
    const copy = new BitMatrix(this.rows, this.columns);
    copy.data.set(this.data);
    return copy;
  }

  /** The matrix of the given columns, in the given order. */
  selectColumns(columns: ArrayLike<number>): BitMatrix {
    const selected = new BitMatrix(this.rows, columns.length);
    for (let r = 0; r < this.rows; r++) {
      for (let c = 0; c < columns.length; c++) if (this.get(r, columns[c]!)) selected.set(r, c);
    }
    return selected;
  }

  selectRows(rows: ArrayLike<number>): BitMatrix {
    const selected = new BitMatrix(rows.length, this.columns);
    for (let r = 0; r < rows.length; r++) selected.row(r).set(this.row(rows[r]!));
    return selected;
  }

  transpose(): BitMatrix {
    const transposed = new BitMatrix(this.columns, this.rows);
    for (let r = 0; r < this.rows; r++) for (const c of this.rowOnes(r)) transposed.set(c, r);
    return transposed;
  }

  /** This matrix times `other`; columns of this equal rows of `other`. */
  multiply(other: BitMatrix): BitMatrix {
    const product = new BitMatrix(this.rows, other.columns);
    for (let r = 0; r < this.rows; r++) {
      for (const inner of this.rowOnes(r)) {
        xorWords(product.data, r * product.words, other.data, inner * other.words, other.words);
      }
    }
    return product;
  }

  rank(): number {
    return rankInPlace(this.clone());
  }
}

/** Rank by elimination; the matrix is destroyed. */
export function rankInPlace(matrix: BitMatrix): number {
  const { data, words, rows, columns } = matrix;
  let rank = 0;
  for (let c = 0; c < columns && rank < rows; c++) {
    const word = c >>> 5;
    const mask = 1 << (c & 31);
    let pivot = rank;
    while (pivot < rows && (data[pivot * words + word]! & mask) === 0) pivot++;
    if (pivot === rows) continue;
    matrix.swapRows(rank, pivot);
    for (let r = pivot + 1; r < rows; r++) {
      if (data[r * words + word]! & mask) {
        xorWords(data, r * words + word, data, rank * words + word, words - word);
      }
    }
    rank++;
  }
  return rank;
}

/** The inverse of a square matrix of full rank; throws a RangeError for a singular one. */
export function invertMatrix(square: BitMatrix): BitMatrix {
  const size = square.rows;
  const work = square.clone();
  const inverse = BitMatrix.identity(size);
  for (let c = 0; c < size; c++) {
    let pivot = c;
    while (pivot < size && work.get(pivot, c) === 0) pivot++;
    if (pivot === size) throw new RangeError('the matrix is singular');
    work.swapRows(c, pivot);
    inverse.swapRows(c, pivot);
    for (let r = 0; r < size; r++) {
      if (r === c || work.get(r, c) === 0) continue;
      work.xorRow(r, c);
      inverse.xorRow(r, c);
    }
  }
  return inverse;
}

/**
 * Reduces rows so that each of the given columns, as far as they are
 * independent, has its one in a single row. Returns for each row the column
 * it is the pivot of, or -1; the pivots lie in the first rows.
 */
export function reduceOnColumns(matrix: BitMatrix, columns: ArrayLike<number>): Int32Array {
  const { data, words, rows } = matrix;
  const pivots = new Int32Array(rows).fill(-1);
  let rank = 0;
  for (let i = 0; i < columns.length && rank < rows; i++) {
    const column = columns[i]!;
    const word = column >>> 5;
    const mask = 1 << (column & 31);
    let pivot = rank;
    while (pivot < rows && (data[pivot * words + word]! & mask) === 0) pivot++;
    if (pivot === rows) continue;
    matrix.swapRows(rank, pivot);
    for (let r = 0; r < rows; r++) {
      if (r !== rank && data[r * words + word]! & mask) matrix.xorRow(r, rank);
    }
    pivots[rank++] = column;
  }
  return pivots;
}

export function xorWords(
  target: Uint32Array,
  targetWord: number,
  source: Uint32Array,
  sourceWord: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) target[targetWord + i]! ^= source[sourceWord + i]!;
}

/** Number of ones in a 32-bit integer. */
export function popcount(value: number): number {
  let v = value - ((value >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function weightOf(words: Uint32Array): number {
  let weight = 0;
  for (let i = 0; i < words.length; i++) weight += popcount(words[i]!);
  return weight;
}

export function onesOf(words: Uint32Array): number[] {
  const ones: number[] = [];
  for (let i = 0; i < words.length; i++) {
    for (let word = words[i]!; word !== 0; word &= word - 1) {
      ones.push(i * 32 + (31 - Math.clz32(word & -word)));
    }
  }
  return ones;
}
