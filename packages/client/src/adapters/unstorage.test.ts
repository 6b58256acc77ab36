import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { createStorage, prefixStorage, restoreSnapshot, snapshot } from 'unstorage';
import { eachServer } from '../testing/each-server.ts';
import { larderStorage } from './unstorage.ts';

eachServer((group) => {
  test('items of all kinds, with metadata and raw bytes', async () => {
    await using cache = await group.connect();
    const storage = createStorage({ driver: larderStorage({ cache, base: 'items' }) });
    assert.equal(await storage.hasItem('a:b'), false);
    assert.equal(await storage.getItem('a:b'), null);
    await storage.setItem('a:b', { list: [1, 'two'] });
    await storage.setItem('number', 5);
    await storage.setItem('flag', true);
    assert.deepEqual(await storage.getItem('a:b'), { list: [1, 'two'] });
    assert.deepEqual(await storage.getItem('number'), 5);
    assert.deepEqual(await storage.getItem('flag'), true);
    assert.equal(await storage.hasItem('a:b'), true);
    const bytes = new Uint8Array([0, 1, 254]);
    await storage.setItemRaw('raw', bytes);
    assert.deepEqual([...((await storage.getItemRaw<Uint8Array>('raw')) ?? [])], [0, 1, 254]);
    await storage.setMeta('a:b', { owner: 'Ada' });
    assert.equal((await storage.getMeta('a:b')).owner, 'Ada');
    await storage.removeItem('a:b');
    assert.equal(await storage.getItem('a:b'), null);
  });

  test('many items at once, and times to live in seconds', async () => {
    await using cache = await group.connect();
    const storage = createStorage({ driver: larderStorage({ cache, base: 'batch', ttl: '1h' }) });
    await storage.setItems([
      { key: 'x', value: 'one' },
      { key: 'y', value: 'two' },
    ]);
    assert.deepEqual(await storage.getItems(['x', 'y', 'z']), [
      { key: 'x', value: 'one' },
      { key: 'y', value: 'two' },
      { key: 'z', value: null },
    ]);
    await storage.setItem('gone', 'x', { ttl: 0 });
    assert.equal(await storage.getItem('gone'), null);
  });

  test('keys are listed and cleared, all or below a base', async () => {
    await using cache = await group.connect();
    const driver = larderStorage({ cache, base: 'listed' });
    const storage = createStorage({ driver });
    const other = createStorage({ driver: larderStorage({ cache, base: 'other' }) });
    for (const key of ['a:1', 'a:2', 'b:1']) await storage.setItem(key, key);
    await other.setItem('a:1', 'other');
    assert.deepEqual((await storage.getKeys()).sort(), ['a:1', 'a:2', 'b:1']);
    assert.deepEqual((await storage.getKeys('a')).sort(), ['a:1', 'a:2']);
    assert.deepEqual(await prefixStorage(storage, 'b').getItem('1'), 'b:1');
    // unstorage itself hands a base down only where something is mounted below it.
    await driver.clear?.('a:', {});
    assert.deepEqual(await storage.getKeys(), ['b:1']);
    await storage.clear();
    assert.deepEqual(await storage.getKeys(), []);
    assert.equal(await other.getItem('a:1'), 'other');
  });

  test('snapshots go in and come out', async () => {
    await using cache = await group.connect();
    const storage = createStorage({ driver: larderStorage({ cache, base: 'snapshot' }) });
    const items = { 'k:1': 'one', 'k:2': 'two' };
    await restoreSnapshot(storage, items);
    assert.deepEqual(await snapshot(storage, ''), items);
    await storage.dispose();
    assert.equal(await cache.set('still', 'open'), true);
  });
});
