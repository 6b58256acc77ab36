/**
 * Durations: milliseconds, or a number with a unit such as `'30s'`. On the wire memcache knows whole seconds,
 * so times to live are rounded up.
 */
import { CacheError, CacheErrorCode } from './errors.ts';
import { RELATIVE_EXPTIME_SECONDS_MAX } from './limits.ts';

export type DurationUnit = 'ms' | 's' | 'm' | 'h' | 'd' | 'w';
/** Milliseconds, or text such as `'500ms'`, `'30s'`, `'1.5h'`. */
export type Duration = number | `${number}${DurationUnit}`;

const UNIT_MS: Readonly<Record<DurationUnit, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
const TEXT = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)$/;

function invalid(duration: unknown): CacheError {
  return new CacheError(
    CacheErrorCode.invalidDuration,
    `not a duration: ${String(duration)} (milliseconds, or text such as '500ms', '30s', '5m', '2h', '1d', '1w')`,
  );
}

/** Milliseconds of a duration; `Infinity` is allowed where a time to live is meant. */
export function durationMs(duration: Duration): number {
  if (typeof duration === 'number') {
    if (duration >= 0) return duration;
    throw invalid(duration);
  }
  const match = typeof duration === 'string' ? TEXT.exec(duration) : null;
  if (match === null) throw invalid(duration);
  return Number(match[1]) * UNIT_MS[match[2] as DurationUnit];
}

/** Whole seconds of a time to live, rounded up; at least 1, and 0 only for "never". */
export function ttlSeconds(ttlMs: number): number {
  return ttlMs === Infinity ? 0 : Math.max(1, Math.ceil(ttlMs / 1000));
}

/**
 * The exptime of the wire: 0 never, up to 30 days relative, above that a Unix time. `undefined` is "never".
 * 0 ms is expired at once, which is -1 on the wire.
 */
export function exptimeOf(ttl: Duration | undefined, nowMs: number): number {
  if (ttl === undefined) return 0;
  const ms = durationMs(ttl);
  if (ms === 0) return -1;
  const seconds = ttlSeconds(ms);
  return seconds > RELATIVE_EXPTIME_SECONDS_MAX ? Math.ceil(nowMs / 1000) + seconds : seconds;
}
