/**
 * plan(): from a loss to the symbols to read and the schedule that rebuilds it.
 */
import { type ErasureCode, symbolAt } from '../codes/code.ts';
import { illegalArgument } from '../errors.ts';
import {
  ENUMERATION_EQUATIONS_MAX,
  ENUMERATION_TIME_MS,
  OPTIMAL_BYTES_MAX,
  OPTIMAL_TIME_MS,
} from '../limits.ts';
import type { BitMatrix } from '../matrix/bit-matrix.ts';
import { quickLowerBound } from './bounds.ts';
import { conventionalRecovery } from './conventional.ts';
import { enumerationRows } from './enumeration.ts';
import { evaluateMultipliers } from './multiplier-bound.ts';
import { optimalRows, unionCost } from './optimal.ts';
import { buildPlan, type Certificate, type Objective, type RecoveryPlan, type Strategy } from './plan.ts';
import { createProblem, type RecoveryProblem } from './problem.ts';
import { replaceRows } from './replace.ts';
import { createRowSpace } from './row-space.ts';

export const strategies: readonly Strategy[] = ['conventional', 'enumeration', 'replace', 'optimal'];

export interface PlanRequest {
  readonly code: ErasureCode;
  readonly lostNode?: number;
  readonly lostNodes?: readonly number[];
  /** Symbol numbers (node · rows + row). */
  readonly lostSymbols?: readonly number[];
  /** Nodes that are not to be rebuilt but cannot be read either. */
  readonly missingNodes?: readonly number[];
  readonly missingSymbols?: readonly number[];
  readonly strategy?: Strategy;
  /** Cost of reading a symbol of each node, for example 1 / bandwidth; all 1 unless given. */
  readonly costs?: ArrayLike<number>;
  /** `total` (sum of costs) unless given; `slowest` minimises the slowest node's time. */
  readonly objective?: Objective;
  /** For enumeration and optimal. */
  readonly timeLimitMs?: number;
  /** For optimal: memory of the listed row space. */
  readonly memoryLimitBytes?: number;
  /** For enumeration: how many recovery equations may be listed. */
  readonly equationsMax?: number;
  /** Milliseconds that only grow; `performance.now` unless given. */
  readonly now?: () => number;
}

/**
 * Makes a plan. Throws UndecodableError when the loss cannot be rebuilt, and
 * LIMIT_EXCEEDED when enumeration would need, or needed, more than its limits.
 */
export function plan(request: PlanRequest): RecoveryPlan {
  const strategy = request.strategy ?? 'replace';
  const objective = request.objective ?? 'total';
  if (!strategies.includes(strategy)) {
    throw illegalArgument(`unknown strategy "${strategy}": the strategies are ${strategies.join(', ')}`);
  }
  if (objective !== 'total' && (strategy === 'enumeration' || strategy === 'optimal')) {
    throw illegalArgument(`${strategy} minimises the total cost; use replace for the slowest node`);
  }
  const problem = problemOf(request);
  const conventional = conventionalRecovery(problem);
  const found = chooseEquations(request, problem, conventional.chosen, strategy, objective);
  return buildPlan(problem, found.chosen, {
    strategy,
    objective,
    conventionalReads: conventional.reads,
    lowerBound: Math.max(found.lowerBound, quickLowerBound(problem, objective)),
    ...(found.certificate && { certificate: found.certificate }),
  });
}

function problemOf(request: PlanRequest): RecoveryProblem {
  const { lostNode, lostNodes = [], lostSymbols = [], missingNodes = [], missingSymbols = [] } = request;
  return createProblem({
    code: request.code,
    lostNodes: lostNode === undefined ? lostNodes : [lostNode, ...lostNodes],
    lostSymbols,
    missingNodes,
    missingSymbols,
    ...(request.costs && { costs: request.costs }),
  });
}

interface Chosen {
  readonly chosen: BitMatrix;
  readonly lowerBound: number;
  readonly certificate?: Certificate;
}

function chooseEquations(
  request: PlanRequest,
  problem: RecoveryProblem,
  conventional: BitMatrix,
  strategy: Strategy,
  objective: Objective,
): Chosen {
  const now = request.now ?? (() => performance.now());
  if (strategy === 'conventional') return { chosen: conventional, lowerBound: 0 };
  if (strategy === 'replace') {
    return { chosen: problem.equations.selectRows(replaceRows(problem, objective)), lowerBound: 0 };
  }
  if (strategy === 'enumeration') {
    const timeMs = request.timeLimitMs ?? ENUMERATION_TIME_MS;
    const equationsMax = request.equationsMax ?? ENUMERATION_EQUATIONS_MAX;
    const chosen = enumerationRows(problem, { timeMs, equationsMax, now });
    return { chosen, lowerBound: unionCost(problem, chosen) };
  }
  const timeMs = request.timeLimitMs ?? OPTIMAL_TIME_MS;
  const bytesMax = request.memoryLimitBytes ?? OPTIMAL_BYTES_MAX;
  return optimalRows(problem, { timeMs, bytesMax, now });
}

/**
 * The lower bound that a certificate's multipliers prove for the request,
 * evaluated anew over all 2^d words one by one; 0 without multipliers. Slow.
 */
export function certifiedBound(request: PlanRequest, certificate: Certificate): number {
  const space = createRowSpace(problemOf(request));
  return certificate.multipliers ? evaluateMultipliers(space, certificate.multipliers) : 0;
}

/** A degraded read: rows of a node that cannot be read, rebuilt from the other nodes. */
export function planDegradedRead(
  request: Omit<PlanRequest, 'lostNode' | 'lostNodes' | 'lostSymbols'> & {
    readonly node: number;
    readonly rows: readonly number[];
  },
): RecoveryPlan {
  const { node, rows, ...rest } = request;
  for (const row of rows) {
    if (!Number.isInteger(row) || row < 0 || row >= request.code.rows) {
      throw illegalArgument(`${request.code.id} has rows 0..${request.code.rows - 1}, not ${row}`);
    }
  }
  return plan({
    ...rest,
    lostSymbols: rows.map((row) => symbolAt(request.code, node, row)),
    missingNodes: [node, ...(request.missingNodes ?? [])],
  });
}
