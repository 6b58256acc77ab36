import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { libcUnavailableReason } from './libc.ts';
import {
  collapseToHugePages,
  mapAnonymous,
  mapDescriptor,
  mapDescriptorAligned,
  mapFile,
  memfd,
  unmap,
  viewMemory,
} from './memory-map.ts';

const GIB = 1024 ** 3;
const reason = libcUnavailableReason();
const options = reason === undefined ? {} : { skip: reason };

test('an anonymous mapping beyond 4 GiB costs only what is touched and is seen twice', options, () => {
  const memory = mapAnonymous(8 * GIB);
  const before = process.memoryUsage.rss();
  new Uint8Array(memory.buffer)[7 * GIB] = 42;
  const again = new Uint8Array(viewMemory(memory.address, 8 * GIB));
  assert.equal(again[7 * GIB], 42);
  assert.equal(again[6 * GIB], 0);
  assert.ok(process.memoryUsage.rss() - before < 64 * 1024 ** 2);
});

test('another thread sees the same memory by its address', options, async () => {
  const memory = mapAnonymous(1024 ** 2);
  const words = new Int32Array(memory.buffer);
  words[5] = 1;
  const code = `
    import { viewMemory } from ${JSON.stringify(new URL('./memory-map.ts', import.meta.url).href)};
    import { workerData } from 'node:worker_threads';
    const words = new Int32Array(viewMemory(workerData, 1024 ** 2));
    Atomics.add(words, 5, 41);`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    workerData: memory.address,
  });
  await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  assert.equal(words[5], 42);
});

test('huge pages are asked for and say what they became', options, () => {
  const memory = mapAnonymous(3 * 1024 ** 2, { hugePages: true });
  assert.equal(typeof memory.hugePages, 'boolean');
  assert.equal(memory.address % (2 * 1024 ** 2), 0);
  assert.equal(memory.buffer.byteLength, 3 * 1024 ** 2);
  new Uint8Array(memory.buffer).fill(1);
  unmap(memory);
  assert.equal(memory.buffer.byteLength, 0);
});

test('a file keeps its contents, is locked, and is refused at another size', options, () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-map-'));
  try {
    const path = join(folder, 'memory');
    const first = mapFile(path, 1024 ** 2);
    assert.equal(first.created, true);
    new Uint8Array(first.buffer)[100] = 9;
    assert.throws(() => mapFile(path, 1024 ** 2), { code: 'EAGAIN', operation: 'flock' });
    unmap(first);
    const second = mapFile(path, 1024 ** 2);
    assert.equal(second.created, false);
    assert.equal(new Uint8Array(second.buffer)[100], 9);
    unmap(second);
    assert.throws(() => mapFile(path, 2 * 1024 ** 2), { code: 'ARGUMENT' });
    assert.equal(statSync(path).size, 1024 ** 2);
    assert.throws(() => mapFile(join(folder, 'large'), 2 ** 60), { code: 'ENOSPC' });
    assert.throws(() => mapFile(join(folder, 'missing', 'memory'), 1024 ** 2), { code: 'ENOENT' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('refused mappings name the call and leak no descriptor', options, () => {
  assert.throws(() => mapAnonymous(2 ** 50), { code: 'ENOMEM', operation: 'mmap' });
  const before = readdirSync('/proc/self/fd').length;
  const descriptor = memfd('larder-test', 4096);
  const memory = mapDescriptor(descriptor, 4096, 'memfd');
  new Uint8Array(memory.buffer)[1] = 3;
  unmap({ ...memory, descriptor });
  assert.equal(readdirSync('/proc/self/fd').length, before);
  assert.throws(() => viewMemory(0, 10), { code: 'ARGUMENT' });
});

test('huge pages are aligned, change no byte, and leave the rest of the file alone', options, () => {
  const bytes = 5 * 1024 ** 2 + 4096;
  const descriptor = memfd('larder-test', bytes);
  const memory = mapDescriptorAligned(descriptor, bytes, 'memfd');
  assert.equal(memory.address % (2 * 1024 ** 2), 0);
  const view = new Uint8Array(memory.buffer);
  for (let offset = 0; offset < bytes; offset += 4096) view[offset] = offset / 4096;
  const isHuge = collapseToHugePages(memory, 4096, bytes - 4096);
  assert.equal(collapseToHugePages(memory, 4096, 1024 ** 2), false, 'no huge page fits');
  const mapping = readFileSync('/proc/self/smaps', 'latin1').split('larder-test')[1]!;
  const kilobytes = Number(/ShmemPmdMapped:\s+(\d+) kB/.exec(mapping)?.[1] ?? 0);
  assert.equal(kilobytes > 0, isHuge);
  const other = mapDescriptor(descriptor, bytes, 'memfd');
  const seen = new Uint8Array(other.buffer);
  for (let offset = 0; offset < bytes; offset += 4096) assert.equal(seen[offset], (offset / 4096) & 255);
  unmap(other);
  unmap({ ...memory, descriptor });
});
