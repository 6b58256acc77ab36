/**
 * A value that may be updated while it is being sent: whoever reads or sends it has the value as it was. The
 * update happens in place when nobody else holds the buffer, and in a copy otherwise.
 */
import { WireError } from '../errors.ts';
import { RcBuf } from './rc-buf.ts';
import type { SendMemory } from './send-memory.ts';

export class CopyOnWrite {
  /** Updates that were made in a copy. */
  copies = 0;
  readonly #memory: SendMemory;
  #buffer: RcBuf;

  constructor(memory: SendMemory, bytes: Uint8Array) {
    this.#memory = memory;
    this.#buffer = RcBuf.from(memory, bytes);
  }

  /** The value as it is now: to be read, assigned to a field, or sent; not to be written to. */
  get bytes(): Uint8Array {
    return this.#buffer.bytes;
  }

  /** A handle that keeps the value as it is now, whatever is updated later. */
  snapshot(): RcBuf {
    return this.#buffer.clone();
  }

  /** Changes the value: `change` gets the bytes that it may write to, which hold the value. */
  update(change: (bytes: Uint8Array) => void): void {
    if (this.#buffer.references > 1) {
      const copy = RcBuf.from(this.#memory, this.#buffer.bytes);
      this.#buffer.release();
      this.#buffer = copy;
      this.copies++;
    }
    change(this.#buffer.bytes);
  }

  /** Puts another value in its place, of any length. */
  replace(bytes: Uint8Array): void {
    if (this.#buffer.isReleased) throw new WireError('RELEASED', 'the value was released');
    const next = RcBuf.from(this.#memory, bytes);
    this.#buffer.release();
    this.#buffer = next;
  }

  release(): void {
    this.#buffer.release();
  }

  [Symbol.dispose](): void {
    this.#buffer[Symbol.dispose]();
  }
}
