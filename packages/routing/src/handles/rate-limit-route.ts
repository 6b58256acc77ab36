/** Hands requests on within `rates`; answers those beyond as an empty cache would. */
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import { isDelete, isRetrieval, isStore, type Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { defaultReply } from './default-reply.ts';
import { TokenBucket } from './token-bucket.ts';

export interface RatesJson {
  readonly gets_rate?: number | undefined;
  readonly gets_burst?: number | undefined;
  readonly sets_rate?: number | undefined;
  readonly sets_burst?: number | undefined;
  readonly deletes_rate?: number | undefined;
  readonly deletes_burst?: number | undefined;
}
/** Requests per second and how many at once; a burst is as large as the rate unless it says otherwise. */
export const ratesJson: z.ZodType<RatesJson> = z.strictObject({
  gets_rate: z.number().positive().optional(),
  gets_burst: z.number().positive().optional(),
  sets_rate: z.number().positive().optional(),
  sets_burst: z.number().positive().optional(),
  deletes_rate: z.number().positive().optional(),
  deletes_burst: z.number().positive().optional(),
});

/** The buckets of one set of rates; kept across reloads so that a reload grants no second burst. */
export class RateLimiter {
  refused = 0;
  readonly #clock: Clock;
  readonly #gets: TokenBucket | undefined;
  readonly #sets: TokenBucket | undefined;
  readonly #deletes: TokenBucket | undefined;

  constructor(rates: RatesJson, clock: Clock) {
    this.#clock = clock;
    this.#gets = this.#bucket(rates.gets_rate, rates.gets_burst);
    this.#sets = this.#bucket(rates.sets_rate, rates.sets_burst);
    this.#deletes = this.#bucket(rates.deletes_rate, rates.deletes_burst);
  }

  allows(request: Request): boolean {
    const { operation } = request;
    const bucket = isRetrieval(operation)
      ? this.#gets
      : isStore(operation)
        ? this.#sets
        : isDelete(operation)
          ? this.#deletes
          : undefined;
    if (bucket === undefined || bucket.take(this.#clock.now() / 1000)) return true;
    this.refused++;
    return false;
  }

  #bucket(rate: number | undefined, burst: number | undefined): TokenBucket | undefined {
    return rate === undefined ? undefined : new TokenBucket(rate, burst ?? rate, this.#clock.now() / 1000);
  }
}

export class RateLimitRoute implements RouteHandle {
  readonly name: string;
  readonly children: readonly RouteHandle[];
  readonly #limiter: RateLimiter;

  constructor(target: RouteHandle, rates: RatesJson, limiter: RateLimiter) {
    const words = Object.entries(rates).map(([name, value]) => `|${name}=${value}`);
    this.name = `rate-limit${words.join('')}`;
    this.children = [target];
    this.#limiter = limiter;
  }

  route(request: Request): Promise<Reply> {
    return this.#limiter.allows(request)
      ? this.children[0]!.route(request)
      : Promise.resolve(defaultReply(request));
  }
}

export const rateLimitRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'RateLimitRoute',
  parameters: z.strictObject({ target: routeJson, rates: ratesJson }),
  build: ({ target, rates }, context) => {
    const id = `rate-limit ${context.path} ${JSON.stringify(rates)}`;
    return new RateLimitRoute(
      context.route(target, 'target'),
      rates,
      context.keep(id, () => new RateLimiter(rates, context.services.clock)),
    );
  },
});
