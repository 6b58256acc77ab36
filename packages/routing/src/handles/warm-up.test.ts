/** Warming a cold cluster: where values come from, the race with deletes, and the end of it; and SlowWarmUp. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Dialect } from '../destination/destination-options.ts';
import type { RouteJson } from '../registry.ts';
import { Reply, Result } from '../reply.ts';
import { Operation, type Request } from '../request.ts';
import { settle } from '../testing/fake-clock.ts';
import type { FakeCache } from './testing/fake-cache.ts';
import { Harness } from './testing/harness.ts';

const WARM_UP: RouteJson = { type: 'WarmUpRoute', cold: 'Fake|cold', warm: 'Fake|warm' };

function operationsOf(cache: FakeCache): number[] {
  return cache.requests.splice(0).map((request) => request.operation);
}

test('a miss in cold is read from warm and added to cold', async () => {
  await using harness = await Harness.open({ ...Object(WARM_UP), exptime: 300 });
  harness.cache('warm').put('k', 'value', 7);
  const reply = await harness.ask(Operation.get, 'k');
  assert.deepEqual([reply.value.toString(), reply.flags], ['value', 7]);
  const added = harness.cache('cold').items.get('k');
  assert.deepEqual([added?.value.toString(), added?.flags, added?.exptime], ['value', 7, 300]);
  harness.cache('warm').take();
  assert.equal((await harness.ask(Operation.get, 'k')).value.toString(), 'value');
  assert.deepEqual(harness.cache('warm').take(), [], 'cold has it now');
});

test('the lost race: a delete to cold holds off adds, so the client goes to the database', async () => {
  await using harness = await Harness.open(WARM_UP);
  // The warm cluster has not heard of the delete yet.
  harness.cache('warm').put('k', 'old');
  await harness.ask(Operation.delete, 'k');
  assert.equal(harness.cache('cold').requests[0]?.holdOffSeconds, 2);
  assert.equal((await harness.ask(Operation.get, 'k')).result, Result.miss, 'not the old value');
  assert.equal(harness.cache('cold').value('k'), undefined);
  await harness.ask(Operation.set, 'k', { value: 'new' });
  assert.equal((await harness.ask(Operation.get, 'k')).value.toString(), 'new');
  await harness.ask(Operation.delete, 'k');
  harness.clock.advance(2001);
  assert.equal((await harness.ask(Operation.get, 'k')).value.toString(), 'old', 'after the hold-off');
});

test("an add that lost against another client's newer value answers with that", async () => {
  await using harness = await Harness.open(WARM_UP);
  const { cold, warm } = { cold: harness.cache('cold'), warm: harness.cache('warm') };
  warm.put('k', 'old');
  warm.isHeld = true;
  const reply = harness.ask(Operation.get, 'k');
  await settle();
  cold.put('k', 'new');
  warm.release();
  assert.equal((await reply).value.toString(), 'new');
});

test('when the add fails for another reason the value is answered all the same', async () => {
  await using harness = await Harness.open(WARM_UP);
  harness.cache('warm').put('k', 'value');
  harness.cache('cold').intercept = (request: Request) =>
    request.operation === Operation.add ? new Reply(Result.timeout) : undefined;
  assert.equal((await harness.ask(Operation.get, 'k')).value.toString(), 'value');
});

test('async_add answers before the add, as mcrouter', async () => {
  await using harness = await Harness.open({ ...Object(WARM_UP), async_add: true });
  const cold = harness.cache('cold');
  harness.cache('warm').put('k', 'value');
  cold.intercept = (request: Request) => {
    cold.isHeld = request.operation === Operation.add;
    return undefined;
  };
  assert.equal((await harness.ask(Operation.get, 'k')).value.toString(), 'value');
  assert.equal(cold.value('k'), 'value');
});

test('gets: added, then asked of cold for its own CAS', async () => {
  await using harness = await Harness.open(WARM_UP);
  harness.cache('warm').put('k', 'value');
  const reply = await harness.ask(Operation.gets, 'k');
  assert.equal(reply.cas, harness.cache('cold').items.get('k')?.cas);
  assert.deepEqual(operationsOf(harness.cache('cold')), [Operation.gets, Operation.add, Operation.gets]);
});

test('lease-get: warm fills by an add, which minds the hold-off where the lease would not', async () => {
  await using harness = await Harness.open(WARM_UP);
  const { cold, warm } = { cold: harness.cache('cold'), warm: harness.cache('warm') };
  warm.put('k', 'old');
  const reply = await harness.ask(Operation.leaseGet, 'k');
  assert.deepEqual([reply.result, reply.value.toString()], [Result.hit, 'old']);
  assert.deepEqual(operationsOf(cold), [Operation.leaseGet, Operation.add]);
  await harness.ask(Operation.delete, 'k');
  // This lease is younger than the delete, and warm still has the old value.
  const lease = await harness.ask(Operation.leaseGet, 'k');
  assert.deepEqual([lease.result, lease.hasValue], [Result.miss, false]);
  const stored = await harness.ask(Operation.leaseSet, 'k', { token: lease.token, value: 'new' });
  assert.equal(stored.result, Result.stored, 'the lease is good for the value of the database');
  assert.equal((await harness.ask(Operation.leaseGet, 'k')).value.toString(), 'new');
});

test('lease-get: an add that lost against a newer value answers with that', async () => {
  await using harness = await Harness.open(WARM_UP);
  const { cold, warm } = { cold: harness.cache('cold'), warm: harness.cache('warm') };
  warm.put('k', 'old');
  warm.isHeld = true;
  const reply = harness.ask(Operation.leaseGet, 'k');
  await settle();
  cold.put('k', 'new');
  warm.release();
  assert.equal((await reply).value.toString(), 'new');
});

test('lease-get on plain memcached: the lease fills, since an add cannot', async () => {
  await using harness = await Harness.open(WARM_UP);
  harness.cache('cold').dialect = Dialect.memcached;
  harness.cache('warm').put('k', 'value');
  assert.equal((await harness.ask(Operation.leaseGet, 'k')).value.toString(), 'value');
  assert.deepEqual(operationsOf(harness.cache('cold')), [Operation.leaseGet, Operation.leaseSet]);
  assert.equal(harness.cache('cold').value('k'), 'value');
});

test('enable_metaget brings what is left of the time', async () => {
  await using harness = await Harness.open({ ...Object(WARM_UP), enable_metaget: true });
  harness.cache('warm').put('k', 'value', 9, 77);
  harness.cache('warm').put('forever', 'value', 9, 0);
  const reply = await harness.ask(Operation.get, 'k');
  assert.deepEqual([reply.value.toString(), reply.flags], ['value', 9]);
  assert.equal(harness.cache('cold').items.get('k')?.exptime, 77);
  await harness.ask(Operation.get, 'forever');
  assert.equal(harness.cache('cold').items.get('forever')?.exptime, 0);
});

test('mg is answered by cold, with what was added from warm', async () => {
  await using harness = await Harness.open({ ...Object(WARM_UP), exptime: 300 });
  harness.cache('warm').put('k', 'value', 7);
  const reply = await harness.ask(Operation.metaGet, 'k', { metaFlags: 'v f t c' });
  const added = harness.cache('cold').items.get('k');
  assert.equal(reply.value.toString(), 'value');
  assert.equal(reply.metaFlags.toString(), `f7 t300 c${added?.cas}`);
  harness.cache('warm').take();
  await harness.ask(Operation.metaGet, 'k', { metaFlags: 'v' });
  assert.deepEqual(harness.cache('warm').take(), [], 'cold has it now');
});

test('mg in base64 looks into warm and adds nothing, since an add would be of another key', async () => {
  await using harness = await Harness.open(WARM_UP);
  harness.cache('warm').put('a2V5', 'value');
  const reply = await harness.ask(Operation.metaGet, 'a2V5', { metaFlags: 'v b' });
  assert.equal(reply.value.toString(), 'value');
  assert.equal(harness.cache('cold').value('a2V5'), undefined);
});

for (const dialect of [Dialect.larder, Dialect.memcached]) {
  test(`mg with N on ${dialect}: what warm has needs no lease, what it has not keeps the lease`, async () => {
    await using harness = await Harness.open(WARM_UP);
    const cold = harness.cache('cold');
    cold.dialect = dialect;
    harness.cache('warm').put('k', 'value');
    const ask = (key: string): Promise<Reply> =>
      harness.ask(Operation.metaGet, key, { metaFlags: 'v f c t N30' });
    const reply = await ask('k');
    assert.equal(reply.value.toString(), 'value');
    assert.doesNotMatch(reply.metaFlags.toString(), /[WZ]/);
    assert.equal(cold.value('k'), 'value');
    const missed = await ask('nowhere');
    assert.match(missed.metaFlags.toString(), /W/);
    assert.match((await ask('nowhere')).metaFlags.toString(), /Z/);
    const cas = /c(\d+)/.exec(missed.metaFlags.toString())?.[1];
    const filled = await harness.ask(Operation.metaSet, 'nowhere', { metaFlags: `C${cas}`, value: 'db' });
    assert.equal(filled.result, Result.stored, 'the lease is as good as it was');
  });
}

test('mg with N: after a delete the lease stays, and warm does not fill', async () => {
  await using harness = await Harness.open(WARM_UP);
  harness.cache('warm').put('k', 'old');
  await harness.ask(Operation.metaDelete, 'k', { metaFlags: 'k O7' });
  const reply = await harness.ask(Operation.metaGet, 'k', { metaFlags: 'v c N30' });
  assert.match(reply.metaFlags.toString(), /W/);
  assert.equal(reply.value.length, 0);
  assert.equal(harness.cache('cold').value('k'), undefined);
});

test('everything else goes to cold only', async () => {
  await using harness = await Harness.open(WARM_UP);
  harness.cache('warm').put('k', 'value');
  for (const operation of [Operation.set, Operation.incr, Operation.touch, Operation.append]) {
    await harness.ask(operation, 'k');
  }
  assert.deepEqual(harness.cache('warm').take(), []);
});

test('deletes: a longer hold-off stays, md gets one where it can, plain memcached gets a plain delete', async () => {
  await using harness = await Harness.open(WARM_UP);
  const cold = harness.cache('cold');
  const holdOffs = (): number[] => cold.requests.splice(0).map((request) => request.holdOffSeconds);
  await harness.ask(Operation.delete, 'k', { holdOffSeconds: 30 });
  await harness.ask(Operation.metaDelete, 'k');
  for (const metaFlags of ['O5', 'k', 'q O5 k', 'I T30']) {
    const reply = await harness.ask(Operation.metaDelete, 'k', { metaFlags });
    assert.equal(
      reply.metaFlags.toString(),
      metaFlags === 'q O5 k' ? 'O5 kk' : ({ O5: 'O5', k: 'kk' }[metaFlags] ?? ''),
    );
  }
  await harness.ask(Operation.metaDelete, 'k', { metaFlags: 'C7' });
  assert.deepEqual(holdOffs(), [30, 2, 2, 2, 2, 2, 0]);
  cold.refusesHoldOff = true;
  cold.put('k', 'v');
  assert.equal((await harness.ask(Operation.delete, 'k')).result, Result.deleted);
  assert.deepEqual(holdOffs(), [2, 0]);
  await using none = await Harness.open({ ...Object(WARM_UP), hold_off: 0 });
  await none.ask(Operation.delete, 'k');
  assert.equal(none.cache('cold').requests[0]?.holdOffSeconds, 0);
});

test('an unreachable warm cluster makes misses, not errors', async () => {
  await using harness = await Harness.open(WARM_UP);
  harness.cache('warm').failure = Result.tko;
  assert.equal((await harness.ask(Operation.get, 'k')).result, Result.miss);
  harness.cache('cold').failure = Result.timeout;
  assert.equal((await harness.ask(Operation.get, 'k')).result, Result.timeout, 'cold itself fails');
});

/** A window of gets of which this share hits in cold. */
async function windowOf(harness: Harness, hitShare: number): Promise<void> {
  const cold = harness.cache('cold');
  for (let index = 0; index < 100; index++) {
    if (index === 99) harness.clock.advance(1000);
    cold.intercept = () => (index < hitShare * 100 ? Reply.hit(Buffer.from('v')) : new Reply(Result.miss));
    await harness.ask(Operation.get, `k${index}`);
  }
}

test('warm-up ends by itself when the hit rate has settled, and says so', async () => {
  const settle = { window_ms: 1000, windows: 3, min_requests: 100, tolerance: 0.01 };
  await using harness = await Harness.open({ ...Object(WARM_UP), settle });
  const warm = harness.cache('warm');
  const request = harness.request(Operation.get, 'k');
  for (const hitShare of [0.1, 0.4, 0.4, 0.6, 0.75, 0.74, 0.75]) {
    await windowOf(harness, hitShare);
    assert.deepEqual(harness.notices, [], `at ${hitShare}`);
  }
  assert.equal(harness.routing.direct(request), undefined);
  await windowOf(harness, 0.75);
  assert.match(harness.notices.join(), /settled at 75\.0%; warm-up is off/);
  warm.take();
  await windowOf(harness, 0.2);
  assert.deepEqual(warm.take(), []);
  assert.equal(harness.routing.direct(request), harness.cache('cold'), 'and costs nothing any more');
});

test('warm-up that keeps rising, or is told not to end, goes on', async () => {
  const settings = { window_ms: 1000, windows: 2, min_requests: 100, tolerance: 0.01 };
  for (const [settle, shares] of [
    [settings, [0.1, 0.1, 0.15, 0.15, 0.2, 0.2, 0.3]],
    [false, [0.5, 0.5, 0.5, 0.5, 0.5]],
  ] as const) {
    await using harness = await Harness.open({ ...Object(WARM_UP), settle });
    for (const hitShare of shares) await windowOf(harness, hitShare);
    harness.cache('warm').take();
    await windowOf(harness, 0);
    assert.ok(harness.cache('warm').take().length > 0);
  }
});

test('SlowWarmUp spares a cold target, by its hit rate', async () => {
  await using harness = await Harness.open({
    type: 'SlowWarmUpRoute',
    target: 'Fake|target',
    failoverRoute: 'Fake|other',
    settings: { enable_threshold: 0.5, disable_threshold: 0.8, start: 0.1, step: 0.5, min_requests: 10 },
  });
  const target = harness.cache('target');
  const other = harness.cache('other');
  const ask = async (chance: number): Promise<string> => {
    harness.chances = [chance];
    const { destination } = await harness.ask(Operation.get, 'k');
    return destination?.label ?? '';
  };
  for (let turn = 0; turn < 10; turn++) assert.equal(await ask(0.99), 'target', 'not enough is known');
  assert.equal(await ask(0.05), 'target', 'a tenth while nothing hits');
  assert.equal(await ask(0.11), 'other');
  assert.equal((await harness.ask(Operation.set, 'k', { value: 'v' })).destination, target, 'stores always');
  target.take();
  for (let turn = 0; turn < 11; turn++) await ask(0.05);
  assert.equal(await ask(0.3), 'target', 'half hits now: 0.1 + 0.5 x 0.5');
  assert.equal(await ask(0.4), 'other');
  for (let turn = 0; turn < 60; turn++) await ask(0);
  assert.equal(await ask(0.99), 'target', 'warm again');
  assert.ok(other.take().length > 0);
});

test('warm-up tells what it expected', async () => {
  const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ type: 'WarmUpRoute', cold: 'NullRoute' }, /warm/],
    [{ type: 'WarmUpRoute', cold: 'NullRoute', warm: 'NullRoute', hold_off: -1 }, /hold_off/],
    [{ type: 'WarmUpRoute', cold: 'NullRoute', warm: 'NullRoute', settle: { windows: 0 } }, /settle/],
    [
      {
        type: 'SlowWarmUpRoute',
        target: 'NullRoute',
        failoverRoute: 'NullRoute',
        settings: { enable_threshold: 0.9, disable_threshold: 0.5 },
      },
      /disable_threshold above the enable_threshold/,
    ],
  ];
  for (const [route, message] of wrong) await assert.rejects(Harness.open(route), message);
});
