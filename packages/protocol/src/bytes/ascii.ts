/**
 * The bytes that the text protocols are made of, and four of them at a time: a word is the little-endian
 * 32-bit integer that `DataView.getInt32(offset, true)` reads, so that four letters are compared or written
 * at once.
 */
export const NEWLINE: number = 10;
export const CARRIAGE_RETURN: number = 13;
export const SPACE: number = 32;
export const PLUS: number = 43;
export const MINUS: number = 45;
export const DIGIT_0: number = 48;
export const DIGIT_9: number = 57;
/** Carriage return and newline as a little-endian u16. */
export const CRLF_16: number = 0x0a0d;

/** The word of the first four characters of `text` (fewer are padded with zero bytes). */
export function wordOf(text: string): number {
  let word = 0;
  for (let index = 0; index < 4; index++) {
    word |= (index < text.length ? text.charCodeAt(index) & 0xff : 0) << (index * 8);
  }
  return word;
}

/** Whether bytes [at, end) are the ASCII characters of `text`. For cold paths. */
export function equalsAscii(u8: Uint8Array, at: number, end: number, text: string): boolean {
  if (end - at !== text.length) return false;
  for (let index = 0; index < text.length; index++) {
    if (u8[at + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** Writes `text` as Latin-1 and returns the offset after it. For cold paths. */
export function writeAscii(u8: Uint8Array, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) u8[at + index] = text.charCodeAt(index);
  return at + text.length;
}

/** Bytes [at, end) as a Latin-1 string. For cold paths. */
export function readAscii(u8: Uint8Array, at: number, end: number): string {
  let text = '';
  for (let index = at; index < end; index++) text += String.fromCharCode(u8[index]!);
  return text;
}
