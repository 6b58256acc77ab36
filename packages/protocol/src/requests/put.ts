/**
 * Putting the parts of a request into a buffer: each takes the offset to write at and returns the one behind.
 * The caller has made sure that there is room.
 */
import { CARRIAGE_RETURN, DIGIT_0, MINUS, NEWLINE, SPACE } from '../bytes/ascii.ts';
import { writeU32 } from '../bytes/decimal.ts';
import { KEY_BYTES_MAX } from '../limits.ts';

/** Copies of at most this many bytes are done by a loop, which is faster than a call up to there. */
const LOOP_BYTES_MAX = 48;
const U32_MAX = 0xffff_ffff;
const DELETE = 0x7f;

/** Bytes of a word that never changes. */
export function wordBytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Copies [start, end) of `source`. */
export function putBytes(target: Buffer, at: number, source: Buffer, start: number, end: number): number {
  const bytes = end - start;
  if (bytes > LOOP_BYTES_MAX) source.copy(target, at, start, end);
  else for (let index = 0; index < bytes; index++) target[at + index] = source[start + index]!;
  return at + bytes;
}

/** Copies a word of `wordBytes`. */
export function putWord(target: Buffer, at: number, word: Buffer): number {
  for (let index = 0; index < word.length; index++) target[at + index] = word[index]!;
  return at + word.length;
}

/**
 * Copies a key, or returns -1 when it is none: empty, longer than KEY_BYTES_MAX, or with a space or control
 * character in it, which would end it early and make the rest another request.
 */
export function putKey(target: Buffer, at: number, source: Buffer, start: number, end: number): number {
  const bytes = end - start;
  if (bytes <= 0 || bytes > KEY_BYTES_MAX) return -1;
  for (let index = 0; index < bytes; index++) {
    const byte = source[start + index]!;
    if (byte <= SPACE || byte === DELETE) return -1;
    target[at + index] = byte;
  }
  return at + bytes;
}

/** Copies words with spaces between; -1 when there is a control character among them. */
export function putWords(target: Buffer, at: number, source: Buffer): number {
  for (let index = 0; index < source.length; index++) {
    const byte = source[index]!;
    if (byte < SPACE || byte === DELETE) return -1;
    target[at + index] = byte;
  }
  return at + source.length;
}

/** An integer of at most 2^53, with its sign. */
export function putNumber(target: Buffer, at: number, value: number): number {
  if (value >= 0 && value <= 9) {
    target[at] = DIGIT_0 + value;
    return at + 1;
  }
  if (value >= 0 && value <= U32_MAX) return writeU32(target, at, value);
  if (value < 0 && value >= -U32_MAX) {
    target[at] = MINUS;
    return writeU32(target, at + 1, -value);
  }
  return at + target.write(String(Math.trunc(value)), at, 'latin1');
}

/** A u64. */
export function putWide(target: Buffer, at: number, value: bigint): number {
  if (value <= 0xffff_ffffn) return writeU32(target, at, Number(value));
  return at + target.write(value.toString(), at, 'latin1');
}

export function putSpace(target: Buffer, at: number): number {
  target[at] = SPACE;
  return at + 1;
}

export function putLineEnd(target: Buffer, at: number): number {
  target[at] = CARRIAGE_RETURN;
  target[at + 1] = NEWLINE;
  return at + 2;
}
