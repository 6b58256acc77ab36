/**
 * MD5 (RFC 1321) of a short message, without an allocation: ketama takes a point of its ring from each of the
 * four words of the digest. Node's own MD5 makes objects per call and is forbidden in FIPS mode; nothing here
 * relies on MD5 being hard to invert.
 */
const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;
const SHIFTS: readonly number[] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
/** floor(2^32 * abs(sin(step + 1))), as RFC 1321 defines its table. */
const SINES: Int32Array = Int32Array.from(
  { length: 64 },
  (_, step) => Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32) | 0,
);
const INITIAL: readonly number[] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];

export class Md5 {
  /** The four words of the last digest, each of four digest bytes in little-endian order. */
  readonly words: Int32Array = new Int32Array(4);
  readonly #block = new Int32Array(BLOCK_BYTES / 4);

  /** Digests the bytes in [start, end). */
  digest(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.words.set(INITIAL);
    const blocks = Math.floor((length + LENGTH_BYTES) / BLOCK_BYTES) + 1;
    for (let block = 0; block < blocks; block++) {
      this.#load(bytes, start + block * BLOCK_BYTES, end);
      if (block === blocks - 1) {
        this.#block[14] = length << 3;
        this.#block[15] = length >>> 29;
      }
      this.#mix();
    }
  }

  /** Fills the block from `bytes`, with the mark that ends a message and zeros behind it. */
  #load(bytes: Uint8Array, at: number, end: number): void {
    this.#block.fill(0);
    const count = Math.min(end - at, BLOCK_BYTES);
    for (let index = 0; index < count; index++) {
      this.#block[index >> 2]! |= bytes[at + index]! << ((index & 3) * 8);
    }
    if (count >= 0 && count < BLOCK_BYTES) this.#block[count >> 2]! |= 0x80 << ((count & 3) * 8);
  }

  #mix(): void {
    let a = this.words[0]!;
    let b = this.words[1]!;
    let c = this.words[2]!;
    let d = this.words[3]!;
    for (let step = 0; step < 64; step++) {
      const round = step >> 4;
      let mixed: number;
      let word: number;
      if (round === 0) {
        mixed = (b & c) | (~b & d);
        word = step;
      } else if (round === 1) {
        mixed = (d & b) | (~d & c);
        word = (step * 5 + 1) & 15;
      } else if (round === 2) {
        mixed = b ^ c ^ d;
        word = (step * 3 + 5) & 15;
      } else {
        mixed = c ^ (b | ~d);
        word = (step * 7) & 15;
      }
      const sum = (a + mixed + SINES[step]! + this.#block[word]!) | 0;
      const shift = SHIFTS[round * 4 + (step & 3)]!;
      a = d;
      d = c;
      c = b;
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
    }
    this.words[0]! += a;
    this.words[1]! += b;
    this.words[2]! += c;
    this.words[3]! += d;
  }
}
