/**
 * A failover over a few of the children, picked and ordered by who asks: each client has its own first child and
 * stays with it as long as it answers.
 */
import { z } from 'zod';
import type { HashObject } from '../hashes/registry.ts';
import { WeightedCh3Hash } from '../hashes/weighted-ch3.ts';
import {
  type BuildContext,
  defineRouteHandle,
  type Pool,
  type RouteHandleDefinition,
  routesJson,
} from '../registry.ts';
import type { RouteHandle } from '../route-handle.ts';
import { failoverParameters, makeFailoverRoute } from './failover-route.ts';
import { buildChildren, listedPool } from './spool-scope.ts';

const FAILOVER_COUNT = 5;
const WEIGHT_MISSING = 0.5;

const latestParameters = z.looseObject({
  ...failoverParameters,
  failover_count: z.int().min(1).optional(),
  salt: z.string().optional(),
  weights: z.array(z.number().min(0).max(1)).optional(),
});

/** Up to `count` of the children in this client's order; heavier ones come first more often. */
function latestOrder(
  children: readonly RouteHandle[],
  count: number,
  weights: readonly number[],
  clientId: string,
): RouteHandle[] {
  const left = children.map((child, index) => ({ child, weight: weights[index] ?? WEIGHT_MISSING }));
  const order: RouteHandle[] = [];
  while (order.length < count && left.length > 0) {
    const key = Buffer.from(`${clientId}\n${order.length}`);
    const hash = new WeightedCh3Hash(left.map((each) => each.weight));
    order.push(...left.splice(hash.select(key, 0, key.length), 1).map((each) => each.child));
  }
  return order;
}

/** The weight of each of a pool's destinations: its server's. */
function destinationWeights(weights: readonly number[], pool: Pool): readonly number[] {
  return pool.servers.flatMap(({ destinations }, index) =>
    destinations.map(() => weights[index] ?? WEIGHT_MISSING),
  );
}

/** Also what `"hash_func": "Latest"` makes. The children are those of `pool`, where there is one. */
export function makeLatestRoute(
  children: readonly RouteHandle[],
  options: HashObject,
  context: BuildContext,
  pool?: Pool,
): RouteHandle {
  const parsed = latestParameters.safeParse(options);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return context.fail(issue?.message ?? 'expected parameters of LatestRoute', ...pathOf(issue?.path));
  }
  const { failover_count, salt, weights } = parsed.data;
  const given = weights === undefined || pool === undefined ? weights : destinationWeights(weights, pool);
  const order = latestOrder(
    children,
    failover_count ?? FAILOVER_COUNT,
    given ?? children.map(() => 1),
    context.services.clientId + (salt ?? ''),
  );
  return makeFailoverRoute('latest', order, parsed.data, context);
}

function pathOf(path: readonly PropertyKey[] | undefined): string[] {
  return (path ?? []).map(String);
}

export const latestRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'LatestRoute',
  parameters: z.looseObject({ children: routesJson }),
  restParameter: 'children',
  build: (parameters, context) =>
    makeLatestRoute(
      buildChildren(context, parameters.children, 'children'),
      parameters,
      context,
      listedPool(context, parameters.children, 'children'),
    ),
});
