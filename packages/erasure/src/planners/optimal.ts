/**
 * The true minimum over all linear combinations of checks, anytime.
 *
 *   1. an incumbent: replace recovery over the checks, then over the checks and
 *      their sums of two and three, which already finds cancellation;
 *   2. a lower bound from the cheapest words of the classes (row-space.ts);
 *   3. the subspace search (subspace-search.ts) with a target value that rises
 *      from the lower bound towards the incumbent: a run without result proves
 *      that no plan has the target value, so the proven gap shrinks all the
 *      time; a run with a result lowers the incumbent. It is the better way for
 *      few targets, and gets the first and then the larger share of the time;
 *   4. the bound by multipliers (multiplier-bound.ts), the better way for many
 *      rows and two parities; its words propose incumbents too;
 *   5. the search again, from the better bound, for the rest of the time.
 *
 * Ends when the bounds meet, or returns the best plan and the proven bound when
 * time or memory do not suffice.
 */
import { BitMatrix } from '../matrix/bit-matrix.ts';
import { type MultiplierBound, multiplierBound, multiplierBytes } from './multiplier-bound.ts';
import type { Certificate } from './plan.ts';
import type { RecoveryProblem } from './problem.ts';
import { replaceRows } from './replace.ts';
import {
  averageBound,
  classMinima,
  createRowSpace,
  equationsOf,
  largestCost,
  type RowSpace,
} from './row-space.ts';
import { SubspaceSearch } from './subspace-search.ts';

export interface OptimalLimits {
  readonly timeMs: number;
  /** Memory for the listed row space. */
  readonly bytesMax: number;
  readonly now: () => number;
}

export interface OptimalResult {
  readonly chosen: BitMatrix;
  readonly value: number;
  readonly lowerBound: number;
  readonly certificate: Certificate;
}

/** Up to this many words the row space is gone through word by word for the first bound. */
const STREAMED_DIMENSIONS_MAX = 31;
/** The array over the classes must fit in memory. */
const STREAMED_TARGETS_MAX = 22;
/** Up to how many checks their sums of 1, 2, 3 are tried as rows of their own. */
const SUMMED_CHECKS = [Number.POSITIVE_INFINITY, 64, 40] as const;
/** Integer costs: a gap of this many units is closed unit by unit. */
const SMALL_GAP_UNITS = 12;
/** Otherwise: part of the gap that a run tries to close. */
const GAP_PART = 0.25;
/** Real costs: part of the value that counts as no difference. */
const REAL_UNIT = 2e-10;
/** Bounds have met when they are this many units apart: refuting the value less one unit is enough for real costs. */
const CLOSED_UNITS = { integral: 0.5, real: 1.5 } as const;
/** A bound by multipliers must exceed a value by this to exclude it: they are sums of many numbers. */
const BOUND_EPSILON = 1e-5;
/** Parts of the time after which the first search, and the ascent of multipliers, must end. */
const FEW_TARGETS_MAX = 6;
const FEW_TARGETS_PARTS = { search: 0.75, multipliers: 0.85 } as const;
const MANY_TARGETS_PARTS = { search: 0.2, multipliers: 0.6 } as const;

export function optimalRows(problem: RecoveryProblem, limits: OptimalLimits): OptimalResult {
  const largest = largestCost(problem);
  if (largest === 0 || problem.costs.every(Number.isInteger)) return new OptimalSolver(problem, limits).run();
  // Real costs are brought to one scale, so that tolerances mean the same for all.
  const scaled = { ...problem, costs: problem.costs.map((cost) => cost / largest) };
  const result = new OptimalSolver(scaled, limits).run();
  const { certificate } = result;
  return {
    chosen: result.chosen,
    value: unionCost(problem, result.chosen),
    lowerBound: result.lowerBound * largest,
    certificate: {
      ...certificate,
      classBound: certificate.classBound * largest,
      multiplierBound: certificate.multiplierBound * largest,
      multipliers: certificate.multipliers?.map((multiplier) => multiplier * largest),
      refuted: certificate.refuted.map((target) => target * largest),
    },
  };
}

class OptimalSolver {
  readonly #problem: RecoveryProblem;
  readonly #limits: OptimalLimits;
  readonly #space: RowSpace;
  readonly #unit: CostUnit;
  readonly #begunMs: number;
  #deadlineMs = 0;
  #chosen: BitMatrix;
  #value: number;
  #lowerBound = 0;
  #search: SubspaceSearch | undefined;
  readonly #refuted: number[] = [];

  constructor(problem: RecoveryProblem, limits: OptimalLimits) {
    this.#problem = problem;
    this.#limits = limits;
    this.#begunMs = limits.now();
    this.#space = createRowSpace(problem);
    const first = incumbent(problem, limits);
    this.#chosen = first.chosen;
    this.#value = first.value;
    this.#unit = costUnit(problem.costs, first.value);
  }

  run(): OptimalResult {
    const space = this.#space;
    this.#allow(1);
    // Without free equations there is one recovery only.
    if (space.free === 0) this.#lowerBound = this.#value;
    const streamed =
      !this.#closed() && space.dimensions <= STREAMED_DIMENSIONS_MAX && space.targets <= STREAMED_TARGETS_MAX;
    const minima = streamed ? classMinima(space, this.#expired) : undefined;
    const classBound = minima ? averageBound(space, minima) : 0;
    this.#raise(classBound);
    const parts = space.targets <= FEW_TARGETS_MAX ? FEW_TARGETS_PARTS : MANY_TARGETS_PARTS;
    this.#allow(parts.search);
    this.#searchSubspaces();
    this.#allow(this.#isSearchable() ? parts.multipliers : 1);
    const multipliers = this.#ascend();
    this.#allow(1);
    this.#searchSubspaces();
    return {
      chosen: this.#chosen,
      value: this.#value,
      lowerBound: Math.min(this.#lowerBound, this.#value),
      certificate: {
        dimensions: space.dimensions,
        classBound,
        multiplierBound: multipliers?.bound ?? 0,
        multipliers: multipliers?.multipliers,
        nodes: this.#search?.nodes ?? 0,
        refuted: this.#refuted,
      },
    };
  }

  /** The part of all time after which the next step must end. */
  #allow(part: number): void {
    this.#deadlineMs = this.#begunMs + part * this.#limits.timeMs;
  }

  readonly #expired = (): boolean => this.#limits.now() > this.#deadlineMs;

  #isSearchable(): boolean {
    return searchBytes(this.#space) <= this.#limits.bytesMax;
  }

  #closed(): boolean {
    const units = this.#unit.integral ? CLOSED_UNITS.integral : CLOSED_UNITS.real;
    return this.#lowerBound >= this.#value - units * this.#unit.step;
  }

  #raise(bound: number): void {
    const rounded = this.#unit.integral ? roundUp(bound, this.#unit.step) : bound;
    this.#lowerBound = Math.max(this.#lowerBound, rounded);
  }

  #searchSubspaces(): void {
    if (this.#closed() || this.#expired() || !this.#isSearchable()) return;
    this.#search ??= new SubspaceSearch(this.#space, this.#unit, this.#expired);
    while (!this.#closed()) {
      const target = nextTarget(this.#lowerBound, this.#value, this.#unit);
      const { found, complete } = this.#search.run(target);
      if (found) {
        this.#value = found.value;
        this.#chosen = equationsOf(this.#problem, this.#space, found.words);
      }
      if (!complete) return;
      if (found) this.#lowerBound = found.value;
      else {
        this.#refuted.push(target);
        this.#lowerBound = Math.max(
          this.#lowerBound,
          this.#unit.integral ? target + this.#unit.step : target,
        );
      }
    }
  }

  #ascend(): MultiplierBound | undefined {
    if (this.#closed() || this.#expired()) return undefined;
    const held = this.#search ? searchBytes(this.#space) : 0;
    if (multiplierBytes(this.#space) + held > this.#limits.bytesMax) return undefined;
    const result = multiplierBound(this.#space, {
      incumbent: () => this.#value,
      enough: () =>
        this.#value - (this.#unit.integral ? this.#unit.step - BOUND_EPSILON : BOUND_EPSILON * this.#value),
      expired: this.#expired,
      propose: (words) => {
        const chosen = equationsOf(this.#problem, this.#space, words);
        const value = unionCost(this.#problem, chosen);
        if (value > this.#value - this.#unit.step / 2) return;
        this.#value = value;
        this.#chosen = chosen;
      },
    });
    this.#raise(result.bound);
    return result;
  }
}

interface CostUnit {
  readonly step: number;
  readonly integral: boolean;
}

/** Integer costs differ by their greatest common divisor at least; real ones by next to nothing. */
function costUnit(costs: Float64Array, value: number): CostUnit {
  const positive = Array.from(costs).filter((cost) => cost > 0);
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  if (positive.length > 0 && positive.every(Number.isInteger)) {
    return { step: positive.reduce(divisor), integral: true };
  }
  return { step: Math.max(1e-12, REAL_UNIT * value), integral: false };
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step - BOUND_EPSILON / 2) * step;
}

function nextTarget(lowerBound: number, value: number, unit: CostUnit): number {
  const gap = value - lowerBound;
  if (unit.integral) {
    const units = Math.round(gap / unit.step);
    const stride = units <= SMALL_GAP_UNITS ? 0 : Math.floor(units * GAP_PART);
    return Math.min(lowerBound + stride * unit.step, value - unit.step);
  }
  // The last hundredth is searched at once, or the steps would never arrive.
  return gap < 0.01 * value ? value - unit.step : lowerBound + gap * GAP_PART;
}

function searchBytes(space: RowSpace): number {
  // Lists of all levels together hold twice the words; ids, costs and marks come on top.
  return 2 ** (space.dimensions + 1) * (4 * space.basis.words + 17);
}

/** Replace recovery over the checks and over their sums of up to a few. */
function incumbent(problem: RecoveryProblem, limits: OptimalLimits): { chosen: BitMatrix; value: number } {
  let best: { chosen: BitMatrix; value: number } | undefined;
  const begunMs = limits.now();
  for (let terms = 1; terms <= SUMMED_CHECKS.length; terms++) {
    if (best && problem.equations.rows > SUMMED_CHECKS[terms - 1]!) break;
    // One term more takes about as many times longer as there are checks, and cannot be interrupted.
    if (best && (limits.now() - begunMs) * problem.equations.rows > limits.timeMs) break;
    const pool = withSums(problem, terms);
    const chosen = pool.equations.selectRows(replaceRows(pool, 'total'));
    const value = unionCost(problem, chosen);
    if (!best || value < best.value) best = { chosen, value };
  }
  return best!;
}

/** The problem with all sums of up to so many checks as rows, each of its first check's group. */
function withSums(problem: RecoveryProblem, terms: number): RecoveryProblem {
  if (terms === 1) return problem;
  const { equations, groups } = problem;
  const sums: Uint32Array[] = [];
  const sumGroups: number[] = [];
  const extend = (from: number, sum: Uint32Array, group: number, left: number): void => {
    for (let check = from; check < equations.rows; check++) {
      const next = equations.row(check).map((word, i) => word ^ sum[i]!);
      const own = group < 0 ? groups[check]! : group;
      sums.push(next);
      sumGroups.push(own);
      if (left > 1) extend(check + 1, next, own, left - 1);
    }
  };
  extend(0, new Uint32Array(equations.words), -1, terms);
  const all = new BitMatrix(sums.length, equations.columns);
  for (const [r, sum] of sums.entries()) all.row(r).set(sum);
  return { ...problem, equations: all, groups: Int32Array.from(sumGroups) };
}

export function unionCost(problem: RecoveryProblem, chosen: BitMatrix): number {
  const union = new Uint32Array(chosen.words);
  for (let r = 0; r < chosen.rows; r++) for (const [i, word] of chosen.row(r).entries()) union[i]! |= word;
  for (const symbol of problem.targets) union[symbol >>> 5]! &= ~(1 << (symbol & 31));
  let cost = 0;
  for (let symbol = 0; symbol < chosen.columns; symbol++) {
    if ((union[symbol >>> 5]! >>> (symbol & 31)) & 1)
      cost += problem.costs[Math.floor(symbol / problem.code.rows)]!;
  }
  return cost;
}
