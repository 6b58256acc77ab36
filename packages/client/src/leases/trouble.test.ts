/** getOrSet and what it remembers, with servers that answer as a test says. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { type Clock, Operation, Reply, type Request, Result, type RouteHandle } from '@larder/routing';
import { Cache } from '../cache.ts';

/** Everything is answered by `answer`. */
function routesOf(answer: (request: Request) => Reply): RouteHandle {
  return { name: 'test', children: [], route: (request) => Promise.resolve(answer(request)) };
}

test('after a get of getOrSet that failed the key is not set, until it was deleted', async () => {
  const sent: Operation[] = [];
  const routes = routesOf(({ operation }) => {
    sent.push(operation);
    if (operation === Operation.metaGet) return Reply.of(Result.timeout);
    return new Reply(operation === Operation.delete ? Result.deleted : Result.stored);
  });
  await using cache = new Cache({ routes });
  assert.equal(await cache.getOrSet('k', () => 'made'), 'made');
  assert.deepEqual(sent, [Operation.metaGet], 'the factory has its value from an overloaded cluster: no set');
  assert.equal(await cache.set('k', 'made'), false);
  assert.equal(cache.statistics.storesSkipped, 1);
  assert.equal(await cache.set('another', 'made'), true);
  assert.equal(await cache.delete('k'), true);
  assert.equal(
    await cache.set('k', 'made'),
    true,
    'the server has answered, and what was read before is void',
  );
});

test('who waits for a lease waits longer each time, and each caller differently long', async () => {
  const pausesOf = async (chance: number): Promise<number[]> => {
    const pauses: number[] = [];
    let now = 0;
    const clock: Clock = {
      now: () => now,
      wallNow: () => now,
      setTimer: (delayMs, callback) => {
        pauses.push(delayMs);
        now += delayMs;
        queueMicrotask(callback);
        return { cancel: () => {} };
      },
    };
    const routes = routesOf(() => {
      const reply = new Reply(Result.hit);
      reply.setValue(Buffer.alloc(0), 0, 0);
      reply.metaFlags = Buffer.from('f0 c7 t9 Z');
      return reply;
    });
    await using cache = new Cache({ routes, clock, random: () => chance });
    assert.equal(await cache.getOrSet('k', () => 'own', { lease: '5s' }), 'own');
    assert.equal(cache.statistics.leasePatienceOver, 1);
    assert.ok(now >= 10_000 && now < 10_500, `waited ${now} ms for leases of 5 s`);
    return pauses;
  };
  const [short, long] = [await pausesOf(0), await pausesOf(0.999)];
  for (let index = 0; index < 10; index++) {
    const ratio = long[index]! / short[index]!;
    assert.ok(ratio > 2.9 && ratio < 3.1, `pause ${index}: ${short[index]} and ${long[index]} ms`);
    assert.ok(short[index + 1]! >= short[index]!);
  }
});

test('callers for one key share a flight only when they want the same of trouble and of stale values', async () => {
  const routes = routesOf(() => Reply.of(Result.timeout));
  await using cache = new Cache({ routes, failedGetMemory: 0 });
  const calls = [
    cache.getOrSet('k', () => 'covered'),
    cache.getOrSet('k', () => 'covered', { throwOnTrouble: true }),
    cache.getOrSet('k', () => 'another', { acceptStale: true }),
    cache.getOrSet('k', () => 'not this one'),
  ];
  const outcomes = await Promise.allSettled(calls);
  const seen = outcomes.map((each) =>
    each.status === 'fulfilled' ? each.value : (each.reason as Error).name,
  );
  assert.deepEqual(seen, ['covered', 'CacheError', 'another', 'covered']);
  assert.equal(cache.statistics.coalesced, 1);
});

test('what was given up before it began is not begun; an update deletes in any case', async () => {
  const sent: Operation[] = [];
  const routes = routesOf(({ operation }) => {
    sent.push(operation);
    return new Reply(operation === Operation.delete ? Result.deleted : Result.miss);
  });
  await using cache = new Cache({ routes });
  const signal = AbortSignal.abort();
  const never = (): never => assert.fail('the factory has run');
  const calls: Record<string, () => Promise<unknown>> = {
    get: () => cache.get('k', { signal }),
    getMany: () => cache.getMany(['k'], { signal }),
    gets: () => cache.gets('k', { signal }),
    set: () => cache.set('k', 1, { signal }),
    cas: () => cache.cas('k', 1, 1n, { signal }),
    append: () => cache.append('k', 'x', { signal }),
    incr: () => cache.incr('k', 1, { signal }),
    touch: () => cache.touch('k', '1s', { signal }),
    delete: () => cache.delete('k', { signal }),
    getOrSet: () => cache.getOrSet('k', never, { signal }),
    update: () => cache.update('k', never, { signal }),
  };
  for (const [name, call] of Object.entries(calls)) await assert.rejects(call(), { code: 'ABORTED' }, name);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(sent, []);
  const controller = new AbortController();
  const work = (): string => {
    controller.abort();
    return 'done';
  };
  assert.equal(await cache.update('k', work, { signal: controller.signal }), 'done');
  assert.deepEqual(sent, [Operation.delete], 'the database has changed: the key must not stay');
});

test('numbers beyond 64 bits are refused', async () => {
  await using cache = new Cache({ routes: routesOf(() => new Reply(Result.miss)) });
  await assert.rejects(cache.incr('k', 2n ** 64n), { code: 'INVALID_VALUE' });
  await assert.rejects(cache.incr('k', 1, { initial: 2n ** 70n }), { code: 'INVALID_VALUE' });
  assert.equal(await cache.incr('k', 2n ** 64n - 1n), undefined);
});
