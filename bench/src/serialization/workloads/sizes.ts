/** Sizes of values: Google's distribution of bytes fields, and log-normal sizes that are met exactly. */
import type { Random } from '../../random/random.ts';

/** Uniform inside [least, most], with this share of all fields in per cent. */
export interface SizeBucket {
  readonly least: number;
  readonly most: number;
  readonly percent: number;
}

/** Bytes fields in Google's fleet, as papers/sosp23 6.1.4 takes them from its reference 23, figure 4c. */
export const GOOGLE_BUCKETS: readonly SizeBucket[] = [
  { least: 1, most: 8, percent: 33.8 },
  { least: 9, most: 16, percent: 15.3 },
  { least: 17, most: 22, percent: 7.6 },
  { least: 23, most: 32, percent: 13.5 },
  { least: 33, most: 64, percent: 10.6 },
  { least: 65, most: 128, percent: 6.1 },
  { least: 129, most: 512, percent: 8 },
  { least: 513, most: 4096, percent: 3.7 },
  { least: 4097, most: 8192, percent: 1.36 },
];

const PERCENT_SUM: number = GOOGLE_BUCKETS.reduce((sum, bucket) => sum + bucket.percent, 0);

/** The size of one field. */
export function drawGoogleSize(random: Random): number {
  let left = random.double() * PERCENT_SUM;
  for (const { least, most, percent } of GOOGLE_BUCKETS) {
    if (left < percent) return least + random.below(most - least + 1);
    left -= percent;
  }
  return GOOGLE_BUCKETS.at(-1)!.most;
}

/**
 * The sizes of a list of fields, appended to `sizes`: as many as a uniform draw of 1..countMax says, all drawn
 * again while their sum is above `bytesMax`.
 */
export function drawGoogleList(random: Random, countMax: number, bytesMax: number): number[] {
  const count = 1 + random.below(countMax);
  for (;;) {
    const sizes = Array.from({ length: count }, () => drawGoogleSize(random));
    if (sizes.reduce((sum, bytes) => sum + bytes, 0) <= bytesMax) return sizes;
  }
}

/** Log-normal sizes: the logarithm has this mean and deviation; cut at both ends. */
export interface LogNormal {
  readonly mu: number;
  readonly sigma: number;
  readonly bytesMin: number;
  readonly bytesMax: number;
}

/**
 * Twitter's cluster 4 (references: mean 2439 B; papers/sosp23: 32% of requests hit values of 512 B and more):
 * both together determine a log-normal distribution.
 */
export const TWITTER_SIZES: LogNormal = { mu: 5.164, sigma: 2.296, bytesMin: 1, bytesMax: 1 << 20 };

/**
 * Tragen's image class (1000 B to about 116 MB among a million objects, mean about 20 KB): the log-normal
 * distribution whose millionth part is 116 MB and whose mean is 20 KB.
 */
export const CDN_SIZES: LogNormal = { mu: 7.216, sigma: 2.317, bytesMin: 1000, bytesMax: 116_000_000 };

/**
 * The size of the object of a rank. Quantiles of consecutive ranks are spread evenly (multiples of the golden
 * ratio), so that few popular objects do not decide by chance how large what is asked for is.
 */
export function logNormalSize(sizes: LogNormal, rank: number, phase: number): number {
  const quantile = (phase + (rank + 1) * 0.618_033_988_749_894_8) % 1;
  const clipped = Math.min(Math.max(quantile, 1e-7), 1 - 1e-7);
  const bytes = Math.round(Math.exp(sizes.mu + sizes.sigma * normalQuantile(clipped)));
  return Math.min(sizes.bytesMax, Math.max(sizes.bytesMin, bytes));
}

/** The standard normal distribution's quantile function, by bisection of its cumulative distribution. */
export function normalQuantile(probability: number): number {
  let low = -8;
  let high = 8;
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (normalCumulative(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Abramowitz and Stegun 26.2.17; the error is below 7.5e-8. */
function normalCumulative(x: number): number {
  const t = 1 / (1 + 0.231_641_9 * Math.abs(x));
  const polynomial =
    t *
    (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
  const tail = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
  return x >= 0 ? 1 - tail : tail;
}
