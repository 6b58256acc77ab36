import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIST_ELEMENTS_MAX } from './limits.ts';
import { StoreMode, StoreResult } from './result.ts';
import { StoreHarness } from './testing/harness.ts';

/** Stores a list; returns the result of linking, or what kept it from being made. */
function putList(h: StoreHarness, key: string, elements: readonly string[], flags = 0): number {
  const { lists } = h.store;
  const bytes = elements.reduce((sum, each) => sum + each.length, 0);
  const at = h.key(key);
  const item = lists.create(at, h.keyBytes, h.hash, flags, 0, elements.length, bytes);
  if (item <= 0) return item;
  for (const [index, element] of elements.entries()) {
    const target = lists.add(item, element.length, index === elements.length - 1);
    if (target <= 0) {
      h.store.abandon(item);
      return target;
    }
    h.arena.node.write(element, target, 'latin1');
  }
  return h.store.link(item, StoreMode.set, 0, 0);
}

function getList(h: StoreHarness, key: string): string[] | null {
  const { lists } = h.store;
  const item = h.store.acquire(h.key(key), h.keyBytes, h.hash);
  if (item === 0) return null;
  assert.equal(lists.isList(item), true);
  const elements = Array.from({ length: lists.count(item) }, (_, index) => {
    const offset = lists.elementOffset(item, index);
    return h.arena.node.toString('latin1', offset, offset + lists.elementBytes(item, index));
  });
  h.store.release(item);
  return elements;
}

test('a list keeps its elements apart, a classic get joins them', () => {
  const h = new StoreHarness();
  const elements = ['one', '', 'three'.repeat(1000), 'x'];
  assert.equal(putList(h, 'list', elements, 7), StoreResult.stored);
  assert.deepEqual(getList(h, 'list'), elements);
  const joined = elements.join('');
  assert.equal(h.reply('list'), `VALUE list 7 ${joined.length}\r\n${joined}\r\n`);
});

test('an empty list, and one of many elements', () => {
  const h = new StoreHarness({ memoryBytes: 64 << 20 });
  assert.equal(putList(h, 'empty', []), StoreResult.stored);
  assert.deepEqual(getList(h, 'empty'), []);
  assert.equal(h.reply('empty'), 'VALUE empty 0 0\r\n\r\n');
  const many = Array.from({ length: 10_000 }, (_, index) => `${index}`);
  assert.equal(putList(h, 'many', many), StoreResult.stored);
  assert.deepEqual(getList(h, 'many'), many);
  assert.equal(h.get('many'), many.join(''));
});

test('append makes an ordinary value of a list; a list replaces a value and the other way round', () => {
  const h = new StoreHarness();
  putList(h, 'a', ['1', '2']);
  assert.equal(h.put(StoreMode.append, 'a', '3'), StoreResult.stored);
  assert.equal(h.get('a'), '123');
  assert.equal(h.put(StoreMode.set, 'b', 'value'), StoreResult.stored);
  assert.equal(putList(h, 'b', ['list']), StoreResult.stored);
  assert.deepEqual(getList(h, 'b'), ['list']);
  assert.equal(h.put(StoreMode.set, 'b', 'list'), StoreResult.stored, 'not in place');
  const item = h.store.acquire(h.key('b'), h.keyBytes, h.hash);
  assert.equal(h.store.lists.isList(item), false);
  h.store.release(item);
  assert.equal(h.store.totals().currItems, 2);
});

test('limits: elements, bytes of an element, bytes of all', () => {
  const h = new StoreHarness({ memoryBytes: 64 << 20, itemBytesMax: 1 << 20 });
  const at = h.key('a');
  const { lists } = h.store;
  assert.equal(lists.create(at, h.keyBytes, h.hash, 0, 0, LIST_ELEMENTS_MAX + 1, 0), -1);
  assert.equal(lists.create(at, h.keyBytes, h.hash, 0, 0, 1, (1 << 20) + 1), -1);
  const item = lists.create(at, h.keyBytes, h.hash, 0, 0, 1, 600_000);
  assert.equal(lists.add(item, 600_000, true), -1);
  h.store.abandon(item);
  assert.equal(h.store.totals().currItems, 0);
});

test('lists give all their memory back: far more of them than fit are stored one after another', () => {
  const h = new StoreHarness();
  const element = 'e'.repeat(3000);
  for (let round = 0; round < 5000; round++) {
    assert.equal(putList(h, `k${round % 50}`, [element, 'small', element]), StoreResult.stored, `${round}`);
  }
  for (let key = 0; key < 50; key++) h.delete(`k${key}`);
  h.advance(3600);
  assert.equal(h.store.totals().currItems, 0);
  assert.equal(h.store.totals().currBytes, 0);
});
