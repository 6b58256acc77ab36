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
