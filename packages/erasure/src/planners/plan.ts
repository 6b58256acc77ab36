/**
 * A recovery plan: which symbols to read, and how to XOR them to the lost ones.
 */
import type { ErasureCode } from '../codes/code.ts';
import { ErasureError } from '../errors.ts';
import { runSchedule } from '../kernels/run-schedule.ts';
import { BitMatrix, onesOf, reduceOnColumns } from '../matrix/bit-matrix.ts';
import { allocateSlots, type Definition } from '../schedule/allocate-slots.ts';
import { scheduleMatrix } from '../schedule/share-subexpressions.ts';
import type { XorSchedule } from '../schedule/xor-schedule.ts';
import type { RecoveryProblem } from './problem.ts';

export type Strategy = 'conventional' | 'replace' | 'enumeration' | 'optimal';

/** What a plan minimises: the cost of all reads, or the time of the slowest node. */
export type Objective = 'total' | 'slowest';

export interface Optimality {
  /** True when no plan at all is better in the objective. */
  readonly proven: boolean;
  /** No plan's objective is below this. */
  readonly lowerBound: number;
}

/** What the proof of an optimal plan rests on. */
export interface Certificate {
  /** Dimension d of the row space: 2^d sums of checks were taken into account. */
  readonly dimensions: number;
  /** Bound from the cheapest word of each class, or 0 when it was out of reach. */
  readonly classBound: number;
  /** Bound by multipliers, or 0 when they were not needed or out of reach. */
  readonly multiplierBound: number;
  /** The multipliers, from which `certifiedBound` recomputes the bound. */
  readonly multipliers: Float64Array | undefined;
  /** Nodes of the branch and bound. */
  readonly nodes: number;
  /** Targets that were searched in full without result, ascending. */
  readonly refuted: readonly number[];
}

export interface RecoveryPlan {
  readonly code: ErasureCode;
  readonly strategy: Strategy;
  readonly objective: Objective;
  /** Symbols that are rebuilt, ascending: the schedule's outputs. */
  readonly lost: readonly number[];
  /** Symbols to read, ascending: the schedule's inputs. */
  readonly reads: readonly number[];
  readonly readsPerNode: readonly number[];
  /** Symbols that conventional recovery of the same loss reads. */
  readonly conventionalReads: number;
  /** Sum over reads of their node's cost. */
  readonly totalCost: number;
  /** Largest cost · reads of a node: it bounds the time of a parallel read. */
  readonly slowestCost: number;
  /** Value of the objective: totalCost or slowestCost. */
  readonly value: number;
  readonly optimality: Optimality;
  /** Only of the optimal planner: what its proof rests on. */
  readonly certificate?: Certificate;
  /** Made at first use: planning alone does not pay for it. */
  readonly schedule: XorSchedule;
}

/** Weight of the rows above which sharing is not searched for. */
const SHARED_ONES_MAX = 6000;

export interface PlanDetails {
  readonly strategy: Strategy;
  readonly objective: Objective;
  readonly conventionalReads: number;
  /** No plan has less of the objective; a plan that meets it is proven. */
  readonly lowerBound: number;
  readonly certificate?: Certificate;
}

/** Relative rounding of sums of real costs. */
const COST_EPSILON = 1e-9;

/**
 * Builds the plan of chosen equations: as many as targets, independent on them.
 */
export function buildPlan(problem: RecoveryProblem, chosen: BitMatrix, details: PlanDetails): RecoveryPlan {
  const { code, targets } = problem;
  const reads = readsOf(problem, chosen);
  let schedule: XorSchedule | undefined;
  return {
    code,
    strategy: details.strategy,
    objective: details.objective,
    lost: targets,
    reads,
    ...valuesOf(code, reads, problem.costs, details.objective, details.lowerBound),
    conventionalReads: details.conventionalReads,
    ...(details.certificate && { certificate: details.certificate }),
    get schedule() {
      schedule ??= scheduleEquations(chosen, reads, targets);
      return schedule;
    },
  };
}

type PlanValues = Pick<RecoveryPlan, 'readsPerNode' | 'totalCost' | 'slowestCost' | 'value' | 'optimality'>;

function valuesOf(
  code: ErasureCode,
  reads: readonly number[],
  costs: ArrayLike<number>,
  objective: Objective,
  bound: number,
): PlanValues {
  const readsPerNode = new Array<number>(code.nodes).fill(0);
  for (const symbol of reads) readsPerNode[Math.floor(symbol / code.rows)]!++;
  const perNode = readsPerNode.map((count, node) => count * costs[node]!);
  const totalCost = perNode.reduce((a, b) => a + b, 0);
  const slowestCost = Math.max(0, ...perNode);
  const value = objective === 'total' ? totalCost : slowestCost;
  const proven = bound >= value - COST_EPSILON * Math.max(1, value);
  return {
    readsPerNode,
    totalCost,
    slowestCost,
    value,
    optimality: { proven, lowerBound: proven ? value : bound },
  };
}

/** The same plan valued at other costs; the bound is one for those other costs, if any is known. */
export function revalue(made: RecoveryPlan, costs: ArrayLike<number>, lowerBound: number): RecoveryPlan {
  const values = valuesOf(made.code, made.reads, costs, made.objective, lowerBound);
  return {
    ...values,
    code: made.code,
    strategy: made.strategy,
    objective: made.objective,
    lost: made.lost,
    reads: made.reads,
    conventionalReads: made.conventionalReads,
    get schedule() {
      return made.schedule;
    },
  };
}

/** Readable symbols that the equations touch, ascending. */
export function readsOf(problem: RecoveryProblem, chosen: BitMatrix): number[] {
  const union = new Uint32Array(chosen.words);
  for (let r = 0; r < chosen.rows; r++) {
    for (const [i, word] of chosen.row(r).entries()) union[i]! |= word;
  }
  for (const symbol of problem.targets) union[symbol >>> 5]! &= ~(1 << (symbol & 31));
  return onesOf(union);
}

/**
 * The shorter of two schedules: every target straight from the reads, or first
 * the XOR of each equation's reads and from those the targets.
 */
export function scheduleEquations(
  chosen: BitMatrix,
  reads: readonly number[],
  targets: readonly number[],
): XorSchedule {
  const { straight, inverse } = solveTargets(chosen, targets);
  const syndromes = chosen.selectColumns(reads);
  const viaSyndromes = composeSchedules(scheduleRows(syndromes), scheduleRows(inverse));
  const direct = straight.selectColumns(reads);
  if (direct.weight() > SHARED_ONES_MAX) return viaSyndromes;
  const fromReads = scheduleMatrix(direct);
  return fromReads.xors <= viaSyndromes.xors ? fromReads : viaSyndromes;
}

/** Rows with one target each, in the order of targets, and the combination that gives them. */
export function solveTargets(
  chosen: BitMatrix,
  targets: readonly number[],
): { straight: BitMatrix; inverse: BitMatrix } {
  const size = targets.length;
  const extended = new BitMatrix(size, chosen.columns + size);
  for (let r = 0; r < size; r++) {
    for (const symbol of chosen.rowOnes(r)) extended.set(r, symbol);
    extended.set(r, chosen.columns + r);
  }
  const pivots = reduceOnColumns(extended, targets);
  if (pivots.includes(-1) || chosen.rows !== size) {
    throw new ErasureError('INTERNAL', 'the chosen equations do not solve the targets');
  }
  const order = targets.map((symbol) => pivots.indexOf(symbol));
  const sorted = extended.selectRows(order);
  const columns = Array.from({ length: chosen.columns }, (_, i) => i);
  return {
    straight: sorted.selectColumns(columns),
    inverse: sorted.selectColumns(Array.from({ length: size }, (_, i) => chosen.columns + i)),
  };
}

/** The schedule of a matrix; sharing is not searched for in one with very many ones. */
export function scheduleRows(matrix: BitMatrix): XorSchedule {
  if (matrix.weight() <= SHARED_ONES_MAX) return scheduleMatrix(matrix);
  const definitions = Array.from({ length: matrix.rows }, (_, r) => ({
    operand: matrix.columns + r,
    sources: matrix.rowOnes(r),
  }));
  return allocateSlots(matrix.columns, matrix.rows, definitions);
}

/** One schedule from two, the first one's outputs being the second one's inputs. */
function composeSchedules(first: XorSchedule, second: XorSchedule): XorSchedule {
  const { inputs } = first;
  const definitions: Definition[] = [];
  let next = inputs + second.outputs;
  const add = (
    schedule: XorSchedule,
    named: (operand: number) => number | undefined,
  ): Map<number, number> => {
    // Slots are reused within a schedule; here every value gets its own number again.
    const current = new Map<number, number>();
    for (const { target, sources } of schedule.steps) {
      const renamed = sources.map((source) => current.get(source) ?? named(source) ?? source);
      const operand = named(target) ?? next++;
      definitions.push({ operand, sources: renamed });
      current.set(target, operand);
    }
    return current;
  };
  const made = add(first, () => undefined);
  add(second, (operand) => {
    if (operand < second.inputs) return made.get(inputs + operand);
    return operand < second.inputs + second.outputs ? inputs + operand - second.inputs : undefined;
  });
  return allocateSlots(inputs, second.outputs, definitions);
}

/**
 * Runs a plan on shards in memory: `shards[node]` holds the
 * node's symbols one after the other. Writes the lost symbols, reads only the
 * planned ones.
 */
export function executePlan(plan: RecoveryPlan, shards: readonly Uint8Array[]): void {
  const region = (symbol: number): Uint8Array => symbolRegion(plan.code, shards, symbol);
  runSchedule(plan.schedule, plan.reads.map(region), plan.lost.map(region));
}

/** The bytes of a symbol within its node's shard (a view, not a copy). */
export function symbolRegion(code: ErasureCode, shards: readonly Uint8Array[], symbol: number): Uint8Array {
  const shard = shards[Math.floor(symbol / code.rows)]!;
  const bytes = shard.length / code.rows;
  const row = symbol % code.rows;
  return shard.subarray(row * bytes, (row + 1) * bytes);
}
