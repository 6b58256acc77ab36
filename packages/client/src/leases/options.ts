/** What getOrSet may be told, and what it comes to in milliseconds and seconds. */
import { type Duration, durationMs, ttlSeconds } from '../duration.ts';
import { CacheError, CacheErrorCode } from '../errors.ts';
import { LEASE_PATIENCE_TIMES, LEASE_SECONDS_DEFAULT, RELATIVE_EXPTIME_SECONDS_MAX } from '../limits.ts';
import type { ValueSchema } from '../values/codec.ts';

/** What a factory is told. */
export interface FactoryContext<T> {
  /** The caller's key. */
  readonly key: string;
  /** Fires when nobody waits for the value any more, or the cache is closed. */
  readonly signal: AbortSignal;
  /** The stale value, if there is one: useful for conditional requests. */
  readonly stale: T | undefined;
}

/** Fetches a value from where it comes from. `undefined` says that there is none. */
export type Factory<Input, T> = (
  context: FactoryContext<T>,
) => Input | undefined | Promise<Input | undefined>;

export interface GetOrSetOptions<Input, View = Input> {
  /** How long the value is fresh. The cache's `ttl` by default, else for ever. */
  readonly ttl?: Duration;
  /** How long after that it may still be used while one caller fetches the new one. None by default. */
  readonly staleTtl?: Duration;
  /**
   * Take a value that was deleted or has expired while it is fetched anew, instead of waiting. True when
   * `staleTtl` is given, otherwise false: nobody reads what was true before an update.
   */
  readonly acceptStale?: boolean;
  /** One caller fetches the value anew, in the background, when less than this is left of `ttl`. Never by default. */
  readonly refreshAhead?: Duration;
  /** Remember for so long that there is no value (the factory gave `undefined`). Not by default. */
  readonly negativeTtl?: Duration;
  /** How long a factory may take before another caller may try. 10 s by default. */
  readonly lease?: Duration;
  /** How long to wait for another caller's factory before running one's own, without setting. Twice `lease` by default. */
  readonly patience?: Duration;
  readonly schema?: ValueSchema<Input, View>;
  readonly signal?: AbortSignal;
  /** Trouble with the cache is thrown instead of being covered by the factory. */
  readonly throwOnTrouble?: boolean;
}

/** The options in numbers. */
export interface FillPlan {
  /** Infinity for ever. */
  readonly ttlMs: number;
  readonly staleSeconds: number;
  /** What a look asks for: win the lease when less than this is left, stale time included. */
  readonly aheadSeconds: number;
  readonly isStaleAccepted: boolean;
  readonly negativeMs: number;
  readonly leaseSeconds: number;
  readonly patienceMs: number;
}

export function fillPlan(
  options: GetOrSetOptions<never, unknown>,
  defaultTtlMs: number | undefined,
): FillPlan {
  const ttlMs = options.ttl === undefined ? (defaultTtlMs ?? Infinity) : durationMs(options.ttl);
  const staleMs = options.staleTtl === undefined ? 0 : durationMs(options.staleTtl);
  const aheadMs = options.refreshAhead === undefined ? 0 : durationMs(options.refreshAhead);
  if (ttlMs === 0) throw wrong('a ttl of 0 would never be read: leave the cache out instead');
  if (aheadMs >= ttlMs) throw wrong('refreshAhead is shorter than ttl');
  if (staleMs > 0 && ttlMs === Infinity) throw wrong('staleTtl needs a ttl');
  const leaseSeconds =
    options.lease === undefined ? LEASE_SECONDS_DEFAULT : ttlSeconds(durationMs(options.lease));
  if (leaseSeconds > RELATIVE_EXPTIME_SECONDS_MAX) throw wrong('a lease lasts at most 30 days');
  const staleSeconds = Math.ceil(staleMs / 1000);
  return {
    ttlMs,
    staleSeconds,
    aheadSeconds: Math.min(RELATIVE_EXPTIME_SECONDS_MAX, staleSeconds + Math.ceil(aheadMs / 1000)),
    isStaleAccepted: options.acceptStale ?? staleMs > 0,
    negativeMs: options.negativeTtl === undefined ? 0 : durationMs(options.negativeTtl),
    leaseSeconds,
    patienceMs:
      options.patience === undefined
        ? leaseSeconds * 1000 * LEASE_PATIENCE_TIMES
        : durationMs(options.patience),
  };
}

function wrong(message: string): CacheError {
  return new CacheError(CacheErrorCode.invalidConfig, message);
}
