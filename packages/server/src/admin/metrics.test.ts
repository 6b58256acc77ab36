import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LATENCY_BUCKETS, type LatencySummary, latencyBucket } from '../statistics/latency-histogram.ts';
import { jsonValue } from './admin-source.ts';
import { createMetrics } from './metrics.ts';

function summary(...nanoseconds: number[]): LatencySummary {
  const counts = new Float64Array(LATENCY_BUCKETS);
  for (const value of nanoseconds) counts[latencyBucket(value)]!++;
  return {
    count: nanoseconds.length,
    sumNanoseconds: nanoseconds.reduce((sum, value) => sum + value, 0),
    counts,
  };
}

test('statistics and latencies under their metrics’ names', async () => {
  const page = await createMetrics({
    version: '1.2.3',
    transport: 'node',
    general: () =>
      new Map<string, string | number>([
        ['get_hits', 7],
        ['get_misses', 2],
        ['rpc_get_hits', 3],
        ['curr_items', 5],
        ['evictions', 3],
      ]),
    latencies: () =>
      new Map([
        ['get', summary(100, 200, 300, 5000)],
        ['rpc_set', summary(100)],
      ]),
  }).metrics();
  assert.match(page, /^larder_commands_total\{command="get",status="hit",protocol="memcache"\} 4$/m);
  assert.match(page, /^larder_commands_total\{command="get",status="hit",protocol="rpc"\} 3$/m);
  assert.match(page, /^larder_commands_total\{command="get",status="miss",protocol="memcache"\} 2$/m);
  assert.match(page, /^larder_items 5$/m);
  assert.match(page, /^larder_evictions_total 3$/m);
  assert.match(page, /^larder_info\{version="1\.2\.3",transport="node"\} 1$/m);
  assert.match(page, /^# TYPE larder_request_duration_seconds histogram$/m);
  assert.match(
    page,
    /^larder_request_duration_seconds_bucket\{le="1\.28e-7",command="get",protocol="memcache"\} 1$/m,
  );
  assert.match(
    page,
    /^larder_request_duration_seconds_bucket\{le="5\.12e-7",command="get",protocol="memcache"\} 3$/m,
  );
  assert.match(
    page,
    /^larder_request_duration_seconds_bucket\{le="\+Inf",command="get",protocol="memcache"\} 4$/m,
  );
  assert.match(page, /^larder_request_duration_seconds_count\{command="get",protocol="memcache"\} 4$/m);
  assert.match(page, /^larder_request_duration_seconds_count\{command="set",protocol="rpc"\} 1$/m);
});

test('numbers that JSON cannot hold stay strings', () => {
  assert.equal(jsonValue(2n ** 64n - 1n), '18446744073709551615');
  assert.equal(jsonValue(12n), 12);
  assert.equal(jsonValue('12'), 12);
  assert.equal(jsonValue('1.50'), '1.50');
});
