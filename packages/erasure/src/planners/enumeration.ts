/**
 * Enumeration recovery (Khan et al., FAST 2012): every recovery equation of
 * every lost symbol, and the combination whose union of reads is cheapest.
 *
 * With m parity nodes there are up to 2^(mω) − 1 sums of checks, of which
 * 2^((m−1)ω) rebuild a given lost symbol alone, and one is chosen for each of ω
 * symbols: ω·2^((m−1)ω) equations and 2^((m−1)ω·ω) combinations. The paper's
 * implementation did not finish mω ≥ 20 in 13 days; the published procedure is
 * kept here as the thing to compare with, with limits on equations (memory) and
 * time. It is exact when it ends. Equations that read a superset of another's
 * reads are dropped, and a combination is abandoned when its reads plus the
 * cheapest it still needs for any one symbol cost as much as the best known.
 */
import { ErasureError } from '../errors.ts';
import type { BitMatrix } from '../matrix/bit-matrix.ts';
import type { RecoveryProblem } from './problem.ts';
import { createRowSpace, equationsOf, type RowSpace, WordCost } from './row-space.ts';

export interface EnumerationLimits {
  readonly timeMs: number;
  readonly equationsMax: number;
  readonly now: () => number;
}

/** How often the clock is looked at. */
const CLOCK_STEPS = 4096;

export function enumerationRows(problem: RecoveryProblem, limits: EnumerationLimits): BitMatrix {
  const space = createRowSpace(problem);
  const count = space.targets * 2 ** space.free;
  if (count > limits.equationsMax) {
    throw new ErasureError(
      'LIMIT_EXCEEDED',
      `enumeration of ${problem.code.id} needs ${count} recovery equations (2^${space.dimensions} sums of checks), ` +
        `more than the limit of ${limits.equationsMax}; use replace or optimal`,
    );
  }
  const search = new EnumerationSearch(space, problem.code.id, limits);
  return equationsOf(problem, space, search.best());
}

interface Candidates {
  readonly numbers: number[];
  readonly words: Uint32Array;
}

class EnumerationSearch {
  readonly #space: RowSpace;
  readonly #limits: EnumerationLimits;
  readonly #id: string;
  readonly #deadline: number;
  readonly #cost: WordCost;
  readonly #candidates: Candidates[];
  readonly #chosen: number[] = [];
  #best: number[] = [];
  #bestCost = Number.POSITIVE_INFINITY;
  #steps = 0;

  constructor(space: RowSpace, id: string, limits: EnumerationLimits) {
    this.#space = space;
    this.#limits = limits;
    this.#id = id;
    this.#deadline = limits.now() + limits.timeMs;
    this.#cost = new WordCost(space.costs);
    this.#candidates = Array.from({ length: space.targets }, (_, target) => this.#list(target));
  }

  best(): number[] {
    this.#descend(0, new Uint32Array(this.#space.basis.words));
    return this.#best;
  }

  /** All equations of one target, cheapest first, without those that read more than another. */
  #list(target: number): Candidates {
    const { free, basis } = this.#space;
    const words = basis.words;
    const current = basis.row(free + target).slice();
    let number = 2 ** (free + target);
    const all: { number: number; word: Uint32Array; cost: number }[] = [];
    for (let step = 1; step <= 2 ** free; step++) {
      all.push({ number, word: current.slice(), cost: this.#cost.of(current, 0) });
      const bit = 31 - Math.clz32(step & -step);
      if (bit >= free) break;
      number += Math.floor(number / 2 ** bit) % 2 === 1 ? -(2 ** bit) : 2 ** bit;
      for (let i = 0; i < words; i++) current[i]! ^= basis.data[bit * words + i]!;
    }
    all.sort((a, b) => a.cost - b.cost);
    const kept: typeof all = [];
    for (const candidate of all) {
      this.#tick();
      const dominated = kept.some((other) =>
        other.word.every((word, i) => (word & ~candidate.word[i]!) === 0),
      );
      if (!dominated) kept.push(candidate);
    }
    const packed = new Uint32Array(kept.length * words);
    for (const [i, { word }] of kept.entries()) packed.set(word, i * words);
    return { numbers: kept.map((candidate) => candidate.number), words: packed };
  }

  #tick(): void {
    if (++this.#steps % CLOCK_STEPS === 0 && this.#limits.now() > this.#deadline) {
      throw new ErasureError(
        'LIMIT_EXCEEDED',
        `enumeration of ${this.#id} did not finish within ${this.#limits.timeMs} ms ` +
          `(${this.#space.targets} symbols with up to 2^${this.#space.free} equations each); use replace or optimal`,
      );
    }
  }

  #descend(target: number, union: Uint32Array): void {
    const spent = this.#cost.of(union, 0);
    if (target === this.#space.targets) {
      if (spent < this.#bestCost) {
        this.#bestCost = spent;
        this.#best = [...this.#chosen];
      }
      return;
    }
    const words = union.length;
    const next = new Uint32Array(words);
    for (let later = target + 1; later < this.#space.targets; later++) {
      if (spent + this.#cheapest(later, union) >= this.#bestCost) return;
    }
    const { numbers, words: packed } = this.#candidates[target]!;
    const order = this.#ordered(packed, numbers.length, union);
    for (const { place, cost } of order) {
      this.#tick();
      if (spent + cost >= this.#bestCost) return;
      for (let i = 0; i < words; i++) next[i] = union[i]! | packed[place * words + i]!;
      this.#chosen.push(numbers[place]!);
      this.#descend(target + 1, next);
      this.#chosen.pop();
    }
  }

  #cheapest(target: number, union: Uint32Array): number {
    const { numbers, words: packed } = this.#candidates[target]!;
    let cheapest = Number.POSITIVE_INFINITY;
    for (let place = 0; place < numbers.length; place++) {
      cheapest = Math.min(cheapest, this.#costBeyond(packed, place, union));
    }
    return cheapest;
  }

  #ordered(packed: Uint32Array, count: number, union: Uint32Array): { place: number; cost: number }[] {
    const order = Array.from({ length: count }, (_, place) => ({
      place,
      cost: this.#costBeyond(packed, place, union),
    }));
    return order.sort((a, b) => a.cost - b.cost);
  }

  #scratch: Uint32Array = new Uint32Array(0);

  #costBeyond(packed: Uint32Array, place: number, union: Uint32Array): number {
    if (this.#scratch.length !== union.length) this.#scratch = new Uint32Array(union.length);
    const at = place * union.length;
    for (let i = 0; i < union.length; i++) this.#scratch[i] = packed[at + i]! & ~union[i]!;
    return this.#cost.of(this.#scratch, 0);
  }
}
