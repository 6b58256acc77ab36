/**
 * One thread of the concurrency test: random operations on a few keys that all threads share. Every value names its
 * key and carries a checksum, so a torn or foreign value is seen. Posts what it counted.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Arena, BufferPool } from '@larder/datapath';
import type { StoreLayout } from '../layout.ts';
import { StoreMode, StoreResult } from '../result.ts';
import { Store } from '../store.ts';

export interface StressTask {
  readonly buffer: SharedArrayBuffer;
  readonly layout: StoreLayout;
  readonly thread: number;
  readonly operations: number;
  readonly keys: number;
  /** All values are as long; 0 for many lengths. */
  readonly valueBytes: number;
}

export interface StressReport {
  readonly wrong: string | null;
  readonly increments: number;
  readonly hits: number;
}

const task = workerData as StressTask;
const arena = new Arena(task.buffer, 0);
const store = Store.attach(arena, task.layout, task.thread);
const scratch = new BufferPool(store.networkAllocator(), 16_384, 1).take();
const target = scratch + 5000;
let state = task.thread * 2_654_435_761 + 1;

/** xorshift32. */
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

function valueFor(key: number, seed: number): string {
  const some = 20 + ((seed * 37) % (seed % 50 === 0 ? 4000 : 300));
  const body = `${key}:${seed}:`.padEnd(task.valueBytes === 0 ? some : task.valueBytes, 'abcdefghij');
  let sum = 0;
  for (let i = 0; i < body.length; i++) sum = (sum * 31 + body.charCodeAt(i)) | 0;
  return `${body}#${sum >>> 0}`;
}

function check(key: number, reply: string): string | null {
  const value = reply.slice(reply.indexOf('\r\n') + 2, -2);
  const seed = Number(value.split(':')[1]);
  return value === valueFor(key, seed) ? null : `key ${key}: ${JSON.stringify(reply.slice(0, 120))}`;
}

function run(): StressReport {
  let increments = 0;
  let hits = 0;
  for (let i = 0; i < task.operations; i++) {
    const key = random(task.keys);
    const keyBytes = arena.node.write(`key-${key}`, scratch, 'latin1');
    const hash = store.hash(scratch, keyBytes);
    const kind = random(20);
    if (kind < 10) {
      const bytes = store.copyReply(scratch, keyBytes, hash, target, 8000);
      if (bytes <= 0) continue;
      hits++;
      const wrong = check(key, arena.node.toString('latin1', target, target + bytes));
      if (wrong !== null) return { wrong, increments, hits };
    } else if (kind < 17) {
      const value = valueFor(key, random(1 << 20));
      arena.node.write(value, target, 'latin1');
      if (kind < 13 && store.overwrite(scratch, keyBytes, hash, 0, target, value.length)) continue;
      const item = store.create(
        scratch,
        keyBytes,
        hash,
        0,
        kind === 16 ? store.expiryFrom(1) : 0,
        value.length,
      );
      if (item <= 0) continue;
      store.fill(item, 0, target, value.length);
      store.link(item, StoreMode.set, 0, 0);
    } else if (kind === 17) store.delete(scratch, keyBytes, hash, 0);
    else if (kind === 18) {
      const held = store.acquire(scratch, keyBytes, hash);
      if (held !== 0) store.release(held);
    } else {
      const counterBytes = arena.node.write('counter', scratch, 'latin1');
      const counterHash = store.hash(scratch, counterBytes);
      if (store.arithmetic(scratch, counterBytes, counterHash, false, 1n, null) === StoreResult.ok)
        increments++;
    }
  }
  return { wrong: null, increments, hits };
}

parentPort?.postMessage(run());
