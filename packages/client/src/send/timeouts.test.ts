/** Time-outs of pools and of the cache itself, with a server that accepts and never answers. */
import { strict as assert } from 'node:assert';
import { createServer, type Server } from 'node:net';
import { after, before, test } from 'node:test';
import { Cache } from '../cache.ts';

let silent: Server;
let address: string;

before(async () => {
  silent = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      if (bytes.includes('version')) socket.write('VERSION 1.6.40\r\n');
    });
    silent.once('close', () => socket.destroy());
    socket.unref();
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(silent.address() as { port: number }).port}`;
});
after(() => silent.close());

function pool(timeouts: object): object {
  return {
    pools: { main: { servers: [address], failures_until_tko: 1000, ...timeouts } },
    route: 'PoolRoute|main',
  };
}

/** How long each call takes to fail, in milliseconds. */
async function failures(cache: Cache): Promise<Record<string, number>> {
  const calls: Record<string, () => Promise<unknown>> = {
    get: () => cache.get('k'),
    gets: () => cache.gets('k'),
    set: () => cache.set('k', 1),
    delete: () => cache.delete('k'),
    getOrSet: () => cache.getOrSet('k', () => 1),
  };
  const took = Object.entries(calls).map(async ([name, call]) => {
    const start = performance.now();
    await call();
    return [name, performance.now() - start] as const;
  });
  return Object.fromEntries(await Promise.all(took));
}

const LONG_MS = 20_000;

test("without a time-out of the cache the pool's count, for every call", async () => {
  await using cache = await Cache.connect({
    config: { ...pool({ server_timeout: 60 }) },
    failedGetMemory: 0,
  });
  for (const [name, took] of Object.entries(await failures(cache))) {
    assert.ok(took >= 30 && took < 700, `${name} took ${took} ms`);
  }
  assert.equal(cache.statistics.failedGets, 3);
});

test("the cache's time-out counts for every call, whatever the pool says", async () => {
  const config = { ...pool({ server_timeout: LONG_MS }) };
  await using cache = await Cache.connect({ config, timeout: 60, failedGetMemory: 0 });
  for (const [name, took] of Object.entries(await failures(cache))) {
    assert.ok(took >= 30 && took < 5000, `${name} took ${took} ms`);
  }
});
