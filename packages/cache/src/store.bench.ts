/** Cost of the store's hot operations alone: `node -C larder-source packages/cache/src/store.bench.ts`. */
import { StoreMode } from './result.ts';
import { StoreHarness } from './testing/harness.ts';

const ITEMS = 10_000;
const ROUNDS = 300;
const VALUE = 'v'.repeat(32);

const h = new StoreHarness({ memoryBytes: 64 << 20 });
const { store, arena } = h;
const scratch = h.key('x');
// All keys lie in a region of their own, as they do in receive buffers.
const keys: number[] = [];
let at = scratch + 400;
for (let i = 0; i < 500; i++) {
  keys.push(at);
  at += arena.node.write(`key:${String(i).padStart(8, '0')}`, at, 'latin1');
}
for (let i = 0; i < ITEMS; i++) h.put(StoreMode.set, `key:${String(i).padStart(8, '0')}`, VALUE);
h.settle();

function time(name: string, operations: number, run: () => void): void {
  run();
  run();
  const laps: number[] = [];
  for (let lap = 0; lap < 7; lap++) {
    const start = process.hrtime.bigint();
    run();
    laps.push(Number(process.hrtime.bigint() - start) / operations);
  }
  laps.sort((a, b) => a - b);
  console.log(`${name.padEnd(28)} ${laps[3]!.toFixed(1)} ns`);
}

const target = scratch + 14_000;
time('hash of a 12-byte key', keys.length * ROUNDS, () => {
  for (let round = 0; round < ROUNDS; round++) for (const key of keys) store.hash(key, 12);
});
time('hash + copyReply, 32 B, hit', keys.length * ROUNDS, () => {
  for (let round = 0; round < ROUNDS; round++) {
    for (const key of keys) {
      if (store.copyReply(key, 12, store.hash(key, 12), target, 1000) === 0) throw new Error('a miss');
    }
  }
});
time('create + fill + link, 32 B', keys.length * ROUNDS, () => {
  for (let round = 0; round < ROUNDS; round++) {
    for (const key of keys) {
      const hash = store.hash(key, 12);
      const item = store.create(key, 12, hash, 0, 0, 32);
      store.fill(item, 0, scratch, 32);
      store.link(item, StoreMode.set, 0, 0);
    }
  }
});
time('delete of a missing key', keys.length * ROUNDS, () => {
  for (let round = 0; round < ROUNDS; round++) {
    for (const key of keys) store.delete(key, 11, store.hash(key, 11), 0);
  }
});
