/**
 * A lower bound by Lagrange multipliers, which is often tight.
 *
 * A recovery holds one word of each class v; symbol s is read or not, and over
 * the classes its bits are those of one linear functional φ_s (zero when s is
 * not read), because the words form a subspace. Give every symbol a price λ per
 * class, for any λ:
 *
 *   cost(W) = Σ_s c_s·[φ_s ≠ 0] + Σ_v Σ_s λ[v][s]·(word_v[s] − φ_s(v))
 *           ≥ Σ_v min over words of class v of λ[v]·word
 *             − Σ_s max(0, max over φ of Σ_v λ[v][s]·φ(v) − c_s)
 *
 * since the added sum is zero for a recovery, and dropping the link between
 * words and functionals only lowers the minimum. Equal λ = c_s / 2^(ω−1) gives
 * the bound by averages of row-space.ts. The first minimum goes over the listed
 * words, the second over a Walsh-Hadamard transform. The multipliers are
 * improved by deflected subgradient steps of Polyak's length towards the best
 * recovery known. They certify the bound: anybody can evaluate the two sums.
 */
import { type RowSpace, wordOf } from './row-space.ts';
import { WordList } from './word-list.ts';

export interface MultiplierBound {
  readonly bound: number;
  /** λ of the bound: class v from v·columns on. */
  readonly multipliers: Float64Array;
  readonly rounds: number;
}

export interface MultiplierOptions {
  /** Cost of the best recovery known by now. */
  readonly incumbent: () => number;
  /** Stop when the bound reaches this. */
  readonly enough: () => number;
  readonly expired: () => boolean;
  /** Called with word numbers that could be the basis of a good recovery. */
  readonly propose: (words: readonly number[]) => void;
}

/** Step lengths relative to Polyak's (many classes bear longer ones), and how they shrink when nothing improves. */
const FEW_TARGETS_MAX = 8;
const STEP_START_FEW = 0.1;
const STEP_START_MANY = 0.5;
const STEP_LEAST = 2e-3;
const STEP_SHRINK = 0.9;
const PATIENCE_ROUNDS = 25;
/** Part of the new subgradient in the direction. */
const DEFLECTION = 0.6;
/** Rounds between proposals of a recovery. */
const PROPOSAL_ROUNDS = 8;
/** Multipliers kept, and the bytes that each takes over all vectors. */
const ENTRIES_MAX = 2 ** 23;
const ENTRY_BYTES = 32;

/** Memory that the bound needs, or infinity when it is out of reach. */
export function multiplierBytes(space: RowSpace): number {
  const entries = 2 ** space.targets * space.basis.columns;
  return entries <= ENTRIES_MAX ? WordList.bytes(space) + entries * ENTRY_BYTES : Number.POSITIVE_INFINITY;
}

export function multiplierBound(space: RowSpace, options: MultiplierOptions): MultiplierBound {
  return new MultiplierAscent(space, options).run();
}

class MultiplierAscent {
  readonly #space: RowSpace;
  readonly #options: MultiplierOptions;
  readonly #columns: number;
  readonly #classes: number;
  readonly #list: WordList;
  readonly #multipliers: Float64Array;
  readonly #best: Float64Array;
  readonly #direction: Float64Array;
  readonly #gradient: Float64Array;
  readonly #transform: Float64Array;
  /** Each class's cheapest word at the present multipliers. */
  readonly #words: Int32Array;
  #bestBound = Number.NEGATIVE_INFINITY;
  #rounds = 0;
  #step: number;
  #stale = 0;

  constructor(space: RowSpace, options: MultiplierOptions) {
    this.#space = space;
    this.#options = options;
    this.#columns = space.basis.columns;
    this.#classes = 2 ** space.targets;
    this.#step = space.targets <= FEW_TARGETS_MAX ? STEP_START_FEW : STEP_START_MANY;
    this.#list = new WordList(space);
    this.#multipliers = new Float64Array(this.#classes * this.#columns);
    for (let v = 1; v < this.#classes; v++) {
      for (let s = 0; s < this.#columns; s++) {
        this.#multipliers[v * this.#columns + s] = space.costs[s]! / 2 ** (space.targets - 1);
      }
    }
    this.#best = this.#multipliers.slice();
    this.#direction = new Float64Array(this.#multipliers.length);
    this.#gradient = new Float64Array(this.#multipliers.length);
    this.#transform = new Float64Array(this.#classes);
    this.#words = new Int32Array(this.#classes);
  }

  run(): MultiplierBound {
    const { expired, enough } = this.#options;
    while (this.#step > STEP_LEAST && !expired() && this.#bestBound < enough()) this.#round();
    return { bound: this.#bestBound, multipliers: this.#best, rounds: this.#rounds };
  }

  #round(): void {
    const words = this.#priceWords();
    if (words === undefined) return;
    const value = words - this.#priceFunctionals();
    if (this.#rounds++ % PROPOSAL_ROUNDS === 0) this.#options.propose(this.#basisOfWords());
    const incumbent = this.#options.incumbent();
    if (value > this.#bestBound + 1e-4 * incumbent) this.#stale = 0;
    else if (++this.#stale > PATIENCE_ROUNDS) {
      this.#step *= STEP_SHRINK;
      this.#stale = 0;
    }
    if (value > this.#bestBound) {
      this.#bestBound = value;
      this.#best.set(this.#multipliers);
    }
    this.#advance(this.#step * Math.max(incumbent - value, 1e-3 * incumbent));
  }

  /** Σ_v of the words' prices and their part of the gradient; undefined when time ran out. */
  #priceWords(): number | undefined {
    const columns = this.#columns;
    let sum = 0;
    for (let v = 1; v < this.#classes; v++) {
      const at = v * columns;
      const number = this.#list.cheapest(v, this.#multipliers, at);
      this.#words[v] = number;
      sum += this.#list.value;
      for (let s = 0; s < columns; s++) this.#gradient[at + s] = this.#list.bit(number, s);
      if ((v & 63) === 0 && this.#options.expired()) return undefined;
    }
    return sum;
  }

  /** Σ_s of what the best functional gains over its cost, and its part of the gradient. */
  #priceFunctionals(): number {
    const columns = this.#columns;
    const classes = this.#classes;
    const transform = this.#transform;
    let sum = 0;
    for (let s = 0; s < columns; s++) {
      let total = 0;
      for (let v = 0; v < classes; v++) {
        transform[v] = this.#multipliers[v * columns + s]!;
        total += transform[v]!;
      }
      walshHadamard(transform);
      let gain = 1e-12;
      let functional = 0;
      for (let f = 1; f < classes; f++) {
        const value = (total - transform[f]!) / 2 - this.#space.costs[s]!;
        if (value > gain) {
          gain = value;
          functional = f;
        }
      }
      if (functional === 0) continue;
      sum += gain;
      for (let v = 1; v < classes; v++) if (oddOverlap(v & functional)) this.#gradient[v * columns + s]! -= 1;
    }
    return sum;
  }

  #advance(length: number): void {
    let norm = 0;
    const direction = this.#direction;
    const gradient = this.#gradient;
    for (let i = this.#columns; i < direction.length; i++) {
      const value = DEFLECTION * gradient[i]! + (1 - DEFLECTION) * direction[i]!;
      direction[i] = value;
      norm += value * value;
    }
    if (norm === 0) return;
    const step = length / norm;
    for (let i = this.#columns; i < direction.length; i++) this.#multipliers[i]! += step * direction[i]!;
  }

  /** Words of independent classes, each the one that adds the least to what is read so far. */
  #basisOfWords(): number[] {
    const { targets } = this.#space;
    const covered = new Uint8Array(this.#columns);
    const reachable = new Uint8Array(this.#classes);
    reachable[0] = 1;
    const chosen: number[] = [];
    for (let i = 0; i < targets; i++) {
      const best = this.#cheapestBeyond(covered, reachable);
      const number = this.#words[best]!;
      chosen.push(number);
      for (let s = 0; s < this.#columns; s++) if (this.#list.bit(number, s)) covered[s] = 1;
      const before = reachable.slice();
      for (let v = 0; v < this.#classes; v++) if (before[v]) reachable[v ^ best] = 1;
    }
    return chosen;
  }

  #cheapestBeyond(covered: Uint8Array, reachable: Uint8Array): number {
    const { costs } = this.#space;
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let v = 1; v < this.#classes; v++) {
      if (reachable[v]) continue;
      let added = 0;
      for (let s = 0; s < this.#columns && added < least; s++) {
        if (!covered[s] && this.#list.bit(this.#words[v]!, s)) added += costs[s]!;
      }
      if (added < least) {
        least = added;
        best = v;
      }
    }
    return best;
  }
}

/** In place: entry f becomes the sum over v of ±entry v, minus where v and f overlap oddly. */
function walshHadamard(values: Float64Array): void {
  for (let half = 1; half < values.length; half *= 2) {
    for (let block = 0; block < values.length; block += 2 * half) {
      for (let i = block; i < block + half; i++) {
        const a = values[i]!;
        const b = values[i + half]!;
        values[i] = a + b;
        values[i + half] = a - b;
      }
    }
  }
}

function oddOverlap(bits: number): boolean {
  let folded = bits ^ (bits >>> 16);
  folded ^= folded >>> 8;
  folded ^= folded >>> 4;
  return ((0x6996 >>> (folded & 15)) & 1) === 1;
}

/**
 * Evaluates the bound of given multipliers word by word and functional by
 * functional, without any of the machinery above: the check of a certificate.
 */
export function evaluateMultipliers(space: RowSpace, multipliers: Float64Array): number {
  const { targets, free, costs } = space;
  const columns = costs.length;
  let bound = 0;
  for (let v = 1; v < 2 ** targets; v++) {
    let cheapest = Number.POSITIVE_INFINITY;
    for (let rest = 0; rest < 2 ** free; rest++) {
      const word = wordOf(space, v * 2 ** free + rest);
      let price = 0;
      for (let s = 0; s < columns; s++) {
        if ((word[s >>> 5]! >>> (s & 31)) & 1) price += multipliers[v * columns + s]!;
      }
      cheapest = Math.min(cheapest, price);
    }
    bound += cheapest;
  }
  for (let s = 0; s < columns; s++) {
    let gain = 0;
    for (let f = 1; f < 2 ** targets; f++) {
      let price = -costs[s]!;
      for (let v = 1; v < 2 ** targets; v++) if (oddOverlap(v & f)) price += multipliers[v * columns + s]!;
      gain = Math.max(gain, price);
    }
    bound -= gain;
  }
  return bound;
}
