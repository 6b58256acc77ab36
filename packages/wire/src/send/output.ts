/**
 * Fresh memory for messages that leave the library: small ones are cut from blocks, as Node does it. It is not
 * cleared, because every byte of a message is written.
 */
import { Memory } from '../decode/memory.ts';

const BLOCK_BYTES = 64 * 1024;
const PIECE_BYTES_MAX = BLOCK_BYTES / 4;
const ALIGN_MASK = 7;

export class OutputMemory {
  /** Where the piece taken last lies. */
  memory: Memory = new Memory(new ArrayBuffer(0));
  #block = this.memory;
  #used = 0;

  /** The offset in `memory` of `bytes` bytes that nobody else has. */
  take(bytes: number): number {
    if (bytes > PIECE_BYTES_MAX) {
      this.memory = new Memory(Buffer.allocUnsafeSlow(bytes).buffer);
      return 0;
    }
    if (this.#used + bytes > this.#block.u8.length) {
      this.#block = new Memory(Buffer.allocUnsafeSlow(BLOCK_BYTES).buffer);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used = (at + bytes + ALIGN_MASK) & ~ALIGN_MASK;
    this.memory = this.#block;
    return at;
  }
}
