/**
 * A latency histogram (HdrHistogram) in units of LATENCY_UNIT_NS, so that its values are 32-bit numbers.
 */
import { build, type Histogram } from 'hdr-histogram-js';
import { LATENCY_DIGITS, LATENCY_MAX_SECONDS, LATENCY_UNIT_NS } from '../limits.ts';
import type { LatencyPoint } from './plan.ts';

const UNITS_PER_MS = 1e6 / LATENCY_UNIT_NS;
const UNITS_PER_US = 1e3 / LATENCY_UNIT_NS;
const UNITS_MAX = (LATENCY_MAX_SECONDS * 1e9) / LATENCY_UNIT_NS;
/** What is reported; enough points for a curve on a logarithmic axis of rareness. */
const PERCENTILES: readonly number[] = [
  0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97, 98, 99, 99.5, 99.7, 99.9, 99.95, 99.97, 99.99,
  99.999, 100,
];

export class Latency {
  readonly #histogram: Histogram = build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: UNITS_MAX,
    numberOfSignificantValueDigits: LATENCY_DIGITS as 3,
  });

  record(milliseconds: number): void {
    const units = Math.round(milliseconds * UNITS_PER_MS);
    this.#histogram.recordValue(units < 0 ? 0 : Math.min(units, UNITS_MAX));
  }

  reset(): void {
    this.#histogram.reset();
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  get meanUs(): number {
    return this.count === 0 ? 0 : this.#histogram.mean / UNITS_PER_US;
  }

  get maxUs(): number {
    return this.count === 0 ? 0 : this.#histogram.maxValue / UNITS_PER_US;
  }

  points(): LatencyPoint[] {
    if (this.count === 0) return [];
    return PERCENTILES.map((percentile) => [
      percentile,
      this.#histogram.getValueAtPercentile(percentile) / UNITS_PER_US,
    ]);
  }
}

/** The latency at one of the reported percentiles, in microseconds. */
export function latencyAt(points: readonly LatencyPoint[], percentile: number): number {
  const point = points.find((candidate) => candidate[0] === percentile);
  return point === undefined ? Number.NaN : point[1];
}
