/**
 * Bad days with real processes, each with bounds on what callers see, on what reaches the database and on the time
 * until all is well again. The measured numbers are in docs/evaluation/bad-days.md (`npm run bad-days`).
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import * as scenarios from './scenarios.ts';

test('hot keys that are written all the time: leases keep the herd off the database', async () => {
  const numbers = await scenarios.hotKeys();
  const text = JSON.stringify(numbers);
  assert.ok(numbers.peakWithout >= 300, `without leases every caller goes to the database: ${text}`);
  assert.ok(numbers.peakWith * 5 <= numbers.peakWithout, `the peak is a fifth at most: ${text}`);
  assert.ok(numbers.queriesWith * 4 <= numbers.queriesWithout, `so are all queries, nearly: ${text}`);
});

test('kill -9 of a server under load: the gutter hides it, and it is used again when it is back', async () => {
  const plain = await scenarios.serverDeath(false);
  const gutter = await scenarios.serverDeath(true);
  const text = JSON.stringify({ plain, gutter });
  assert.ok(plain.failures / plain.calls > 0.2, `without a gutter its keys fail: ${text}`);
  const removed = 1 - gutter.failures / gutter.calls / (plain.failures / plain.calls);
  assert.ok(removed >= 0.99, `with one 99% of the failures are gone, as in nsdi13 3.3: ${text}`);
  assert.ok(gutter.hitShare > 0.9, `the gutter answers: ${text}`);
  assert.ok(gutter.databaseRate < plain.databaseRate / 2, `and spares the database: ${text}`);
  assert.ok(gutter.recoveryMs < 4000 && plain.recoveryMs < 4000, `it is back: ${text}`);
  assert.equal(gutter.wrong + plain.wrong, 0, text);
});

test('the same for a service that embeds the routing and takes stale values: each lost key is fetched about once', async () => {
  const numbers = await scenarios.embeddedDeath();
  const text = JSON.stringify(numbers);
  assert.ok(numbers.calls > 500, text);
  assert.equal(numbers.failures, 0, `getOrSet falls back on the database: ${text}`);
  // Half of the keys were lost, and each change has one fetched anew.
  assert.ok(numbers.queries < numbers.keys + 2 * numbers.changes, text);
  assert.equal(numbers.outdated, 0, `no old value was set over a newer one: ${text}`);
});

test('a server that accepts and never answers: callers wait for few time-outs, then the gutter answers', async () => {
  const gutter = await scenarios.silentServer(true);
  const text = JSON.stringify(gutter);
  assert.ok(gutter.failures / gutter.calls < 0.1, `few calls fail: ${text}`);
  assert.ok(gutter.slowestMs < 1500, `nobody waits for long: ${text}`);
  assert.ok(gutter.hitShare > 0.9, `the gutter answers: ${text}`);
  assert.ok(gutter.databaseRate < 400, `the database sees each lost key about once: ${text}`);
  assert.ok(gutter.recoveryMs < 4000, `it is asked again: ${text}`);
  assert.equal(gutter.wrong, 0, text);
});

test('half of the pool gone: the gutter carries it, the database is asked once per key', async () => {
  const gutter = await scenarios.halfThePool(true);
  const text = JSON.stringify(gutter);
  assert.ok(gutter.failures / gutter.calls < 0.05, `few calls fail: ${text}`);
  assert.ok(gutter.hitShare > 0.85, `the gutter answers: ${text}`);
  assert.ok(gutter.databaseRate < 400, `the database sees each lost key about once: ${text}`);
  assert.ok(gutter.recoveryMs < 4000, `both are asked again: ${text}`);
  assert.equal(gutter.wrong, 0, text);
});

test('a router killed with a full spool: every delete arrives when router and server are back', async () => {
  const numbers = await scenarios.routerDeathWithSpool();
  const text = JSON.stringify(numbers);
  assert.equal(numbers.left, 0, text);
  assert.ok(numbers.deliveredMs < 8000, text);
});

test('configurations exchanged under load: no call fails, and a bad one is refused and told', async () => {
  const numbers = await scenarios.reloads();
  const text = JSON.stringify(numbers);
  assert.ok(numbers.calls > 500, text);
  assert.equal(numbers.failures, 0, text);
  assert.equal(numbers.wrong, 0, text);
  assert.ok(numbers.isRefusalTold, text);
});

test("a slow server does not slow down the others' keys", async () => {
  const numbers = await scenarios.slowServer();
  const text = JSON.stringify(numbers);
  assert.equal(numbers.failures, 0, text);
  assert.ok(numbers.othersP50Ms < numbers.slowMs / 4, text);
  assert.ok(numbers.othersP99Ms < numbers.slowMs, text);
  assert.equal(numbers.databaseQueries, 0, `a slow answer is an answer: ${text}`);
});

test('datagrams lost, repeated and reordered: misses, never another value', async () => {
  const numbers = await scenarios.lossyNetwork();
  const text = JSON.stringify(numbers);
  assert.ok(numbers.lost > 10 && numbers.repeated > 10 && numbers.reordered > 10, text);
  assert.equal(numbers.wrong, 0, text);
  assert.equal(numbers.hits + numbers.databaseQueries, numbers.gets, text);
  assert.ok(numbers.hits / numbers.gets > 0.75, `a lost datagram costs one miss: ${text}`);
});
