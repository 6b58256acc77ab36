import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Latency, latencyAt } from './latency.ts';

test('percentiles are those of the recorded latencies, to three digits', () => {
  const latency = new Latency();
  for (let index = 1; index <= 10_000; index++) latency.record(index / 1000);
  const points = latency.points();
  const near = (percentile: number, us: number): void => {
    const found = latencyAt(points, percentile);
    assert.ok(Math.abs(found - us) <= us * 0.002, `p${percentile}: ${found}, not ${us}`);
  };
  near(50, 5000);
  near(99, 9900);
  near(99.9, 9990);
  near(100, 10_000);
  assert.ok(Math.abs(latency.meanUs - 5000) < 10);
  assert.equal(latency.count, 10_000);
});

test('nothing recorded is nothing reported, and absurd latencies are cut off', () => {
  const latency = new Latency();
  assert.deepEqual(latency.points(), []);
  latency.record(-1);
  latency.record(1e9);
  assert.equal(latency.count, 2);
  assert.ok(latency.maxUs >= 59e6 && latency.maxUs <= 61e6);
  latency.reset();
  assert.equal(latency.count, 0);
});
