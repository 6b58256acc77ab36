/**
 * Cost of the store's hot operations alone, on more items than the nearer caches hold:
 * `node -C larder-source packages/cache/src/store.bench.ts`.
 */
import { Arena, BufferPool } from '@larder/datapath';
import { StoreMode } from './result.ts';
import { planStore, Store } from './store.ts';

const ITEMS = 100_000;
const KEY_BYTES = 15;
const VALUE_BYTES = 32;
const KEYS_PER_BUFFER = 1000;
const BUFFERS = 60;

const layout = planStore({ memoryBytes: 64 << 20 }, { networkPages: 4 });
const arena = Arena.portable(layout.arenaBytes);
const store = Store.create(arena, layout);
const pool = new BufferPool(store.networkAllocator(), 16_384, 1);
const scratch = pool.take();

function writeKey(offset: number, number: number): void {
  arena.node.write(`key:${String(number).padStart(KEY_BYTES - 4, '0')}`, offset, 'latin1');
}

function put(key: number): void {
  const hash = store.hash(key, KEY_BYTES);
  const item = store.create(key, KEY_BYTES, hash, 0, 0, VALUE_BYTES);
  store.fill(item, 0, scratch, VALUE_BYTES);
  store.link(item, StoreMode.set, 0, 0);
}

for (let i = 0; i < ITEMS; i++) {
  writeKey(scratch, i);
  put(scratch);
}
while (store.maintain(50) < 50);
/** Random keys, lying one behind the other as in a receive buffer. */
const keys: number[] = [];
let random = 1;
for (let buffer = 0; buffer < BUFFERS; buffer++) {
  const start = pool.take();
  for (let i = 0; i < KEYS_PER_BUFFER; i++) {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
    writeKey(start + i * 16, random % ITEMS);
    keys.push(start + i * 16);
  }
}

function time(name: string, operation: (key: number) => void): void {
  const laps: number[] = [];
  for (let lap = 0; lap < 12; lap++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < keys.length; i++) operation(keys[i]!);
    laps.push(Number(process.hrtime.bigint() - start) / keys.length);
  }
  laps.sort((a, b) => a - b);
  console.log(`${name.padEnd(28)} ${laps[4]!.toFixed(1)} ns`);
}

const target = scratch + 8000;
time('hash', (key) => {
  store.hash(key, KEY_BYTES);
});
time('hash + copyReply (hit)', (key) => {
  if (store.copyReply(key, KEY_BYTES, store.hash(key, KEY_BYTES), target, 1000) === 0)
    throw new Error('a miss');
});
time('set: create + fill + link', put);
time('set in place', (key) => {
  if (!store.overwrite(key, KEY_BYTES, store.hash(key, KEY_BYTES), 0, scratch, VALUE_BYTES))
    throw new Error('not so');
});
time('delete of a missing key', (key) => {
  store.delete(key, KEY_BYTES - 1, store.hash(key, KEY_BYTES - 1), 0);
});
