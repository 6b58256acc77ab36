/** Failover, the gutter, MissFailover and Latest: who is asked next, after what, and with what answer. */
import { strict as assert } from 'node:assert';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DestinationState } from '../destination/destination.ts';
import type { RouteJson } from '../registry.ts';
import { RESULT_NAMES, type Reply, Result } from '../reply.ts';
import { Operation } from '../request.ts';
import { settle } from '../testing/fake-clock.ts';
import { Harness } from './testing/harness.ts';

const THREE: readonly string[] = ['Fake|a', 'Fake|b', 'Fake|c'];

function asked(harness: Harness, ...names: readonly string[]): string {
  return names.filter((name) => harness.cache(name).take().length > 0).join('');
}

test("Failover goes on after every error but a request's own fault", async () => {
  await using harness = await Harness.open({ type: 'FailoverRoute', children: THREE });
  harness.cache('b').put('k', 'from b');
  for (const result of Object.values(Result)) {
    harness.cache('a').failure = result;
    const reply = await harness.ask(Operation.get, 'k');
    const isFailover = result >= Result.serverError;
    assert.equal(reply.result, isFailover ? Result.hit : result, RESULT_NAMES[result]);
    assert.equal(asked(harness, 'a', 'b', 'c'), isFailover ? 'ab' : 'a');
  }
});

test('Failover answers with the last reply when all fail', async () => {
  await using harness = await Harness.open({ type: 'FailoverRoute', children: THREE });
  harness.cache('a').failure = Result.tko;
  harness.cache('b').failure = Result.timeout;
  harness.cache('c').failure = Result.busy;
  assert.equal((await harness.ask(Operation.set, 'k', { value: 'v' })).result, Result.busy);
  assert.equal(asked(harness, 'a', 'b', 'c'), 'abc');
});

test('failover_errors says which errors count, for everything or by operation', async () => {
  await using harness = await Harness.open({
    type: 'FailoverRoute',
    children: ['Fake|a', 'Fake|b'],
    failover_errors: { gets: ['tko', 'connect_timeout'], updates: ['remote_error'] },
  });
  const goesOn = async (failure: Result, operation: Operation): Promise<boolean> => {
    harness.cache('a').failure = failure;
    await harness.ask(operation, 'k');
    return asked(harness, 'a', 'b') === 'ab';
  };
  assert.equal(await goesOn(Result.tko, Operation.get), true);
  assert.equal(await goesOn(Result.connectTimeout, Operation.metaGet), true);
  assert.equal(await goesOn(Result.timeout, Operation.get), false);
  assert.equal(await goesOn(Result.serverError, Operation.set), true);
  assert.equal(await goesOn(Result.serverError, Operation.incr), true);
  assert.equal(await goesOn(Result.timeout, Operation.set), false);
  assert.equal(await goesOn(Result.timeout, Operation.delete), true, 'deletes keep the default');
  await using list = await Harness.open({
    type: 'FailoverRoute',
    children: ['Fake|a', 'Fake|b'],
    failover_errors: ['client_error'],
  });
  list.cache('a').failure = Result.clientError;
  await list.ask(Operation.delete, 'k');
  assert.equal(asked(list, 'a', 'b'), 'ab');
});

test('failover_limit lets only a share of the requests fail over, after a burst', async () => {
  await using harness = await Harness.open({
    type: 'FailoverRoute',
    children: ['Fake|a', 'Fake|b'],
    failover_limit: { rate: 0.1, burst: 5 },
  });
  harness.cache('a').failure = Result.timeout;
  let failovers = 0;
  for (let request = 0; request < 100; request++) {
    const { result } = await harness.ask(Operation.get, 'k');
    if (result === Result.miss) failovers++;
  }
  assert.ok(failovers >= 14 && failovers <= 15, `${failovers}`);
  assert.equal(harness.cache('b').requests.length, failovers);
});

test('LeastFailuresPolicy asks the first child, then those with fewest errors in a row', async () => {
  await using harness = await Harness.open({
    type: 'FailoverRoute',
    children: ['Fake|a', 'Fake|b', 'Fake|c', 'Fake|d'],
    failover_policy: { type: 'LeastFailuresPolicy', max_tries: 2 },
  });
  for (const name of ['a', 'b']) harness.cache(name).failure = Result.timeout;
  await harness.ask(Operation.get, 'k');
  assert.equal(asked(harness, 'a', 'b', 'c', 'd'), 'ab', 'two tries');
  assert.equal((await harness.ask(Operation.get, 'k')).result, Result.miss);
  assert.equal(asked(harness, 'a', 'b', 'c', 'd'), 'ac', 'b has failed once');
});

test('a lease-set goes to the child that gave the token', async () => {
  await using harness = await Harness.open({ type: 'FailoverRoute', children: ['Fake|a', 'Fake|b'] });
  harness.cache('a').failure = Result.tko;
  const lease = await harness.ask(Operation.leaseGet, 'k');
  assert.equal(lease.result, Result.miss);
  harness.cache('a').failure = undefined;
  const stored = await harness.ask(Operation.leaseSet, 'k', { token: lease.token, value: 'v' });
  assert.equal(stored.result, Result.stored);
  assert.equal(harness.cache('b').value('k'), 'v');
  const again = await harness.ask(Operation.leaseSet, 'k', { token: lease.token, value: 'w' });
  assert.equal(again.destination, harness.cache('a'), 'a token is used once');
});

test('what a token of a gutter fills goes to the gutter, whatever the first child answers by now', async () => {
  await using harness = await Harness.open({
    type: 'FailoverWithExptimeRoute',
    normal: 'Fake|a',
    failover: ['Fake|b', 'Fake|c'],
    failover_exptime: 7,
  });
  harness.cache('a').failure = Result.timeout;
  const { issuer } = await harness.ask(Operation.metaGet, 'k');
  for (const failure of [Result.timeout, undefined]) {
    harness.cache('a').failure = failure;
    asked(harness, 'a', 'b', 'c');
    const fill = harness.request(Operation.metaSet, 'k', { value: 'v', metaFlags: 'T300' });
    assert.equal((await harness.routing.route(Object.assign(fill, { issuer }))).result, Result.stored);
    assert.equal(asked(harness, 'a', 'b', 'c'), 'b');
    assert.equal(harness.cache('b').items.get('k')?.exptime, 7, 'a gutter keeps it for a short time only');
  }
});

test('failover_tag marks the key behind its hash stop, for the failover only', async () => {
  await using harness = await Harness.open({
    type: 'FailoverRoute',
    children: ['Fake|a', 'Fake|b'],
    failover_tag: true,
  });
  harness.cache('a').failure = Result.timeout;
  await harness.ask(Operation.get, 'k|#|x');
  await harness.ask(Operation.get, 'k');
  assert.deepEqual(harness.cache('a').take(), ['k|#|x', 'k']);
  assert.deepEqual(harness.cache('b').take(), ['k|#|x:failover=1', 'k']);
});

const GUTTER: RouteJson = {
  type: 'FailoverWithExptimeRoute',
  normal: 'Fake|normal',
  failover: ['Fake|gutter'],
};

test('the gutter takes over for a failed server, and what it stores expires soon', async () => {
  await using harness = await Harness.open(GUTTER);
  harness.cache('normal').failure = Result.tko;
  const stored = async (exptime: number): Promise<number | undefined> => {
    await harness.ask(Operation.set, 'k', { value: 'v', exptime });
    return harness.cache('gutter').items.get('k')?.exptime;
  };
  assert.equal(await stored(0), 60);
  assert.equal(await stored(10), 10);
  assert.equal(await stored(600), 60);
  const unix = Math.floor(harness.clock.wallNow() / 1000);
  assert.equal(await stored(60 * 60 * 24 * 31 + unix), 60, 'a Unix time far away');
  assert.equal((await harness.ask(Operation.get, 'k')).value.toString(), 'v');
  await harness.ask(Operation.metaSet, 'm', { value: 'v', metaFlags: 'T900 F3' });
  assert.deepEqual(
    [harness.cache('gutter').items.get('m')?.exptime, harness.cache('gutter').items.get('m')?.flags],
    [60, 3],
  );
  harness.cache('normal').failure = undefined;
  await harness.ask(Operation.set, 'k', { value: 'v', exptime: 600 });
  assert.equal(harness.cache('normal').items.get('k')?.exptime, 600, 'only in the gutter');
});

test('failover_exptime is the cap, and 0 is none', async () => {
  for (const [seconds, expected] of [
    [5, 5],
    [0, 600],
  ] as const) {
    await using harness = await Harness.open({ ...Object(GUTTER), failover_exptime: seconds });
    harness.cache('normal').failure = Result.tko;
    await harness.ask(Operation.set, 'k', { value: 'v', exptime: 600 });
    assert.equal(harness.cache('gutter').items.get('k')?.exptime, expected);
  }
});

test('a delete for a failed server goes to the gutter, and to the spool for the failed one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-gutter-'));
  try {
    await using harness = await Harness.open(
      {
        type: 'FailoverWithExptimeRoute',
        normal: {
          type: 'AsynclogRoute',
          target: { type: 'AllSyncRoute', children: ['Fake|other', 'Fake|normal'] },
        },
        failover: ['Fake|gutter'],
      },
      { spoolFolder: folder },
    );
    const normal = harness.cache('normal');
    normal.put('k', 'stale');
    normal.failure = Result.tko;
    normal.setState(DestinationState.tko);
    harness.cache('gutter').put('k', 'stale');
    const reply = await harness.ask(Operation.delete, 'k');
    assert.equal(harness.cache('gutter').value('k'), undefined, 'the gutter forgets it');
    assert.equal(readdirSync(join(folder, 'normal')).length, 1, 'it is on the disk');
    assert.ok(
      [Result.deleted, Result.miss].some((each) => each === reply.result),
      RESULT_NAMES[reply.result],
    );
    normal.failure = undefined;
    normal.setState(DestinationState.up);
    await settle();
    assert.equal(normal.value('k'), undefined, 'delivered when it is back');
    assert.deepEqual(readdirSync(join(folder, 'normal')), []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a spooled delete is answered as not found, also where the gutter fails too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-gutter-'));
  try {
    await using harness = await Harness.open(
      {
        type: 'FailoverWithExptimeRoute',
        normal: 'AsynclogRoute|AllSyncRoute|FakeRoute|normal',
        failover: ['Fake|gutter'],
      },
      { spoolFolder: folder },
    );
    harness.cache('normal').failure = Result.timeout;
    harness.cache('gutter').failure = Result.timeout;
    assert.equal((await harness.ask(Operation.delete, 'k')).result, Result.miss);
    assert.equal((await harness.ask(Operation.get, 'k')).result, Result.timeout, 'only deletes are spooled');
    harness.cache('normal').failure = Result.clientError;
    assert.equal((await harness.ask(Operation.delete, 'k')).result, Result.clientError, 'never delivered');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('in front of a gutter a delete that could not be spooled stays failed, though the gutter forgets too', async () => {
  await using harness = await Harness.open(GUTTER);
  harness.cache('normal').failure = Result.timeout;
  harness.cache('gutter').put('k', 'stale');
  assert.equal((await harness.ask(Operation.delete, 'k')).result, Result.timeout);
  assert.equal(harness.cache('gutter').value('k'), undefined);
  await using plain = await Harness.open({ type: 'FailoverRoute', children: ['Fake|normal', 'Fake|other'] });
  plain.cache('normal').failure = Result.timeout;
  assert.equal((await plain.ask(Operation.delete, 'k')).result, Result.miss, 'as mcrouter');
});

test('without a spool folder the operator is told, and failed deletes stay failures', async () => {
  await using harness = await Harness.open('AsynclogRoute|AllSyncRoute|FakeRoute|a');
  assert.match(harness.notices.join(), /not spooled, since no spool folder/);
  harness.cache('a').failure = Result.timeout;
  assert.equal((await harness.ask(Operation.delete, 'k')).result, Result.timeout);
});

test('MissFailover goes on after misses and errors, for gets and deletes', async () => {
  await using harness = await Harness.open({ type: 'MissFailoverRoute', children: THREE });
  harness.cache('c').put('k', 'c');
  harness.cache('a').failure = Result.timeout;
  assert.equal((await harness.ask(Operation.get, 'k')).value.toString(), 'c');
  assert.equal((await harness.ask(Operation.delete, 'k')).result, Result.deleted);
  harness.cache('a').failure = undefined;
  asked(harness, 'a', 'b', 'c');
  await harness.ask(Operation.set, 'k', { value: 'v' });
  assert.equal(asked(harness, 'a', 'b', 'c'), 'a', 'stores go to the first only');
});

test('MissFailover: a lease of the first child is no hit, and the others give none', async () => {
  await using harness = await Harness.open({ type: 'MissFailoverRoute', children: THREE });
  const ask = (key: string): Promise<Reply> => harness.ask(Operation.metaGet, key, { metaFlags: 'v c N30' });
  harness.cache('c').put('k', 'value');
  for (let count = 0; count < 2; count++) assert.equal((await ask('k')).value.toString(), 'value');
  assert.match((await ask('nowhere')).metaFlags.toString(), /W/);
  const again = await ask('nowhere');
  assert.match(again.metaFlags.toString(), /Z/);
  assert.equal(again.destination?.label, 'a');
});

test('MissFailover answers with the last reply, or the best one if asked to', async () => {
  for (const [isBest, expected] of [
    [false, Result.timeout],
    [true, Result.miss],
  ] as const) {
    await using harness = await Harness.open({
      type: 'MissFailoverRoute',
      children: THREE,
      return_best_on_error: isBest,
    });
    harness.cache('a').failure = Result.busy;
    harness.cache('c').failure = Result.timeout;
    assert.equal((await harness.ask(Operation.get, 'k')).result, expected);
  }
});

test('Latest: a client stays with its child and fails over within its own few', async () => {
  const children = Array.from({ length: 20 }, (_, index) => `Fake|${index}`);
  const firsts = new Set<string>();
  for (const salt of ['a', 'b', 'c', 'd', 'e']) {
    await using harness = await Harness.open({ type: 'LatestRoute', children, salt, failover_count: 3 });
    const first = (await harness.ask(Operation.get, 'k')).destination?.label ?? '';
    assert.equal((await harness.ask(Operation.get, 'other')).destination?.label, first);
    firsts.add(first);
    const order: string[] = [];
    for (let turn = 0; turn < 5; turn++) {
      const { destination } = await harness.ask(Operation.get, 'k');
      order.push(destination?.label ?? '');
      harness.cache(destination?.label ?? '').failure = Result.tko;
    }
    assert.equal(new Set(order).size, 3, 'three in all');
  }
  assert.ok(firsts.size > 1, 'the salt changes the order');
});

test('Latest: clients start at different children, each at its own again and again', async () => {
  const children = Array.from({ length: 10 }, (_, index) => `Fake|${index}`);
  const firstOf = async (clientId: string): Promise<string> => {
    await using harness = await Harness.open({ type: 'LatestRoute', children }, { clientId });
    return (await harness.ask(Operation.get, 'k')).destination?.label ?? '';
  };
  const clients = Array.from({ length: 60 }, (_, index) => `10.0.0.${index}`);
  const firsts: string[] = [];
  for (const client of clients) firsts.push(await firstOf(client));
  assert.equal(new Set(firsts).size, 10, 'every child is the first of some client');
  assert.equal(await firstOf(clients[7]!), firsts[7]);
});

test('Latest as a hash function, with weights', async () => {
  await using harness = await Harness.open({
    type: 'HashRoute',
    hash_func: 'Latest',
    children: THREE,
    weights: [0, 0, 1],
  });
  assert.equal((await harness.ask(Operation.get, 'k')).destination?.label, 'c');
});

test('failover tells what it expected', async () => {
  const children = ['NullRoute', 'NullRoute'];
  const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ type: 'FailoverRoute', children, failover_errors: ['oops'] }, /failover_errors\[0\].*"tko"/s],
    [{ type: 'FailoverRoute', children, failover_policy: { type: 'Best' } }, /failover_policy/],
    [{ type: 'FailoverRoute', children, failover_limit: {} }, /rate/],
    [{ type: 'FailoverWithExptimeRoute', failover: children }, /normal/],
    [{ type: 'HashRoute', hash_func: 'Latest', children, failover_count: 0 }, /failover_count/],
  ];
  for (const [route, message] of wrong) await assert.rejects(Harness.open(route), message);
});

test('mcrouter\u2019s older settings of a gutter: by the kind of error and of operation', async () => {
  await using harness = await Harness.open({
    type: 'FailoverWithExptimeRoute',
    normal: 'Fake|a',
    failover: ['Fake|b'],
    settings: { tko: { deletes: true, updates: false }, connectTimeout: false, dataTimeout: true },
  });
  const went = async (result: Result, operation: Operation): Promise<string> => {
    harness.cache('a').failure = result;
    await harness.ask(operation, 'k', { value: 'v' });
    return asked(harness, 'a', 'b');
  };
  const { get, set, delete: remove } = Operation;
  const table = [Result.tko, Result.busy, Result.connectTimeout, Result.timeout, Result.shutdown];
  const rows: string[] = [];
  for (const result of table) {
    const row: string[] = [];
    for (const operation of [get, set, remove]) row.push(await went(result, operation));
    rows.push(`${RESULT_NAMES[result]} ${row.join(' ')}`);
  }
  assert.deepEqual(rows, [
    'tko ab a ab',
    'busy ab a ab',
    'connect_timeout a a a',
    'timeout ab ab ab',
    // Deletes do not fail over unless they are said to.
    'shutdown ab ab a',
  ]);
});
