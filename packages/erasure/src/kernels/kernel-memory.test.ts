import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { ErasureError } from '../errors.ts';
import { KernelMemory } from './kernel-memory.ts';
import { xorRegions } from './run-schedule.ts';

const seed = 5;

test('regions are aligned, never overlap, and come back whole (model: a list of intervals)', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(9000), fc.nat()), { maxLength: 120 });
  fc.assert(
    fc.property(steps, (commands) => {
      const memory = new KernelMemory(65_536);
      const all = memory.bytesFree;
      let held: Uint8Array[] = [];
      for (const [isAllocation, bytes, pick] of commands) {
        if (isAllocation || held.length === 0) {
          const region = memory.tryAllocate(bytes);
          // Pieces are lost to fragmentation and gaps, but never while everything is free.
          if (!region) assert.ok(held.length > 0, `${bytes} bytes of an empty memory`);
          else {
            assert.equal(region.length, bytes);
            assert.equal(region.byteOffset % 64, 0);
            assert.ok(region.byteOffset >= 64);
            for (const other of held) {
              const isApart =
                other.byteOffset + Math.max(64, other.length) <= region.byteOffset ||
                region.byteOffset + Math.max(64, region.length) <= other.byteOffset;
              assert.ok(isApart, 'regions overlap');
            }
            held.push(region);
          }
        } else {
          const region = held[pick % held.length]!;
          held = held.filter((other) => other !== region);
          memory.free(region);
          assert.throws(() => memory.free(region), /not allocated/);
        }
      }
      for (const region of held) memory.free(region);
      assert.equal(memory.bytesFree, all);
      assert.ok(memory.tryAllocate(all), 'one piece again');
    }),
    { seed, numRuns: 100 },
  );
});

test('equal large regions do not begin at the same offset of a page', () => {
  const memory = new KernelMemory(1 << 20);
  const offsets = Array.from({ length: 12 }, () => memory.allocate(65_536).byteOffset % 4096);
  assert.equal(new Set(offsets).size, offsets.length);
});

test('a full memory and impossible sizes are refused', () => {
  const memory = new KernelMemory(65_536);
  const isFull = (thrown: unknown) => thrown instanceof ErasureError && thrown.code === 'LIMIT_EXCEEDED';
  assert.throws(() => memory.allocate(65_536), isFull);
  assert.throws(() => memory.allocate(-1), /whole number of bytes, not -1/);
  assert.throws(() => memory.free(new Uint8Array(8)), /not allocated/);
  assert.throws(() => memory.free(memory.allocate(640).subarray(64)), /not allocated/);
  assert.throws(() => new KernelMemory(0), /has 1\.\.\d+ bytes, not 0/);
  assert.throws(() => new KernelMemory(2 ** 33), /has 1\.\.\d+ bytes/);
});

test('files and sockets are read straight into regions', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-kernel-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const bytes = Uint8Array.from({ length: 4096 }, (_, i) => (i * 31) >>> 3);
  writeFileSync(join(folder, 'chunk'), bytes);
  const memory = new KernelMemory(1 << 20);
  const [fromFile, received, sum] = [memory.allocate(4096), memory.allocate(8192), memory.allocate(4096)];
  const fromSocket = received.subarray(0, 4096);
  const file = openSync(join(folder, 'chunk'), 'r');
  assert.equal(readSync(file, fromFile, 0, 4096, 0), 4096);
  closeSync(file);

  const server = createServer((socket) => socket.end(bytes));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  let count = 0;
  await new Promise<void>((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    // The socket writes into the region itself, behind what it has written before.
    const buffer = () => received.subarray(count);
    const callback = (bytesRead: number): boolean => {
      count += bytesRead;
      return true;
    };
    connect({ port, host: '127.0.0.1', onread: { buffer, callback } })
      .on('close', () => resolve())
      .on('error', reject);
  });
  assert.equal(count, 4096);
  assert.deepEqual(fromFile, bytes);
  assert.deepEqual(fromSocket, bytes);
  xorRegions(sum, [fromFile, fromSocket]);
  assert.ok(sum.every((byte) => byte === 0));
});
