/** Values in pieces: whole or not at all, whatever is missing, mixed or broken. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RouteJson } from '../registry.ts';
import { Reply, Result } from '../reply.ts';
import { Operation, type Request } from '../request.ts';
import { settle } from '../testing/fake-clock.ts';
import { parseInfo } from './big-value-info.ts';
import { Harness } from './testing/harness.ts';

const ROUTE: RouteJson = { type: 'BigValueRoute', target: 'Fake|a', threshold: 10, batch_size: 3 };
const BIG = `${'abcdefghij'.repeat(4)}xyz`;
const SEED = 20261121;

test('a big value is split, its head stored last, and comes back whole with its flags', async () => {
  await using harness = await Harness.open(ROUTE);
  const cache = harness.cache('a');
  harness.chances = [0.5];
  assert.equal(
    (await harness.ask(Operation.set, 'k', { value: BIG, flags: 5, exptime: 99 })).result,
    Result.stored,
  );
  const version = String(2 ** 51);
  assert.deepEqual(cache.take(), [...Array.from({ length: 5 }, (_, index) => `k:${index}:${version}`), 'k']);
  assert.equal(cache.value('k'), `1-5-${version}`);
  assert.equal(cache.items.get('k')?.flags, 0x8000 | 5);
  for (const item of cache.items.values()) assert.equal(item.exptime, 99);
  for (const operation of [Operation.get, Operation.gets, Operation.leaseGet]) {
    const reply = await harness.ask(operation, 'k');
    assert.deepEqual([reply.result, reply.value.toString(), reply.flags], [Result.hit, BIG, 5]);
  }
  assert.notEqual((await harness.ask(Operation.gets, 'k')).cas, 0n);
});

test('any value comes back as it was, by any way of storing', async () => {
  await using harness = await Harness.open(ROUTE);
  harness.chances = [0.1, 0.7, 0.3];
  const stores = [Operation.set, Operation.metaSet, Operation.add];
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 100 }),
      fc.constantFrom(...stores),
      async (bytes, operation) => {
        harness.cache('a').items.clear();
        const request = harness.request(operation, 'k');
        request.value = Buffer.from(bytes);
        assert.equal((await harness.routing.route(request)).result, Result.stored);
        const reply = await harness.ask(Operation.get, 'k');
        assert.deepEqual(reply.value, Buffer.from(bytes));
        const meta = await harness.ask(Operation.metaGet, 'k', { metaFlags: 'v s' });
        assert.deepEqual(meta.value, Buffer.from(bytes));
        assert.equal(meta.metaFlags.toString(), `s${bytes.length}`);
      },
    ),
    { seed: SEED, numRuns: 100 },
  );
});

test('chunks go in batches, and a failed one ends the store without a head', async () => {
  await using harness = await Harness.open(ROUTE);
  const cache = harness.cache('a');
  cache.isHeld = true;
  const reply = harness.ask(Operation.set, 'k', { value: BIG });
  await settle();
  assert.equal(cache.held, 3);
  cache.intercept = (request: Request) =>
    request.keyText.startsWith('k:4') ? new Reply(Result.serverError) : undefined;
  cache.release();
  await settle();
  assert.equal(cache.held, 2);
  cache.isHeld = false;
  cache.release();
  assert.equal((await reply).result, Result.serverError);
  assert.equal(cache.value('k'), undefined);
});

test('a store fails with any of its chunks, and what was there before stays', async () => {
  await using harness = await Harness.open(ROUTE);
  const cache = harness.cache('a');
  await harness.ask(Operation.set, 'k', { value: BIG });
  for (const failure of [Result.serverError, Result.timeout, Result.notStored]) {
    for (let chunk = 0; chunk < 5; chunk++) {
      cache.intercept = (request: Request) =>
        request.operation === Operation.set && request.keyText.startsWith(`k:${chunk}`)
          ? new Reply(failure)
          : undefined;
      for (const operation of [Operation.set, Operation.metaSet]) {
        harness.chances = [0.5];
        const { result } = await harness.ask(operation, 'k', { value: BIG.toUpperCase() });
        assert.equal(result, failure, `chunk ${chunk}`);
      }
      cache.intercept = undefined;
      assert.equal((await harness.ask(Operation.get, 'k')).value.toString(), BIG, `chunk ${chunk}`);
    }
  }
});

test('a torn value is a miss: a chunk gone, a head that is none, chunks of another store', async () => {
  await using harness = await Harness.open(ROUTE);
  const cache = harness.cache('a');
  harness.chances = [0.25, 0.75];
  await harness.ask(Operation.set, 'k', { value: BIG });
  const head = cache.value('k') ?? '';
  const chunks = [...cache.items.keys()].filter((key) => key !== 'k');
  for (const chunk of chunks) {
    const item = cache.items.get(chunk)!;
    cache.items.delete(chunk);
    assert.equal((await harness.ask(Operation.get, 'k')).result, Result.miss, chunk);
    assert.equal((await harness.ask(Operation.metaGet, 'k', { metaFlags: 'v' })).result, Result.miss);
    cache.items.set(chunk, item);
  }
  await harness.ask(Operation.set, 'k', { value: BIG.toUpperCase() });
  assert.notEqual(cache.value('k'), head, 'every store has its own version');
  assert.equal((await harness.ask(Operation.get, 'k')).value.toString(), BIG.toUpperCase());
  for (const broken of ['', '1-', '2-5-1', '1-0-1', '1-99999999-1', '1-5-1x', head + head]) {
    cache.put('k', broken, 0x8000);
    assert.equal((await harness.ask(Operation.get, 'k')).result, Result.miss, broken);
  }
});

test('an error at a chunk is an error, not a miss', async () => {
  await using harness = await Harness.open(ROUTE);
  const cache = harness.cache('a');
  await harness.ask(Operation.set, 'k', { value: BIG });
  cache.intercept = (request: Request) =>
    request.keyText.startsWith('k:1') ? new Reply(Result.timeout) : undefined;
  assert.equal((await harness.ask(Operation.get, 'k')).result, Result.timeout);
  assert.equal((await harness.ask(Operation.leaseGet, 'k')).result, Result.timeout);
  assert.ok(cache.value('k'), 'the head stays');
});

test('a lease-get of a torn value gives a lease, and a store under it fills the key again', async () => {
  await using harness = await Harness.open(ROUTE);
  const cache = harness.cache('a');
  harness.chances = [0.25, 0.75];
  await harness.ask(Operation.set, 'k', { value: BIG });
  for (const key of [...cache.items.keys()]) if (key.startsWith('k:2')) cache.items.delete(key);
  const lease = await harness.ask(Operation.leaseGet, 'k');
  assert.deepEqual([lease.result, lease.hasValue], [Result.miss, false]);
  assert.notEqual(lease.token, 0n);
  const stored = await harness.ask(Operation.leaseSet, 'k', { token: lease.token, value: BIG });
  assert.equal(stored.result, Result.stored);
  assert.equal((await harness.ask(Operation.leaseGet, 'k')).value.toString(), BIG);
});

test('a head that was replaced meanwhile is not taken away', async () => {
  await using harness = await Harness.open(ROUTE);
  const cache = harness.cache('a');
  cache.put('k', '1-3-7', 0x8000);
  cache.intercept = (request: Request) => {
    // Another client stores between the chunks' misses and the removal of the head.
    if (request.operation === Operation.gets) cache.put('k', 'small and new');
    return undefined;
  };
  assert.equal((await harness.ask(Operation.leaseGet, 'k')).value.toString(), 'small and new');
});

test('a stale big value is given whole or not at all, with its lease', async () => {
  await using harness = await Harness.open(ROUTE);
  const cache = harness.cache('a');
  harness.chances = [0.25];
  await harness.ask(Operation.set, 'k', { value: BIG, flags: 3 });
  const head = Buffer.from(cache.value('k') ?? '');
  cache.intercept = (request: Request) => {
    if (request.operation !== Operation.leaseGet) return undefined;
    const reply = new Reply(Result.miss);
    reply.token = 42n;
    reply.isStale = true;
    reply.flags = 0x8003;
    reply.setValue(head, 0, head.length);
    return reply;
  };
  const whole = await harness.ask(Operation.leaseGet, 'k');
  assert.deepEqual(
    [whole.result, whole.token, whole.isStale, whole.value.toString(), whole.flags],
    [Result.miss, 42n, true, BIG, 3],
  );
  for (const key of [...cache.items.keys()]) if (key.startsWith('k:0')) cache.items.delete(key);
  const torn = await harness.ask(Operation.leaseGet, 'k');
  assert.deepEqual([torn.result, torn.token, torn.isStale, torn.hasValue], [Result.miss, 42n, false, false]);
});

test('meta commands keep their flags: what was asked for comes back, for big values and small', async () => {
  await using harness = await Harness.open(ROUTE);
  await harness.ask(Operation.metaSet, 'big', { value: BIG, metaFlags: 'T60 F9' });
  await harness.ask(Operation.metaSet, 'small', { value: 'v', metaFlags: 'F9' });
  const flags = async (key: string, metaFlags: string): Promise<string> =>
    (await harness.ask(Operation.metaGet, key, { metaFlags })).metaFlags.toString();
  assert.equal(await flags('big', 's v f Oabc'), `s${BIG.length} f9 Oabc`);
  assert.equal(await flags('big', 'v'), '');
  assert.equal(await flags('small', 's v'), 's1');
  assert.equal(await flags('small', 'v f'), 'f9');
  assert.equal(harness.cache('a').items.get('big')?.exptime, 60);
  const bare = await harness.ask(Operation.metaGet, 'big', { metaFlags: 's' });
  assert.deepEqual([bare.hasValue, bare.result], [false, Result.hit]);
});

test('small values, other operations and keys without room pass as they are', async () => {
  await using harness = await Harness.open(ROUTE);
  const cache = harness.cache('a');
  const long = 'k'.repeat(240);
  await harness.ask(Operation.set, long, { value: BIG });
  await harness.ask(Operation.set, 'k', { value: '0123456789' });
  await harness.ask(Operation.delete, 'k');
  assert.deepEqual(cache.take(), [long, 'k', 'k']);
});

test('what is put before or behind a value is never split', async () => {
  await using harness = await Harness.open(ROUTE);
  await harness.ask(Operation.append, 'k', { value: BIG });
  await harness.ask(Operation.prepend, 'k', { value: BIG });
  for (const mode of ['MA', 'Mprepend'])
    await harness.ask(Operation.metaSet, 'k', { value: BIG, metaFlags: mode });
  const sent = harness.cache('a').requests.map((request) => [request.keyText, request.value.toString()]);
  assert.deepEqual(sent, Array(4).fill(['k', BIG]));
  harness.cache('a').take();
  await harness.ask(Operation.metaSet, 'k', { value: BIG, metaFlags: 'MR' });
  assert.equal(harness.cache('a').take().length, 6);
});

test('heads are read strictly', () => {
  assert.deepEqual(parseInfo(Buffer.from('1-3-123')), { chunks: 3, version: '123' });
  for (const text of ['1-3', '1-3-', '1--3', '3-1-1', ' 1-3-1', '1-65537-1', `1-3-${'1'.repeat(21)}`]) {
    assert.equal(parseInfo(Buffer.from(text)), undefined, text);
  }
});
