/**
 * One destination of a pool, chosen by the key's hash.
 *
 * As in mcrouter a pool route carries what else concerns its destinations: failed deletes are spooled wherever the
 * process has a spool folder (unless `asynclog` is false), `shadows` copies requests, `slow_warmup` spares cold
 * ones, `max_outstanding` limits what waits for each, `rates` limits the whole pool.
 */
import { z } from 'zod';
import type { Destination } from '../destination/destination.ts';
import type { KeyHash } from '../hashes/key-hash.ts';
import { createKeyHash, hashJson, hashName, poolTargets } from '../hashes/registry.ts';
import { type BuildContext, defineRouteHandle, type Pool, type RouteHandleDefinition } from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';
import { expectSpool } from './asynclog-route.ts';
import { HashRoute } from './hash-route.ts';
import { makeLatestRoute } from './latest-route.ts';
import { NullRoute } from './null-route.ts';
import { OutstandingLimitRoute } from './outstanding-limit-route.ts';
import { RateLimiter, RateLimitRoute, ratesJson } from './rate-limit-route.ts';
import { buildShadows, ShadowRoute, shadowJson } from './shadow-route.ts';
import {
  failoverTargetOf,
  SlowWarmUpRoute,
  slowWarmUpJson,
  slowWarmUpSettings,
  WarmUpCounts,
} from './slow-warm-up-route.ts';
import { spooled, spoolInForce, withoutSpool } from './spool-scope.ts';

export class PoolRoute implements RouteHandle {
  readonly name: string;
  readonly children: readonly Destination[];
  readonly #hash: KeyHash;

  constructor(poolName: string, destinations: readonly Destination[], hash: KeyHash) {
    this.name = `pool|${poolName}|${hash.name}`;
    this.children = destinations;
    this.#hash = hash;
  }

  route(request: Request): Promise<Reply> {
    return this.direct(request).route(request);
  }

  direct(request: Request): Destination {
    return this.children[this.#hash.select(request.keySource, request.keyStart, request.hashEnd)]!;
  }

  mightAsk(request: Request): readonly MightAsk[] {
    return [[this.direct(request), request]];
  }
}

const parameters = z.strictObject({
  pool: z.union([z.string(), z.record(z.string(), z.unknown())]),
  hash: hashJson.optional(),
  asynclog: z.boolean().optional(),
  shadows: z.array(shadowJson).optional(),
  shadow_policy: z.enum(['default']).optional(),
  slow_warmup: slowWarmUpJson.optional(),
  rates: ratesJson.optional(),
  max_outstanding: z.int().nonnegative().optional(),
});
type Parameters = z.output<typeof parameters>;

export const poolRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'PoolRoute',
  parameters,
  restParameter: 'pool',
  build: (options, context) => {
    if (options.asynclog === true) expectSpool(context);
    const build = (): RouteHandle => buildPool(options, context);
    return options.asynclog === false ? withoutSpool(context, build) : build();
  },
});

function buildPool(options: Parameters, context: BuildContext): RouteHandle {
  const pool = context.pool(options.pool, 'pool');
  const chosen = buildSelection(pool, options, context);
  const { rates } = options;
  if (rates === undefined) return chosen;
  const id = `rate-limit ${context.path} ${JSON.stringify(rates)}`;
  return new RateLimitRoute(
    chosen,
    rates,
    context.keep(id, () => new RateLimiter(rates, context.services.clock)),
  );
}

function buildSelection(pool: Pool, options: Parameters, context: BuildContext): RouteHandle {
  if (pool.servers.length === 0) return new NullRoute();
  const isPlain =
    spoolInForce(context) === undefined &&
    options.shadows === undefined &&
    options.slow_warmup === undefined &&
    (options.max_outstanding ?? 0) === 0;
  if (hashName(options.hash) === 'Latest') {
    const settings = typeof options.hash === 'object' ? options.hash : {};
    return makeLatestRoute(wrapped(pool, options, context), settings, context, pool);
  }
  const hash = createKeyHash(options.hash, poolTargets(pool), (text) => context.fail(text, 'hash'));
  if (isPlain) return new PoolRoute(pool.name, pool.destinations, hash);
  return new HashRoute(`pool|${pool.name}`, wrapped(pool, options, context), hash);
}

/** The destinations with whatever this route puts around each of them. */
function wrapped(pool: Pool, options: Parameters, context: BuildContext): readonly RouteHandle[] {
  const shadows = buildShadows(context, options.shadows ?? []);
  const warmUp = options.slow_warmup;
  const failover = warmUp === undefined ? undefined : failoverTargetOf(warmUp, context, 'slow_warmup');
  const wrap = (destination: Destination, index: number): RouteHandle => {
    let route = spooled(context, destination);
    const outstandingMax = options.max_outstanding ?? 0;
    if (outstandingMax > 0) route = new OutstandingLimitRoute(route, outstandingMax);
    if (failover !== undefined) {
      route = new SlowWarmUpRoute(
        route,
        failover,
        warmUp?.settings ?? slowWarmUpSettings.parse({}),
        context.keep(`slow-warmup ${destination.key}`, () => new WarmUpCounts()),
        context.services.random,
      );
    }
    const own = shadows.filter(({ json }) => {
      const [first = 0, last = Number.POSITIVE_INFINITY] = json.index_range ?? [];
      return first <= index && index <= last;
    });
    return own.length === 0
      ? route
      : new ShadowRoute(
          route,
          own.map(({ shadow }) => shadow),
        );
  };
  return pool.servers.flatMap(({ destinations }, index) => destinations.map((each) => wrap(each, index)));
}
