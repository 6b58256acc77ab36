/**
 * plan(): from a loss to the symbols to read and the schedule that rebuilds it.
 */
import type { ErasureCode } from '../codes/code.ts';
import { symbolAt } from '../codes/code.ts';
import { illegalArgument } from '../errors.ts';
import {
  ENUMERATION_EQUATIONS_MAX,
  ENUMERATION_TIME_MS,
  OPTIMAL_BYTES_MAX,
  OPTIMAL_TIME_MS,
} from '../limits.ts';
import { quickLowerBound } from './bounds.ts';
import { conventionalRecovery } from './conventional.ts';
import { enumerationRows } from './enumeration.ts';
import { type Certificate, optimalRows } from './optimal.ts';
import { buildPlan, type Objective, type RecoveryPlan, type Strategy } from './plan.ts';
import { createProblem } from './problem.ts';
import { replaceRows } from './replace.ts';

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

export interface CertifiedPlan extends RecoveryPlan {
  readonly certificate: Certificate;
}

/**
 * Makes a plan. Throws UndecodableError when the loss cannot be rebuilt, and
 * LIMIT_EXCEEDED when enumeration would need, or needed, more than its limits.
 */
export function plan(request: PlanRequest): RecoveryPlan {
  const { code } = request;
  const strategy = request.strategy ?? 'replace';
  const objective = request.objective ?? 'total';
  const lostNodes =
    request.lostNode === undefined ? request.lostNodes : [request.lostNode, ...(request.lostNodes ?? [])];
  const problem = createProblem({
    code,
    ...(lostNodes && { lostNodes }),
    ...(request.lostSymbols && { lostSymbols: request.lostSymbols }),
    ...(request.missingNodes && { missingNodes: request.missingNodes }),
    ...(request.missingSymbols && { missingSymbols: request.missingSymbols }),
    ...(request.costs && { costs: request.costs }),
  });
  const conventional = conventionalRecovery(problem);
  const now = request.now ?? (() => performance.now());
  switch (strategy) {
    case 'conventional':
      return buildPlan(problem, conventional.chosen, strategy, objective, conventional.reads, {
        proven: false,
        lowerBound: quickLowerBound(problem, objective),
      });
    case 'replace': {
      const chosen = problem.equations.selectRows(replaceRows(problem, objective));
      return withQuickBound(
        buildPlan(problem, chosen, strategy, objective, conventional.reads, {
          proven: false,
          lowerBound: quickLowerBound(problem, objective),
        }),
      );
    }
    case 'enumeration': {
      requireTotal(strategy, objective);
      const chosen = enumerationRows(problem, {
        timeMs: request.timeLimitMs ?? ENUMERATION_TIME_MS,
        equationsMax: request.equationsMax ?? ENUMERATION_EQUATIONS_MAX,
        now,
      });
      const made = buildPlan(problem, chosen, strategy, objective, conventional.reads, {
        proven: true,
        lowerBound: 0,
      });
      return restate(made, { proven: true, lowerBound: made.value });
    }
    case 'optimal': {
      requireTotal(strategy, objective);
      const result = optimalRows(problem, {
        timeMs: request.timeLimitMs ?? OPTIMAL_TIME_MS,
        bytesMax: request.memoryLimitBytes ?? OPTIMAL_BYTES_MAX,
        now,
      });
      const lowerBound = Math.max(
        result.lowerBound,
        Math.min(result.value, quickLowerBound(problem, objective)),
      );
      const proven = lowerBound >= result.value - 1e-6 * Math.max(1, result.value);
      const made = buildPlan(problem, result.chosen, strategy, objective, conventional.reads, {
        proven,
        lowerBound,
      });
      return Object.defineProperty(made, 'certificate', { value: result.certificate, enumerable: true });
    }
    default:
      throw illegalArgument(
        `unknown strategy "${String(strategy)}": the strategies are ${strategies.join(', ')}`,
      );
  }
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

function requireTotal(strategy: Strategy, objective: Objective): void {
  if (objective !== 'total')
    throw illegalArgument(`${strategy} minimises the total cost; use replace for the slowest node`);
}

/** A plan that meets a lower bound is proven, whatever made it. */
function withQuickBound(made: RecoveryPlan): RecoveryPlan {
  const { lowerBound } = made.optimality;
  return lowerBound >= made.value - 1e-9 * Math.max(1, made.value)
    ? restate(made, { proven: true, lowerBound: made.value })
    : made;
}

function restate(made: RecoveryPlan, optimality: RecoveryPlan['optimality']): RecoveryPlan {
  return Object.defineProperty(made, 'optimality', { value: optimality, enumerable: true });
}
