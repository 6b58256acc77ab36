/**
 * An array of `struct mmsghdr` in the arena, each with one `struct iovec`, for recvmmsg and sendmmsg on
 * connected sockets.
 */
import type { Arena } from '@larder/datapath';
import {
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_WORD,
  IOVEC_BYTES,
  putIovec,
  putMessageHeader,
} from '@larder/datapath/internal';

export class MessageBatch {
  /** The address to give to the kernel. */
  readonly address: number;
  readonly count: number;
  readonly #arena: Arena;
  readonly #headers: number;
  readonly #vectors: number;

  static bytes(count: number): number {
    return count * (BATCH_HEADER_BYTES + IOVEC_BYTES);
  }

  /** `offset` is a multiple of 8 in zeroed memory. */
  constructor(arena: Arena, offset: number, count: number) {
    this.#arena = arena;
    this.count = count;
    this.#headers = offset;
    this.#vectors = offset + count * BATCH_HEADER_BYTES;
    this.address = arena.address + offset;
    for (let index = 0; index < count; index++) {
      const header = (offset + index * BATCH_HEADER_BYTES) / 4;
      putMessageHeader(arena.i32, header, arena.address + this.#vectors + index * IOVEC_BYTES, 1, 0, 0);
    }
  }

  /** Entry `index` is the `bytes` bytes at `offset` in the arena: to be sent, or room to receive into. */
  set(index: number, offset: number, bytes: number): void {
    putIovec(this.#arena.i32, (this.#vectors + index * IOVEC_BYTES) / 4, this.#arena.address + offset, bytes);
  }

  /** Bytes received into entry `index`. */
  received(index: number): number {
    return this.#arena.u32[(this.#headers + index * BATCH_HEADER_BYTES) / 4 + BATCH_LENGTH_WORD]!;
  }
}
