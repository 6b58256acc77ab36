/** One frame that arrives in parts: its bytes so far, in memory that grows with them and not with its claim. */
import { Memory } from '../decode/memory.ts';

const CAPACITY_INITIAL = 64 * 1024;

export class FrameGatherer {
  readonly type: number;
  readonly id: number;
  readonly bytes: number;
  received = 0;
  #u8: Uint8Array<ArrayBuffer>;

  constructor(bytes: number, type: number, id: number) {
    this.bytes = bytes;
    this.type = type;
    this.id = id;
    this.#u8 = new Uint8Array(Math.min(bytes, CAPACITY_INITIAL));
  }

  get isComplete(): boolean {
    return this.received === this.bytes;
  }

  /** Takes what belongs to the frame of [start, end); returns where the rest begins. */
  take(source: Uint8Array, start: number, end: number): number {
    const count = Math.min(end - start, this.bytes - this.received);
    this.#reserve(this.received + count);
    this.#u8.set(source.subarray(start, start + count), this.received);
    this.received += count;
    return start + count;
  }

  /** The memory of the whole frame, from its first byte on. */
  toMemory(): Memory {
    return new Memory(this.#u8.buffer);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#u8.length) return;
    const grown = new Uint8Array(Math.min(this.bytes, Math.max(bytes, this.#u8.length * 2)));
    grown.set(this.#u8);
    this.#u8 = grown;
  }
}
