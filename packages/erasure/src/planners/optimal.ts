/**
 * The true minimum over all linear combinations of checks, anytime.
 *
 *   1. an incumbent: replace recovery over the checks, then over the checks and
 *      their sums in pairs, which already finds cancellation between rows;
 *   2. a lower bound from the cheapest words of the classes (row-space.ts);
 *   3. the subspace search (subspace-search.ts) with a target value that rises
 *      from the lower bound towards the incumbent: a run without result proves
 *      that no plan has the target value, so the proven gap shrinks all the
 *      time; a run with a result lowers the incumbent.
 *
 * Ends when the bounds meet, or returns the best plan and the proven bound when
 * time or memory do not suffice.
 */
import { BitMatrix } from '../matrix/bit-matrix.ts';
import type { Certificate } from './plan.ts';
import type { RecoveryProblem } from './problem.ts';
import { replaceRows } from './replace.ts';
import { averageBound, classMinima, createRowSpace, equationsOf, type RowSpace } from './row-space.ts';
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
/** Pairs of checks are tried as rows of their own up to this many checks. */
const PAIRED_CHECKS_MAX = 64;
/** Real costs: part of the gap that a run tries to close. */
const GAP_PART = 0.25;
const EPSILON = 1e-7;

export function optimalRows(problem: RecoveryProblem, limits: OptimalLimits): OptimalResult {
  const deadline = limits.now() + limits.timeMs;
  const expired = () => limits.now() > deadline;
  const space = createRowSpace(problem);
  const unit = costUnit(problem.costs);
  let { chosen, value } = incumbent(problem);
  const minima = space.dimensions <= STREAMED_DIMENSIONS_MAX ? classMinima(space, expired) : undefined;
  const classBound = minima ? averageBound(space, minima) : 0;
  let lowerBound = unit.integral ? roundUp(classBound, unit.step) : classBound;
  const refuted: number[] = [];
  let nodes = 0;
  if (lowerBound < value - EPSILON && searchBytes(space) <= limits.bytesMax && !expired()) {
    const search = new SubspaceSearch(space, unit, expired);
    while (lowerBound < value - EPSILON) {
      const target = nextTarget(lowerBound, value, unit);
      const { found, complete } = search.run(target);
      if (found) {
        value = found.value;
        chosen = equationsOf(problem, space, found.words);
      }
      if (!complete) break;
      if (!found) refuted.push(target);
      lowerBound = found ? value : Math.min(value, unit.integral ? target + unit.step : target);
    }
    nodes = search.nodes;
  }
  lowerBound = Math.min(lowerBound, value);
  return {
    chosen,
    value,
    lowerBound,
    certificate: { dimensions: space.dimensions, classBound, nodes, refuted },
  };
}

/** Integer costs differ by their greatest common divisor at least; real ones by next to nothing. */
function costUnit(costs: Float64Array): { step: number; integral: boolean } {
  const positive = Array.from(costs).filter((cost) => cost > 0);
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  if (positive.length > 0 && positive.every(Number.isInteger)) {
    return { step: positive.reduce(divisor), integral: true };
  }
  return { step: Math.max(1e-12, 1e-9 * Math.max(0, ...positive)), integral: false };
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step - EPSILON) * step;
}

function nextTarget(lowerBound: number, value: number, unit: { step: number; integral: boolean }): number {
  if (unit.integral) return Math.min(lowerBound, value - unit.step);
  const gap = value - lowerBound;
  // The last hundredth is searched at once, or the steps would never arrive.
  return gap < 0.01 * value ? value - unit.step : lowerBound + gap * GAP_PART;
}

function searchBytes(space: RowSpace): number {
  // Lists of all levels together hold twice the words; ids, costs and marks come on top.
  return 2 ** (space.dimensions + 1) * (4 * space.basis.words + 17);
}

function incumbent(problem: RecoveryProblem): { chosen: BitMatrix; value: number } {
  const plain = problem.equations.selectRows(replaceRows(problem, 'total'));
  const plainValue = unionCost(problem, plain);
  if (problem.equations.rows > PAIRED_CHECKS_MAX) return { chosen: plain, value: plainValue };
  const paired = withPairs(problem);
  const sums = paired.equations.selectRows(replaceRows(paired, 'total'));
  const sumsValue = unionCost(problem, sums);
  return sumsValue < plainValue ? { chosen: sums, value: sumsValue } : { chosen: plain, value: plainValue };
}

/** The problem with all sums of two checks as further rows of the first check's group. */
function withPairs(problem: RecoveryProblem): RecoveryProblem {
  const { equations, groups } = problem;
  const rows = equations.rows;
  const all = new BitMatrix((rows * (rows + 1)) / 2, equations.columns);
  const allGroups = new Int32Array(all.rows);
  let next = 0;
  for (let a = 0; a < rows; a++) {
    for (let b = a; b < rows; b++) {
      all.row(next).set(equations.row(a));
      if (b !== a)
        for (const [i, word] of equations.row(b).entries()) all.data[next * all.words + i]! ^= word;
      allGroups[next++] = groups[a]!;
    }
  }
  return { ...problem, equations: all, groups: allGroups };
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
