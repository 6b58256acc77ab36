/**
 * From a bit matrix to a short sequence of XORs.
 *
 * Output r is the XOR of the inputs in row r. Two moves shorten that:
 *
 *   pairs     (Paar's greedy, the RePair step of SC'21's XOR programs) the pair
 *             of operands that occurs together in the most rows becomes an
 *             operand of its own, again and again until no pair occurs twice;
 *   outputs   a row that differs from another output in fewer places than it
 *             has ones starts from that output (XORs cancel), which grammar
 *             compression alone cannot see.
 *
 * Ties between pairs are broken in several seeded ways and the shortest result
 * is kept. The sequence is then ordered depth first, so that a temporary is
 * made shortly before it is used, and temporaries share slots.
 */
import { type BitMatrix, popcount } from '../matrix/bit-matrix.ts';
import { allocateSlots, type Definition } from './allocate-slots.ts';
import type { XorSchedule } from './xor-schedule.ts';

export interface ShareOptions {
  /** How many tie-breaking orders to try; more is slower and seldom longer. */
  readonly attempts?: number;
}

/** Beyond this many ones only one order is tried: planning is online. */
const MANY_ONES = 1500;
const ATTEMPTS_DEFAULT = 8;

/** The schedule that computes matrix · inputs, rows are outputs. */
export function scheduleMatrix(matrix: BitMatrix, options: ShareOptions = {}): XorSchedule {
  const attempts = options.attempts ?? (matrix.weight() > MANY_ONES ? 1 : ATTEMPTS_DEFAULT);
  let best: Definition[] | undefined;
  let bestXors = Number.POSITIVE_INFINITY;
  for (const derived of [false, true]) {
    const start = derived ? deriveRows(matrix) : plainRows(matrix);
    if (derived && start.every((row) => row.base === undefined)) continue;
    for (let seed = 0; seed < attempts; seed++) {
      const definitions = compressPairs(matrix, start, seed);
      const xors = definitions.reduce((sum, d) => sum + Math.max(0, d.sources.length - 1), 0);
      if (xors < bestXors) {
        best = definitions;
        bestXors = xors;
      }
    }
  }
  return allocateSlots(matrix.columns, matrix.rows, best ?? []);
}

/** A row to compute: ones over inputs and, when derived, an output to start from. */
interface Row {
  readonly ones: readonly number[];
  readonly base: number | undefined;
}

function plainRows(matrix: BitMatrix): Row[] {
  return Array.from({ length: matrix.rows }, (_, r) => ({ ones: matrix.rowOnes(r), base: undefined }));
}

/**
 * Derives rows from one another along a minimum spanning tree: the distance of
 * two rows is that of their ones, the distance from nothing is the row itself.
 */
function deriveRows(matrix: BitMatrix): Row[] {
  const count = matrix.rows;
  const distance = Array.from({ length: count }, (_, r) => matrix.rowWeight(r) - 1);
  const base = new Array<number | undefined>(count).fill(undefined);
  const result = new Array<Row>(count);
  const waiting = new Set(distance.keys());
  while (waiting.size > 0) {
    let next = -1;
    for (const r of waiting) if (next < 0 || distance[r]! < distance[next]!) next = r;
    waiting.delete(next);
    const from = base[next];
    const ones = matrix.row(next).slice();
    if (from !== undefined) for (const [i, word] of matrix.row(from).entries()) ones[i]! ^= word;
    result[next] = { ones: onesOfWords(ones), base: from };
    for (const r of waiting) {
      const apart = differing(matrix, r, next);
      if (apart < distance[r]!) {
        distance[r] = apart;
        base[r] = next;
      }
    }
  }
  return result;
}

function differing(matrix: BitMatrix, a: number, b: number): number {
  const { data, words } = matrix;
  let count = 0;
  for (let i = 0; i < words; i++) count += popcount(data[a * words + i]! ^ data[b * words + i]!);
  return count;
}

function onesOfWords(words: Uint32Array): number[] {
  const ones: number[] = [];
  for (const [i, word] of words.entries()) {
    for (let bit = 0; bit < 32; bit++) if ((word >>> bit) & 1) ones.push(i * 32 + bit);
  }
  return ones;
}

/** Operands during compression: inputs, outputs, then pairs; each with the rows it occurs in. */
class PairTable {
  readonly #words: number;
  #rowSets: Uint32Array;
  #partner: Int32Array;
  #shared: Int32Array;
  #capacity: number;
  count: number;
  readonly #seed: number;

  constructor(rows: number, count: number, seed: number) {
    this.#words = (rows + 31) >>> 5;
    this.#capacity = Math.max(16, 2 * count);
    this.#rowSets = new Uint32Array(this.#capacity * this.#words);
    this.#partner = new Int32Array(this.#capacity).fill(-1);
    this.#shared = new Int32Array(this.#capacity);
    this.count = count;
    this.#seed = seed;
  }

  add(operand: number, row: number): void {
    this.#rowSets[operand * this.#words + (row >>> 5)]! |= 1 << (row & 31);
  }

  has(operand: number, row: number): boolean {
    return ((this.#rowSets[operand * this.#words + (row >>> 5)]! >>> (row & 31)) & 1) === 1;
  }

  #common(a: number, b: number): number {
    let count = 0;
    for (let i = 0; i < this.#words; i++) {
      count += popcount(this.#rowSets[a * this.#words + i]! & this.#rowSets[b * this.#words + i]!);
    }
    return count;
  }

  /** Finds the later operand that shares the most rows with this one. */
  refresh(operand: number): void {
    let best = 1;
    let partner = -1;
    let bestRank = 0;
    for (let other = operand + 1; other < this.count; other++) {
      const common = this.#common(operand, other);
      if (common < best || common < 2) continue;
      const rank = tieRank(operand, other, this.#seed);
      if (common > best || rank > bestRank) {
        best = common;
        partner = other;
        bestRank = rank;
      }
    }
    this.#shared[operand] = partner < 0 ? 0 : best;
    this.#partner[operand] = partner;
  }

  /** The pair that occurs together most often, or undefined when none does twice. */
  bestPair(): [number, number] | undefined {
    let best = -1;
    for (let a = 0; a < this.count; a++) {
      const shared = this.#shared[a]!;
      if (shared < 2) continue;
      if (
        best < 0 ||
        shared > this.#shared[best]! ||
        (shared === this.#shared[best]! &&
          tieRank(a, this.#partner[a]!, this.#seed) > tieRank(best, this.#partner[best]!, this.#seed))
      ) {
        best = a;
      }
    }
    return best < 0 ? undefined : [best, this.#partner[best]!];
  }

  /** Replaces the pair by a new operand wherever both occur. */
  replace(a: number, b: number): number {
    if (this.count === this.#capacity) this.#grow();
    const words = this.#words;
    const sets = this.#rowSets;
    const pair = this.count++;
    for (let i = 0; i < words; i++) {
      const both = sets[a * words + i]! & sets[b * words + i]!;
      sets[pair * words + i] = both;
      sets[a * words + i]! ^= both;
      sets[b * words + i]! ^= both;
    }
    this.#refreshAfter(a, b, pair);
    return pair;
  }

  #refreshAfter(a: number, b: number, pair: number): void {
    for (let other = 0; other < pair; other++) {
      const partner = this.#partner[other]!;
      if (other === a || other === b || partner === a || partner === b) {
        this.refresh(other);
        continue;
      }
      const common = this.#common(other, pair);
      if (common >= 2 && common > this.#shared[other]!) {
        this.#shared[other] = common;
        this.#partner[other] = pair;
      }
    }
  }

  #grow(): void {
    this.#capacity *= 2;
    const grown = <T extends Uint32Array | Int32Array>(old: T, bigger: T): T => {
      bigger.set(old);
      return bigger;
    };
    this.#rowSets = grown(this.#rowSets, new Uint32Array(this.#capacity * this.#words));
    this.#partner = grown(this.#partner, new Int32Array(this.#capacity).fill(-1));
    this.#shared = grown(this.#shared, new Int32Array(this.#capacity));
  }
}

/** A fixed pseudo-random order of pairs for each seed; seed 0 prefers the newest operands. */
function tieRank(a: number, b: number, seed: number): number {
  if (seed === 0) return a * 65_536 + b + 1;
  let hash = Math.imul(a + 1, 0x9e3779b1) ^ Math.imul(b + 1, 0x85ebca6b) ^ Math.imul(seed, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) + 1;
}

function compressPairs(matrix: BitMatrix, rows: readonly Row[], seed: number): Definition[] {
  const inputs = matrix.columns;
  const table = new PairTable(matrix.rows, inputs + matrix.rows, seed);
  for (const [r, row] of rows.entries()) {
    for (const c of row.ones) table.add(c, r);
    if (row.base !== undefined) table.add(inputs + row.base, r);
  }
  for (let operand = 0; operand < table.count; operand++) table.refresh(operand);
  const pairs: Definition[] = [];
  for (let found = table.bestPair(); found; found = table.bestPair()) {
    pairs.push({ operand: table.replace(found[0], found[1]), sources: found });
  }
  const outputs = rows.map((_, r) => {
    const sources: number[] = [];
    for (let operand = 0; operand < table.count; operand++) if (table.has(operand, r)) sources.push(operand);
    return { operand: inputs + r, sources };
  });
  return [...pairs, ...outputs];
}
