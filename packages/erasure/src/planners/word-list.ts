/**
 * The cheapest word of a class from a list of all words, for row spaces small
 * enough to list: the price of a word is the sum of one table entry per byte.
 */
import type { RowSpace } from './row-space.ts';

export class WordList {
  readonly #space: RowSpace;
  readonly #bytes: Uint8Array;
  readonly #stride: number;
  readonly #used: number;
  readonly #tables: Float64Array;
  /** Price of the last result. */
  value = 0;

  constructor(space: RowSpace) {
    const { basis, dimensions } = space;
    this.#space = space;
    const words = basis.words;
    const all = new Uint32Array(2 ** dimensions * words);
    for (let bit = 0; bit < dimensions; bit++) {
      const size = 2 ** bit;
      for (let j = 0; j < size; j++) {
        for (let i = 0; i < words; i++)
          all[(size + j) * words + i] = all[j * words + i]! ^ basis.data[bit * words + i]!;
      }
    }
    this.#bytes = new Uint8Array(all.buffer);
    this.#stride = 4 * words;
    this.#used = (basis.columns + 7) >>> 3;
    this.#tables = new Float64Array(this.#used * 256);
  }

  static bytes(space: RowSpace): number {
    return 2 ** space.dimensions * 4 * space.basis.words;
  }

  /** Whether the word with this number has the column. */
  bit(number: number, column: number): number {
    return (this.#bytes[number * this.#stride + (column >>> 3)]! >>> (column & 7)) & 1;
  }

  /** Number of the cheapest word of the class, for the weights from the offset on; sets `value`. */
  cheapest(classNumber: number, weights: Float64Array, offset: number): number {
    this.#loadTables(weights, offset);
    const count = 2 ** this.#space.free;
    const stride = this.#stride;
    const used = this.#used;
    const bytes = this.#bytes;
    const tables = this.#tables;
    let at = classNumber * count * stride;
    let best = 0;
    let bestValue = Number.POSITIVE_INFINITY;
    for (let combination = 0; combination < count; combination++) {
      let value = 0;
      for (let i = 0; i < used; i++) value += tables[(i << 8) | bytes[at + i]!]!;
      if (value < bestValue) {
        bestValue = value;
        best = combination;
      }
      at += stride;
    }
    this.value = bestValue;
    return classNumber * count + best;
  }

  #loadTables(weights: Float64Array, offset: number): void {
    const columns = this.#space.basis.columns;
    const tables = this.#tables;
    for (let i = 0; i < this.#used; i++) {
      const base = i << 8;
      for (let bit = 0; bit < 8; bit++) {
        const column = 8 * i + bit;
        const weight = column < columns ? weights[offset + column]! : 0;
        const size = 1 << bit;
        for (let j = 0; j < size; j++) tables[base + size + j] = tables[base + j]! + weight;
      }
    }
  }
}
