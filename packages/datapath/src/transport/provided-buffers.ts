/**
 * The receive buffers that io_uring chooses from: counted buffers of the arena, offered through a ring that
 * the kernel reads. There are few at first, because few stay in the CPU's cache; when the kernel has run out of
 * them their number is doubled, up to that of the ring.
 *
 * ```
 *   entry (16 bytes)   [u64 address][u32 bytes][u16 number][u16 -]       the tail is in entry 0's last u16
 * ```
 */
import { DatapathError } from '../errors.ts';
import { RECEIVE_BUFFER_BYTES, RECEIVE_BUFFERS_INITIAL } from '../limits.ts';
import type { Arena } from '../memory/arena.ts';
import { BufferPool } from '../memory/buffer-pool.ts';
import type { SlabAllocator } from '../memory/slab-allocator.ts';
import type { IoUring } from '../sys/io-uring.ts';
import { type AnonymousMemory, mapAnonymous, unmap } from '../sys/memory-map.ts';

const ENTRY_BYTES = 16;
const ENTRY_WORDS = 4;
const TAIL_HALFWORD = 7;
const NUMBER_HALFWORD = 6;

export class ProvidedBuffers {
  readonly #pool: BufferPool;
  readonly #memory: AnonymousMemory;
  readonly #words: Int32Array;
  readonly #halfwords: Uint16Array;
  readonly #offsets: Float64Array;
  /** The halves of each buffer's address, ready to be written. */
  readonly #low: Int32Array;
  readonly #high: Int32Array;
  readonly #mask: number;
  readonly #capacity: number;
  readonly #arenaAddress: number;
  /** Buffers that a handler holds and for which there was no other one. */
  readonly #withheld: number[] = [];
  #count = 0;
  #tail = 0;

  constructor(ring: IoUring, arena: Arena, allocator: SlabAllocator, count: number, group: number) {
    this.#pool = new BufferPool(allocator, RECEIVE_BUFFER_BYTES, 0);
    this.#arenaAddress = arena.address;
    this.#memory = mapAnonymous(count * ENTRY_BYTES);
    this.#words = new Int32Array(this.#memory.buffer);
    this.#halfwords = new Uint16Array(this.#memory.buffer);
    this.#offsets = new Float64Array(count);
    this.#low = new Int32Array(count);
    this.#high = new Int32Array(count);
    this.#mask = count - 1;
    this.#capacity = count;
    ring.registerBufferRing(this.#memory.address, count, group);
    if (!this.#add(Math.min(count, RECEIVE_BUFFERS_INITIAL))) {
      this.close();
      throw new DatapathError('ENOMEM', 'receive buffers', 'no memory for the first of them');
    }
  }

  /** More buffers, unless there are as many as may be or memory is exhausted. */
  grow(): void {
    for (const number of this.#withheld.splice(0)) this.give(number);
    this.#add(Math.min(this.#capacity, this.#count * 2));
  }

  /** Brings the number of buffers to `count`; false when not one could be added. */
  #add(count: number): boolean {
    const before = this.#count;
    while (this.#count < count) {
      const offset = this.#pool.take();
      if (offset === 0) break;
      const number = this.#count++;
      this.#place(number, offset);
      this.give(number);
    }
    return this.#count > before;
  }

  #place(number: number, offset: number): void {
    const address = this.#arenaAddress + offset;
    this.#offsets[number] = offset;
    this.#low[number] = address >>> 0;
    this.#high[number] = Math.floor(address / 4_294_967_296);
  }

  /** Puts another buffer in the place of one that a handler holds; false when there is no memory. */
  #replace(number: number): boolean {
    const offset = this.#pool.take();
    if (offset === 0) {
      this.#withheld.push(number);
      return false;
    }
    this.#pool.letGo(this.#offsets[number]!);
    this.#place(number, offset);
    return true;
  }

  offset(number: number): number {
    return this.#offsets[number]!;
  }

  /** Offers a buffer to the kernel (again). */
  give(number: number): void {
    if (this.#pool.isHeld(this.#offsets[number]!) && !this.#replace(number)) return;
    const slot = this.#tail & this.#mask;
    const words = this.#words;
    words[slot * ENTRY_WORDS] = this.#low[number]!;
    words[slot * ENTRY_WORDS + 1] = this.#high[number]!;
    words[slot * ENTRY_WORDS + 2] = RECEIVE_BUFFER_BYTES;
    this.#halfwords[slot * ENTRY_WORDS * 2 + NUMBER_HALFWORD] = number;
    this.#tail = (this.#tail + 1) & 0xffff;
    // The kernel looks only during a system call of this thread, so the order of these stores is enough.
    this.#halfwords[TAIL_HALFWORD] = this.#tail;
  }

  /** Gives the buffers back; nothing receives any more. */
  close(): void {
    for (const offset of this.#offsets) if (offset !== 0) this.#pool.give(offset);
    this.#offsets.fill(0);
    unmap(this.#memory);
  }
}
