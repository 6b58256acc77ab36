import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadMetrics } from '../metrics.ts';
import { AdminServer } from './admin-server.ts';
import type { AdminSource } from './pages.ts';

const state = { isHealthy: true, loads: 0 };

function makeMetrics(): ReadMetrics {
  const metrics = new ReadMetrics();
  metrics.gauge('larder_items', 'Items.', () => 5);
  metrics.counter('larder_evictions_total', 'Evictions.', () => 3);
  metrics.counters('larder_commands_total', 'Commands.', ['command', 'status'], () => [
    [{ command: 'get', status: 'hit' }, 7],
    [{ command: 'get', status: 'miss' }, 2],
  ]);
  metrics.histogram('larder_seconds', 'Durations.', ['command'], () => [
    {
      labels: { command: 'get' },
      buckets: [
        [0.5, 1],
        [1, 3],
      ],
      count: 4,
      sum: 7.5,
    },
  ]);
  metrics.process('larder_info', { version: '1.2.3' });
  return metrics;
}

const source: AdminSource = {
  title: 'A test',
  health: () => ({ ok: state.isHealthy, text: state.isHealthy ? 'ok' : 'worker 1 died' }),
  statistics: () => ({ general: { big: '18446744073709551615' } }),
  metrics: async () => {
    state.loads++;
    return makeMetrics().registry;
  },
};

test('serves metrics, health and statistics, all loaded by the first connection', async () => {
  const admin = await AdminServer.listen('127.0.0.1', 0, source);
  const base = `http://127.0.0.1:${admin.address.port}`;
  try {
    assert.equal(state.loads, 0);
    const metrics = await (await fetch(`${base}/metrics`)).text();
    assert.match(metrics, /^larder_commands_total\{command="get",status="hit"\} 7$/m);
    assert.match(metrics, /^larder_commands_total\{command="get",status="miss"\} 2$/m);
    assert.match(metrics, /^larder_items 5$/m);
    assert.match(metrics, /^larder_info\{version="1\.2\.3"\} 1$/m);
    assert.match(metrics, /^process_cpu_seconds_total [\d.]+$/m);
    assert.match(metrics, /^# TYPE larder_seconds histogram$/m);
    assert.match(metrics, /^larder_seconds_bucket\{le="1",command="get"\} 3$/m);
    assert.match(metrics, /^larder_seconds_bucket\{le="\+Inf",command="get"\} 4$/m);
    assert.match(metrics, /^larder_seconds_sum\{command="get"\} 7\.5$/m);
    assert.match(metrics, /^larder_seconds_count\{command="get"\} 4$/m);
    // A second scrape sees the same totals, not twice as many.
    assert.match(await (await fetch(`${base}/metrics`)).text(), /^larder_evictions_total 3$/m);

    assert.equal(await (await fetch(`${base}/healthz`)).text(), 'ok\n');
    state.isHealthy = false;
    const unhealthy = await fetch(`${base}/healthz`);
    assert.equal(unhealthy.status, 503);
    assert.equal(await unhealthy.text(), 'worker 1 died\n');
    assert.deepEqual(await (await fetch(`${base}/stats.json`)).json(), {
      general: { big: '18446744073709551615' },
    });
    assert.match(await (await fetch(base)).text(), /^A test: /);
    assert.equal((await fetch(`${base}/nothing`)).status, 404);
    assert.equal(state.loads, 1);
  } finally {
    await admin.close();
  }
  await assert.rejects(fetch(`${base}/healthz`));
});

test('a taken port is an error that names the option', async () => {
  const first = await AdminServer.listen('127.0.0.1', 0, source);
  try {
    await assert.rejects(AdminServer.listen('127.0.0.1', first.address.port, source), {
      name: 'HostError',
      code: 'EADDRINUSE',
      option: '--admin-port',
    });
  } finally {
    await first.close();
  }
});
