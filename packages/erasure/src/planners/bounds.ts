/**
 * Lower bounds that cost next to nothing, for plans whose optimum is unknown.
 *
 * Cut-set: when a whole node of ω symbols is lost and any n − m nodes determine
 * the stripe, then n − m − 1 survivors know nothing of the lost node, so the
 * other m must contribute ω symbols: any m survivors are read ω times together.
 */
import type { Objective } from './plan.ts';
import type { RecoveryProblem } from './problem.ts';
import { averageBound, classMinima, createRowSpace } from './row-space.ts';

/** Up to this many dimensions the bound over the classes is computed as well (4096 words). */
const SMALL_DIMENSIONS = 12;

/** No plan has less of the objective than this. */
export function quickLowerBound(problem: RecoveryProblem, objective: Objective): number {
  const total = Math.max(cutSetTotal(problem), classBound(problem));
  if (objective === 'slowest')
    return Math.max(cutSetSlowest(problem), total / Math.max(1, survivors(problem).length));
  return problem.costs.every(Number.isInteger) ? Math.ceil(total - 1e-9) : total;
}

/** Costs of the nodes that may be read, dearest first; empty unless one whole node is lost. */
function survivors({ code, targets, unavailable, costs }: RecoveryProblem): number[] {
  const closed = new Set([...targets, ...unavailable].map((symbol) => Math.floor(symbol / code.rows)));
  return Array.from(costs)
    .filter((_, node) => !closed.has(node))
    .sort((a, b) => b - a);
}

function isOneWholeNode({ code, targets, unavailable }: RecoveryProblem): boolean {
  const node = Math.floor(targets[0]! / code.rows);
  const same = targets.every((symbol) => Math.floor(symbol / code.rows) === node);
  return same && targets.length === code.rows && unavailable.length === 0;
}

function cutSetTotal(problem: RecoveryProblem): number {
  if (!isOneWholeNode(problem)) return 0;
  const { tolerance, rows } = problem.code;
  const costs = survivors(problem);
  let bound = (costs.at(-1)! * costs.length * rows) / tolerance;
  let chunks = 0;
  for (let end = tolerance; end <= costs.length; end += tolerance) chunks += costs[end - 1]! * rows;
  bound = Math.max(bound, chunks);
  return bound;
}

function cutSetSlowest(problem: RecoveryProblem): number {
  if (!isOneWholeNode(problem)) return 0;
  const { tolerance, rows } = problem.code;
  const slow = survivors(problem).slice(0, tolerance);
  // The m dearest survivors must be read ω times together; the least time in which they can.
  const times = slow
    .flatMap((cost) => Array.from({ length: rows }, (_, i) => cost * (i + 1)))
    .sort((a, b) => a - b);
  const enough = (time: number) =>
    slow.reduce(
      (sum, cost) => sum + (cost === 0 ? rows : Math.min(rows, Math.floor(time / cost + 1e-9))),
      0,
    ) >= rows;
  return times.find(enough) ?? 0;
}

function classBound(problem: RecoveryProblem): number {
  if (problem.equations.rows > SMALL_DIMENSIONS) return 0;
  const space = createRowSpace(problem);
  const minima = classMinima(space, () => false);
  return minima ? averageBound(space, minima) : 0;
}
