/**
 * Bytes that must wait outside a connection's buffers: a reply whose turn has not come. They lie in a chain of slab
 * chunks of three sizes.
 *
 * ```
 *   chunk   [reference count, 8 bytes][next][used][room] … 64 ┃ data …                    offsets as doubles
 *   chain   first ──next──▶ chunk ──next──▶ last              numbers that whoever owns the chain keeps
 * ```
 */
import type { Arena, SlabAllocator } from '@larder/datapath';
import { BUFFER_HEADER_BYTES } from '@larder/datapath';
import {
  CHUNK_BYTES_FIRST,
  CHUNK_BYTES_LAST,
  CHUNK_BYTES_SECOND,
  CHUNKS_KEPT,
  REFERENCE_BYTES_MIN,
} from '../limits.ts';
import type { PeerOutput } from './peer-output.ts';

const NEXT = 1;
const USED = 2;
const ROOM = 3;
const WORD_BYTES = 8;

export class ChunkChains {
  readonly #arena: Arena;
  readonly #allocator: SlabAllocator;
  readonly #numbers: Float64Array;
  /** Unused chunks of the first size, which nearly all replies need: taking one costs no lock. */
  readonly #kept: Float64Array = new Float64Array(CHUNKS_KEPT);
  #keptCount = 0;

  constructor(arena: Arena, allocator: SlabAllocator) {
    this.#arena = arena;
    this.#allocator = allocator;
    this.#numbers = arena.f64;
  }

  /**
   * Appends arena bytes to the chain whose last chunk is `last` (0 begins a chain); returns the chain's new last
   * chunk, or -1 when there is no memory, with the chain as it was but for bytes that did fit.
   */
  append(last: number, offset: number, bytes: number): number {
    let source = offset;
    let left = bytes;
    let chunk = last;
    while (left > 0) {
      if (chunk === 0 || this.#left(chunk) === 0) {
        chunk = this.#extend(chunk, left);
        if (chunk === 0) return -1;
      }
      const count = Math.min(left, this.#left(chunk));
      const target = chunk + BUFFER_HEADER_BYTES + this.#numbers[chunk / WORD_BYTES + USED]!;
      this.#arena.u8.copyWithin(target, source, source + count);
      this.#numbers[chunk / WORD_BYTES + USED]! += count;
      source += count;
      left -= count;
    }
    return chunk;
  }

  /** An empty chain of one chunk for at least `bytes`, so that its first chunk is known; 0 without memory. */
  begin(bytes: number): number {
    return this.#extend(0, bytes);
  }

  /** A chain with a copy of bytes from outside the arena; 0 without memory. */
  beginWith(bytes: Uint8Array): number {
    const first = this.#extend(0, bytes.length);
    let chunk = first;
    let done = 0;
    while (chunk !== 0 && done < bytes.length) {
      if (this.#left(chunk) === 0) chunk = this.#extend(chunk, bytes.length - done);
      if (chunk === 0) break;
      const count = Math.min(bytes.length - done, this.#left(chunk));
      this.#arena.u8.set(bytes.subarray(done, done + count), chunk + BUFFER_HEADER_BYTES);
      this.#numbers[chunk / WORD_BYTES + USED]! += count;
      done += count;
    }
    if (done === bytes.length) return first;
    this.release(first);
    return 0;
  }

  /** The last chunk of a chain. */
  lastOf(first: number): number {
    let chunk = first;
    for (let next = chunk; next !== 0; next = this.#numbers[chunk / WORD_BYTES + NEXT]!) chunk = next;
    return chunk;
  }

  /** Puts one chain behind another. */
  link(last: number, first: number): void {
    this.#numbers[last / WORD_BYTES + NEXT] = first;
  }

  /** Writes all of a chain to an output and gives the chain back; returns its bytes. */
  send(first: number, output: PeerOutput): number {
    let chunk = first;
    let sent = 0;
    while (chunk !== 0) {
      const base = chunk / WORD_BYTES;
      const next = this.#numbers[base + NEXT]!;
      const used = this.#numbers[base + USED]!;
      sent += used;
      if (used >= REFERENCE_BYTES_MIN) {
        // The output's last user gives the chunk back.
        output.reference(chunk + BUFFER_HEADER_BYTES, used, chunk);
      } else {
        output.copy(chunk + BUFFER_HEADER_BYTES, used);
        this.#give(chunk);
      }
      chunk = next;
    }
    return sent;
  }

  /** Gives a chain back; returns the bytes that it held. */
  release(first: number): number {
    let chunk = first;
    let dropped = 0;
    while (chunk !== 0) {
      const base = chunk / WORD_BYTES;
      const next = this.#numbers[base + NEXT]!;
      dropped += this.#numbers[base + USED]!;
      this.#give(chunk);
      chunk = next;
    }
    return dropped;
  }

  /** Gives the chunks that are kept back. */
  drain(): void {
    while (this.#keptCount > 0) this.#allocator.release(this.#kept[--this.#keptCount]!);
  }

  #give(chunk: number): void {
    const isFirst = this.#numbers[chunk / WORD_BYTES + ROOM] === CHUNK_BYTES_FIRST;
    if (isFirst && this.#keptCount < CHUNKS_KEPT) this.#kept[this.#keptCount++] = chunk;
    else this.#allocator.release(chunk);
  }

  #roomOf(chunk: number): number {
    return this.#numbers[chunk / WORD_BYTES + ROOM]!;
  }

  #left(chunk: number): number {
    const base = chunk / WORD_BYTES;
    return this.#numbers[base + ROOM]! - this.#numbers[base + USED]!;
  }

  #extend(last: number, wanted: number): number {
    const isFirst = last === 0 && wanted <= CHUNK_BYTES_FIRST;
    const isSecond = wanted <= CHUNK_BYTES_SECOND && (last === 0 || this.#roomOf(last) === CHUNK_BYTES_FIRST);
    const room = isFirst ? CHUNK_BYTES_FIRST : isSecond ? CHUNK_BYTES_SECOND : CHUNK_BYTES_LAST;
    const isKept = room === CHUNK_BYTES_FIRST && this.#keptCount > 0;
    const chunk = isKept
      ? this.#kept[--this.#keptCount]!
      : this.#allocator.allocate(this.#allocator.classFor(room + BUFFER_HEADER_BYTES));
    if (chunk === 0) return 0;
    const base = chunk / WORD_BYTES;
    this.#numbers[base + NEXT] = 0;
    this.#numbers[base + USED] = 0;
    this.#numbers[base + ROOM] = room;
    if (last !== 0) this.#numbers[last / WORD_BYTES + NEXT] = chunk;
    return chunk;
  }
}
