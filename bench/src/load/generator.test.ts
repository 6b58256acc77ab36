import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { SizeDistribution } from '../random/size-distribution.ts';
import { LoadGenerator } from './generator.ts';
import { latencyAt } from './latency.ts';
import { layOutMemory } from './load-memory.ts';
import { openLoadTransport } from './load-transport.ts';
import type { KeySpacePlan, LoadAddress, RunPlan, StreamPlan } from './plan.ts';
import type { TinyServerOptions, TinyServerPorts } from './testing/tiny-server.ts';

const skip = process.platform === 'linux' ? false : 'the load generator needs Linux';
const KEYS = 200;
const MIXED: SizeDistribution = {
  kind: 'log-normal',
  meanBytes: 900,
  sigma: 1.5,
  bytesMin: 0,
  bytesMax: 40_000,
};
const SPACE: KeySpacePlan = { seed: 5, keys: KEYS, keyBytes: 20, sizes: MIXED };

let generator: LoadGenerator;
const workers: Worker[] = [];

before(async () => {
  if (skip !== false) return;
  const memory = layOutMemory(SPACE);
  // epoll is there on every Linux; io_uring may be forbidden.
  generator = await LoadGenerator.create(memory, (given, handler) =>
    openLoadTransport(given, handler, 'epoll'),
  );
});

after(async () => {
  await Promise.all(workers.map((worker) => worker.terminate()));
});

async function startServer(workerData: TinyServerOptions = {}): Promise<TinyServerPorts> {
  const worker = new Worker(new URL('./testing/tiny-server.ts', import.meta.url), { workerData });
  workers.push(worker);
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

function streamOf(rest: Partial<StreamPlan>): StreamPlan {
  return {
    name: 'load',
    connections: 4,
    depth: 1,
    keysPerGet: 1,
    getRatio: 1,
    distribution: { kind: 'uniform' },
    loop: { kind: 'closed' },
    missesAllowed: false,
    firstKey: 0,
    keys: KEYS,
    requests: 0,
    ...rest,
  };
}

const FILL = streamOf({
  name: 'fill',
  getRatio: 0,
  distribution: { kind: 'sequential' },
  depth: 4,
  requests: KEYS,
});

function planOf(address: LoadAddress, streams: readonly StreamPlan[], seconds: number): RunPlan {
  return { address, streams, rampSeconds: 0, seconds, serverPids: [process.pid] };
}

function tcp(ports: TinyServerPorts): LoadAddress {
  return { kind: 'tcp', host: '127.0.0.1', port: ports.tcp };
}

test('fills, then reads and writes all it filled: pipelined, in multigets, mixed', { skip }, async () => {
  const address = tcp(await startServer());
  const filled = generator.run(planOf(address, [FILL], 30));
  assert.ok(filled.streams[0]!.requests >= KEYS);
  const shapes: Partial<StreamPlan>[] = [
    { depth: 8 },
    { keysPerGet: 7 },
    { getRatio: 0.5, depth: 3, distribution: { kind: 'zipf', exponent: 1.1 } },
  ];
  for (const shape of shapes) {
    const result = generator.run(planOf(address, [streamOf({ ...shape, requests: 2000 })], 30));
    const [load] = result.streams;
    assert.ok(load!.requests >= 2000 && load!.requests < 2100, String(load!.requests));
    assert.equal(load!.misses, 0);
    if (shape.keysPerGet !== undefined) assert.equal(load!.keys, load!.requests * shape.keysPerGet);
    assert.ok(latencyAt(load!.latency, 50) > 0 && result.serverCpuSeconds > 0 && result.loadCpuSeconds > 0);
  }
});

test('keys that were never stored are misses, or an error', { skip }, async () => {
  const address = tcp(await startServer());
  const half = { ...FILL, keys: KEYS / 2, requests: KEYS / 2 };
  generator.run(planOf(address, [half], 30));
  const reading = streamOf({ keysPerGet: 10, requests: 1000, missesAllowed: true });
  const [load] = generator.run(planOf(address, [reading], 30)).streams;
  const share = load!.misses / load!.keys;
  assert.ok(share > 0.45 && share < 0.55, String(share));
  assert.throws(() => generator.run(planOf(address, [streamOf({ requests: 1000 })], 30)), /keys missing/);
});

test('a wrong byte ends the run with the key, and the generator can go on', { skip }, async () => {
  const corruptKey = `${'k'.repeat(10)}0000000042`;
  const address = tcp(await startServer({ corruptKey }));
  generator.run(planOf(address, [FILL], 30));
  assert.throws(
    () => generator.run(planOf(address, [streamOf({ requests: 20_000 })], 30)),
    /wrong value of k{10}0000000042/,
  );
  generator.run(planOf(address, [{ ...FILL, requests: 10 }], 30));
});

test('a plan that cannot be is refused', { skip }, () => {
  const address: LoadAddress = { kind: 'tcp', host: '127.0.0.1', port: 1 };
  const run = (rest: Partial<StreamPlan>) => () => generator.run(planOf(address, [streamOf(rest)], 1));
  assert.throws(run({ depth: 0 }), /depth of load is 0, not 1 to/);
  assert.throws(run({ keysPerGet: 401 }), /keys per get of load is 401/);
  assert.throws(run({ firstKey: 1 }), /last key of load is 201, not 1 to 200/);
});

test('nobody listening is an error, not a wait', { skip }, () => {
  const address: LoadAddress = { kind: 'unix', path: '/tmp/larder-bench-no-such-socket' };
  assert.throws(() => generator.run(planOf(address, [FILL], 30)), /ENOENT|closed/);
});

test('an open loop keeps its rate and counts the wait of requests that a pause held up', {
  skip,
}, async () => {
  const pauseMs = 200;
  const address = tcp(await startServer({ pauseMs, pauseAfterGets: 100 }));
  generator.run(planOf(address, [FILL], 30));
  const loop = { kind: 'open', arrivals: 'constant', ratePerSecond: 1000 } as const;
  const [load] = generator.run(planOf(address, [streamOf({ loop })], 1)).streams;
  assert.ok(Math.abs(load!.requests - 1000) < 30, String(load!.requests));
  // 200 of 1000 requests were due during the pause: a closed loop would have shown four of them. The tenth
  // part of all requests waited 100 ms or more.
  const late = latencyAt(load!.latency, 90);
  assert.ok(late > (pauseMs / 2) * 1000 * 0.8 && late < pauseMs * 1000, `p90 ${late}`);
  assert.ok(load!.maxUs > pauseMs * 1000 * 0.95);
});

test('UDP gets are answered in one datagram or several', { skip }, async () => {
  const ports = await startServer();
  generator.run(planOf(tcp(ports), [FILL], 30));
  const address: LoadAddress = { kind: 'udp', host: '127.0.0.1', port: ports.udp };
  const result = generator.run(planOf(address, [streamOf({ keysPerGet: 3, requests: 500 })], 30));
  assert.ok(result.streams[0]!.requests >= 500);
  assert.equal(result.streams[0]!.keys, result.streams[0]!.requests * 3);
});

test('lost datagrams are counted and replaced', { skip }, async () => {
  const ports = await startServer({ dropEvery: 100 });
  generator.run(planOf(tcp(ports), [FILL], 30));
  const address: LoadAddress = { kind: 'udp', host: '127.0.0.1', port: ports.udp };
  const [load] = generator.run(planOf(address, [streamOf({ requests: 900 })], 30)).streams;
  assert.ok(load!.requests >= 900);
  assert.ok(load!.lost >= 4 && load!.lost <= 12, `lost ${load!.lost}`);
});
