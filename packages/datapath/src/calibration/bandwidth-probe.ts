/**
 * How fast memory is at the moment: copies pieces of a region that is larger than the caches, from places that
 * were not looked at lately, and takes the median. Some 30 µs a look; the region is only read.
 */
import type { Arena } from '../memory/arena.ts';

const PIECE_BYTES = 4096;
const PIECES = 16;
/** Multiples of this many bytes visit a region in an order that no prefetcher follows. */
const STRIDE_BYTES: number = 64 * 1024 + PIECE_BYTES;

export class BandwidthProbe {
  readonly #u8: Uint8Array;
  readonly #start: number;
  readonly #bytes: number;
  readonly #target: number;
  readonly #now: () => number;
  #next = 0;

  /** Reads [start, end) of the arena and writes to PIECE_BYTES (4 KiB) bytes at `target`. */
  constructor(
    arena: Arena,
    start: number,
    end: number,
    target: number,
    now: () => number = () => performance.now(),
  ) {
    this.#u8 = arena.u8;
    this.#start = start;
    this.#bytes = Math.max(PIECE_BYTES, end - start);
    this.#target = target;
    this.#now = now;
  }

  /** Nanoseconds per KiB. */
  measure(): number {
    const times: number[] = [];
    for (let piece = 0; piece < PIECES; piece++) {
      this.#next = (this.#next + STRIDE_BYTES) % Math.max(1, this.#bytes - PIECE_BYTES + 1);
      const from = this.#start + this.#next;
      const begin = this.#now();
      this.#u8.copyWithin(this.#target, from, from + PIECE_BYTES);
      times.push(this.#now() - begin);
    }
    times.sort((one, other) => one - other);
    return (times[PIECES >>> 1]! * 1e6 * 1024) / PIECE_BYTES;
  }
}
