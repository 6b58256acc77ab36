import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CommandKind } from '../session/latency.ts';
import { planSharedState, SharedState } from '../workers/shared-state.ts';
import {
  LATENCY_BUCKETS,
  type LatencySummary,
  latencyBound,
  latencyBucket,
  latencyPowers,
  latencyQuantile,
} from './latency-histogram.ts';
import { latencyByCommand, SharedLatency } from './shared-latency.ts';

const SEED = 7;

test(`every duration lies below its bucket's bound and not below the one before (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2 ** 33, noNaN: true }), (nanoseconds) => {
      const bucket = latencyBucket(nanoseconds);
      assert.ok(nanoseconds < latencyBound(bucket) || Math.floor(nanoseconds) < latencyBound(bucket));
      if (bucket > 0) assert.ok(nanoseconds >= latencyBound(bucket - 1));
    }),
    { seed: SEED, numRuns: 2000 },
  );
  assert.equal(latencyBucket(Number.NaN), 0);
  assert.equal(latencyBucket(Number.POSITIVE_INFINITY), LATENCY_BUCKETS - 1);
});

function summaryOf(durations: readonly number[]): LatencySummary {
  const counts = new Float64Array(LATENCY_BUCKETS);
  for (const duration of durations) counts[latencyBucket(duration)]!++;
  return { count: durations.length, sumNanoseconds: durations.reduce((a, b) => a + b, 0), counts };
}

test('quantiles are off by at most a quarter', () => {
  const durations = Array.from({ length: 10_000 }, (_, index) => 1000 + index * 10);
  const summary = summaryOf(durations);
  for (const fraction of [0.5, 0.9, 0.99, 0.999]) {
    const exact = durations[Math.ceil(durations.length * fraction) - 1]!;
    const found = latencyQuantile(summary, fraction);
    assert.ok(found >= exact && found <= exact * 1.25, `${fraction}: ${found} for ${exact}`);
  }
  assert.equal(latencyQuantile(summaryOf([]), 0.5), 0);
});

test('cumulative counts grow to all but those beyond the last bound', () => {
  const powers = latencyPowers(summaryOf([100, 130, 300, 5000, 2 ** 40]));
  assert.equal(powers[0]!.boundNanoseconds, 128);
  assert.equal(powers[0]!.cumulative, 1);
  assert.equal(powers[1]!.boundNanoseconds, 256);
  assert.equal(powers[1]!.cumulative, 2);
  assert.equal(powers.at(-1)!.cumulative, 4);
  for (let index = 1; index < powers.length; index++) {
    assert.equal(powers[index]!.boundNanoseconds, powers[index - 1]!.boundNanoseconds * 2);
  }
});

test('workers record apart and are summed by command', () => {
  const shared = new SharedState(planSharedState(2, 20));
  new SharedLatency(shared, 0).record(CommandKind.get, 1000);
  const second = new SharedLatency(shared, 1);
  second.record(CommandKind.get, 3000);
  second.record(CommandKind.other, 50);
  const latencies = latencyByCommand(shared);
  assert.deepEqual([...latencies.keys()], ['get', 'other']);
  assert.equal(latencies.get('get')!.count, 2);
  assert.equal(latencies.get('get')!.sumNanoseconds, 4000);
});
