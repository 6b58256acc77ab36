/**
 * The copied data of one message: small fields are put one behind the other and freed all at once
 * (papers/sosp23 3.2.2). The block lies in the arena when there is one, so that sending copies within one
 * memory; it grows by doubling, keeping what it has at the same places.
 *
 * ```
 *   block   [ start → copied fields → cursor | room → limit ]      a place = offset − start
 * ```
 */
import { BUFFER_HEADER_BYTES, CHUNK_BYTES_MAX } from '@larder/datapath';
import { Memory } from '../decode/memory.ts';
import { WireError } from '../errors.ts';
import { BUMP_BYTES_INITIAL, BUMP_BYTES_KEPT, BUMP_BYTES_MAX } from '../limits.ts';
import type { SendMemory } from '../memory/send-memory.ts';

const CHUNK_ROOM_MAX = CHUNK_BYTES_MAX - BUFFER_HEADER_BYTES;

export class BumpArena {
  memory: Memory;
  start = 0;
  cursor = 0;
  limit = 0;
  readonly #send: SendMemory | null;
  #chunk = 0;

  constructor(send: SendMemory | null) {
    this.#send = send;
    this.memory = send === null ? EMPTY : send.memory;
  }

  get used(): number {
    return this.cursor - this.start;
  }

  /** The offset of at least `bytes` bytes; the caller moves the cursor behind what it wrote. */
  reserve(bytes: number): number {
    return this.cursor + bytes <= this.limit ? this.cursor : this.#grow(bytes);
  }

  rewind(): void {
    if (this.limit - this.start > BUMP_BYTES_KEPT) this.dispose();
    this.cursor = this.start;
  }

  /** Gives the block away, with all that is in it: the chunk that it is, 0 when it does not lie in the arena. */
  give(): number {
    const chunk = this.#chunk;
    if (chunk === 0) return 0;
    this.#chunk = 0;
    this.dispose();
    return chunk;
  }

  /** Gives the block back. */
  dispose(): void {
    if (this.#chunk !== 0) this.#send?.owners.release(this.#chunk);
    this.#chunk = 0;
    this.memory = this.#send === null ? EMPTY : this.#send.memory;
    this.start = 0;
    this.cursor = 0;
    this.limit = 0;
  }

  #grow(bytes: number): number {
    const used = this.cursor - this.start;
    const needed = used + bytes;
    if (needed > BUMP_BYTES_MAX) throw new WireError('TOO_LARGE', `${needed} bytes of copied fields`);
    let capacity = Math.max(BUMP_BYTES_INITIAL, this.limit - this.start);
    while (capacity < needed) capacity *= 2;
    // The largest block that a chunk of the arena holds is a little less than a power of two.
    if (capacity > CHUNK_ROOM_MAX && needed <= CHUNK_ROOM_MAX) capacity = CHUNK_ROOM_MAX;
    const { memory, start } = this;
    const chunk = this.#chunk;
    this.#take(capacity);
    if (this.memory === memory) memory.u8.copyWithin(this.start, start, start + used);
    else this.memory.u8.set(memory.u8.subarray(start, start + used), this.start);
    if (chunk !== 0) this.#send?.owners.release(chunk);
    this.cursor = this.start + used;
    return this.cursor;
  }

  /** A block in the arena, or, where that has no chunk so large, an ordinary one. */
  #take(capacity: number): void {
    this.#chunk = 0;
    if (this.#send !== null) {
      const { owners, memory } = this.#send;
      const slabClass = owners.classFor(capacity + BUFFER_HEADER_BYTES);
      const chunk = slabClass === 0 ? 0 : owners.allocate(slabClass);
      if (chunk !== 0) {
        this.#chunk = chunk;
        this.memory = memory;
        this.start = chunk + BUFFER_HEADER_BYTES;
        this.limit = this.start + capacity;
        return;
      }
    }
    this.memory = new Memory(new ArrayBuffer(capacity));
    this.start = 0;
    this.limit = capacity;
  }
}

const EMPTY = new Memory(new ArrayBuffer(0));
