import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreMode } from './result.ts';
import { StoreHarness } from './testing/harness.ts';
import { VALUE_MISSING } from './value-copy.ts';

/** Copies a value without a lock; undefined when that is refused. */
function copied(h: StoreHarness, key: string, capacity = 10_000): string | undefined {
  const at = h.key(key);
  const target = at + 300;
  const bytes = h.store.values.copy(at, h.keyBytes, h.hash, target, capacity);
  return bytes < 0 ? undefined : h.arena.node.toString('latin1', target, target + bytes);
}

test('values are copied without a lock once their use was noted', { skip: !isOrdered() }, () => {
  const h = new StoreHarness();
  for (const value of ['x', '', 'v'.repeat(95), 'v'.repeat(97), 'v'.repeat(8000)]) {
    h.put(StoreMode.set, 'k', value);
    // The first two uses are noted in the item, under the lock.
    h.get('k');
    h.get('k');
    assert.equal(copied(h, 'k'), value);
    assert.equal(h.store.values.flags, 0);
  }
  const at = h.key('none');
  assert.equal(h.store.values.copy(at, h.keyBytes, h.hash, at + 300, 100), VALUE_MISSING);
});

test('what is not ordinary is refused: flags are told, long, chained, expired and deleted ones', {
  skip: !isOrdered(),
}, () => {
  const h = new StoreHarness();
  const put = (key: string, value: string, flags = 0, exptime = 0): void => {
    h.put(StoreMode.set, key, value, flags, exptime);
    h.get(key);
    h.get(key);
  };
  for (const flags of [1, 10, 4_294_967_295]) {
    put('flags', 'value', flags);
    assert.equal(copied(h, 'flags'), 'value');
    assert.equal(h.store.values.flags, flags);
  }
  put('long', 'v'.repeat(9000));
  assert.equal(copied(h, 'long'), undefined, 'longer than is copied');
  put('room', 'v'.repeat(100));
  assert.equal(copied(h, 'room', 99), undefined, 'no room');
  put('expires', 'x', 0, 10);
  assert.equal(copied(h, 'expires'), 'x');
  h.advance(11);
  assert.equal(copied(h, 'expires'), undefined);
  put('deleted', 'x');
  h.delete('deleted');
  assert.equal(copied(h, 'deleted'), undefined);
  put('flushed', 'x');
  h.store.flushAll(0);
  h.settle();
  assert.equal(copied(h, 'flushed'), undefined);
});

/** Elsewhere every value is read under the lock. */
function isOrdered(): boolean {
  return process.arch === 'x64' || process.arch === 'ia32';
}
