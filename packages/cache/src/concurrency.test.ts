import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Arena, BufferPool } from '@larder/datapath';
import { StoreMode } from './result.ts';
import { planStore, Store } from './store.ts';
import type { StressReport, StressTask } from './testing/stress-worker.ts';

async function stress(
  memoryBytes: number,
  keys: number,
  operations: number,
  valueBytes = 0,
  meanwhile: (store: Store, slice: number) => void = () => {},
): Promise<Store> {
  const layout = planStore({ memoryBytes, threads: 4, staleSeconds: 1 }, { networkPages: 4 });
  const buffer = new SharedArrayBuffer(layout.arenaBytes);
  const arena = new Arena(buffer, 0);
  const store = Store.create(arena, layout);
  const scratch = new BufferPool(store.networkAllocator(), 16_384, 1).take();
  const keyBytes = arena.node.write('counter', scratch, 'latin1');
  const hash = store.hash(scratch, keyBytes);
  const item = store.create(scratch, keyBytes, hash, 0, 0, 20);
  arena.node.write('0'.padEnd(20), scratch + 300, 'latin1');
  store.fill(item, 0, scratch + 300, 20);
  store.link(item, StoreMode.set, 0, 0);
  const workers = [1, 2, 3].map((thread) => {
    const workerData: StressTask = { buffer, layout, thread, operations, keys, valueBytes };
    return new Worker(new URL('./testing/stress-worker.ts', import.meta.url), { workerData });
  });
  let slice = 0;
  const maintain = setInterval(() => {
    meanwhile(store, slice++);
    store.maintain(2);
  }, 1);
  const reports = await Promise.all(
    workers.map(async (worker) => (await once(worker, 'message'))[0] as StressReport),
  );
  clearInterval(maintain);
  for (const { wrong } of reports) assert.equal(wrong, null);
  assert.ok(reports.every(({ hits }) => hits > 0));
  const held = store.acquire(scratch, keyBytes, hash);
  if (held !== 0) {
    const counted = Number(
      arena.node.toString('latin1', store.valueOffset(held), store.valueOffset(held) + 20),
    );
    assert.equal(
      counted,
      reports.reduce((sum, { increments }) => sum + increments, 0),
      'no increment is lost',
    );
    store.release(held);
  }
  return store;
}

test('three threads on the same few keys: no value is torn, no increment lost', async () => {
  const store = await stress(64 << 20, 40, 60_000);
  assert.ok(store.totals().currItems <= 41);
});

test('three threads under eviction and moving pages: what is freed is never read as something else', async () => {
  const store = await stress(5 << 20, 20_000, 60_000);
  const { evictions, slabEvictions } = store.totals();
  assert.ok(evictions + slabEvictions > 1000);
  for (let i = 0; i < 1000 && store.maintain(20) < 50; i++);
  let live = 0;
  for (
    let cursor = store.walk(0, 1024, () => live++);
    cursor !== 0;
    cursor = store.walk(cursor, 1024, () => live++)
  );
  assert.ok(Math.abs(live - store.totals().currItems) < 2000);
});

test('pages that are given back because the limit fell do not make sets fail', async () => {
  const store = await stress(16 << 20, 200_000, 120_000, 500, (each, slice) => {
    // Up and down, so that classes grow against the limit while pages go.
    if (slice % 50 === 0) each.setMemoryLimit((slice % 100 === 0 ? 16 : 10) << 20);
  });
  const { evictions, slabEvictions, outOfMemory } = store.totals();
  assert.ok(evictions > 1000 && slabEvictions > 1000, `${evictions} and ${slabEvictions} evictions`);
  assert.equal(outOfMemory, 0);
});
