/**
 * MurmurHash2, 64-bit variant A (Austin Appleby, public domain): the hash under furc (Ch3) and under the
 * rendezvous hashes. JavaScript has no 64-bit integers that do not allocate, so a number is a pair of signed
 * 32-bit halves. The result stays in `high` and `low`.
 */
import { productHigh } from './product.ts';

const MULTIPLIER_HIGH = 0xc6a4a793 | 0;
const MULTIPLIER_LOW = 0x5bd1e995 | 0;
/** The algorithm shifts by 47; with halves that is the upper half shifted by 15 into the lower one. */
const SHIFT_OF_HIGH = 47 - 32;
/** The multiplier times the eight bytes of a rehash, as halves. */
const EIGHT_HIGH = (productHigh(8, MULTIPLIER_LOW) + Math.imul(8, MULTIPLIER_HIGH)) | 0;
const EIGHT_LOW = Math.imul(8, MULTIPLIER_LOW);

export class Murmur64A {
  /** Upper half of the last result, as a signed 32-bit integer. */
  high = 0;
  /** Lower half of the last result, as a signed 32-bit integer. */
  low = 0;

  /** Hashes the bytes in [start, end); `seed` is an unsigned 32-bit number. */
  hash(bytes: Uint8Array, start: number, end: number, seed: number): void {
    this.#multiply(0, end - start);
    let high = this.high;
    let low = this.low ^ seed;
    const wholeEnd = start + ((end - start) & ~7);
    for (let at = start; at < wholeEnd; at += 8) {
      this.#scramble(
        bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24),
        bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24),
      );
      this.#multiply(high ^ this.high, low ^ this.low);
      high = this.high;
      low = this.low;
    }
    const rest = end - wholeEnd;
    if (rest > 0) {
      for (let index = 0; index < rest; index++) {
        const byte = bytes[wholeEnd + index]!;
        if (index < 4) low ^= byte << (index * 8);
        else high ^= byte << ((index - 4) * 8);
      }
      this.#multiply(high, low);
      high = this.high;
      low = this.low;
    }
    this.#finish(high, low);
  }

  /** Hashes the eight bytes of another result (little-endian), which is how furc makes more bits. */
  rehash(high: number, low: number, seed: number): void {
    this.#scramble(high, low);
    this.#multiply(EIGHT_HIGH ^ this.high, EIGHT_LOW ^ seed ^ this.low);
    this.#finish(this.high, this.low);
  }

  #scramble(high: number, low: number): void {
    this.#multiply(high, low);
    this.#multiply(this.high, this.low ^ (this.high >>> SHIFT_OF_HIGH));
  }

  #finish(high: number, low: number): void {
    this.#multiply(high, low ^ (high >>> SHIFT_OF_HIGH));
    this.low ^= this.high >>> SHIFT_OF_HIGH;
  }

  #multiply(high: number, low: number): void {
    this.high =
      (productHigh(low, MULTIPLIER_LOW) + Math.imul(low, MULTIPLIER_HIGH) + Math.imul(high, MULTIPLIER_LOW)) |
      0;
    this.low = Math.imul(low, MULTIPLIER_LOW);
  }
}
