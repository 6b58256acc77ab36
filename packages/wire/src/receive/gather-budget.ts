/**
 * What the unfinished long messages of many connections may hold together. A peer that announces a long message and
 * sends half of it holds memory for as long as it likes; many such peers must not hold all there is.
 *
 * ```
 *   a message begins ─▶ there is room for all of it: it will be whole
 *                    ─▶ there is none: older ones that have become slow give way ─▶ still none: it is refused
 * ```
 *
 * A message counts with its whole length from its beginning, so that those which were let in do not stop each other
 * half-way. Nobody waits: those who hold the memory might never send the rest. What is refused is thrown away as it
 * comes, so that the connection goes on behind it.
 */
import { GATHER_BYTES_PER_MS_MIN, GATHER_GRACE_MS } from '../limits.ts';
import type { FrameGatherer } from './frame-gatherer.ts';

export interface GatherBudgetOptions {
  /** Of all messages together; also of one. */
  readonly bytesMax: number;
  /** Milliseconds; only differences matter. */
  readonly clock: () => number;
}

export class GatherBudget {
  /** Held now, or promised. */
  bytes = 0;
  readonly #bytesMax: number;
  readonly #clock: () => number;
  /** Who was let in, and when, the oldest first. */
  readonly #holders: Map<FrameGatherer, number> = new Map();

  constructor({ bytesMax, clock }: GatherBudgetOptions) {
    this.#bytesMax = bytesMax;
    this.#clock = clock;
  }

  /** Lets a message in, if there is room for it. */
  enter(gatherer: FrameGatherer): boolean {
    const { bytes } = gatherer;
    if (this.bytes + bytes > this.#bytesMax) this.#clear(bytes);
    if (this.bytes + bytes > this.#bytesMax) return false;
    this.#holders.set(gatherer, this.#clock());
    this.bytes += bytes;
    return true;
  }

  /** A message holds nothing any more. */
  leave(gatherer: FrameGatherer): void {
    if (this.#holders.delete(gatherer)) this.bytes -= gatherer.bytes;
  }

  /** Takes memory from those that take longer than a slow network would. */
  #clear(bytes: number): void {
    const now = this.#clock();
    for (const [holder, since] of this.#holders) {
      if (this.bytes + bytes <= this.#bytesMax) return;
      if (now - since > GATHER_GRACE_MS + holder.received / GATHER_BYTES_PER_MS_MIN) holder.refuse();
    }
  }
}
