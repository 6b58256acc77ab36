/**
 * A target that is cold gets only a growing share of the gets; the rest goes to `failoverTarget` at once. The share
 * is `start` + `step` x hit rate; cold begins below `enable_threshold` and ends at `disable_threshold`.
 */
import { z } from 'zod';
import type { Random } from '../clock.ts';
import {
  type BuildContext,
  defineRouteHandle,
  type RouteHandleDefinition,
  type RouteJson,
  routeJson,
} from '../registry.ts';
import { type Reply, Result } from '../reply.ts';
import { isRetrieval, type Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';

/** Counts are halved at so many times the minimum, so that the hit rate is that of recent requests. */
const MEMORY_FACTOR = 100;

export interface SlowWarmUpSettings {
  readonly enable_threshold: number;
  readonly disable_threshold: number;
  readonly start: number;
  readonly step: number;
  readonly min_requests: number;
}
const share = z.number().min(0).max(1);
/** mcrouter's settings with mcrouter's defaults. */
export const slowWarmUpSettings: z.ZodType<SlowWarmUpSettings> = z
  .strictObject({
    enable_threshold: share.default(0.7),
    disable_threshold: share.default(0.9),
    start: share.default(0.1),
    step: z.number().nonnegative().default(1),
    min_requests: z.int().nonnegative().default(100),
  })
  .refine((settings) => settings.disable_threshold > settings.enable_threshold, {
    message: 'expected a disable_threshold above the enable_threshold',
    path: ['disable_threshold'],
  });

/** Hits and misses of one target; kept across reloads. */
export class WarmUpCounts {
  hits = 0;
  misses = 0;
  isCold = false;

  count(reply: Reply, settings: SlowWarmUpSettings): void {
    if (reply.result === Result.hit) this.hits++;
    else if (reply.result === Result.miss) this.misses++;
    if (this.hits + this.misses >= Math.max(settings.min_requests, 1) * MEMORY_FACTOR) {
      this.hits /= 2;
      this.misses /= 2;
    }
  }

  /** 1 until enough is known. */
  hitRate(settings: SlowWarmUpSettings): number {
    const total = this.hits + this.misses;
    return total < settings.min_requests || total === 0 ? 1 : this.hits / total;
  }
}

export class SlowWarmUpRoute implements RouteHandle {
  readonly name: string = 'slow-warmup';
  readonly children: readonly RouteHandle[];
  readonly #target: RouteHandle;
  readonly #failover: RouteHandle;
  readonly #settings: SlowWarmUpSettings;
  readonly #counts: WarmUpCounts;
  readonly #random: Random;

  constructor(
    target: RouteHandle,
    failover: RouteHandle,
    settings: SlowWarmUpSettings,
    counts: WarmUpCounts,
    random: Random,
  ) {
    this.children = [target, failover];
    this.#target = target;
    this.#failover = failover;
    this.#settings = settings;
    this.#counts = counts;
    this.#random = random;
  }

  route(request: Request): Promise<Reply> {
    if (!isRetrieval(request.operation)) return this.#target.route(request);
    if (!this.#mayAskTarget()) return this.#failover.route(request);
    return this.#target.route(request).then((reply) => {
      this.#counts.count(reply, this.#settings);
      return reply;
    });
  }

  mightAsk(request: Request): readonly MightAsk[] {
    const children = isRetrieval(request.operation) ? this.children : [this.#target];
    return children.map((child) => [child, request]);
  }

  #mayAskTarget(): boolean {
    const counts = this.#counts;
    const settings = this.#settings;
    const hitRate = counts.hitRate(settings);
    counts.isCold = hitRate < (counts.isCold ? settings.disable_threshold : settings.enable_threshold);
    return !counts.isCold || this.#random() <= settings.start + settings.step * hitRate;
  }
}

/** `slow_warmup` of a pool. */
export interface SlowWarmUpJson {
  readonly failoverTarget?: RouteJson | undefined;
  /** Another name of the same. */
  readonly failoverRoute?: RouteJson | undefined;
  readonly settings?: SlowWarmUpSettings | undefined;
}
const slowWarmUp = z.strictObject({
  failoverTarget: routeJson.optional(),
  failoverRoute: routeJson.optional(),
  settings: slowWarmUpSettings.optional(),
});
export const slowWarmUpJson: z.ZodType<SlowWarmUpJson> = slowWarmUp;

/** Where gets go that the target is spared; `steps` are those of the object that says it. */
export function failoverTargetOf(
  json: SlowWarmUpJson,
  context: BuildContext,
  ...steps: readonly string[]
): RouteHandle {
  const { failoverTarget, failoverRoute } = json;
  if (failoverTarget !== undefined && failoverRoute === undefined) {
    return context.route(failoverTarget, ...steps, 'failoverTarget');
  }
  if (failoverRoute !== undefined && failoverTarget === undefined) {
    return context.route(failoverRoute, ...steps, 'failoverRoute');
  }
  return context.fail('expected failoverTarget, a route', ...steps, 'failoverTarget');
}

export const slowWarmUpRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'SlowWarmUpRoute',
  parameters: slowWarmUp.extend({ target: routeJson }),
  build: (parameters, context) =>
    new SlowWarmUpRoute(
      context.route(parameters.target, 'target'),
      failoverTargetOf(parameters, context),
      parameters.settings ?? slowWarmUpSettings.parse({}),
      context.keep(`slow-warmup ${context.path}`, () => new WarmUpCounts()),
      context.services.random,
    ),
});
