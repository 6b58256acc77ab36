import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { libcUnavailableReason } from '@larder/datapath/internal';
import { layOutStore, StoreFile } from './store-file.ts';

const missing = libcUnavailableReason() ?? false;

test('the file of a run has no name, is shared by who opens it, and is gone when it is closed', {
  skip: missing,
}, () => {
  const before = readdirSync('/dev/shm');
  const file = StoreFile.create(layOutStore(100, 4096, 65_536));
  const other = StoreFile.open(file.path, file.layout);
  assert.deepEqual(readdirSync('/dev/shm'), before);
  const slabClass = file.allocator.classFor(1000);
  const chunk = file.allocator.allocate(slabClass);
  file.arena.u8[chunk + 100] = 77;
  assert.equal(other.arena.u8[chunk + 100], 77);
  assert.equal(other.allocator.recover(chunk + 100, 1), chunk);
  // Huge pages must not change what is in the memory, nor where a slot's buffers lie.
  const network = other.networkAllocator(1);
  assert.ok(network.allocate(network.classFor(1000)) < other.requestOffset(1));
  assert.equal(file.arena.u8[chunk + 100], 77);
  other.close();
  file.close();
  assert.throws(() => StoreFile.open(file.path, file.layout), { code: 'ENOENT' });
});
