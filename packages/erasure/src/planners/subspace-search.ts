/**
 * Branch and bound over the subspaces of the row space (see row-space.ts).
 *
 * A node has chosen t words; what remains to choose is a subspace of dimension
 * q = ω − t of the quotient. Covered symbols cost nothing any more, and a word
 * plus a chosen word covers the same, so one word of each such pair is kept:
 * words halve with every level. The bound at a node is
 *
 *   cost so far + (sum over 2^q − 1 classes of their cheapest word) / 2^(q−1)
 *
 * The slack S is how much that sum may grow before the node cannot reach the
 * target value. Branching: if W holds none of a set of words, the cheapest of
 * their classes become dearer; take the smallest set that makes the sum grow by
 * more than S, and visit one child per word of it ("W holds this word, and none
 * of those before"). Then the node is closed.
 *
 * A word u can only be in W together with h when u + h can be: a child keeps u
 * when neither is excluded and the excesses of u, u + h and h over their
 * classes' minima fit in the slack together.
 */
import { ErasureError } from '../errors.ts';
import { type RowSpace, WordCost } from './row-space.ts';

export interface SubspaceSolution {
  readonly value: number;
  /** Numbers of the words of a basis. */
  readonly words: readonly number[];
}

export interface SearchOutcome {
  /** The best subspace met with at most the target value. */
  readonly found: SubspaceSolution | undefined;
  /** False when time ran out: then not finding proves nothing. */
  readonly complete: boolean;
}

/** Raises of a class's minimum are planned in this many steps at most. */
const RAISE_STEPS = 64;
/** Real costs: how finely the slack is divided into raises. */
const REAL_STEPS = 32;
/** Rounding slack of sums of costs. */
const EPSILON = 1e-9;

interface Level {
  ids: Uint32Array;
  data: Uint32Array;
  costs: Float64Array;
  dead: Uint8Array;
  count: number;
  /** Word number → place in the list plus one; 0 where the word is not kept. */
  readonly places: Int32Array;
  /** Bit that the chosen word's class clears in the other words. */
  pivot: number;
  chosen: number;
}

interface Raise {
  readonly classNumber: number;
  readonly from: number;
  readonly to: number;
  readonly ratio: number;
}

export class SubspaceSearch {
  readonly #space: RowSpace;
  readonly #cost: WordCost;
  readonly #words: number;
  /** Smallest difference of two values; tiny for real costs. */
  readonly #unit: number;
  readonly #integral: boolean;
  readonly #expired: () => boolean;
  readonly #levels: Level[] = [];
  #target = 0;
  #found: SubspaceSolution | undefined;
  #complete = true;
  /** Nodes visited, over all runs. */
  nodes = 0;

  constructor(
    space: RowSpace,
    unit: { readonly step: number; readonly integral: boolean },
    expired: () => boolean,
  ) {
    this.#space = space;
    this.#cost = new WordCost(space.costs);
    this.#words = space.basis.words;
    this.#unit = unit.step;
    this.#integral = unit.integral;
    this.#expired = expired;
    for (let depth = 0; depth <= space.targets; depth++) {
      this.#levels.push({
        ids: new Uint32Array(0),
        data: new Uint32Array(0),
        costs: new Float64Array(0),
        dead: new Uint8Array(0),
        count: 0,
        places: new Int32Array(2 ** (space.dimensions - depth)),
        pivot: 0,
        chosen: 0,
      });
    }
    this.#listAll();
  }

  /** Looks for the best subspace of at most this value. */
  run(target: number): SearchOutcome {
    this.#target = target;
    this.#found = undefined;
    this.#complete = true;
    this.#visit(0, 0);
    for (const level of this.#levels) level.places.fill(0);
    return { found: this.#found, complete: this.#complete };
  }

  #listAll(): void {
    const { free, dimensions, basis } = this.#space;
    const words = this.#words;
    const total = 2 ** dimensions;
    const all = new Uint32Array(total * words);
    for (let bit = 0; bit < dimensions; bit++) {
      const size = 2 ** bit;
      for (let j = 0; j < size; j++) {
        for (let i = 0; i < words; i++)
          all[(size + j) * words + i] = all[j * words + i]! ^ basis.data[bit * words + i]!;
      }
    }
    const level = this.#levels[0]!;
    const skipped = 2 ** free;
    level.data = all.subarray(skipped * words);
    level.count = total - skipped;
    level.ids = Uint32Array.from({ length: level.count }, (_, i) => skipped + i);
    level.costs = new Float64Array(level.count);
    level.dead = new Uint8Array(level.count);
  }

  #visit(depth: number, spent: number): void {
    this.nodes++;
    const remaining = this.#space.targets - depth;
    if (remaining === 0) {
      this.#record(spent);
      return;
    }
    const level = this.#levels[depth]!;
    const minima = this.#costWords(level, remaining);
    let sum = 0;
    for (let v = 1; v < minima.length; v++) sum += minima[v]!;
    const half = 2 ** (remaining - 1);
    const slack = half * (this.#target - spent + EPSILON) - sum;
    // Not finite: a class has no word left.
    if (!(slack >= 0)) return;
    const raises = this.#planRaises(level, minima, slack, this.#stepOf(slack, remaining));
    if (remaining === 1) {
      this.#finish(level, minima, depth, spent);
      return;
    }
    this.#place(level, minima, slack);
    this.#branch(depth, spent, minima, raises);
    this.#unplace(level);
  }

  /** Costs of all words, and the cheapest of each class. */
  #costWords(level: Level, remaining: number): Float64Array {
    const { count, data, ids, costs } = level;
    const words = this.#words;
    const free = this.#space.free;
    const minima = new Float64Array(2 ** remaining).fill(Number.POSITIVE_INFINITY);
    minima[0] = 0;
    for (let i = 0; i < count; i++) {
      const value = this.#cost.of(data, i * words);
      costs[i] = value;
      const v = ids[i]! >>> free;
      if (value < minima[v]!) minima[v] = value;
    }
    return minima;
  }

  /** So coarse that half of all raises suffice for the slack, and a multiple of the unit. */
  #stepOf(slack: number, remaining: number): number {
    const classes = 2 ** remaining - 1;
    if (!this.#integral) return Math.max(this.#unit, slack / Math.min(REAL_STEPS, classes + 1));
    const coarse = (2 * slack) / (RAISE_STEPS * classes);
    return this.#unit * Math.max(1, Math.ceil(coarse / this.#unit));
  }

  /**
   * The cheapest set of raises whose sum exceeds the slack: for each class the
   * words below each raise are counted, the concave envelope of raise against
   * count gives steps, and the steps with the best ratio are taken.
   */
  #planRaises(level: Level, minima: Float64Array, slack: number, step: number): Raise[] {
    const free = this.#space.free;
    const counts = new Uint32Array(minima.length * RAISE_STEPS);
    for (let i = 0; i < level.count; i++) {
      const v = level.ids[i]! >>> free;
      const bucket = Math.floor((level.costs[i]! - minima[v]!) / step + EPSILON);
      if (bucket < RAISE_STEPS) counts[v * RAISE_STEPS + bucket]!++;
    }
    const raises: Raise[] = [];
    const most = Math.min(RAISE_STEPS, Math.floor(slack / step) + 1);
    for (let v = 1; v < minima.length; v++) envelope(counts, v, most, raises);
    raises.sort((a, b) => b.ratio - a.ratio);
    let gained = 0;
    let taken = 0;
    // A little more than the slack, because the raises are summed in another order later.
    const wanted = slack + 1e-3 * step;
    while (taken < raises.length && gained <= wanted) {
      gained += (raises[taken]!.to - raises[taken]!.from) * step;
      taken++;
    }
    return raises
      .slice(0, taken)
      .map((raise) => ({ ...raise, from: raise.from * step, to: raise.to * step }));
  }

  #place(level: Level, minima: Float64Array, slack: number): void {
    const free = this.#space.free;
    for (let i = 0; i < level.count; i++) {
      level.dead[i] = 0;
      const id = level.ids[i]!;
      if (level.costs[i]! - minima[id >>> free]! <= slack) level.places[id] = i + 1;
    }
  }

  #unplace(level: Level): void {
    for (let i = 0; i < level.count; i++) level.places[level.ids[i]!] = 0;
  }

  #branch(depth: number, spent: number, minima: Float64Array, raises: readonly Raise[]): void {
    const level = this.#levels[depth]!;
    const half = 2 ** (this.#space.targets - depth - 1);
    const lists = this.#wordsOfRaises(level, minima, raises);
    const current = minima.slice();
    let sum = 0;
    for (let v = 1; v < minima.length; v++) sum += minima[v]!;
    for (const [i, raise] of raises.entries()) {
      for (const place of lists[i]!) {
        const slack = half * (this.#target - spent + EPSILON) - sum;
        if (slack < 0) return;
        if (this.#expired()) {
          this.#complete = false;
          return;
        }
        if (level.costs[place]! - current[raise.classNumber]! <= slack && !level.dead[place]) {
          this.#descend(depth, place, current, slack);
          this.#visit(depth + 1, spent + level.costs[place]!);
        }
        level.dead[place] = 1;
        if (!this.#complete) return;
      }
      const raised = minima[raise.classNumber]! + raise.to;
      sum += raised - current[raise.classNumber]!;
      current[raise.classNumber] = raised;
    }
    if (half * (this.#target - spent + EPSILON) - sum >= 0) {
      throw new ErasureError('INTERNAL', 'the planned raises did not close a node of the search');
    }
  }

  /** Places of the words that each raise must exclude. */
  #wordsOfRaises(level: Level, minima: Float64Array, raises: readonly Raise[]): number[][] {
    const free = this.#space.free;
    const byClass = new Map<number, number[]>();
    for (const [i, raise] of raises.entries()) {
      const list = byClass.get(raise.classNumber);
      if (list) list.push(i);
      else byClass.set(raise.classNumber, [i]);
    }
    const lists: number[][] = raises.map(() => []);
    for (let place = 0; place < level.count; place++) {
      const v = level.ids[place]! >>> free;
      const candidates = byClass.get(v);
      if (!candidates) continue;
      const excess = level.costs[place]! - minima[v]! + EPSILON;
      for (const i of candidates) {
        if (excess >= raises[i]!.from && excess < raises[i]!.to) lists[i]!.push(place);
      }
    }
    return lists;
  }

  /** Fills the next level with the words that may join the chosen one. */
  #descend(depth: number, chosen: number, minima: Float64Array, slack: number): void {
    const level = this.#levels[depth]!;
    const next = this.#levels[depth + 1]!;
    const { free } = this.#space;
    const words = this.#words;
    const { ids, data, costs, dead, places } = level;
    const id = ids[chosen]!;
    const pivot = 31 - Math.clz32(id);
    const mask = 2 ** pivot;
    const low = mask - 1;
    const left = slack - (costs[chosen]! - minima[id >>> free]!);
    const at = chosen * words;
    level.pivot = pivot;
    level.chosen = id;
    reserve(next, level.count, words);
    let count = 0;
    for (let i = 0; i < level.count; i++) {
      const other = ids[i]!;
      if (other & mask || dead[i] || places[other] === 0) continue;
      const partner = places[other ^ id]! - 1;
      if (partner < 0 || dead[partner]) continue;
      const excess = costs[i]! - minima[other >>> free]! + costs[partner]! - minima[(other ^ id) >>> free]!;
      if (excess > left) continue;
      next.ids[count] = (other & low) | ((other >>> (pivot + 1)) << pivot);
      for (let w = 0; w < words; w++) next.data[count * words + w] = data[i * words + w]! & ~data[at + w]!;
      count++;
    }
    next.count = count;
  }

  /** One word is left to choose: the cheapest. */
  #finish(level: Level, minima: Float64Array, depth: number, spent: number): void {
    for (let i = 0; i < level.count; i++) {
      if (level.costs[i] !== minima[1]) continue;
      level.chosen = level.ids[i]!;
      level.pivot = 31 - Math.clz32(level.chosen);
      this.#levels[depth + 1]!.count = 0;
      this.#visit(depth + 1, spent + minima[1]!);
      return;
    }
  }

  #record(spent: number): void {
    if (spent > this.#target + EPSILON) return;
    const words: number[] = [];
    for (let depth = 0; depth < this.#space.targets; depth++) {
      let id = this.#levels[depth]!.chosen;
      for (let above = depth - 1; above >= 0; above--) {
        const pivot = this.#levels[above]!.pivot;
        const low = 2 ** pivot - 1;
        id = (id & low) | ((id >>> pivot) << (pivot + 1));
      }
      words.push(id >>> 0);
    }
    this.#found = { value: spent, words };
    this.#target = spent - this.#unit;
  }
}

/** Steps of the concave envelope of (words excluded, raise) of one class. */
function envelope(counts: Uint32Array, classNumber: number, most: number, raises: Raise[]): void {
  const base = classNumber * RAISE_STEPS;
  let from = 0;
  while (from < most) {
    let excluded = 0;
    let ratio = 0;
    let to = from + 1;
    for (let raise = from; raise < most; raise++) {
      excluded += counts[base + raise]!;
      const gain = excluded === 0 ? Number.POSITIVE_INFINITY : (raise + 1 - from) / excluded;
      if (gain >= ratio) {
        ratio = gain;
        to = raise + 1;
      }
    }
    raises.push({ classNumber, from, to, ratio });
    from = to;
  }
}

function reserve(level: Level, count: number, words: number): void {
  if (level.ids.length >= count) return;
  level.ids = new Uint32Array(count);
  level.data = new Uint32Array(count * words);
  level.costs = new Float64Array(count);
  level.dead = new Uint8Array(count);
}
