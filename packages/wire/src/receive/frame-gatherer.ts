/** One frame that arrives in parts: its bytes so far, in memory that grows with them and not with its claim. */
import { Memory } from '../decode/memory.ts';
import type { GatherBudget } from './gather-budget.ts';

const CAPACITY_INITIAL = 64 * 1024;
const NOTHING: Uint8Array<ArrayBuffer> = new Uint8Array(0);

export class FrameGatherer {
  readonly type: number;
  readonly id: number;
  readonly bytes: number;
  received = 0;
  /** Whether there is no memory for it: what comes is counted and thrown away. */
  isRefused = false;
  readonly #budget: GatherBudget | null;
  #u8: Uint8Array<ArrayBuffer> = NOTHING;

  constructor(bytes: number, type: number, id: number, budget: GatherBudget | null = null) {
    this.bytes = bytes;
    this.type = type;
    this.id = id;
    this.#budget = budget;
    if (budget?.enter(this) === false) this.isRefused = true;
  }

  get isComplete(): boolean {
    return this.received === this.bytes;
  }

  /** Takes what belongs to the frame of [start, end); returns where the rest begins. */
  take(source: Uint8Array, start: number, end: number): number {
    const count = Math.min(end - start, this.bytes - this.received);
    if (!this.isRefused) {
      this.#reserve(this.received + count);
      this.#u8.set(source.subarray(start, start + count), this.received);
    }
    this.received += count;
    return start + count;
  }

  /** The memory of the whole frame, from its first byte on. */
  toMemory(): Memory {
    return new Memory(this.#u8.buffer);
  }

  /** Gives the memory back, and takes no more. */
  refuse(): void {
    this.isRefused = true;
    this.release();
  }

  /** Gives the memory back. */
  release(): void {
    this.#budget?.leave(this);
    this.#u8 = NOTHING;
  }

  #reserve(bytes: number): void {
    const capacity = this.#u8.length;
    if (bytes <= capacity) return;
    const grown = new Uint8Array(Math.min(this.bytes, Math.max(bytes, capacity * 2, CAPACITY_INITIAL)));
    grown.set(this.#u8);
    this.#u8 = grown;
  }
}
