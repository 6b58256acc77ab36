/** Routing in the process: the configuration that a router takes, and what callers see of failures. */
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Cache } from '../cache.ts';
import { startServer, type TestServer } from '../testing/servers.ts';

let one: TestServer;
let other: TestServer;
let gutter: TestServer;
before(async () => {
  [one, other, gutter] = await Promise.all([
    startServer('larder'),
    startServer('larder'),
    startServer('larder'),
  ]);
});
after(async () => {
  await Promise.all([one, other, gutter].map((server) => server.stop()));
});

const pool = (...servers: readonly TestServer[]): object => ({
  servers: servers.map(({ address }) => address),
});

test('several servers: keys spread, a multiget for each, all answered', async () => {
  await using cache = await Cache.connect({ servers: [one.address, other.address], keyPrefix: 'spread:' });
  const keys = Array.from({ length: 50 }, (_, index) => `k${index}`);
  await cache.setMany(keys.map((key, index) => [key, index] as const));
  const before = cache.statistics.multigets;
  const found = await cache.getMany<number>(keys);
  assert.deepEqual(
    [...found.values()],
    keys.map((_, index) => index),
  );
  assert.equal(cache.statistics.multigets - before, 2);
});

test('a configuration with prefixes of keys and replicas: reads and writes go where they should', async () => {
  const config = {
    pools: { A: pool(one), B: pool(other) },
    route: {
      type: 'PrefixSelectorRoute',
      policies: {
        'b:': 'PoolRoute|B',
        'both:': {
          type: 'OperationSelectorRoute',
          default_policy: { type: 'AllSyncRoute', children: ['PoolRoute|A', 'PoolRoute|B'] },
          operation_policies: {
            get: { type: 'MissFailoverRoute', children: ['PoolRoute|A', 'PoolRoute|B'] },
          },
        },
      },
      wildcard: 'PoolRoute|A',
    },
  };
  await using cache = await Cache.connect({ config, throwOnTrouble: true });
  await using onOne = await Cache.connect({ servers: one.address });
  await using onOther = await Cache.connect({ servers: other.address });
  await cache.setMany([
    ['a:1', 'A'],
    ['b:1', 'B'],
    ['both:1', 'AB'],
  ]);
  const keys = ['a:1', 'b:1', 'both:1'];
  assert.deepEqual([...(await onOne.getMany(keys)).keys()], ['a:1', 'both:1']);
  assert.deepEqual([...(await onOther.getMany(keys)).keys()], ['b:1', 'both:1']);
  await onOne.delete('both:1');
  assert.equal((await cache.getMany(keys)).size, 3, 'the other replica has it');
});

test('a dead server: one trouble, then the gutter answers, leases included, and an event says so', async () => {
  const dead = await startServer('larder');
  const config = {
    pools: { main: pool(dead), gutter: pool(gutter) },
    route: {
      type: 'FailoverWithExptimeRoute',
      normal: 'PoolRoute|main',
      failover: 'PoolRoute|gutter',
      failover_exptime: 60,
    },
  };
  await using cache = await Cache.connect({ config, keyPrefix: 'gutter:' });
  const changes: boolean[] = [];
  cache.on('server', ({ isUp }) => changes.push(isUp));
  await cache.set('k', 'in main');
  assert.equal(await cache.get('k'), 'in main');
  await dead.stop();
  let runs = 0;
  const load = (): string => {
    runs += 1;
    return 'from the database';
  };
  for (let round = 0; round < 5; round++) {
    assert.equal(await cache.getOrSet('k', load), 'from the database');
  }
  assert.equal(runs, 1);
  await using onGutter = await Cache.connect({ servers: gutter.address, keyPrefix: 'gutter:' });
  assert.equal(await onGutter.get('k'), 'from the database');
  assert.equal(cache.statistics.failedGets, 0);
  assert.ok(changes.includes(false));
});

test('a server that was killed and comes back is used again', async () => {
  const first = await startServer('larder');
  await using cache = await Cache.connect({ servers: first.address, failedGetMemory: 0 });
  assert.equal(await cache.set('k', 1), true);
  const events: boolean[] = [];
  cache.on('server', ({ isUp }) => events.push(isUp));
  await first.stop();
  assert.equal(await cache.get('k'), undefined);
  assert.equal(await cache.getOrSet('k', () => 'from the database'), 'from the database');
  const startedMs = performance.now();
  for (let call = 0; call < 200; call++) assert.equal(await cache.get('k'), undefined);
  assert.ok(performance.now() - startedMs < 1000, 'a server that is known to be down costs nothing');
  const second = await startServer('larder', ['-p', String(first.port)]);
  try {
    const deadline = performance.now() + 8000;
    while (!(await cache.set('k', 2))) {
      assert.ok(performance.now() < deadline, 'the server is not found again');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(await cache.get('k'), 2);
    assert.deepEqual(events, [false, true]);
  } finally {
    await second.stop();
  }
});

test('TLS with a certificate of our own, and ASCII authentication', async () => {
  const fixture = (name: string): string =>
    new URL(`../../../../conformance/fixtures/${name}`, import.meta.url).pathname;
  const certificate = fixture('localhost-certificate.pem');
  const folder = mkdtempSync(join(tmpdir(), 'larder-routes-'));
  const users = join(folder, 'users');
  writeFileSync(users, 'ada:lovelace\n');
  const tlsOptions = [
    '--tls-port',
    '0',
    '--tls-cert',
    certificate,
    '--tls-key',
    fixture('localhost-key.pem'),
  ];
  const server = await startServer('larder', [...tlsOptions, '-Y', users]);
  try {
    const credentials = { user: 'ada', password: 'lovelace' };
    const ca = readFileSync(certificate, 'utf8');
    const servers = `localhost:${server.tlsPort}`;
    await using secure = await Cache.connect({ servers, tls: { ca }, credentials, throwOnTrouble: true });
    assert.equal(await secure.set('k', 'secret'), true);
    assert.equal(await secure.get('k'), 'secret');
    await using plain = await Cache.connect({ servers: server.address, credentials });
    assert.equal(await plain.get('k'), 'secret');
    await using stranger = await Cache.connect({ servers, tls: true, credentials });
    assert.equal(await stranger.get('k'), undefined, 'the certificate is not known');
    await using wrong = await Cache.connect({
      servers: server.address,
      credentials: { user: 'ada', password: 'x' },
    });
    assert.equal(await wrong.get('k'), undefined);
    assert.ok(wrong.statistics.failedGets > 0);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a configuration file: changes are taken, a bad one keeps the old and tells it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-routes-'));
  const file = join(folder, 'router.json');
  const write = (server: TestServer): void =>
    writeFileSync(
      file,
      `{ /* ours */ "pools": {"A": ${JSON.stringify(pool(server))}}, "route": "PoolRoute|A" }`,
    );
  try {
    write(one);
    await using cache = await Cache.connect({ config: { file }, keyPrefix: 'file:' });
    await cache.set('k', 'one');
    const reloaded = new Promise((resolve) => cache.once('reload', () => resolve(true)));
    write(other);
    assert.equal(await reloaded, true);
    assert.equal(await cache.get('k'), undefined);
    const failed = new Promise<Error>((resolve) => cache.once('reloadFailed', resolve));
    writeFileSync(file, '{ "pools": {}, "route": "PoolRoute|nowhere" }');
    assert.match((await failed).message, /nowhere/);
    assert.equal(await cache.set('k', 'still there'), true);
    assert.equal(await cache.get('k'), 'still there');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('routes made elsewhere are used and not closed', async () => {
  await using owner = await Cache.connect({ servers: one.address });
  const guest = new Cache({ routes: owner.routes, keyPrefix: 'guest:' });
  assert.equal(await guest.set('k', 1), true);
  assert.equal(await guest.get('k'), 1);
  await guest.close();
  assert.equal(await owner.get('guest:k'), 1);
});

test('through the router: the same calls, leases included', async () => {
  const main = new URL('../../../cli/src/main.ts', import.meta.url).pathname;
  const folder = mkdtempSync(join(tmpdir(), 'larder-routes-'));
  const file = join(folder, 'router.json');
  writeFileSync(file, JSON.stringify({ pools: { A: pool(one, other) }, route: 'PoolRoute|A' }));
  const path = join(folder, 'router.sock');
  const child = spawn(
    process.execPath,
    ['-C', 'larder-source', main, 'router', '--config', file, '-s', path],
    { stdio: 'ignore' },
  );
  const exited = new Promise((resolve) => child.once('exit', resolve));
  try {
    await using cache = new Cache({ servers: `unix:${path}`, keyPrefix: 'router:', failedGetMemory: 0 });
    const deadline = performance.now() + 10_000;
    while (!(await cache.set('up', 1))) {
      assert.ok(performance.now() < deadline && child.exitCode === null, 'the router does not answer');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const keys = Array.from({ length: 30 }, (_, index) => `k${index}`);
    assert.equal(await cache.setMany(keys.map((key) => [key, key] as const)), 30);
    assert.equal((await cache.getMany(keys)).size, 30);
    assert.equal(await cache.incr('n', 1, { initial: 4 }), 4);
    assert.equal(await cache.incr('n'), 5);
    await using second = new Cache({ servers: `unix:${path}`, keyPrefix: 'router:' });
    let runs = 0;
    const load = async (): Promise<string> => {
      runs += 1;
      await new Promise((resolve) => setTimeout(resolve, 30));
      return 'made';
    };
    const both = [cache.getOrSet('hot', load), second.getOrSet('hot', load)];
    assert.deepEqual(await Promise.all(both), ['made', 'made']);
    assert.equal(runs, 1);
    assert.equal(await cache.delete('hot'), true);
    assert.equal(await second.get('hot'), undefined);
  } finally {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  }
});
