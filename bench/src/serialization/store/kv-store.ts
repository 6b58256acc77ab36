/**
 * The store of the benchmark, the same for every serializer: keys in a hash index, a value as a list of
 * buffers that lie where nothing was ever joined.
 *
 * ```
 *   index   [entry / 8] by hash, open addressing
 *   entry   [hash][key bytes | buffers << 16][key ...][offset, bytes][offset, bytes] ...
 *   buffer  a chunk of the slab allocator: [references][-][-][-][bytes ...]
 * ```
 */
import type { Arena, SlabAllocator } from '@larder/datapath';
import { BenchError } from '../../errors.ts';
import type { StoreFile } from './store-file.ts';

/** Bytes of a chunk before the buffer in it. */
export const CHUNK_HEADER_BYTES: number = 16;
const ENTRY_HEADER_BYTES = 8;

/** Bytes of the entry of a key. */
export function entryBytes(keyBytes: number, buffers: number): number {
  return (ENTRY_HEADER_BYTES + ((keyBytes + 3) & ~3) + buffers * 8 + 7) & ~7;
}

export class KvStore {
  readonly arena: Arena;
  readonly allocator: SlabAllocator;
  /** Of what `find` found: the index in `arena.i32` of its first (offset, bytes) pair, and how many there are. */
  values = 0;
  count = 0;
  readonly #file: StoreFile;
  readonly #i32: Int32Array;
  readonly #view: DataView;
  readonly #index: number;
  readonly #mask: number;

  constructor(file: StoreFile) {
    this.#file = file;
    this.arena = file.arena;
    this.allocator = file.allocator;
    this.#i32 = file.arena.i32;
    this.#view = file.arena.view;
    this.#index = file.layout.indexOffset / 4;
    this.#mask = file.layout.indexSlots - 1;
  }

  /** Adds a key that is not there, with buffers of these sizes; returns the word of its first pair. */
  add(key: Uint8Array, sizes: Int32Array, from: number, to: number): number {
    const file = this.#file;
    const bytes = entryBytes(key.length, to - from);
    if (file.entryEnd + bytes > file.layout.entriesBytes)
      throw new BenchError('USAGE', 'no room for entries');
    const entry = file.layout.entriesOffset + file.entryEnd;
    file.entryEnd += bytes;
    this.arena.u8.set(key, entry + ENTRY_HEADER_BYTES);
    const hash = this.#hash(entry + ENTRY_HEADER_BYTES, key.length);
    const word = entry / 4;
    this.#i32[word] = hash;
    this.#i32[word + 1] = key.length | ((to - from) << 16);
    const pairs = word + ((ENTRY_HEADER_BYTES + key.length + 3) >>> 2);
    for (let index = from; index < to; index++) {
      const size = sizes[index]!;
      const chunk = this.allocator.allocate(this.allocator.classFor(size + CHUNK_HEADER_BYTES));
      if (chunk === 0) throw new BenchError('USAGE', 'no room for values');
      this.#i32[pairs + 2 * (index - from)] = chunk + CHUNK_HEADER_BYTES;
      this.#i32[pairs + 2 * (index - from) + 1] = size;
    }
    let slot = hash & this.#mask;
    while (this.#i32[this.#index + slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#i32[this.#index + slot] = entry / 8;
    return pairs;
  }

  /** Looks a key up; sets `values` and `count`. */
  find(keyOffset: number, keyBytes: number): boolean {
    const i32 = this.#i32;
    const hash = this.#hash(keyOffset, keyBytes);
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const entry = i32[this.#index + slot]!;
      if (entry === 0) return false;
      const word = entry * 2;
      if (i32[word] !== hash) continue;
      const lengths = i32[word + 1]!;
      if (
        (lengths & 0xffff) !== keyBytes ||
        !this.#isEqual(word * 4 + ENTRY_HEADER_BYTES, keyOffset, keyBytes)
      ) {
        continue;
      }
      this.values = word + ((ENTRY_HEADER_BYTES + keyBytes + 3) >>> 2);
      this.count = lengths >>> 16;
      return true;
    }
  }

  /** Replaces the first buffer of what `find` found by a copy of arena bytes. */
  replace(source: number, bytes: number): void {
    const chunk = this.allocator.allocate(this.allocator.classFor(bytes + CHUNK_HEADER_BYTES));
    if (chunk === 0) throw new BenchError('SERVER', 'no room for a value');
    this.arena.u8.copyWithin(chunk + CHUNK_HEADER_BYTES, source, source + bytes);
    const pair = this.values;
    const old = this.#i32[pair]! - CHUNK_HEADER_BYTES;
    this.#i32[pair] = chunk + CHUNK_HEADER_BYTES;
    this.#i32[pair + 1] = bytes;
    this.allocator.release(old);
  }

  #hash(offset: number, bytes: number): number {
    const view = this.#view;
    let hash = bytes;
    let at = offset;
    for (const end = offset + (bytes & ~3); at < end; at += 4) {
      hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    for (const end = offset + bytes; at < end; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x85ebca6b);
    return hash ^ (hash >>> 13);
  }

  #isEqual(one: number, other: number, bytes: number): boolean {
    const view = this.#view;
    let at = 0;
    for (const end = bytes & ~3; at < end; at += 4) {
      if (view.getInt32(one + at, true) !== view.getInt32(other + at, true)) return false;
    }
    for (; at < bytes; at++) if (view.getUint8(one + at) !== view.getUint8(other + at)) return false;
    return true;
  }
}
