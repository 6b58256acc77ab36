/** Makes the store of a workload: every key with all buffers of its value, filled with text. */
import { SlabClasses as Classes, type SlabClasses } from '@larder/datapath';
import { Random } from '../../random/random.ts';
import { type KeyTable, writeKey } from '../workloads/trace.ts';
import type { Workload } from '../workloads/workload.ts';
import { CHUNK_HEADER_BYTES, entryBytes, KvStore } from './kv-store.ts';
import { layOutStore, StoreFile, type StoreLayout } from './store-file.ts';

const KEY_BYTES_MAX = 256;
const TEXT_BYTES = 64 * 1024;

/** What the store of a workload needs. */
function storeLayout(workload: Workload, table: KeyTable): StoreLayout {
  const keys = table.first.length - 1;
  const classes: SlabClasses = new Classes();
  let entries = 0;
  let values = 0;
  for (let key = 0; key < keys; key++) {
    entries += entryBytes(workload.keyBytesMax, table.first[key + 1]! - table.first[key]!);
  }
  for (const size of table.sizes) values += classes.chunkBytes[classes.classFor(size + CHUNK_HEADER_BYTES)]!;
  return layOutStore(keys, entries, values);
}

/** Makes a file and fills it. Keys are added in a scattered order, so that neighbours in rank are not in memory. */
export function fillStore(workload: Workload, table: KeyTable): StoreFile {
  const file = StoreFile.create(storeLayout(workload, table));
  const store = new KvStore(file);
  const keys = table.first.length - 1;
  const key = new Uint8Array(KEY_BYTES_MAX);
  const { u8, i32 } = file.arena;
  const random = new Random(workload.seed + 2);
  const text = Uint8Array.from({ length: TEXT_BYTES }, () => 33 + random.below(94));
  const step = coprime(keys);
  for (let count = 0, next = 0; count < keys; count++, next = (next + step) % keys) {
    const bytes = writeKey(workload, next, key, 0);
    const from = table.first[next]!;
    const to = table.first[next + 1]!;
    const pairs = store.add(key.subarray(0, bytes), table.sizes, from, to);
    for (let index = 0; index < to - from; index++) {
      const offset = i32[pairs + 2 * index]!;
      const size = i32[pairs + 2 * index + 1]!;
      const start = (next * 31 + index * 7) % (TEXT_BYTES - 8192);
      u8.set(text.subarray(start, start + size), offset);
    }
  }
  return file;
}

function coprime(count: number): number {
  let step = Math.max(1, Math.floor(count * 0.381_966));
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  while (divisor(step, count) !== 1) step++;
  return step;
}
