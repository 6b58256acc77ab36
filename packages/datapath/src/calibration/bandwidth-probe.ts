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
  readonly #end: () => number;
  readonly #now: () => number;
  readonly #target: Uint8Array = new Uint8Array(PIECE_BYTES);
  #next = 0;

  /** Reads the arena from `start` to what `end` says at the time, which is at least 4 KiB more. */
  constructor(arena: Arena, start: number, end: () => number, now: () => number = () => performance.now()) {
    this.#u8 = arena.u8;
    this.#start = start;
    this.#end = end;
    this.#now = now;
  }

  /** Nanoseconds per KiB. */
  measure(): number {
    const times: number[] = [];
    const places = Math.max(1, this.#end() - this.#start - PIECE_BYTES + 1);
    for (let piece = 0; piece < PIECES; piece++) {
      this.#next = (this.#next + STRIDE_BYTES) % places;
      const from = this.#start + this.#next;
      const source = this.#u8.subarray(from, from + PIECE_BYTES);
      const begin = this.#now();
      this.#target.set(source);
      times.push(this.#now() - begin);
    }
    times.sort((one, other) => one - other);
    return (times[PIECES >>> 1]! * 1e6 * 1024) / PIECE_BYTES;
  }
}
