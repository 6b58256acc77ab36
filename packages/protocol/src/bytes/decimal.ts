/**
 * Decimal numbers without strings.
 *
 * Reading follows C's strtol as memcached uses it: an optional sign, at least one digit, nothing behind.
 * 64-bit numbers are two u32 halves (low, high), because a double holds only 53 bits and a bigint is an
 * allocation.
 */
import { DIGIT_0, DIGIT_9, MINUS, PLUS } from './ascii.ts';

/** What the 32-bit readers return for something that is not a number in range. */
export const NOT_A_NUMBER: number = Number.MIN_SAFE_INTEGER;

const U32_MAX = 0xffff_ffff;
const U32_SPAN = 0x1_0000_0000;
/** Signed numbers are clamped to this: more than any time or length on the wire. */
const MAGNITUDE_MAX = 0xffff_ffff;

/** An unsigned number up to `maximum` (at most 2^53 - 1) in [at, end), or NOT_A_NUMBER. */
export function readUnsigned(u8: Uint8Array, at: number, end: number, maximum: number): number {
  let offset = at;
  if (offset < end && u8[offset] === PLUS) offset++;
  if (offset >= end) return NOT_A_NUMBER;
  let value = 0;
  for (; offset < end; offset++) {
    const digit = u8[offset]! - DIGIT_0;
    if (digit < 0 || digit > 9) return NOT_A_NUMBER;
    value = value * 10 + digit;
    if (value > maximum) return NOT_A_NUMBER;
  }
  return value;
}

/** An unsigned 32-bit number in [at, end), or NOT_A_NUMBER. */
export function readU32(u8: Uint8Array, at: number, end: number): number {
  return readUnsigned(u8, at, end, U32_MAX);
}

/**
 * A signed number in [at, end), or NOT_A_NUMBER. Magnitudes above 2^32 - 1 are clamped: they are times, and
 * that far away they all mean the same.
 */
export function readSigned(u8: Uint8Array, at: number, end: number): number {
  let offset = at;
  const first = offset < end ? u8[offset]! : 0;
  if (first === MINUS || first === PLUS) offset++;
  if (offset >= end) return NOT_A_NUMBER;
  let value = 0;
  for (; offset < end; offset++) {
    const digit = u8[offset]! - DIGIT_0;
    if (digit < 0 || digit > 9) return NOT_A_NUMBER;
    if (value <= MAGNITUDE_MAX) value = value * 10 + digit;
  }
  if (value > MAGNITUDE_MAX) value = MAGNITUDE_MAX;
  return first === MINUS ? 0 - value : value;
}

/** Reads and writes u64 as two halves; one instance per parser, its fields are overwritten by each read. */
export class WideDecimal {
  low: number = 0;
  high: number = 0;
  readonly #digits: Uint8Array = new Uint8Array(20);

  /** Reads an unsigned 64-bit number in [at, end) into `low` and `high`. */
  read(u8: Uint8Array, at: number, end: number): boolean {
    let offset = at;
    if (offset < end && u8[offset] === PLUS) offset++;
    if (offset >= end) return false;
    let low = 0;
    let high = 0;
    for (; offset < end; offset++) {
      const digit = u8[offset]! - DIGIT_0;
      if (digit < 0 || digit > 9) return false;
      low = low * 10 + digit;
      const carry = Math.floor(low / U32_SPAN);
      low -= carry * U32_SPAN;
      high = high * 10 + carry;
      if (high > U32_MAX) return false;
    }
    this.low = low;
    this.high = high;
    return true;
  }

  /** The number last read. */
  toBigInt(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  /** Writes the u64 (low, high) at `at` and returns the offset after it. */
  write(u8: Uint8Array, at: number, low: number, high: number): number {
    if (high === 0) return writeU32(u8, at, low);
    const digits = this.#digits;
    let restLow = low;
    let restHigh = high;
    let count = 0;
    while (restHigh !== 0 || restLow !== 0) {
      // Long division by ten, half by half; the remainder of the upper half is worth 2^32 = 10 * 429496729 + 6.
      const quotient = Math.floor(restHigh / 10);
      const carried = (restHigh - quotient * 10) * U32_SPAN + restLow;
      const lower = Math.floor(carried / 10);
      digits[count++] = carried - lower * 10;
      restHigh = quotient;
      restLow = lower;
    }
    for (let index = 0; index < count; index++) u8[at + index] = DIGIT_0 + digits[count - 1 - index]!;
    return at + count;
  }
}

/** How many digits `value` (u32) has. */
export function digitsOf(value: number): number {
  if (value < 100_000) {
    if (value < 100) return value < 10 ? 1 : 2;
    return value < 1000 ? 3 : value < 10_000 ? 4 : 5;
  }
  if (value < 10_000_000) return value < 1_000_000 ? 6 : 7;
  return value < 100_000_000 ? 8 : value < 1_000_000_000 ? 9 : 10;
}

/** Writes `value` (u32) in decimal at `at` and returns the offset after it. */
export function writeU32(u8: Uint8Array, at: number, value: number): number {
  const end = at + digitsOf(value);
  let rest = value;
  for (let offset = end - 1; offset >= at; offset--) {
    const quotient = Math.floor(rest / 10);
    u8[offset] = DIGIT_0 + (rest - quotient * 10);
    rest = quotient;
  }
  return end;
}

/** Whether the byte is a decimal digit. */
export function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9;
}
