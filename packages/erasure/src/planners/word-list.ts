/**
 * The cheapest word of a class at any prices, word by word.
 *
 * All classes are shifts of one list, the sums of the free equations: the word
 * is base ⊕ sum, so its price is that of the base plus the price of the sum
 * with the sign turned where the base has a one. The price of a sum is the sum
 * of one table entry per byte, and the list stays in the cache.
 */
import { type RowSpace, wordOf } from './row-space.ts';

export class WordList {
  readonly #space: RowSpace;
  readonly #sums: Uint8Array;
  readonly #bases: Uint32Array;
  readonly #words: number;
  readonly #used: number;
  readonly #tables: Float64Array;
  /** Price of the last result. */
  value = 0;

  constructor(space: RowSpace) {
    const { basis, free, targets } = space;
    const words = basis.words;
    this.#space = space;
    this.#words = words;
    this.#sums = new Uint8Array(sumsOfRows(basis.data.subarray(0, free * words), words).buffer);
    this.#bases = new Uint32Array(2 ** targets * words);
    for (let v = 1; v < 2 ** targets; v++) this.#bases.set(wordOf(space, v * 2 ** free), v * words);
    this.#used = (basis.columns + 7) >>> 3;
    this.#tables = new Float64Array(this.#used * 256);
  }

  static bytes(space: RowSpace): number {
    return (2 ** space.free + 2 ** space.targets) * 4 * space.basis.words;
  }

  /** Whether the word with this number has the column. */
  bit(number: number, column: number): number {
    const count = 2 ** this.#space.free;
    const classNumber = Math.floor(number / count);
    const base = this.#bases[classNumber * this.#words + (column >>> 5)]! >>> (column & 31);
    const sum =
      this.#sums[(number - classNumber * count) * 4 * this.#words + (column >>> 3)]! >>> (column & 7);
    return (base ^ sum) & 1;
  }

  /** Number of the cheapest word of the class, at the prices from the offset on; sets `value`. */
  cheapest(classNumber: number, prices: Float64Array, offset: number): number {
    const basePrice = this.#loadTables(classNumber, prices, offset);
    const count = 2 ** this.#space.free;
    const stride = 4 * this.#words;
    const used = this.#used;
    const bytes = this.#sums;
    const tables = this.#tables;
    let at = 0;
    let best = 0;
    let bestValue = Number.POSITIVE_INFINITY;
    for (let sum = 0; sum < count; sum++) {
      let value = 0;
      for (let i = 0; i < used; i++) value += tables[(i << 8) | bytes[at + i]!]!;
      if (value < bestValue) {
        bestValue = value;
        best = sum;
      }
      at += stride;
    }
    this.value = basePrice + bestValue;
    return classNumber * count + best;
  }

  /** Fills the tables with signed prices; returns the price of the base. */
  #loadTables(classNumber: number, prices: Float64Array, offset: number): number {
    const columns = this.#space.basis.columns;
    const tables = this.#tables;
    const base = classNumber * this.#words;
    let basePrice = 0;
    for (let column = 0; column < 8 * this.#used; column++) {
      let price = column < columns ? prices[offset + column]! : 0;
      if ((this.#bases[base + (column >>> 5)]! >>> (column & 31)) & 1) {
        basePrice += price;
        price = -price;
      }
      const table = (column >>> 3) << 8;
      const size = 1 << (column & 7);
      for (let j = 0; j < size; j++) tables[table + size + j] = tables[table + j]! + price;
    }
    return basePrice;
  }
}

/** All sums of the rows; bit i of a sum's place says whether row i is in it. */
function sumsOfRows(rows: Uint32Array, words: number): Uint32Array {
  const count = rows.length / words;
  const sums = new Uint32Array(2 ** count * words);
  for (let row = 0; row < count; row++) {
    const size = 2 ** row;
    for (let j = 0; j < size; j++) {
      for (let i = 0; i < words; i++)
        sums[(size + j) * words + i] = sums[j * words + i]! ^ rows[row * words + i]!;
    }
  }
  return sums;
}
