/**
 * Finding delimiters four bytes at a time.
 *
 * ```
 *   w                 four bytes, little-endian
 *   w - 0x21212121    borrows out of every byte below 0x21
 *   & ~w              which is not a byte of 0x80 and above
 *   & 0x80808080      one flag per byte; the lowest one set is exact, higher ones may be borrows
 * ```
 *
 * Reads go up to three bytes past the delimiter but never past the arena.
 */
import type { Arena } from '@larder/datapath';
import { NEWLINE, SPACE } from './ascii.ts';

export class ByteScanner {
  readonly #view: DataView;
  readonly #u8: Uint8Array;
  /** The last offset at which a whole word can be read. */
  readonly #wordLast: number;

  constructor(arena: Arena) {
    this.#view = arena.view;
    this.#u8 = arena.u8;
    this.#wordLast = arena.bytes - 4;
  }

  /**
   * The offset of the first byte below 0x21 at or after `at`: a space, the end of the line, or a control
   * character. The caller knows that there is one (the newline that ends the line).
   */
  tokenEnd(at: number): number {
    const view = this.#view;
    const last = this.#wordLast;
    let offset = at;
    while (offset <= last) {
      const word = view.getInt32(offset, true);
      const flags = (word - 0x21212121) & ~word & 0x80808080;
      if (flags !== 0) return offset + ((31 - Math.clz32(flags & -flags)) >> 3);
      offset += 4;
    }
    const u8 = this.#u8;
    while (offset < u8.length && u8[offset]! > SPACE) offset++;
    return offset;
  }

  /** The offset of the first newline in [at, end), or -1. */
  newline(at: number, end: number): number {
    const view = this.#view;
    const last = end - 4;
    let offset = at;
    while (offset <= last) {
      const word = view.getInt32(offset, true) ^ 0x0a0a0a0a;
      const flags = (word - 0x01010101) & ~word & 0x80808080;
      if (flags !== 0) return offset + ((31 - Math.clz32(flags & -flags)) >> 3);
      offset += 4;
    }
    const u8 = this.#u8;
    for (; offset < end; offset++) {
      if (u8[offset] === NEWLINE) return offset;
    }
    return -1;
  }

  /** Whether [at, end) holds only what a key may hold: no spaces and no control characters. */
  isKey(at: number, end: number): boolean {
    return at < end && this.tokenEnd(at) >= end;
  }
}
