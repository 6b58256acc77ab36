import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PAGE_BYTES } from '../limits.ts';
import { Arena } from './arena.ts';
import { PageTable } from './page-table.ts';
import { SlabAllocator } from './slab-allocator.ts';
import { SlabClasses } from './slab-classes.ts';

function makeAllocator(pages: number, pageLimit = pages): SlabAllocator {
  const arena = Arena.portable((pages + 1) * PAGE_BYTES);
  const table = new PageTable(arena, 64, 1);
  const classes = new SlabClasses();
  const allocator = new SlabAllocator(table, 64 * 1024, 1, classes);
  allocator.setPageLimit(pageLimit);
  return allocator;
}

test('classes start at 64, include 128, grow by about 1.07, end with a page, and are aligned', () => {
  const { chunkBytes, last } = new SlabClasses();
  const sizes = [...chunkBytes.slice(1)];
  assert.equal(sizes[0], 64);
  assert.ok(sizes.includes(128));
  assert.equal(sizes.at(-1), PAGE_BYTES);
  assert.ok(last <= 255);
  for (let i = 1; i < sizes.length; i++) {
    const [a, b] = [sizes[i - 1]!, sizes[i]!];
    assert.ok(b > a && b % 8 === 0);
    // Sizes are rounded to the alignment, and stretched as far as a page still holds as many.
    if (b <= 4096) assert.ok(b <= a * 1.07 + 16, `${a} -> ${b}`);
    assert.ok(Math.floor(PAGE_BYTES / b) < Math.floor(PAGE_BYTES / a), `${a} and ${b} waste the same`);
  }
});

test('classFor gives the smallest class that fits', () => {
  const classes = new SlabClasses();
  fc.assert(
    fc.property(fc.integer({ min: 1, max: PAGE_BYTES }), (bytes) => {
      const index = classes.classFor(bytes);
      assert.ok(classes.chunkBytes[index]! >= bytes);
      if (index > 1) assert.ok(classes.chunkBytes[index - 1]! < bytes);
    }),
    { seed: 7, numRuns: 2000 },
  );
  assert.equal(classes.classFor(PAGE_BYTES + 1), 0);
});

test('chunks do not overlap, memory ends at the page limit, and freed chunks come again', () => {
  const allocator = makeAllocator(4, 3);
  const slabClass = allocator.classFor(1000);
  const bytes = allocator.classes.chunkBytes[slabClass]!;
  const chunks: number[] = [];
  for (let chunk = allocator.allocate(slabClass); chunk !== 0; chunk = allocator.allocate(slabClass))
    chunks.push(chunk);
  assert.equal(chunks.length, 3 * allocator.classes.chunksPerPage[slabClass]!);
  const sorted = chunks.toSorted((a, b) => a - b);
  for (let i = 1; i < sorted.length; i++) assert.ok(sorted[i]! - sorted[i - 1]! >= bytes);
  allocator.release(chunks[5]!);
  assert.equal(allocator.allocate(slabClass), chunks[5]);
  assert.equal(allocator.allocate(slabClass), 0);
});

test('a chunk is freed by its last reference only', () => {
  const allocator = makeAllocator(1);
  const chunk = allocator.allocate(3);
  allocator.retain(chunk);
  assert.equal(allocator.release(chunk), false);
  assert.equal(allocator.chunksInUse(), 1);
  assert.equal(allocator.release(chunk), true);
  assert.equal(allocator.chunksInUse(), 0);
});

test('recover finds the chunk from any interior pointer and nothing outside', () => {
  const allocator = makeAllocator(3);
  const slabClass = allocator.classFor(700);
  const bytes = allocator.classes.chunkBytes[slabClass]!;
  const chunks = Array.from({ length: 40 }, () => allocator.allocate(slabClass));
  for (const chunk of chunks) {
    for (const inside of [0, 1, bytes >> 1, bytes - 1])
      assert.equal(allocator.recover(chunk + inside), chunk);
    assert.equal(allocator.recover(allocator.arena.u8.subarray(chunk + 9, chunk + 20)), chunk);
    assert.equal(allocator.recover(chunk, bytes), chunk);
    assert.equal(allocator.recover(chunk + 10, bytes - 10), chunk);
    assert.equal(allocator.recover(chunk + 10, bytes - 9), -1, 'not all of it is in the chunk');
  }
  assert.equal(allocator.recover(10), -1, 'control structures');
  assert.equal(allocator.recover(-1), -1);
  assert.equal(allocator.recover(allocator.arena.bytes), -1);
  assert.equal(allocator.recover(2 * PAGE_BYTES + 5), -1, 'a page that nobody owns');
  assert.equal(allocator.recover(new Uint8Array(8)), -1, 'memory elsewhere');
});

test('a drained page moves to another class with all its chunks, and none is handed out meanwhile', () => {
  const allocator = makeAllocator(2);
  const small = allocator.classFor(100_000);
  const chunks = Array.from({ length: 14 }, () => allocator.allocate(small));
  const page = Math.floor(chunks[0]! / PAGE_BYTES);
  const inPage = chunks.filter((chunk) => Math.floor(chunk / PAGE_BYTES) === page);
  allocator.release(inPage[0]!);
  assert.equal(allocator.beginDrain(page), true);
  assert.equal(allocator.beginDrain(page), false);
  assert.equal(allocator.isDrained(page), false);
  for (const chunk of inPage.slice(1)) allocator.release(chunk);
  assert.equal(allocator.isDrained(page), true);
  for (let chunk = allocator.allocate(small); chunk !== 0; chunk = allocator.allocate(small)) {
    assert.notEqual(Math.floor(chunk / PAGE_BYTES), page);
  }
  const target = allocator.classFor(300_000);
  allocator.finishDrain(page, target);
  const moved = [];
  for (let chunk = allocator.allocate(target); chunk !== 0; chunk = allocator.allocate(target))
    moved.push(chunk);
  assert.equal(moved.length, allocator.classes.chunksPerPage[target]);
  for (const chunk of moved) assert.equal(Math.floor(chunk / PAGE_BYTES), page);
});

test('a page given back to the pool serves another class', () => {
  const allocator = makeAllocator(1);
  const chunk = allocator.allocate(2);
  const page = Math.floor(chunk / PAGE_BYTES);
  allocator.release(chunk);
  allocator.beginDrain(page);
  assert.equal(allocator.isDrained(page), true);
  allocator.finishDrain(page, 0);
  assert.equal(allocator.pagesUsed, 0);
  assert.notEqual(allocator.allocate(9), 0);
});

test('random allocation and release against a model: contents are never shared', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 16, max: 200_000 })), { maxLength: 300 }),
      (steps) => {
        const allocator = makeAllocator(6);
        const live: { chunk: number; bytes: number; mark: number }[] = [];
        let mark = 1;
        for (const [take, size] of steps) {
          if (take || live.length === 0) {
            const slabClass = allocator.classFor(size);
            const chunk = allocator.allocate(slabClass);
            if (chunk === 0) continue;
            const bytes = allocator.classes.chunkBytes[slabClass]!;
            allocator.arena.u8.fill(mark & 0xff, chunk + 16, chunk + bytes);
            live.push({ chunk, bytes, mark });
            mark++;
          } else {
            const [entry] = live.splice(size % live.length, 1);
            for (const at of [16, entry!.bytes - 1]) {
              assert.equal(allocator.arena.u8[entry!.chunk + at], entry!.mark & 0xff);
            }
            allocator.release(entry!.chunk);
          }
        }
        assert.equal(allocator.chunksInUse(), live.length);
      },
    ),
    { seed: 11, numRuns: 60 },
  );
});
