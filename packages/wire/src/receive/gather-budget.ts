/**
 * What the unfinished long messages of many connections may hold together. A peer that announces a long message and
 * sends half of it holds memory for as long as it likes; many such peers must not hold all there is.
 *
 * ```
 *   a message needs more ─▶ there is room: it gets it
 *                        ─▶ there is none: older ones that have become slow give way ─▶ still none: it is refused
 * ```
 *
 * Nobody waits: those who hold the memory might be waiting for each other. What is refused is thrown away as it
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
  /** Held now. */
  bytes = 0;
  /** Messages that got no memory, or had to give it back. */
  refused = 0;
  readonly #bytesMax: number;
  readonly #clock: () => number;
  /** Who holds memory, the oldest first. */
  readonly #holders: Set<FrameGatherer> = new Set();

  constructor({ bytesMax, clock }: GatherBudgetOptions) {
    this.#bytesMax = bytesMax;
    this.#clock = clock;
  }

  /** Memory for a message, beside what it has; false when it has to do without any. */
  take(gatherer: FrameGatherer, bytes: number): boolean {
    if (this.bytes + bytes > this.#bytesMax) this.#clear(gatherer, bytes);
    if (this.bytes + bytes > this.#bytesMax) return false;
    if (!this.#holders.has(gatherer)) {
      gatherer.sinceMs = this.#clock();
      this.#holders.add(gatherer);
    }
    this.bytes += bytes;
    return true;
  }

  /** A message holds nothing any more. */
  give(gatherer: FrameGatherer, bytes: number): void {
    if (this.#holders.delete(gatherer)) this.bytes -= bytes;
  }

  /** Takes memory from those that take longer than a slow network would. */
  #clear(asking: FrameGatherer, bytes: number): void {
    const now = this.#clock();
    for (const holder of this.#holders) {
      const allowedMs = GATHER_GRACE_MS + holder.received / GATHER_BYTES_PER_MS_MIN;
      if (holder !== asking && now - holder.sinceMs > allowedMs) holder.refuse();
      if (this.bytes + bytes <= this.#bytesMax) return;
    }
  }
}
