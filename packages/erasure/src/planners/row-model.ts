/**
 * The exact optimum of replace recovery's own model: as many checks as symbols
 * are lost, taken as they are, with the cheapest union of reads.
 *
 * Branch and bound over checks in or out. A set of t more checks reads at least
 * the sum over its checks of cost(s)/degree(s) over their new symbols s, where
 * degree counts the undecided checks that hold s; so the t smallest such sums
 * bound what is to come. Deciding the check with the largest sum first lets the
 * degrees shrink where it matters. Used to judge replace, not to plan with.
 */
import { onesOf } from '../matrix/bit-matrix.ts';
import { independentRows } from './independent-rows.ts';
import type { RecoveryProblem } from './problem.ts';

export interface RowModelOptimum {
  readonly value: number;
  readonly rows: readonly number[];
  /** False when time ran out: the value is only an upper bound then. */
  readonly proven: boolean;
}

const EPSILON = 1e-9;

/** Searches from a known collection; `expired` ends the search early. */
export function rowModelOptimum(
  problem: RecoveryProblem,
  known: readonly number[],
  expired: () => boolean,
): RowModelOptimum {
  const search = new RowModelSearch(problem, known, expired);
  return search.run();
}

const undecided = 0;
const taken = 1;
const excluded = 2;

class RowModelSearch {
  readonly #problem: RecoveryProblem;
  readonly #expired: () => boolean;
  readonly #symbols: number[][];
  readonly #costOf: Float64Array;
  readonly #state: Uint8Array;
  readonly #degree: Int32Array;
  readonly #cover: Int32Array;
  /** Checks that hold a lost symbol; others never rebuild anything. */
  readonly #useful: number[];
  #spent = 0;
  #best: number[];
  #bestValue: number;
  #proven = true;

  constructor(problem: RecoveryProblem, known: readonly number[], expired: () => boolean) {
    const { code, equations, targets, costs } = problem;
    this.#problem = problem;
    this.#expired = expired;
    const lost = new Set(targets);
    this.#symbols = Array.from({ length: equations.rows }, (_, r) =>
      onesOf(equations.row(r)).filter((s) => !lost.has(s)),
    );
    this.#useful = this.#symbols.flatMap((_, r) => (targets.some((s) => equations.get(r, s)) ? [r] : []));
    this.#costOf = Float64Array.from(
      { length: code.symbolCount },
      (_, s) => costs[Math.floor(s / code.rows)]!,
    );
    this.#state = new Uint8Array(equations.rows);
    this.#degree = new Int32Array(code.symbolCount);
    this.#cover = new Int32Array(code.symbolCount);
    for (const r of this.#useful) for (const s of this.#symbols[r]!) this.#degree[s]!++;
    this.#best = [...known];
    const union = new Set(known.flatMap((r) => this.#symbols[r]!));
    this.#bestValue = [...union].reduce((sum, s) => sum + this.#costOf[s]!, 0);
  }

  run(): RowModelOptimum {
    this.#descend([]);
    return { value: this.#bestValue, rows: this.#best, proven: this.#proven };
  }

  #descend(chosen: readonly number[]): void {
    const wanted = this.#problem.targets.length;
    if (chosen.length === wanted) {
      this.#bestValue = this.#spent;
      this.#best = [...chosen];
      return;
    }
    if (this.#expired()) {
      this.#proven = false;
      return;
    }
    const open = this.#useful.filter((r) => this.#state[r] === undecided);
    const shares = open.map((r) => ({ row: r, share: this.#shareOf(r) })).sort((a, b) => a.share - b.share);
    const missing = wanted - chosen.length;
    if (shares.length < missing) return;
    let bound = this.#spent;
    for (let i = 0; i < missing; i++) bound += shares[i]!.share;
    if (bound > this.#bestValue - 1 + EPSILON && Number.isInteger(this.#bestValue)) return;
    if (bound >= this.#bestValue - EPSILON) return;
    this.#branch(chosen, shares.at(-1)!.row, open);
  }

  #branch(chosen: readonly number[], row: number, open: readonly number[]): void {
    this.#state[row] = excluded;
    for (const s of this.#symbols[row]!) this.#degree[s]!--;
    const { equations, targets } = this.#problem;
    const order = [...chosen, ...open.filter((r) => r !== row)];
    if (independentRows(equations, targets, order).length === targets.length) this.#descend(chosen);
    const next = [...chosen, row];
    if (independentRows(equations, targets, next).length === next.length) {
      this.#state[row] = taken;
      for (const s of this.#symbols[row]!) if (this.#cover[s]!++ === 0) this.#spent += this.#costOf[s]!;
      if (this.#spent < this.#bestValue - EPSILON) this.#descend(next);
      for (const s of this.#symbols[row]!) if (--this.#cover[s]! === 0) this.#spent -= this.#costOf[s]!;
    }
    for (const s of this.#symbols[row]!) this.#degree[s]!++;
    this.#state[row] = undecided;
  }

  #shareOf(row: number): number {
    let share = 0;
    for (const s of this.#symbols[row]!)
      if (this.#cover[s] === 0) share += this.#costOf[s]! / this.#degree[s]!;
    return share;
  }
}
