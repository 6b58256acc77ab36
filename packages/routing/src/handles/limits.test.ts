/** OutstandingLimit, RateLimit and LatencyInjection: what waits, what is refused, and for how long. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { z } from 'zod';
import { defineRouteHandle, type RouteJson } from '../registry.ts';
import { Result } from '../reply.ts';
import { Operation, Request } from '../request.ts';
import { Routing } from '../routing.ts';
import { FakeClock, settle } from '../testing/fake-clock.ts';
import { OutstandingLimitRoute } from './outstanding-limit-route.ts';
import { FakeCache } from './testing/fake-cache.ts';
import { Harness } from './testing/harness.ts';

test('OutstandingLimit keeps the rest waiting, one client after the other', async () => {
  await using harness = await Harness.open({
    type: 'OutstandingLimitRoute',
    target: 'Fake|a',
    max_outstanding: 2,
  });
  const cache = harness.cache('a');
  cache.isHeld = true;
  const replies = ['1', '2', '3', '4', '5'].map((key) =>
    harness.ask(Operation.get, key, { clientId: 'greedy' }),
  );
  replies.push(harness.ask(Operation.get, 'x', { clientId: 'modest' }));
  replies.push(harness.ask(Operation.get, 'y', { clientId: 'modest' }));
  const order: string[] = [];
  while (cache.requests.length > 0) {
    assert.ok(cache.held <= 2);
    order.push(...cache.take());
    cache.release(1);
    await settle();
  }
  cache.release();
  await Promise.all(replies);
  assert.deepEqual(order, ['1', '2', '3', 'x', '4', 'y', '5']);
});

test('OutstandingLimit refuses when too many wait', async () => {
  const cache = new FakeCache('a', new FakeClock());
  cache.isHeld = true;
  const route = new OutstandingLimitRoute(cache, 1, 2);
  const replies = Array.from({ length: 3 }, () => route.route(Request.of(Operation.get, 'k')));
  assert.equal((await route.route(Request.of(Operation.get, 'k'))).result, Result.busy);
  assert.deepEqual([route.outstanding, route.waiting], [1, 2]);
  for (let turn = 0; turn < 3; turn++) {
    cache.release();
    await settle();
  }
  await Promise.all(replies);
  assert.deepEqual([route.outstanding, route.waiting], [0, 0]);
});

test('RateLimit answers as an empty cache beyond its rates, and only for the limited operations', async () => {
  await using harness = await Harness.open({
    type: 'RateLimitRoute',
    target: 'Fake|a',
    rates: { gets_rate: 10, sets_rate: 2, sets_burst: 4 },
  });
  const cache = harness.cache('a');
  cache.put('k', 'v');
  const passed = async (operation: Operation, times: number): Promise<number> => {
    for (let turn = 0; turn < times; turn++) await harness.ask(operation, 'k', { value: 'v' });
    return cache.take().length;
  };
  assert.equal(await passed(Operation.get, 15), 10, 'the burst is the rate');
  assert.equal((await harness.ask(Operation.get, 'k')).result, Result.miss);
  assert.equal(await passed(Operation.set, 15), 4);
  assert.equal((await harness.ask(Operation.set, 'k')).result, Result.notStored);
  assert.equal(await passed(Operation.delete, 15), 15);
  harness.clock.advance(500);
  assert.equal(await passed(Operation.get, 15), 5);
  assert.equal(await passed(Operation.set, 15), 1);
  harness.clock.advance(60_000);
  assert.equal(await passed(Operation.get, 15), 10, 'no more than the burst');
});

test('RateLimit bounds deletes as well, whatever says delete', async () => {
  await using harness = await Harness.open({
    type: 'RateLimitRoute',
    target: 'Fake|a',
    rates: { deletes_rate: 2, deletes_burst: 3 },
  });
  const cache = harness.cache('a');
  for (let turn = 0; turn < 5; turn++) {
    cache.put('k', 'v');
    const operation = turn === 0 ? Operation.metaDelete : Operation.delete;
    const expected = turn < 3 ? Result.deleted : Result.miss;
    assert.equal((await harness.ask(operation, 'k')).result, expected, `${turn}`);
  }
  assert.equal(cache.take().length, 3);
  assert.equal((await harness.ask(Operation.get, 'k')).result, Result.hit, 'gets are not limited');
  harness.clock.advance(1000);
  for (let turn = 0; turn < 5; turn++) await harness.ask(Operation.delete, 'k');
  assert.equal(cache.take().filter((key) => key === 'k').length, 1 + 2, 'the get, and two more deletes');
});

test('a reload grants no second burst', async () => {
  const clock = new FakeClock();
  const cache = new FakeCache('a', clock);
  const fake = defineRouteHandle({ type: 'FakeRoute', parameters: z.strictObject({}), build: () => cache });
  const rates = { gets_rate: 3 };
  const limited: readonly RouteJson[] = [
    { type: 'RateLimitRoute', target: 'FakeRoute', rates },
    // Nobody is there, which is for its limiter all the same.
    { type: 'PoolRoute', pool: { servers: ['127.0.0.1:1'] }, rates },
  ];
  for (const route of limited) {
    let comment = 0;
    const source = {
      label: 'a test',
      read: async () => JSON.stringify({ comment, route }),
      start: () => {},
      close: () => {},
    };
    await using routing = await Routing.open({ config: { source }, handles: [fake], services: { clock } });
    const miss = async (): Promise<boolean> =>
      (await routing.route(Request.of(Operation.get, 'k'))).result === Result.miss;
    cache.put('k', 'v');
    for (let turn = 0; turn < 3; turn++) assert.equal(await miss(), false);
    comment++;
    assert.equal(await routing.reload(), undefined);
    assert.equal(routing.configuration.generation, 2);
    assert.equal(await miss(), true, JSON.stringify(route));
  }
});

test('LatencyInjection waits before, after and in all', async () => {
  await using harness = await Harness.open({
    type: 'LatencyInjectionRoute',
    child: 'Fake|a',
    before_latency_ms: 10,
    after_latency_ms: 20,
    total_latency_ms: 100,
  });
  let done = false;
  const reply = harness.ask(Operation.get, 'k').then(() => {
    done = true;
  });
  const requestsAfter = async (ms: number): Promise<number> => {
    harness.clock.advance(ms);
    await settle();
    return harness.cache('a').requests.length;
  };
  assert.equal(await requestsAfter(9), 0);
  assert.equal(await requestsAfter(1), 1);
  assert.equal(await requestsAfter(20), 1);
  assert.equal(done, false);
  await requestsAfter(69);
  assert.equal(done, false);
  await requestsAfter(1);
  await reply;
});

test('limits tell what they expected, and nothing to do is no handle', async () => {
  const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ type: 'OutstandingLimitRoute', target: 'NullRoute' }, /max_outstanding/],
    [{ type: 'RateLimitRoute', target: 'NullRoute' }, /rates/],
    [{ type: 'RateLimitRoute', target: 'NullRoute', rates: { gets_rate: 0 } }, /gets_rate/],
    [{ type: 'LatencyInjectionRoute', child: 'NullRoute' }, /expected before_latency_ms/],
  ];
  for (const [route, message] of wrong) await assert.rejects(Harness.open(route), message);
  for (const route of [
    { type: 'LatencyInjectionRoute', child: 'Fake|a', before_latency_ms: 0 },
    { type: 'OutstandingLimitRoute', target: 'Fake|a', max_outstanding: 0 },
    { type: 'ModifyExptimeRoute', target: 'Fake|a', exptime: 0, action: 'min' },
  ]) {
    await using harness = await Harness.open(route);
    assert.equal(harness.routing.direct(harness.request(Operation.get, 'k')), harness.cache('a'));
  }
});
