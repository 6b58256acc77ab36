/**
 * What a workload makes: the buffers of every key's value, and the requests in their order.
 *
 * Sizes are a pure function of the workload and the key, so that the process which fills the store and those
 * which check replies agree without exchanging anything.
 */
import { Scatter } from '../../random/key-distribution.ts';
import { Random } from '../../random/random.ts';
import { Zipf } from '../../random/zipf.ts';
import { drawGoogleList, logNormalSize } from './sizes.ts';
import { REPLY_VALUE_BYTES_MAX, SEGMENT_BYTES, type Workload } from './workload.ts';

/** The keys of a workload and the buffers of their values. */
export interface KeyTable {
  /** Where the sizes of a key's buffers begin in `sizes`; one entry more than there are keys. */
  readonly first: Int32Array;
  readonly sizes: Int32Array;
  /** Where the keys of an object begin: the object itself unless objects are split. */
  readonly firstKey: Int32Array;
}

export function makeKeyTable(workload: Workload): KeyTable {
  const { shape, objects } = workload;
  const random = new Random(workload.seed);
  const phase = random.double();
  const first: number[] = [0];
  const sizes: number[] = [];
  const firstKey = new Int32Array(objects + 1);
  for (let object = 0; object < objects; object++) {
    if (shape.kind === 'google') {
      for (const bytes of drawGoogleList(random, shape.countMax, REPLY_VALUE_BYTES_MAX)) sizes.push(bytes);
      first.push(sizes.length);
    } else if (shape.kind === 'fixed') {
      for (let index = 0; index < shape.count; index++) sizes.push(shape.bytes);
      first.push(sizes.length);
    } else {
      let left = logNormalSize(shape.sizes, object, phase);
      for (; left > 0; left -= SEGMENT_BYTES) {
        sizes.push(Math.min(left, SEGMENT_BYTES));
        if (shape.kind === 'split') first.push(sizes.length);
      }
      if (shape.kind === 'segmented') first.push(sizes.length);
    }
    firstKey[object + 1] = first.length - 1;
  }
  return { first: Int32Array.from(first), sizes: Int32Array.from(sizes), firstKey };
}

/** Requests, in the order in which they are sent. */
export interface Trace {
  readonly keys: Int32Array;
  /** 0 for the whole value, n for its n-th buffer. */
  readonly segments: Int32Array;
  /** 1 where the value is replaced. */
  readonly puts: Uint8Array;
}

export function makeTrace(workload: Workload, table: KeyTable): Trace {
  const { requests, objects, shape } = workload;
  const random = new Random(workload.seed + 1);
  const zipf = workload.zipf > 0 ? new Zipf(objects, workload.zipf) : undefined;
  // Sizes follow the rank, and what the rank is at in memory does not: the store scatters the keys.
  const scatter = new Scatter(objects);
  const keys = new Int32Array(requests);
  const segments = new Int32Array(requests);
  const puts = new Uint8Array(requests);
  let count = 0;
  while (count < requests) {
    const rank = zipf === undefined ? random.below(objects) : zipf.sample(random) - 1;
    const object = zipf === undefined ? scatter.key(rank) : rank;
    const isPut = random.double() < workload.putRatio;
    const from = table.firstKey[object]!;
    const parts =
      shape.kind === 'segmented'
        ? table.first[from + 1]! - table.first[from]!
        : table.firstKey[object + 1]! - from;
    for (let part = 0; part < parts && count < requests; part++) {
      keys[count] = shape.kind === 'segmented' ? from : from + part;
      segments[count] = shape.kind === 'segmented' ? part + 1 : 0;
      puts[count] = isPut ? 1 : 0;
      count++;
    }
  }
  return { keys, segments, puts };
}

/** The length of a key. */
export function keyBytes(workload: Workload, key: number): number {
  return workload.keyBytesMin + (key % (workload.keyBytesMax - workload.keyBytesMin + 1));
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz012345';

/** Writes a key: a prefix that all have in common, then letters that are the key's. Returns its length. */
export function writeKey(workload: Workload, key: number, target: Uint8Array, at: number): number {
  const bytes = keyBytes(workload, key);
  target.fill(45, at, at + bytes);
  let left = key;
  for (let index = bytes - 1; left > 0 && index >= 0; index--) {
    target[at + index] = LETTERS.charCodeAt(left & 31);
    left >>>= 5;
  }
  // The last letters of different lengths differ, so that no key is another's end.
  target[at] = LETTERS.charCodeAt(bytes & 31);
  return bytes;
}
