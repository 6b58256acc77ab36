/**
 * Log-linear histograms of durations in shared memory: four buckets to each power of two, so that a quantile
 * is off by at most an eighth. Each worker writes its own; a reader sums them.
 *
 * ```
 *   bucket   0: < 128 ns   1..: [128, 160) [160, 192) [192, 224) [224, 256) [256, 320) ...   last: the rest
 *   layout   per command: [count × BUCKETS][sum of nanoseconds]      (f64, exact to 2^53)
 * ```
 */

/** Durations below 2^MIN_EXPONENT ns are one bucket; those from 2^MAX_EXPONENT on as well. */
const MIN_EXPONENT = 7;
const MAX_EXPONENT = 31;
const SUB_BITS = 2;
const SUB_BUCKETS = 1 << SUB_BITS;

export const LATENCY_BUCKETS: number = 2 + (MAX_EXPONENT - MIN_EXPONENT) * SUB_BUCKETS;
/** f64 words of one command's histogram. */
export const LATENCY_WORDS: number = LATENCY_BUCKETS + 1;

/** The bucket of a duration. */
export function latencyBucket(nanoseconds: number): number {
  if (!(nanoseconds >= 1 << MIN_EXPONENT)) return 0;
  if (nanoseconds >= 2 ** MAX_EXPONENT) return LATENCY_BUCKETS - 1;
  const value = nanoseconds | 0;
  const exponent = 31 - Math.clz32(value);
  const sub = (value >>> (exponent - SUB_BITS)) & (SUB_BUCKETS - 1);
  return 1 + (exponent - MIN_EXPONENT) * SUB_BUCKETS + sub;
}

/** The exclusive upper bound of a bucket in nanoseconds. */
export function latencyBound(bucket: number): number {
  if (bucket === 0) return 2 ** MIN_EXPONENT;
  if (bucket >= LATENCY_BUCKETS - 1) return Number.POSITIVE_INFINITY;
  const exponent = MIN_EXPONENT + Math.floor((bucket - 1) / SUB_BUCKETS);
  const sub = (bucket - 1) % SUB_BUCKETS;
  return 2 ** exponent + ((sub + 1) * 2 ** exponent) / SUB_BUCKETS;
}

/** A histogram read out of shared memory. */
export interface LatencySummary {
  readonly count: number;
  readonly sumNanoseconds: number;
  /** By bucket, LATENCY_BUCKETS long. */
  readonly counts: Float64Array;
}

/** The duration below which `fraction` of the requests stayed, in nanoseconds; 0 without requests. */
export function latencyQuantile(summary: LatencySummary, fraction: number): number {
  if (summary.count === 0) return 0;
  const wanted = Math.ceil(summary.count * fraction);
  let seen = 0;
  for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
    seen += summary.counts[bucket]!;
    if (seen >= wanted) return Math.min(latencyBound(bucket), 2 ** MAX_EXPONENT);
  }
  return 2 ** MAX_EXPONENT;
}

/** Cumulative counts up to each power of two: what Prometheus' `le` buckets show. */
export function latencyPowers(summary: LatencySummary): { boundNanoseconds: number; cumulative: number }[] {
  const powers: { boundNanoseconds: number; cumulative: number }[] = [];
  let cumulative = 0;
  for (let bucket = 0; bucket < LATENCY_BUCKETS - 1; bucket++) {
    cumulative += summary.counts[bucket]!;
    if (bucket % SUB_BUCKETS === 0) powers.push({ boundNanoseconds: latencyBound(bucket), cumulative });
  }
  return powers;
}
