/**
 * Hands accepted connections from the worker that accepts to one that serves: a ring of descriptors in shared
 * memory with one producer (worker 0) and one consumer (the worker that owns the mailbox).
 *
 * ```
 *   words   [0 taken][1 put][2...2+MAILBOX_ENTRIES: descriptors]
 * ```
 *
 * `taken` and `put` only grow; they wrap as 32-bit integers and are compared by subtraction.
 */
import { MAILBOX_ENTRIES } from '../limits.ts';

const TAKEN = 0;
const PUT = 1;
const ENTRIES = 2;
const MASK = MAILBOX_ENTRIES - 1;

export const MAILBOX_BYTES: number = (ENTRIES + MAILBOX_ENTRIES) * 4;

export class Mailbox {
  readonly #words: Int32Array;

  constructor(buffer: SharedArrayBuffer, byteOffset: number) {
    this.#words = new Int32Array(buffer, byteOffset, MAILBOX_BYTES / 4);
  }

  /** Puts a descriptor in; false when the mailbox is full (the consumer is far behind). Producer only. */
  put(descriptor: number): boolean {
    const words = this.#words;
    const put = words[PUT]!;
    if (((put - Atomics.load(words, TAKEN)) | 0) >= MAILBOX_ENTRIES) return false;
    words[ENTRIES + (put & MASK)] = descriptor;
    Atomics.store(words, PUT, (put + 1) | 0);
    return true;
  }

  /** Takes a descriptor out, or -1. Consumer only. */
  take(): number {
    const words = this.#words;
    const taken = words[TAKEN]!;
    if (taken === Atomics.load(words, PUT)) return -1;
    const descriptor = words[ENTRIES + (taken & MASK)]!;
    Atomics.store(words, TAKEN, (taken + 1) | 0);
    return descriptor;
  }

  /** Descriptors inside. */
  get waiting(): number {
    return (Atomics.load(this.#words, PUT) - Atomics.load(this.#words, TAKEN)) | 0;
  }
}
