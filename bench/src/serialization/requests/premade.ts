/**
 * The requests of a workload in a serializer's format, made before anything is measured, in the slot of the
 * process that serves them; the load reads them from there.
 *
 * ```
 *   [made][count][offset, bytes of frame 0][offset, bytes of frame 1] ... frames, each at a multiple of 16
 * ```
 */
import type { Arena } from '@larder/datapath';
import { BenchError } from '../../errors.ts';
import type { Serializer } from '../serializers/serializer.ts';
import { FRAME_BYTES, KIND_GET, KIND_PUT } from '../server/reply-output.ts';
import { SLOT_REQUEST_BYTES } from '../store/store-file.ts';
import { type KeyTable, type Trace, writeKey } from '../workloads/trace.ts';
import type { Workload } from '../workloads/workload.ts';

export const MADE: number = 0x4d414445;
export const TABLE_WORDS: number = 2;
const KEY_BYTES_MAX = 256;
const VALUE_BYTES_MAX = 8192;

export class PremadeRequests {
  readonly #i32: Int32Array;
  readonly #word: number;

  /** Those that were made at `offset`. */
  constructor(arena: Arena, offset: number) {
    this.#i32 = arena.i32;
    this.#word = offset / 4;
  }

  get isMade(): boolean {
    return this.#i32[this.#word] === MADE;
  }

  get count(): number {
    return this.#i32[this.#word + 1]!;
  }

  offsetOf(index: number): number {
    return this.#i32[this.#word + TABLE_WORDS + 2 * index]!;
  }

  bytesOf(index: number): number {
    return this.#i32[this.#word + TABLE_WORDS + 2 * index + 1]!;
  }
}

/** What a put stores: text that follows from the key, of the length that the key's value has. */
function putValue(key: number, bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(65 + (key % 26));
}

/** Encodes all requests of a trace, once. */
export function makeRequests(
  arena: Arena,
  offset: number,
  workload: Workload,
  table: KeyTable,
  trace: Trace,
  serializer: Serializer,
): void {
  const { i32, u8, view } = arena;
  const word = offset / 4;
  const count = trace.keys.length;
  const key = new Uint8Array(KEY_BYTES_MAX);
  let at = (offset + (TABLE_WORDS + 2 * count) * 4 + 15) & ~15;
  for (let index = 0; index < count; index++) {
    const number = trace.keys[index]!;
    const keyBytes = writeKey(workload, number, key, 0);
    const isPut = trace.puts[index] === 1;
    const size = Math.min(VALUE_BYTES_MAX, table.sizes[table.first[number]!]!);
    const body = isPut
      ? serializer.encodePut(index + 1, key.subarray(0, keyBytes), putValue(number, size))
      : serializer.encodeGet(index + 1, key.subarray(0, keyBytes), trace.segments[index]!);
    if (at + FRAME_BYTES + body.length > offset + SLOT_REQUEST_BYTES) {
      throw new BenchError('USAGE', `the requests of ${workload.name} do not fit their slot`);
    }
    view.setUint32(at, body.length, true);
    view.setUint32(at + 4, isPut ? KIND_PUT : KIND_GET, true);
    view.setUint32(at + 8, index, true);
    u8.set(body, at + FRAME_BYTES);
    i32[word + TABLE_WORDS + 2 * index] = at;
    i32[word + TABLE_WORDS + 2 * index + 1] = FRAME_BYTES + body.length;
    at = (at + FRAME_BYTES + body.length + 15) & ~15;
  }
  i32[word + 1] = count;
  i32[word] = MADE;
}
