/**
 * The 32-bit result of SpookyHash V2 (Bob Jenkins, public domain), which WeightedCh3 compares with a weight.
 * 64-bit lanes are pairs of 32-bit halves. The mixing steps of the algorithm are all of one form, so they are
 * tables: [lane that turns, bits it turns by, lane added to it, lane it goes into].
 */
const LANES = 12;
const BLOCK_BYTES = LANES * 8;
/** Messages shorter than this take the variant with four lanes. */
const SHORT_BYTES = BLOCK_BYTES * 2;
const FILL = 0xdeadbeef | 0;

const [A, B, C, D] = [0, 1, 2, 3];
/** rotate(target), target += addend, into ^= target */
const SHORT_MIX: readonly number[] = [
  ...[C, 50, D, A, D, 52, A, B, A, 30, B, C, B, 41, C, D, C, 54, D, A, D, 48, A, B],
  ...[A, 38, B, C, B, 37, C, D, C, 62, D, A, D, 34, A, B, A, 5, B, C, B, 36, C, D],
];
/** target ^= source, rotate(source), target += source: [target, source, bits] */
const SHORT_END: readonly number[] = [
  ...[D, C, 15, A, D, 52, B, A, 26, C, B, 51, D, C, 28, A, D, 9],
  ...[B, A, 47, C, B, 54, D, C, 32, A, D, 25, B, A, 63],
];
const LONG_MIX_BITS: readonly number[] = [11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46];
const LONG_END_BITS: readonly number[] = [44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54];

export class Spooky32 {
  readonly #low = new Int32Array(LANES);
  readonly #high = new Int32Array(LANES);
  /** The last, incomplete block of a long message. */
  readonly #tail = new Uint8Array(BLOCK_BYTES);

  /** An unsigned 32-bit hash of the bytes in [start, end). */
  hash(bytes: Uint8Array, start: number, end: number, seed: number): number {
    if (end - start < SHORT_BYTES) this.#short(bytes, start, end, seed);
    else this.#long(bytes, start, end, seed);
    return this.#low[0]! >>> 0;
  }

  #short(bytes: Uint8Array, start: number, end: number, seed: number): void {
    for (let lane = A; lane <= D; lane++) {
      this.#low[lane] = lane < C ? seed : FILL;
      this.#high[lane] = lane < C ? 0 : FILL;
    }
    let at = start;
    for (const whole = start + ((end - start) & ~31); at < whole; at += 32) {
      this.#addWord(C, bytes, at);
      this.#addWord(D, bytes, at + 8);
      this.#shortMix();
      this.#addWord(A, bytes, at + 16);
      this.#addWord(B, bytes, at + 24);
    }
    if (end - at >= 16) {
      this.#addWord(C, bytes, at);
      this.#addWord(D, bytes, at + 8);
      this.#shortMix();
      at += 16;
    }
    this.#add(D, (end - start) << 24, 0);
    const rest = end - at;
    if (rest === 0) {
      this.#add(C, FILL, FILL);
      this.#add(D, FILL, FILL);
    } else {
      this.#addBytes(C, bytes, at, Math.min(rest, 8));
      if (rest > 8) this.#addBytes(D, bytes, at + 8, rest - 8);
    }
    for (let step = 0; step < SHORT_END.length; step += 3) {
      const target = SHORT_END[step]!;
      const source = SHORT_END[step + 1]!;
      this.#xor(target, source);
      this.#rotate(source, SHORT_END[step + 2]!);
      this.#addLane(target, source);
    }
  }

  #shortMix(): void {
    for (let step = 0; step < SHORT_MIX.length; step += 4) {
      const target = SHORT_MIX[step]!;
      this.#rotate(target, SHORT_MIX[step + 1]!);
      this.#addLane(target, SHORT_MIX[step + 2]!);
      this.#xor(SHORT_MIX[step + 3]!, target);
    }
  }

  #long(bytes: Uint8Array, start: number, end: number, seed: number): void {
    for (let lane = 0; lane < LANES; lane++) {
      const fill = lane % 3 === 2;
      this.#low[lane] = fill ? FILL : seed;
      this.#high[lane] = fill ? FILL : 0;
    }
    let at = start;
    for (; at + BLOCK_BYTES <= end; at += BLOCK_BYTES) {
      for (let lane = 0; lane < LANES; lane++) {
        const before = (lane + LANES - 1) % LANES;
        this.#addWord(lane, bytes, at + lane * 8);
        this.#xor((lane + 2) % LANES, (lane + 10) % LANES);
        this.#xor(before, lane);
        this.#rotate(lane, LONG_MIX_BITS[lane]!);
        this.#addLane(before, (lane + 1) % LANES);
      }
    }
    this.#tail.fill(0);
    for (let index = at; index < end; index++) this.#tail[index - at] = bytes[index]!;
    this.#tail[BLOCK_BYTES - 1] = end - at;
    for (let lane = 0; lane < LANES; lane++) this.#addWord(lane, this.#tail, lane * 8);
    for (let round = 0; round < 3; round++) {
      for (let lane = 0; lane < LANES; lane++) {
        const before = (lane + LANES - 1) % LANES;
        const after = (lane + 1) % LANES;
        this.#addLane(before, after);
        this.#xor((lane + 2) % LANES, before);
        this.#rotate(after, LONG_END_BITS[lane]!);
      }
    }
  }

  #addWord(lane: number, bytes: Uint8Array, at: number): void {
    this.#add(
      lane,
      bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24),
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24),
    );
  }

  #addBytes(lane: number, bytes: Uint8Array, at: number, count: number): void {
    let high = 0;
    let low = 0;
    for (let index = 0; index < count; index++) {
      if (index < 4) low |= bytes[at + index]! << (index * 8);
      else high |= bytes[at + index]! << ((index - 4) * 8);
    }
    this.#add(lane, high, low);
  }

  #add(lane: number, high: number, low: number): void {
    const sum = (this.#low[lane]! + low) | 0;
    this.#high[lane] = this.#high[lane]! + high + (sum >>> 0 < low >>> 0 ? 1 : 0);
    this.#low[lane] = sum;
  }

  #addLane(lane: number, addend: number): void {
    this.#add(lane, this.#high[addend]!, this.#low[addend]!);
  }

  #xor(lane: number, other: number): void {
    this.#low[lane]! ^= this.#low[other]!;
    this.#high[lane]! ^= this.#high[other]!;
  }

  #rotate(lane: number, bits: number): void {
    const low = bits < 32 ? this.#low[lane]! : this.#high[lane]!;
    const high = bits < 32 ? this.#high[lane]! : this.#low[lane]!;
    const by = bits & 31;
    // A shift by 32 is a shift by 0 in JavaScript; only the turn by exactly 32 bits would need one.
    this.#high[lane] = by === 0 ? high : (high << by) | (low >>> (32 - by));
    this.#low[lane] = by === 0 ? low : (low << by) | (high >>> (32 - by));
  }
}
