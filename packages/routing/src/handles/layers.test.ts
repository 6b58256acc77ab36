/** L1L2Cache, KeySplit and Shadow. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Spooky32 } from '../hashes/spooky32.ts';
import { Reply, Result } from '../reply.ts';
import { Operation } from '../request.ts';
import { settle } from '../testing/fake-clock.ts';
import { Harness } from './testing/harness.ts';

test('L1L2Cache fills l1 from l2 in the background, with its own expiry time', async () => {
  await using harness = await Harness.open({
    type: 'L1L2CacheRoute',
    l1: 'Fake|l1',
    l2: 'Fake|l2',
    upgradingL1Exptime: 30,
  });
  harness.cache('l2').put('k', 'value', 4, 1000);
  const reply = await harness.ask(Operation.get, 'k');
  assert.deepEqual([reply.value.toString(), reply.flags], ['value', 4]);
  const filled = harness.cache('l1').items.get('k');
  assert.deepEqual([filled?.value.toString(), filled?.flags, filled?.exptime], ['value', 4, 30]);
  harness.cache('l2').take();
  await harness.ask(Operation.get, 'k');
  for (const operation of [Operation.set, Operation.delete, Operation.gets, Operation.leaseGet]) {
    await harness.ask(operation, 'x');
  }
  assert.deepEqual(harness.cache('l2').take(), [], 'only gets that miss in l1 reach l2');
});

test('L1L2Cache remembers misses, and asks l2 again every so many', async () => {
  await using harness = await Harness.open({
    type: 'L1L2CacheRoute',
    l1: 'Fake|l1',
    l2: 'Fake|l2',
    upgradingL1Exptime: 30,
    ncacheExptime: 20,
    ncacheUpdatePeriod: 3,
  });
  const { l1, l2 } = { l1: harness.cache('l1'), l2: harness.cache('l2') };
  assert.equal((await harness.ask(Operation.get, 'k')).result, Result.miss);
  assert.deepEqual(
    [l1.value('k'), l1.items.get('k')?.flags, l1.items.get('k')?.exptime],
    ['ncache', 0x10000, 20],
  );
  l2.take();
  l2.put('k', 'value');
  for (const expected of [0, 0, 1]) {
    assert.equal((await harness.ask(Operation.get, 'k')).result, Result.miss);
    assert.equal(l2.take().length, expected);
  }
  await settle();
  assert.equal((await harness.ask(Operation.get, 'k')).value.toString(), 'value');
});

test('L1L2Cache fills l1 for mg too, with N as well, and shows what l1 then has', async () => {
  await using harness = await Harness.open({
    type: 'L1L2CacheRoute',
    l1: 'Fake|l1',
    l2: 'Fake|l2',
    upgradingL1Exptime: 60,
  });
  harness.cache('l2').put('k', 'value', 3);
  for (const metaFlags of ['v f t', 'v f t c N30']) {
    harness.cache('l1').items.clear();
    const reply = await harness.ask(Operation.metaGet, 'k', { metaFlags });
    assert.equal(reply.value.toString(), 'value');
    assert.match(reply.metaFlags.toString(), /^f3 t60/);
    assert.equal(harness.cache('l1').value('k'), 'value');
  }
  const missed = await harness.ask(Operation.metaGet, 'nowhere', { metaFlags: 'v c N30' });
  assert.match(missed.metaFlags.toString(), /W/);
});

test('L1L2Cache without negative caching remembers no miss', async () => {
  await using harness = await Harness.open({
    type: 'L1L2CacheRoute',
    l1: 'Fake|l1',
    l2: 'Fake|l2',
    upgradingL1Exptime: 30,
  });
  await harness.ask(Operation.get, 'k');
  assert.equal(harness.cache('l1').items.size, 0);
});

const SPLIT: Record<string, unknown> = {
  type: 'KeySplitRoute',
  destination: 'Fake|a',
  replicas: 4,
  all_sync: false,
};

test('KeySplit: a client has one of the names, all names are used, deletes go to all', async () => {
  await using harness = await Harness.open(SPLIT);
  const cache = harness.cache('a');
  const names = new Set<string>();
  for (let client = 0; client < 60; client++) {
    await harness.ask(Operation.get, 'k', { clientId: `web${client}` });
    await harness.ask(Operation.set, 'k', { clientId: `web${client}`, value: 'v' });
    const [got, set] = cache.take();
    assert.equal(got, set);
    names.add(got ?? '');
  }
  assert.deepEqual([...names].sort(), ['k', 'k::1', 'k::2', 'k::3']);
  assert.equal((await harness.ask(Operation.delete, 'k', { clientId: 'web1' })).result, Result.deleted);
  assert.deepEqual(cache.take().sort(), ['k', 'k::1', 'k::2', 'k::3']);
  assert.equal(cache.items.size, 0);
});

test('KeySplit: all_sync stores everywhere, first_hit asks everywhere', async () => {
  await using synced = await Harness.open({ ...SPLIT, all_sync: true });
  await synced.ask(Operation.set, 'k', { value: 'v' });
  assert.equal(synced.cache('a').items.size, 4);
  await synced.ask(Operation.add, 'other', { value: 'v' });
  assert.equal(synced.cache('a').items.size, 5, 'only sets');
  await using first = await Harness.open({ ...SPLIT, first_hit: true });
  first.cache('a').put('k::2', 'here');
  assert.equal((await first.ask(Operation.get, 'k')).value.toString(), 'here');
  assert.equal((await first.ask(Operation.get, 'none')).result, Result.miss);
  assert.equal(first.cache('a').take().length, 8);
});

test('KeySplit leaves keys alone that have no room', async () => {
  await using harness = await Harness.open(SPLIT);
  const long = 'k'.repeat(247);
  await harness.ask(Operation.delete, long);
  assert.deepEqual(harness.cache('a').take(), [long]);
});

test('Shadow copies requests, and nobody waits for the copy or hears it', async () => {
  await using harness = await Harness.open({
    type: 'ShadowRoute',
    target: 'Fake|real',
    shadows: [{ target: 'Fake|shadow' }],
  });
  harness.cache('shadow').isHeld = true;
  harness.cache('shadow').failure = Result.timeout;
  const request = harness.request(Operation.set, 'k', { value: 'abc' });
  assert.equal((await harness.routing.route(request)).result, Result.stored);
  request.value.fill('x');
  assert.equal(harness.cache('shadow').requests[0]?.value.toString(), 'abc');
  assert.equal(harness.routing.direct(request), undefined);
});

test('Shadow takes the part of the keys that mcrouter would take', async () => {
  await using harness = await Harness.open({
    type: 'ShadowRoute',
    target: 'Fake|real',
    shadows: [{ target: 'Fake|shadow', key_fraction_range: [0.25, 0.5] }],
  });
  const spooky = new Spooky32();
  let shadowed = 0;
  for (let index = 0; index < 200; index++) {
    const key = Buffer.from(`key:${index}`);
    const share = spooky.hash(key, 0, key.length, 0) / 0xffffffff;
    await harness.ask(Operation.get, `key:${index}|#|tail`);
    const wanted = share >= 0.25 && share <= 0.5;
    assert.equal(harness.cache('shadow').take().length, wanted ? 1 : 0, `${share}`);
    if (wanted) shadowed++;
  }
  assert.ok(shadowed > 20 && shadowed < 80);
});

test('Shadow takes named keys, or a share of the requests', async () => {
  await using named = await Harness.open({
    type: 'ShadowRoute',
    target: 'Fake|real',
    shadows: [{ target: 'Fake|shadow', keys_to_shadow: ['a', 'b'] }],
  });
  for (const key of ['a', 'c', 'b|#|x', 'ab']) await named.ask(Operation.get, key);
  assert.deepEqual(named.cache('shadow').take(), ['a', 'b|#|x']);
  await using share = await Harness.open({
    type: 'ShadowRoute',
    target: 'Fake|real',
    shadows: [{ target: 'Fake|shadow', requests_fraction: 0.3 }],
  });
  share.chances = [0.29, 0.31];
  for (let turn = 0; turn < 6; turn++) await share.ask(Operation.get, 'k');
  assert.equal(share.cache('shadow').take().length, 3);
});

test('layers tell what they expected', async () => {
  const shadows = (shadow: Record<string, unknown>): Record<string, unknown> => ({
    type: 'ShadowRoute',
    target: 'NullRoute',
    shadows: [{ target: 'NullRoute', ...shadow }],
  });
  const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ ...SPLIT, replicas: 1 }, /replicas/],
    [{ ...SPLIT, replicas: 1001 }, /replicas/],
    [{ type: 'L1L2CacheRoute', l1: 'NullRoute', l2: 'NullRoute' }, /upgradingL1Exptime/],
    [shadows({ key_fraction_range: [0.5, 0.2] }), /shadows.*end is not before/s],
    [shadows({ keys_to_shadow: ['a'], index_range: [0, 1] }), /without ranges/],
    [shadows({ requests_fraction: 2 }), /requests_fraction/],
  ];
  for (const [route, message] of wrong) await assert.rejects(Harness.open(route), message);
});

test('a reply that a handle made is its own: the shadow cannot change it', async () => {
  await using harness = await Harness.open({
    type: 'ShadowRoute',
    target: 'Fake|real',
    shadows: [{ target: 'Fake|shadow' }],
  });
  harness.cache('real').intercept = () => Reply.hit(Buffer.from('real'));
  harness.cache('shadow').intercept = () => Reply.hit(Buffer.from('shadow'));
  assert.equal((await harness.ask(Operation.get, 'k')).value.toString(), 'real');
});
