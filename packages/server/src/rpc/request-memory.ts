/**
 * The bytes of a request where the store can use them. Nearly always a message lies in the receive buffer, which
 * is in the arena, and nothing is done; a long one was gathered elsewhere, and what the store wants of it is
 * copied.
 */
import type { Store } from '@larder/cache';
import { type Arena, BUFFER_HEADER_BYTES, KIB, type SlabAllocator } from '@larder/datapath';
import { type ByteRange, Memory, type Message } from '@larder/wire';
import { ServerError } from '../errors.ts';
import { KEY_BYTES_MAX } from '../limits.ts';
import { RpcRefusal } from './rpc-refusal.ts';

const SCRATCH_BYTES: number = 64 * KIB;
/** A key, rounded up to words. */
const KEY_ROOM_BYTES: number = (KEY_BYTES_MAX + 7) & ~7;
const SPACE = 32;
const DELETE = 127;

export class RequestMemory {
  /** The key that was read last: bytes of the arena, and its hash. */
  keyOffset = 0;
  keyBytes = 0;
  hash = 0;
  readonly #arena: Memory;
  readonly #store: Store;
  /** Where a key is put, and behind it parts of a value. */
  readonly #keyRoom: number;
  readonly #scratch: number;

  /** Throws `ServerError` `ENOMEM` without memory for what has to be copied. */
  constructor(arena: Arena, store: Store, allocator: SlabAllocator) {
    this.#arena = Memory.ofArena(arena);
    this.#store = store;
    const bytes = KEY_ROOM_BYTES + SCRATCH_BYTES + BUFFER_HEADER_BYTES;
    const chunk = allocator.allocate(allocator.classFor(bytes));
    if (chunk === 0) throw new ServerError('ENOMEM', 'no memory for remote calls');
    this.#keyRoom = chunk + BUFFER_HEADER_BYTES;
    this.#scratch = this.#keyRoom + KEY_ROOM_BYTES;
  }

  /** Takes a key; throws `BAD_KEY` unless it could be a key of the text protocols. */
  key(message: Message, offset: number, bytes: number): void {
    if (bytes === 0 || bytes > KEY_BYTES_MAX)
      throw new RpcRefusal('BAD_KEY', `a key has 1 to ${KEY_BYTES_MAX} bytes, not ${bytes}`);
    const { u8 } = message.memory;
    for (let at = offset, end = offset + bytes; at < end; at++) {
      const byte = u8[at]!;
      if (byte <= SPACE || byte === DELETE)
        throw new RpcRefusal('BAD_KEY', 'a key has no spaces and no control characters');
    }
    this.keyOffset = offset;
    this.keyBytes = bytes;
    if (message.memory !== this.#arena) {
      this.#arena.u8.set(u8.subarray(offset, offset + bytes), this.#keyRoom);
      this.keyOffset = this.#keyRoom;
    }
    this.hash = this.#store.hash(this.keyOffset, bytes);
  }

  /** The same for a key that was located; one that is absent is none. */
  keyAt(message: Message, range: ByteRange | undefined): void {
    if (range === undefined) this.key(message, 0, 0);
    else this.key(message, range.offset, range.bytes);
  }

  /** Whether bytes of this message can be given to the store as they are. */
  isInArena(message: Message): boolean {
    return message.memory === this.#arena;
  }

  /** Copies bytes of a message into the value of a new item. */
  fill(item: number, message: Message, offset: number, bytes: number): void {
    if (message.memory === this.#arena) {
      this.#store.fill(item, 0, offset, bytes);
      return;
    }
    for (let done = 0; done < bytes; done += SCRATCH_BYTES) {
      const part = Math.min(SCRATCH_BYTES, bytes - done);
      this.copy(message, offset + done, part, this.#scratch);
      this.#store.fill(item, done, this.#scratch, part);
    }
  }

  /** Copies bytes of a message to the arena. */
  copy(message: Message, offset: number, bytes: number, target: number): void {
    const { memory } = message;
    if (memory === this.#arena) memory.u8.copyWithin(target, offset, offset + bytes);
    else this.#arena.u8.set(memory.u8.subarray(offset, offset + bytes), target);
  }
}
