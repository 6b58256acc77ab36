import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { context, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';
import { Cache } from '../cache.ts';
import { startServer, type TestServer } from '../testing/servers.ts';
import { observeCalls } from './around.ts';
import { observeWithOpenTelemetry } from './opentelemetry.ts';
import { observeWithPrometheus } from './prometheus.ts';

let server: TestServer;
before(async () => {
  server = await startServer('larder');
});
after(() => server.stop());

/** The value of a sample of a metric. */
async function sample(register: Registry, name: string, labels: Record<string, string>): Promise<number> {
  const metric = await register.getSingleMetric(name.replace(/_(count|sum)$/, ''))?.get();
  const found = metric?.values.find(
    (each) =>
      ((each as { metricName?: string }).metricName ?? name) === name &&
      Object.entries(labels).every(([key, value]) => (each.labels as Record<string, unknown>)[key] === value),
  );
  assert.ok(found, `no sample of ${name} with ${JSON.stringify(labels)}`);
  return found.value;
}

test('prom-client: counts, the window and durations, for several caches of one registry', async () => {
  await using one = await Cache.connect({ servers: server.address, keyPrefix: 'prom:' });
  await using other = await Cache.connect({ servers: server.address, window: { initial: 9 } });
  const register = new Registry();
  const stop = observeWithPrometheus(one, { register, name: 'one' });
  const stopOther = observeWithPrometheus(other, { register, name: 'other', durations: false });
  await one.set('k', 1);
  await one.getMany(['k', 'nothing']);
  await assert.rejects(one.getOrSet('bad', () => Promise.reject(new Error('x'))));
  assert.equal(await sample(register, 'larder_client_hits_total', { cache: 'one' }), 1);
  assert.equal(await sample(register, 'larder_client_misses_total', { cache: 'one' }), 2);
  assert.equal(await sample(register, 'larder_client_hits_total', { cache: 'other' }), 0);
  assert.equal(await sample(register, 'larder_client_window_size', { cache: 'other' }), 9);
  const count = 'larder_client_operation_duration_seconds_count';
  assert.equal(await sample(register, count, { operation: 'getMany', error: 'false' }), 1);
  assert.equal(await sample(register, count, { operation: 'getOrSet', error: 'true' }), 1);
  const text = await register.metrics();
  assert.match(text, /larder_client_factory_failures_total\{cache="one"\} 1/);
  assert.doesNotMatch(text, /operation="get"/, 'getMany is one call, not many gets');
  stop();
  stopOther();
  await one.get('k');
  assert.doesNotMatch(await register.metrics(), /hits_total\{cache="one"\}/);
});

test('OpenTelemetry: a span for each call with the attributes of the conventions, errors marked', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer('test');
  await using cache = await Cache.connect({ servers: server.address, keyPrefix: 'otel:' });
  const stop = observeWithOpenTelemetry(cache, { tracer, keys: true });
  await cache.set('k', 1);
  await cache.getMany(['k', 'a', 'b']);
  await assert.rejects(cache.set('k', undefined), { code: 'INVALID_VALUE' });
  stop();
  await cache.get('k');
  const spans = exporter.getFinishedSpans();
  assert.deepEqual(
    spans.map(({ name, attributes, status }) => [name, attributes, status.code]),
    [
      ['set', { 'db.system.name': 'memcached', 'db.operation.name': 'set', 'db.query.text': 'set k' }, 0],
      [
        'getMany',
        { 'db.system.name': 'memcached', 'db.operation.name': 'getMany', 'db.operation.batch.size': 3 },
        0,
      ],
      [
        'set',
        {
          'db.system.name': 'memcached',
          'db.operation.name': 'set',
          'db.query.text': 'set k',
          'error.type': 'INVALID_VALUE',
        },
        2,
      ],
    ],
  );
  assert.ok(spans.every(({ kind }) => kind === 2));
});

test('OpenTelemetry: without a parent no span, if that is wanted; with one it is the parent', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer('test');
  await using cache = await Cache.connect({ servers: server.address });
  observeWithOpenTelemetry(cache, { tracer, requireParent: true });
  await cache.get('k');
  assert.equal(exporter.getFinishedSpans().length, 0);
  assert.equal(trace.getSpan(context.active()), undefined);
});

test('observers nest, and ending them gives the methods back', async () => {
  await using cache = await Cache.connect({ servers: server.address });
  const log: string[] = [];
  const observe = (name: string): (() => void) =>
    observeCalls(cache, ({ operation, keyCount }, run) => {
      log.push(`${name} ${operation} ${keyCount}`);
      return run();
    });
  const plain = cache.get;
  const endOne = observe('one');
  const endOther = observe('other');
  await cache.get('k');
  endOther();
  await cache.deleteMany(new Set(['a', 'b']));
  endOne();
  await cache.get('k');
  assert.deepEqual(log, ['other get 1', 'one get 1', 'one deleteMany 2']);
  assert.equal(cache.get, plain);
});
