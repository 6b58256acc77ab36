import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreMode, StoreResult } from './result.ts';
import { StoreHarness } from './testing/harness.ts';

test('set and get: the reply is ready-made, with flags and length', () => {
  const h = new StoreHarness();
  assert.equal(h.reply('a'), null);
  assert.equal(h.put(StoreMode.set, 'a', 'hello', 42), StoreResult.stored);
  assert.equal(h.reply('a'), 'VALUE a 42 5\r\nhello\r\n');
  assert.equal(h.put(StoreMode.set, 'a', '', 4294967295), StoreResult.stored);
  assert.equal(h.reply('a'), 'VALUE a 4294967295 0\r\n\r\n');
  assert.equal(h.store.totals().currItems, 1);
});

test('keys of every length and values of many are told apart', () => {
  const h = new StoreHarness({ memoryBytes: 256 << 20 });
  for (let n = 1; n <= 250; n++) h.put(StoreMode.set, 'k'.repeat(n), 'v'.repeat(n * 7), n);
  for (let n = 1; n <= 250; n++)
    assert.equal(h.reply('k'.repeat(n)), `VALUE ${'k'.repeat(n)} ${n} ${n * 7}\r\n${'v'.repeat(n * 7)}\r\n`);
});

test('add, replace, append, prepend and cas follow the protocol', () => {
  const h = new StoreHarness();
  assert.equal(h.put(StoreMode.replace, 'a', '1'), StoreResult.notStored);
  assert.equal(h.put(StoreMode.append, 'a', '1'), StoreResult.notStored);
  assert.equal(h.put(StoreMode.cas, 'a', '1', 0, 0, 5), StoreResult.notFound);
  assert.equal(h.put(StoreMode.add, 'a', 'mid', 7), StoreResult.stored);
  assert.equal(h.put(StoreMode.add, 'a', '1'), StoreResult.notStored);
  assert.equal(h.put(StoreMode.append, 'a', '>>', 9), StoreResult.stored);
  assert.equal(h.put(StoreMode.prepend, 'a', '<<', 9), StoreResult.stored);
  assert.equal(h.reply('a'), 'VALUE a 7 7\r\n<<mid>>\r\n', 'the flags stay the old ones');
  const cas = h.cas('a');
  assert.equal(h.put(StoreMode.cas, 'a', 'new', 0, 0, cas + 1), StoreResult.exists);
  assert.equal(h.put(StoreMode.cas, 'a', 'new', 0, 0, cas), StoreResult.stored);
  assert.equal(h.put(StoreMode.cas, 'a', 'newer', 0, 0, cas), StoreResult.exists);
  assert.equal(h.get('a'), 'new');
  assert.equal(h.store.totals().currItems, 1);
});

test('items expire at their second, relative, absolute and negative', () => {
  const h = new StoreHarness();
  h.put(StoreMode.set, 'relative', 'x', 0, 10);
  h.put(StoreMode.set, 'absolute', 'x', 0, h.seconds + 20);
  h.put(StoreMode.set, 'negative', 'x', 0, -1);
  h.put(StoreMode.set, 'past', 'x', 0, h.seconds - 5);
  h.put(StoreMode.set, 'never', 'x', 0, 0);
  assert.equal(h.get('negative'), null);
  assert.equal(h.get('past'), null);
  h.advance(9);
  assert.equal(h.get('relative'), 'x');
  h.advance(1);
  assert.equal(h.get('relative'), null);
  assert.equal(h.get('absolute'), 'x');
  h.advance(10);
  assert.equal(h.get('absolute'), null);
  assert.equal(h.get('never'), 'x');
});

test('short-lived items give their memory back when they expire, without being read', () => {
  const h = new StoreHarness();
  for (let i = 0; i < 1000; i++) h.put(StoreMode.set, `key-${i}`, 'x'.repeat(50), 0, 1 + (i % 10));
  h.put(StoreMode.set, 'stays', 'x', 0, 0);
  assert.equal(h.store.totals().currItems, 1001);
  for (let second = 1; second <= 11; second++) h.advance(1);
  assert.equal(h.store.totals().currItems, 1);
  assert.ok(h.store.totals().transientReclaimed > 500, 'by the transient item cache');
});

test('the crawler reclaims what expired later', () => {
  const h = new StoreHarness();
  for (let i = 0; i < 1000; i++) h.put(StoreMode.set, `key-${i}`, 'x', 0, 500);
  h.advance(501);
  h.store.maintenance.requestCrawl();
  for (let i = 0; i < 100; i++) h.store.maintain(50);
  assert.equal(h.store.totals().currItems, 0);
  assert.equal(h.store.totals().crawlerReclaimed, 1000);
});

test('values longer than a chunk are chains that survive append and are freed whole', () => {
  const h = new StoreHarness({ memoryBytes: 64 << 20, itemBytesMax: 20 << 20 });
  const value = Array.from({ length: 300_000 }, (_, i) => String.fromCharCode(33 + (i % 90)))
    .join('')
    .repeat(8);
  const before = h.store.slabStatistics().reduce((sum, s) => sum + s.usedChunks, 0);
  assert.equal(h.put(StoreMode.set, 'big', value, 3), StoreResult.stored);
  assert.equal(h.reply('big'), `VALUE big 3 ${value.length}\r\n${value}\r\n`);
  assert.equal(h.put(StoreMode.append, 'big', value.slice(0, 700_001)), StoreResult.stored);
  assert.equal(h.get('big'), value + value.slice(0, 700_001));
  assert.equal(h.put(StoreMode.prepend, 'big', 'head'), StoreResult.stored);
  assert.equal(h.get('big'), `head${value}${value.slice(0, 700_001)}`);
  assert.equal(h.put(StoreMode.set, 'big', 'small'), StoreResult.stored);
  assert.equal(h.delete('big'), StoreResult.deleted);
  h.advance(61);
  assert.equal(
    h.store.slabStatistics().reduce((sum, s) => sum + s.usedChunks, 0),
    before,
  );
  assert.equal(h.put(StoreMode.set, 'toobig', 'x'.repeat((20 << 20) + 1)), -1);
});

test('chains have no seams: every length around the chunk borders', () => {
  const h = new StoreHarness({ memoryBytes: 64 << 20, itemBytesMax: 20 << 20 });
  for (const base of [512 * 1024 - 70, 1024 * 1024 - 100]) {
    for (let n = base; n < base + 80; n += 3) {
      const value = `${n}:`.padEnd(n, 'abcdefghijklmnop');
      assert.equal(h.put(StoreMode.set, 'k', value), StoreResult.stored);
      assert.equal(h.get('k'), value);
    }
  }
});

test('flush_all removes everything, at once or later, and what comes after stays', () => {
  const h = new StoreHarness();
  for (let i = 0; i < 100; i++) h.put(StoreMode.set, `k${i}`, 'x');
  h.store.flushAll(0);
  assert.equal(h.get('k5'), null);
  h.put(StoreMode.set, 'after', 'x');
  assert.equal(h.get('after'), 'x');
  h.settle();
  assert.equal(h.store.totals().currItems, 1);
  h.store.flushAll(10);
  h.advance(9);
  assert.equal(h.get('after'), 'x');
  h.put(StoreMode.set, 'between', 'x');
  h.advance(1);
  assert.equal(h.get('after'), null);
  assert.equal(h.get('between'), null);
  for (let i = 0; i < 40; i++) {
    h.put(StoreMode.set, 'again', `${i}`);
    h.store.flushAll(0);
    assert.equal(h.get('again'), null, `flush ${i} without a sweep between`);
  }
});

test('the index grows by itself and loses nothing', () => {
  const h = new StoreHarness({ memoryBytes: 64 << 20 });
  const count = 150_000;
  for (let i = 0; i < count; i++) {
    h.put(StoreMode.set, `key-${i}`, `${i}`);
    if (i % 10_000 === 0) h.store.maintain(1);
  }
  h.settle();
  assert.ok(h.store.hashBuckets > count);
  for (let i = 0; i < count; i += 7) assert.equal(h.get(`key-${i}`), `${i}`);
  assert.equal(h.store.totals().currItems, count);
});

test('full memory evicts the least recently used; hot items survive', () => {
  const h = new StoreHarness({ memoryBytes: 8 << 20 });
  for (let i = 0; i < 50; i++) h.put(StoreMode.set, `hot-${i}`, 'x'.repeat(900));
  for (let i = 0; i < 40_000; i++) {
    assert.equal(h.put(StoreMode.set, `cold-${i}`, 'x'.repeat(900)), StoreResult.stored);
    if (i % 50 === 0) {
      for (let k = 0; k < 50; k++) h.get(`hot-${k}`);
      h.seconds += 1;
      h.store.maintain(1);
    }
  }
  for (let i = 0; i < 50; i++) assert.notEqual(h.get(`hot-${i}`), null, `hot-${i}`);
  assert.equal(h.get('cold-0'), null);
  assert.ok(h.store.totals().evictions > 30_000);
});

test('a lower memory limit evicts what was used least recently, page by page, and a higher one is used again', () => {
  const h = new StoreHarness({ memoryBytes: 16 << 20 });
  assert.equal(h.store.memoryLimitBytes, 16 << 20);
  for (let i = 0; i < 14_000; i++) {
    h.put(StoreMode.set, `key-${i}`, 'x'.repeat(900));
    if (i % 1000 === 0) h.advance(1);
  }
  assert.equal(h.get('key-0'), 'x'.repeat(900));
  assert.equal(h.store.slabBytes >> 20 >= 13, true);
  assert.equal(h.store.setMemoryLimit(17 << 20), false, 'more than the arena has');
  assert.equal(h.store.setMemoryLimit(8 << 20), true);
  h.settle();
  assert.equal(h.store.memoryLimitBytes, 8 << 20);
  assert.equal(h.store.slabBytes, 8 << 20);
  assert.equal(h.get('key-500'), null, 'the oldest went');
  assert.equal(h.get('key-13999'), 'x'.repeat(900), 'the newest stayed');
  const kept = h.store.totals().currItems;
  assert.ok(kept > 6000 && kept < 9000, `${kept} items`);
  for (let i = 0; i < 3000; i++) h.put(StoreMode.set, `more-${i}`, 'x'.repeat(900));
  h.settle();
  assert.equal(h.store.slabBytes, 8 << 20, 'and it stays so');
  assert.equal(h.store.setMemoryLimit(16 << 20), true);
  for (let i = 0; i < 9000; i++) h.put(StoreMode.set, `again-${i}`, 'x'.repeat(900));
  assert.ok(h.store.slabBytes > 12 << 20);
  for (let i = 0; i < 9000; i++) assert.equal(h.get(`again-${i}`), 'x'.repeat(900));
});

test('without eviction a full store refuses and keeps what it has', () => {
  const h = new StoreHarness({ memoryBytes: 8 << 20, evict: false });
  let stored = 0;
  while (h.put(StoreMode.set, `key-${stored}`, 'x'.repeat(5000)) === StoreResult.stored) stored++;
  assert.ok(stored > 1000);
  assert.equal(h.get('key-0'), 'x'.repeat(5000));
  assert.equal(h.store.totals().evictions, 0);
});

test('when value sizes change, pages move to the new class by age', () => {
  const h = new StoreHarness({ memoryBytes: 16 << 20 });
  for (let i = 0; i < 16_000; i++) h.put(StoreMode.set, `small-${i}`, 'x'.repeat(900));
  h.advance(600);
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < 100; i++) h.put(StoreMode.set, `large-${(round * 100 + i) % 3000}`, 'y'.repeat(3000));
    h.advance(1);
  }
  let held = 0;
  for (let i = 0; i < 3000; i++) if (h.get(`large-${i}`) !== null) held++;
  assert.ok(h.store.totals().slabsMoved > 3);
  assert.ok(held > 2500, `${held} of 3000 large items are held`);
});

test('a size that comes late gets a page at once, even when all are taken', () => {
  const h = new StoreHarness({ memoryBytes: 8 << 20 });
  for (let i = 0; i < 10_000; i++) h.put(StoreMode.set, `small-${i}`, 'x'.repeat(900));
  assert.equal(h.put(StoreMode.set, 'large', 'y'.repeat(200_000)), StoreResult.stored);
  assert.equal(h.get('large'), 'y'.repeat(200_000));
});

test('an item in use by a sender is not reused until it is released', () => {
  const h = new StoreHarness();
  h.put(StoreMode.set, 'a', 'original');
  const at = h.key('a');
  const item = h.store.acquire(at, h.keyBytes, h.hash);
  h.put(StoreMode.set, 'a', 'replaced');
  for (let i = 0; i < 20_000; i++) h.put(StoreMode.set, `fill-${i}`, 'x'.repeat(900));
  assert.equal(h.value(item), 'original');
  h.store.release(item);
  assert.equal(h.get('a') === 'replaced' || h.get('a') === null, true);
});

test('arithmetic wraps up, stops at zero, pads when it shrinks and refuses what is no number', () => {
  const h = new StoreHarness();
  const change = (key: string, decrement: boolean, delta: bigint): StoreResult => {
    const at = h.key(key);
    return h.store.arithmetic(at, h.keyBytes, h.hash, decrement, delta, null);
  };
  assert.equal(change('n', false, 1n), StoreResult.notFound);
  h.put(StoreMode.set, 'n', '99', 5);
  assert.equal(change('n', false, 1n), StoreResult.ok);
  assert.equal(h.reply('n'), 'VALUE n 5 3\r\n100\r\n');
  assert.equal(change('n', true, 1n), StoreResult.ok);
  assert.equal(h.get('n'), '99 ');
  assert.equal(change('n', true, 500n), StoreResult.ok);
  assert.equal(h.get('n'), '0  ');
  h.put(StoreMode.set, 'n', '18446744073709551615');
  assert.equal(change('n', false, 2n), StoreResult.ok);
  assert.equal(h.store.lastNumber, 1n);
  for (const bad of ['', 'abc', '1x', '-1', '18446744073709551616', '999999999999999999999999']) {
    h.put(StoreMode.set, 'n', bad);
    assert.equal(change('n', false, 1n), StoreResult.notNumber, bad);
  }
});

test('an item that grows through many classes does not starve the next one of a page', () => {
  const h = new StoreHarness({ memoryBytes: 16 << 20 });
  h.put(StoreMode.set, 'grows', '');
  for (let i = 0; i < 6000; i++)
    assert.equal(h.put(StoreMode.append, 'grows', `<${i % 10}0>`), StoreResult.stored, `${i}`);
  assert.equal(h.get('grows')?.length, 24_000);
});
