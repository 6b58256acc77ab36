/** The All* handles: whom they ask, when they answer, and with what. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Result } from '../reply.ts';
import { Operation } from '../request.ts';
import { settle } from '../testing/fake-clock.ts';
import { Harness } from './testing/harness.ts';

const THREE: readonly string[] = ['Fake|a', 'Fake|b', 'Fake|c'];
const NAMES: readonly string[] = ['a', 'b', 'c'];

/** Whether the promise has been fulfilled by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await settle();
  return done;
}

test('AllSync asks all at once and answers with the worst, only when all have', async () => {
  await using harness = await Harness.open({ type: 'AllSyncRoute', children: THREE });
  harness.cache('a').put('k', '1');
  harness.cache('b').isHeld = true;
  harness.cache('c').failure = Result.tko;
  const reply = harness.ask(Operation.delete, 'k');
  assert.equal(await isDone(reply), false);
  harness.cache('b').release();
  assert.equal((await reply).result, Result.tko);
  for (const name of NAMES) assert.deepEqual(harness.cache(name).take(), ['k']);
  harness.cache('c').failure = undefined;
  harness.cache('b').isHeld = false;
  harness.cache('a').put('k', '1');
  assert.equal((await harness.ask(Operation.delete, 'k')).result, Result.miss, 'a miss is worse than a hit');
});

test('AllAsync answers as an empty cache, at once, and its value is its own', async () => {
  await using harness = await Harness.open({ type: 'AllAsyncRoute', children: THREE });
  for (const name of NAMES) harness.cache(name).isHeld = true;
  const request = harness.request(Operation.set, 'k', { value: 'abc' });
  assert.equal((await harness.routing.route(request)).result, Result.notStored);
  assert.equal((await harness.ask(Operation.get, 'k')).result, Result.miss);
  request.value.fill('x');
  assert.equal(harness.cache('c').requests[0]?.value.toString(), 'abc');
});

test('AllInitial answers with the first child, whatever the others do', async () => {
  await using harness = await Harness.open({ type: 'AllInitialRoute', children: THREE });
  harness.cache('a').put('k', 'first');
  harness.cache('b').isHeld = true;
  harness.cache('c').failure = Result.timeout;
  assert.equal((await harness.ask(Operation.get, 'k')).value.toString(), 'first');
  for (const name of NAMES) assert.deepEqual(harness.cache(name).take(), ['k']);
});

test('AllFastest answers with the first reply that is no error, or the last error', async () => {
  await using harness = await Harness.open({ type: 'AllFastestRoute', children: THREE });
  for (const name of NAMES) harness.cache(name).isHeld = true;
  harness.cache('a').failure = Result.timeout;
  harness.cache('b').put('k', 'b');
  const reply = harness.ask(Operation.get, 'k');
  await settle();
  harness.cache('a').release();
  assert.equal(await isDone(reply), false, 'an error is no answer while others may come');
  harness.cache('b').release();
  assert.equal((await reply).value.toString(), 'b');
  for (const name of NAMES) {
    harness.cache(name).isHeld = false;
    harness.cache(name).failure = name === 'c' ? Result.busy : Result.timeout;
  }
  assert.equal((await harness.ask(Operation.get, 'k')).result, Result.busy);
});

test('AllMajority answers as soon as more than half agree', async () => {
  await using harness = await Harness.open({ type: 'AllMajorityRoute', children: THREE });
  for (const name of NAMES) harness.cache(name).put('k', name);
  harness.cache('c').isHeld = true;
  assert.equal((await harness.ask(Operation.delete, 'k')).result, Result.deleted);
});

test('AllMajority without one answers with the most common result, of equals the worse', async () => {
  await using harness = await Harness.open({ type: 'AllMajorityRoute', children: THREE });
  harness.cache('a').put('k', 'a');
  harness.cache('b').failure = Result.timeout;
  assert.equal((await harness.ask(Operation.delete, 'k')).result, Result.timeout);
});

for (const type of ['AllFastestRoute', 'AllMajorityRoute']) {
  test(`${type}: a lease is taken from one child, the first that answers, and filled there`, async () => {
    await using harness = await Harness.open({ type, children: THREE });
    const asked = (): string => NAMES.filter((name) => harness.cache(name).take().length > 0).join('');
    for (const [failure, expected] of [
      [undefined, 'a'],
      [Result.tko, 'ab'],
    ] as const) {
      harness.cache('a').failure = failure;
      const lease = await harness.ask(Operation.metaGet, 'k', { metaFlags: 'v c N30' });
      assert.equal(asked(), expected);
      const { issuer } = lease;
      harness.cache('a').failure = undefined;
      const fill = Object.assign(harness.request(Operation.metaSet, 'k', { value: 'v' }), { issuer });
      assert.equal((await harness.routing.route(fill)).result, Result.stored);
      assert.equal(asked(), expected.at(-1));
      harness.cache('a').failure = failure;
      const { token } = await harness.ask(Operation.leaseGet, 'other');
      const stored = await harness.ask(Operation.leaseSet, 'other', { token, value: 'w' });
      assert.equal(stored.destination, harness.cache(expected.at(-1)!));
      assert.equal(asked(), expected);
    }
    harness.cache('a').failure = undefined;
    await harness.ask(Operation.metaGet, 'k', { metaFlags: 'v' });
    assert.equal(asked(), 'abc', 'what is about no lease goes to all');
  });
}

test('one child is itself and no child is an empty cache', async () => {
  for (const type of [
    'AllSyncRoute',
    'AllInitialRoute',
    'AllFastestRoute',
    'AllMajorityRoute',
    'RandomRoute',
    'FailoverRoute',
    'MissFailoverRoute',
    'ReplicaByClientRoute',
    'HashRoute',
    'LatestRoute',
  ]) {
    await using one = await Harness.open({ type, children: ['Fake|a'] });
    assert.equal(one.routing.direct(one.request(Operation.get, 'k')), one.cache('a'), type);
    await using none = await Harness.open({ type, children: [] });
    assert.equal((await none.ask(Operation.get, 'k')).result, Result.miss, type);
  }
});

test('the short form stands for a single child', async () => {
  await using harness = await Harness.open('AllSyncRoute|AllInitialRoute|FakeRoute|a');
  harness.cache('a').put('k', 'v');
  assert.equal((await harness.ask(Operation.get, 'k')).value.toString(), 'v');
});
