import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LATENCY_BUCKETS, type LatencySummary, latencyBucket } from '../statistics/latency-histogram.ts';
import { AdminServer } from './admin-server.ts';
import type { AdminSource } from './pages.ts';

function summary(...nanoseconds: number[]): LatencySummary {
  const counts = new Float64Array(LATENCY_BUCKETS);
  for (const value of nanoseconds) counts[latencyBucket(value)]!++;
  return {
    count: nanoseconds.length,
    sumNanoseconds: nanoseconds.reduce((sum, value) => sum + value, 0),
    counts,
  };
}

const state = { healthy: true };
const source: AdminSource = {
  version: '1.2.3',
  transport: 'node',
  general: () =>
    new Map<string, string | number>([
      ['get_hits', 7],
      ['get_misses', 2],
      ['curr_items', 5],
      ['evictions', 3],
    ]),
  latencies: () => new Map([['get', summary(100, 200, 300, 5000)]]),
  health: () => ({ ok: state.healthy, text: state.healthy ? 'ok' : 'worker 1 died' }),
  sections: () => ({
    general: new Map<string, string | number | bigint>([
      ['big', 2n ** 64n - 1n],
      ['small', '12'],
    ]),
  }),
};

test('serves metrics, health and statistics, all on the first connection', async () => {
  const admin = await AdminServer.listen('127.0.0.1', 0, source);
  const base = `http://127.0.0.1:${admin.address.port}`;
  try {
    const metrics = await (await fetch(`${base}/metrics`)).text();
    assert.match(metrics, /^larder_commands_total\{command="get",status="hit"\} 7$/m);
    assert.match(metrics, /^larder_commands_total\{command="get",status="miss"\} 2$/m);
    assert.match(metrics, /^larder_items 5$/m);
    assert.match(metrics, /^larder_evictions_total 3$/m);
    assert.match(metrics, /^larder_info\{version="1\.2\.3",transport="node"\} 1$/m);
    assert.match(metrics, /^# TYPE larder_request_duration_seconds histogram$/m);
    assert.match(metrics, /^larder_request_duration_seconds_bucket\{le="1\.28e-7",command="get"\} 1$/m);
    assert.match(metrics, /^larder_request_duration_seconds_bucket\{le="5\.12e-7",command="get"\} 3$/m);
    assert.match(metrics, /^larder_request_duration_seconds_bucket\{le="\+Inf",command="get"\} 4$/m);
    assert.match(metrics, /^larder_request_duration_seconds_count\{command="get"\} 4$/m);
    // A second scrape sees the same totals, not twice as many.
    const again = await (await fetch(`${base}/metrics`)).text();
    assert.match(again, /^larder_evictions_total 3$/m);

    assert.equal(await (await fetch(`${base}/healthz`)).text(), 'ok\n');
    state.healthy = false;
    const unhealthy = await fetch(`${base}/healthz`);
    assert.equal(unhealthy.status, 503);
    assert.equal(await unhealthy.text(), 'worker 1 died\n');

    const stats = (await (await fetch(`${base}/stats.json`)).json()) as Record<
      string,
      Record<string, unknown>
    >;
    assert.deepEqual(stats.general, { big: '18446744073709551615', small: 12 });
    assert.equal((stats.latency!.get as Record<string, unknown>).sampled, 4);
    assert.equal((await fetch(`${base}/nothing`)).status, 404);
  } finally {
    await admin.close();
  }
  await assert.rejects(fetch(`${base}/healthz`));
});

test('a taken port is a ServerError that names the option', async () => {
  const first = await AdminServer.listen('127.0.0.1', 0, source);
  try {
    await assert.rejects(AdminServer.listen('127.0.0.1', first.address.port, source), {
      name: 'ServerError',
      code: 'EADDRINUSE',
      option: '--admin-port',
    });
  } finally {
    await first.close();
  }
});
