/**
 * The row space of a recovery problem: every equation that there is.
 *
 * With ω targets and d independent equations, a word is one of the 2^d sums of
 * equations. Its class is its part on the targets (ω bits): the class says what
 * the word rebuilds, the rest of the word says what must be read. A recovery is
 * an ω-dimensional subspace W that holds one word of each class; it reads the
 * union of its words, and each symbol of that union lies in exactly half of the
 * 2^ω words of W. Hence, for any cost of symbols,
 *
 *   cost(W) = (sum of cost(w) over W) / 2^(ω−1)
 *          ≥ (sum over the classes of their cheapest word) / 2^(ω−1)
 *
 * which is the bound everything exact here rests on. A word's number has its
 * class in the high ω bits and its combination of target-free equations in the
 * low `free` bits; adding words is XOR of numbers.
 */
import { BitMatrix, popcount, reduceOnColumns, xorWords } from '../matrix/bit-matrix.ts';
import { independentRows } from './independent-rows.ts';
import type { RecoveryProblem } from './problem.ts';

/** Costs below this part of the largest count as zero in bounds; a bound stays one. */
const NEGLIGIBLE = 1e-9;

export interface RowSpace {
  /** ω: number of targets. */
  readonly targets: number;
  /** d − ω: independent equations without targets. */
  readonly free: number;
  readonly dimensions: number;
  /** Symbols behind the columns of `basis`: readable ones, ascending. */
  readonly readable: readonly number[];
  /**
   * Row i is the word with number 2^i, on the readable symbols: first the free
   * equations, then one equation per target.
   */
  readonly basis: BitMatrix;
  /** Cost of each column; what is next to nothing is zero. */
  readonly costs: Float64Array;
}

export function createRowSpace(problem: RecoveryProblem): RowSpace {
  const { code, equations, targets } = problem;
  const lost = new Set(targets);
  const readable = Array.from({ length: code.symbolCount }, (_, s) => s).filter((s) => !lost.has(s));
  const reduced = equations.clone();
  reduceOnColumns(reduced, targets);
  const own = reduced.selectRows(targets.map((_, i) => i)).selectColumns(readable);
  const others = Array.from({ length: equations.rows - targets.length }, (_, i) => targets.length + i);
  const negligible = NEGLIGIBLE * largestCost(problem);
  const costs = Float64Array.from(readable, (symbol) => {
    const cost = problem.costs[Math.floor(symbol / code.rows)]!;
    return cost > negligible ? cost : 0;
  });
  // Equations that differ in symbols without cost only are as good as equal.
  const dear = readable.flatMap((_, i) => (costs[i]! > 0 ? [i] : []));
  const rest = lightBasis(reduced.selectRows(others).selectColumns(readable), dear);
  const free = rest.rows;
  const basis = new BitMatrix(free + targets.length, readable.length);
  for (let i = 0; i < free; i++) basis.row(i).set(rest.row(i));
  for (let i = 0; i < targets.length; i++) basis.row(free + i).set(own.row(i));
  return { targets: targets.length, free, dimensions: free + targets.length, readable, basis, costs };
}

/** The largest cost of a node that can be read; 0 when none can. */
export function largestCost({ code, targets, unavailable, costs }: RecoveryProblem): number {
  const closed = new Uint8Array(code.symbolCount);
  for (const symbol of targets) closed[symbol] = 1;
  for (const symbol of unavailable) closed[symbol] = 1;
  let largest = 0;
  for (const [symbol, isClosed] of closed.entries()) {
    if (!isClosed) largest = Math.max(largest, costs[Math.floor(symbol / code.rows)]!);
  }
  return largest;
}

/**
 * Rows that are independent on the columns, with few ones: rows are replaced by their sum with another
 * as long as that is lighter. Searches prune the better the sparser rows are.
 */
function lightBasis(rows: BitMatrix, columns: readonly number[]): BitMatrix {
  const light = rows.selectRows(independentRows(rows, columns));
  for (let improved = true; improved; ) {
    improved = false;
    for (let a = 0; a < light.rows; a++) {
      for (let b = 0; b < light.rows; b++) {
        if (a === b) continue;
        const before = light.rowWeight(a);
        light.xorRow(a, b);
        if (light.rowWeight(a) < before) improved = true;
        else light.xorRow(a, b);
      }
    }
  }
  return light;
}

/** The word with this number, on the readable symbols. */
export function wordOf(space: RowSpace, number: number): Uint32Array {
  const word = new Uint32Array(space.basis.words);
  for (let i = 0; i < space.dimensions; i++) {
    if (Math.floor(number / 2 ** i) % 2 === 1)
      xorWords(word, 0, space.basis.data, i * word.length, word.length);
  }
  return word;
}

/** Equations on all symbols from words, for building a plan. */
export function equationsOf(
  problem: RecoveryProblem,
  space: RowSpace,
  numbers: readonly number[],
): BitMatrix {
  const chosen = new BitMatrix(numbers.length, problem.code.symbolCount);
  for (const [r, number] of numbers.entries()) {
    const word = wordOf(space, number);
    for (const [i, symbol] of space.readable.entries()) {
      if ((word[i >>> 5]! >>> (i & 31)) & 1) chosen.set(r, symbol);
    }
    for (const [i, symbol] of problem.targets.entries()) {
      if (Math.floor(number / 2 ** (space.free + i)) % 2 === 1) chosen.set(r, symbol);
    }
  }
  return chosen;
}

/** Costs a bit-packed word: by counting when all costs are equal, else by tables of bytes. */
export class WordCost {
  /** The cost of every column when they are all equal, else undefined. */
  readonly uniform: number | undefined;
  readonly #words: number;
  readonly #tables: Float64Array;

  constructor(costs: Float64Array) {
    this.#words = (costs.length + 31) >>> 5;
    this.uniform = costs.every((cost) => cost === costs[0]) ? (costs[0] ?? 0) : undefined;
    this.#tables = new Float64Array(this.uniform === undefined ? this.#words * 4 * 256 : 0);
    for (let byte = 0; byte < this.#tables.length / 256; byte++) {
      for (let value = 1; value < 256; value++) {
        const low = 31 - Math.clz32(value & -value);
        const rest = this.#tables[byte * 256 + (value & (value - 1))]!;
        this.#tables[byte * 256 + value] = rest + (costs[byte * 8 + low] ?? 0);
      }
    }
  }

  of(data: Uint32Array, offset: number): number {
    const words = this.#words;
    if (this.uniform !== undefined) {
      let count = 0;
      for (let i = 0; i < words; i++) count += popcount(data[offset + i]!);
      return count * this.uniform;
    }
    const tables = this.#tables;
    let cost = 0;
    for (let i = 0; i < words; i++) {
      const word = data[offset + i]!;
      if (word === 0) continue;
      const table = i * 1024;
      cost +=
        tables[table + (word & 255)]! +
        tables[table + 256 + ((word >>> 8) & 255)]! +
        tables[table + 512 + ((word >>> 16) & 255)]! +
        tables[table + 768 + (word >>> 24)]!;
    }
    return cost;
  }
}

/**
 * Cheapest word of each class, over the whole row space without storing it
 * (Gray code: one addition per word). Returns undefined when `expired` says so.
 */
export function classMinima(space: RowSpace, expired: () => boolean): Float64Array | undefined {
  const { basis, free } = space;
  const words = basis.words;
  const cost = new WordCost(space.costs);
  const minima = new Float64Array(2 ** space.targets).fill(Number.POSITIVE_INFINITY);
  minima[0] = 0;
  const current = new Uint32Array(words);
  let classNumber = 0;
  const freeWords = 2 ** free;
  for (let step = 1; step <= 2 ** space.targets; step++) {
    if (expired()) return undefined;
    if (classNumber !== 0) minima[classNumber] = cheapestOfClass(current, basis, freeWords, cost);
    const bit = 31 - Math.clz32(step & -step);
    if (bit >= space.targets) break;
    classNumber ^= 1 << bit;
    xorWords(current, 0, basis.data, (free + bit) * words, words);
  }
  return minima;
}

function cheapestOfClass(start: Uint32Array, basis: BitMatrix, count: number, cost: WordCost): number {
  const words = basis.words;
  const data = basis.data;
  const current = start.slice();
  let cheapest = cost.of(current, 0);
  for (let step = 1; step < count; step++) {
    const at = (31 - Math.clz32(step & -step)) * words;
    for (let i = 0; i < words; i++) current[i]! ^= data[at + i]!;
    const value = cost.of(current, 0);
    if (value < cheapest) cheapest = value;
  }
  return cheapest;
}

/** The bound above, from the classes' cheapest words. */
export function averageBound(space: RowSpace, minima: Float64Array): number {
  let sum = 0;
  for (let v = 1; v < minima.length; v++) sum += minima[v]!;
  return sum / 2 ** (space.targets - 1);
}
