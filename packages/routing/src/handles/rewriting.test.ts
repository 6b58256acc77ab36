/** ModifyKey, ModifyExptime, and the handles at the ends: Null, DevNull, Error, Logging. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Result } from '../reply.ts';
import { Operation, Request } from '../request.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { DevNullCount, DevNullRoute } from './dev-null-route.ts';
import { ModifyKeyRoute } from './modify-key-route.ts';
import { FakeCache } from './testing/fake-cache.ts';
import { Harness } from './testing/harness.ts';

/** The key, with its routing prefix, that a ModifyKeyRoute makes of this one. */
async function modified(
  change: Partial<ConstructorParameters<typeof ModifyKeyRoute>[1]>,
  key: string,
  prefixBytes = 0,
): Promise<string> {
  const cache = new FakeCache('a', new FakeClock());
  const route = new ModifyKeyRoute(cache, {
    routingPrefix: undefined,
    keyPrefix: '',
    replaced: undefined,
    inPlace: false,
    ...change,
  });
  const request = Request.of(Operation.get, key);
  request.takePrefix(prefixBytes);
  const reply = await route.route(request);
  const [sent] = cache.requests;
  return sent === undefined ? reply.message : sent.routingPrefix + sent.keyText;
}

test("ModifyKey: mcrouter's examples", async () => {
  const change = { routingPrefix: '/a/b/', keyPrefix: 'foo' };
  assert.equal(await modified(change, '/a/b/a', 5), '/a/b/fooa');
  assert.equal(await modified(change, 'foo'), '/a/b/foo');
  assert.equal(await modified(change, '/b/c/o', 5), '/a/b/fooo');
});

test('ModifyKey: prefixes are ensured, replaced, overwritten, taken away', async () => {
  assert.equal(await modified({ keyPrefix: 'p:' }, 'p:k'), 'p:k');
  assert.equal(await modified({ keyPrefix: 'p:' }, '/r/c/k', 5), '/r/c/p:k');
  assert.equal(await modified({ keyPrefix: 'new:', replaced: 'old:' }, 'old:k'), 'new:k');
  assert.equal(await modified({ keyPrefix: 'new:', replaced: 'old:' }, 'k'), 'new:k');
  assert.equal(await modified({ keyPrefix: '', replaced: 'old:' }, 'old:k'), 'k');
  assert.equal(await modified({ keyPrefix: 'abc', inPlace: true }, 'xyzk'), 'abck');
  assert.equal(await modified({ keyPrefix: 'abc', inPlace: true }, 'xy'), 'abcxy');
  assert.equal(await modified({ routingPrefix: '' }, '/r/c/k', 5), 'k');
  assert.equal(await modified({ keyPrefix: 'é' }, 'k|#|s'), 'ék|#|s');
});

test('ModifyKey refuses keys that are none', async () => {
  assert.match(await modified({ keyPrefix: 'p' }, 'k'.repeat(250)), /251 bytes/);
  assert.match(await modified({ keyPrefix: '', replaced: 'all' }, 'all'), /0 bytes/);
});

test('ModifyExptime sets or cuts, for every operation that has an expiry time', async () => {
  const exptimes = async (route: Record<string, unknown>): Promise<(number | string)[]> => {
    await using harness = await Harness.open({ type: 'ModifyExptimeRoute', target: 'Fake|a', ...route });
    const seen: (number | string)[] = [];
    for (const operation of [Operation.set, Operation.leaseSet, Operation.touch, Operation.gat]) {
      await harness.ask(operation, 'k', { exptime: 500 });
    }
    await harness.ask(Operation.set, 'k', { exptime: 5 });
    await harness.ask(Operation.set, 'k', { exptime: 0 });
    await harness.ask(Operation.set, 'k', { exptime: -1 });
    await harness.ask(Operation.delete, 'k', { exptime: 500 });
    for (const request of harness.cache('a').requests.splice(0)) seen.push(request.exptime);
    await harness.ask(Operation.metaSet, 'k', { metaFlags: 'T500 F1' });
    await harness.ask(Operation.metaSet, 'k', { metaFlags: 'F1' });
    await harness.ask(Operation.metaGet, 'k', { metaFlags: 'v N500' });
    await harness.ask(Operation.metaArithmetic, 'k', { metaFlags: 'N500 T5' });
    await harness.ask(Operation.metaDelete, 'k', { metaFlags: 'I T500' });
    for (const request of harness.cache('a').requests) seen.push(request.metaFlags.toString());
    return seen;
  };
  assert.deepEqual(await exptimes({ exptime: 100 }), [
    ...[100, 100, 100, 100, 100, 100, 100, 500],
    ...['T100 F1', 'F1 T100', 'v N100', 'N100 T100', 'I T500'],
  ]);
  assert.deepEqual(await exptimes({ exptime: 100, action: 'min' }), [
    ...[100, 100, 100, 100, 5, 100, -1, 500],
    ...['T100 F1', 'F1 T100', 'v N100', 'N100 T5', 'I T500'],
  ]);
});

test('Null and DevNull answer as an empty cache; DevNull counts', async () => {
  for (const route of ['NullRoute', 'DevNullRoute']) {
    await using harness = await Harness.open(route);
    const expected: readonly (readonly [Operation, Result])[] = [
      [Operation.get, Result.miss],
      [Operation.metaGet, Result.miss],
      [Operation.set, Result.notStored],
      [Operation.metaSet, Result.notStored],
      [Operation.delete, Result.miss],
      [Operation.incr, Result.miss],
      [Operation.touch, Result.miss],
    ];
    for (const [operation, result] of expected) {
      assert.equal((await harness.ask(operation, 'k')).result, result);
    }
  }
  const devNull = new DevNullRoute(new DevNullCount());
  await devNull.route(Request.of(Operation.get, 'k'));
  assert.equal(devNull.count.requests, 1);
});

test('Error answers with an error and its text', async () => {
  await using harness = await Harness.open('ErrorRoute|out of order');
  const reply = await harness.ask(Operation.get, 'k');
  assert.deepEqual([reply.result, reply.message], [Result.localError, 'out of order']);
  await using plain = await Harness.open({ type: 'ErrorRoute' });
  assert.equal((await plain.ask(Operation.get, 'k')).result, Result.localError);
});

test('Logging tells of every request and its reply', async () => {
  await using harness = await Harness.open('LoggingRoute|FakeRoute|a');
  harness.cache('a').put('k', 'value');
  assert.equal((await harness.ask(Operation.get, 'k', { clientId: '10.0.0.1' })).value.toString(), 'value');
  harness.cache('a').failure = Result.timeout;
  await harness.ask(Operation.delete, 'k');
  assert.deepEqual(harness.notices, [
    'request get key=k result=hit value_bytes=5 client=10.0.0.1',
    'request delete key=k result=timeout value_bytes=0 client=N/A',
  ]);
});

test('rewriting tells what it expected', async () => {
  const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [
      { type: 'ModifyKeyRoute', target: 'NullRoute', set_routing_prefix: 'a/b' },
      /set_routing_prefix.*\/region\/cluster\//s,
    ],
    [{ type: 'ModifyKeyRoute', target: 'NullRoute', ensure_key_prefix: 'a b' }, /ensure_key_prefix/],
    [
      { type: 'ModifyKeyRoute', target: 'NullRoute', replace_key_prefix: 'a', modify_inplace: true },
      /only one of replace_key_prefix and modify_inplace/,
    ],
    [{ type: 'ModifyExptimeRoute', target: 'NullRoute', exptime: 1, action: 'max' }, /action/],
    [{ type: 'ModifyExptimeRoute', target: 'NullRoute', exptime: -1, action: 'min' }, /number of seconds/],
  ];
  for (const [route, message] of wrong) await assert.rejects(Harness.open(route), message);
});
