/**
 * Message headers and iovecs of sends that are about to be submitted. io_uring copies them when it takes a
 * submission, so the memory is used again after each.
 *
 * ```
 *   [8 bytes of the eventfd][-][message: header, iovecs][message] ... next
 * ```
 */
import { MESSAGE_SCRATCH_BYTES, SCATTER_GATHER_ENTRIES_MAX } from '../limits.ts';
import {
  IOVEC_BYTES,
  MESSAGE_HEADER_BYTES,
  MESSAGE_HEADER_WORDS,
  putMessageHeader,
} from '../sys/messages.ts';
import type { ScatterGatherQueue } from './scatter-gather.ts';

const FIRST = 64;
const MESSAGE_BYTES_MAX: number = MESSAGE_HEADER_BYTES + SCATTER_GATHER_ENTRIES_MAX * IOVEC_BYTES;

export class UringMessages {
  /** Iovecs of one message at most. */
  static readonly ENTRIES: number = SCATTER_GATHER_ENTRIES_MAX;
  /** Where the waker's 8 bytes are read to. */
  readonly eventAddress: number;
  /** Bytes that the last message written stands for. */
  bytes = 0;
  readonly #words: Int32Array;
  readonly #address: number;
  readonly #arenaAddress: number;
  #next = FIRST;

  constructor(words: Int32Array, address: number, arenaAddress: number) {
    this.#words = words;
    this.#address = address;
    this.#arenaAddress = arenaAddress;
    this.eventAddress = address;
  }

  /** Whether one more message fits. */
  get hasRoom(): boolean {
    return this.#next + MESSAGE_BYTES_MAX <= MESSAGE_SCRATCH_BYTES;
  }

  /** Writes a message for the front of a queue; returns its address. */
  write(queue: ScatterGatherQueue): number {
    const start = this.#next;
    const word = start / 4;
    const count = queue.fill(
      this.#words,
      word + MESSAGE_HEADER_WORDS,
      this.#arenaAddress,
      SCATTER_GATHER_ENTRIES_MAX,
    );
    const iovecs = this.#address + start + MESSAGE_HEADER_BYTES;
    putMessageHeader(this.#words, word, iovecs, count, 0, 0);
    this.#next = start + MESSAGE_HEADER_BYTES + count * IOVEC_BYTES;
    this.bytes = queue.filledBytes;
    return this.#address + start;
  }

  /** Writes a few bytes (a socket address); returns their address. */
  writeBytes(bytes: Uint8Array): number {
    const start = this.#next;
    new Uint8Array(this.#words.buffer, start, bytes.length).set(bytes);
    this.#next = start + ((bytes.length + 7) & ~7);
    return this.#address + start;
  }

  /** Everything written was submitted. */
  reset(): void {
    this.#next = FIRST;
  }
}
