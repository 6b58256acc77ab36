/**
 * Plans by code, loss and quantised costs: recovery asks for the same few plans
 * for every stripe, and measured costs differ a little each time.
 *
 * Costs are divided by the largest and rounded to steps, the plan is made for
 * the rounded costs and valued at the given ones. The least recently used plan
 * leaves when the cache is full.
 */
import { illegalArgument } from '../errors.ts';
import { CACHED_PLANS_MAX, COST_STEPS } from '../limits.ts';
import { type RecoveryPlan, revalue } from './plan.ts';
import { type PlanRequest, plan } from './planner.ts';

export class PlanCache {
  readonly #plansMax: number;
  readonly #plans = new Map<string, RecoveryPlan>();
  hits = 0;
  misses = 0;

  constructor(plansMax: number = CACHED_PLANS_MAX) {
    if (!Number.isInteger(plansMax) || plansMax < 1) {
      throw illegalArgument(`a plan cache holds at least one plan, not ${plansMax}`);
    }
    this.#plansMax = plansMax;
  }

  get size(): number {
    return this.#plans.size;
  }

  /** The plan for the request, made when no equal one is kept. */
  plan(request: PlanRequest): RecoveryPlan {
    const quantised = request.costs && quantiseCosts(request.costs);
    const key = keyOf(request, quantised);
    let made = this.#plans.get(key);
    if (made) {
      this.hits++;
      this.#plans.delete(key);
    } else {
      this.misses++;
      made = plan(quantised ? { ...request, costs: quantised } : request);
      if (this.#plans.size >= this.#plansMax) this.#plans.delete(this.#plans.keys().next().value!);
    }
    this.#plans.set(key, made);
    if (!request.costs || !quantised) return made;
    return revalue(made, request.costs, made.optimality.lowerBound * leastRatio(request.costs, quantised));
  }

  clear(): void {
    this.#plans.clear();
  }
}

/** Integers in 0..COST_STEPS in proportion to the costs; only a cost of zero becomes zero. */
export function quantiseCosts(costs: ArrayLike<number>): number[] {
  const given = Array.from(costs);
  const largest = Math.max(...given);
  if (!(largest > 0) || !Number.isFinite(largest)) return given;
  return given.map((cost) => (cost > 0 ? Math.max(1, Math.round((cost / largest) * COST_STEPS)) : cost));
}

/** What a bound for the rounded costs is worth at the given ones. */
function leastRatio(costs: ArrayLike<number>, quantised: readonly number[]): number {
  let ratio = Number.POSITIVE_INFINITY;
  for (const [node, cost] of quantised.entries()) if (cost > 0) ratio = Math.min(ratio, costs[node]! / cost);
  return Number.isFinite(ratio) ? ratio : 0;
}

function keyOf(request: PlanRequest, quantised: readonly number[] | undefined): string {
  const { code, lostNode, lostNodes, lostSymbols, missingNodes, missingSymbols } = request;
  const ascending = (values: readonly number[] | undefined) => [...new Set(values)].sort((a, b) => a - b);
  return JSON.stringify([
    code.id,
    ascending(lostNode === undefined ? lostNodes : [lostNode, ...(lostNodes ?? [])]),
    ascending(lostSymbols),
    ascending(missingNodes),
    ascending(missingSymbols),
    request.strategy ?? 'replace',
    request.objective ?? 'total',
    request.timeLimitMs,
    request.memoryLimitBytes,
    request.equationsMax,
    quantised,
  ]);
}
