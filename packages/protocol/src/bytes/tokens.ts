/**
 * The tokens of one command line: offsets into the arena, found once, looked at by number.
 *
 * ```
 *   incr   hits  5 \r\n
 *   ^start ^     ^        start[0..count), end[0..count)
 * ```
 *
 * Tokens are separated by one or more spaces, which may also stand in front and behind. At most TOKENS_MAX
 * are taken; the rest of the line is not looked at (`truncated`). A control character inside the line makes
 * it malformed (`hasControl`): memcached lets some through, and then answers with broken lines.
 */
import type { Arena } from '@larder/datapath';
import { TOKENS_MAX } from '../limits.ts';
import { CARRIAGE_RETURN, equalsAscii, readAscii, SPACE } from './ascii.ts';
import { ByteScanner } from './scan.ts';

export class LineTokens {
  count: number = 0;
  truncated: boolean = false;
  hasControl: boolean = false;
  /** The offset of the newline, and of the end of the line's text (before `\r\n` or `\n`). */
  newline: number = 0;
  textEnd: number = 0;
  readonly start: Float64Array = new Float64Array(TOKENS_MAX);
  readonly end: Float64Array = new Float64Array(TOKENS_MAX);
  readonly #u8: Uint8Array;
  readonly #scanner: ByteScanner;

  constructor(arena: Arena) {
    this.#u8 = arena.u8;
    this.#scanner = new ByteScanner(arena);
  }

  /** Splits the line [at, newline); returns the number of tokens. */
  split(at: number, newline: number): number {
    const u8 = this.#u8;
    const textEnd = newline > at && u8[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
    this.newline = newline;
    this.textEnd = textEnd;
    this.truncated = false;
    this.hasControl = false;
    let count = 0;
    let offset = at;
    while (offset < textEnd) {
      if (u8[offset] === SPACE) {
        offset++;
        continue;
      }
      if (count === TOKENS_MAX) {
        this.truncated = true;
        break;
      }
      const start = offset;
      offset = this.#scanner.tokenEnd(offset);
      while (offset < textEnd && u8[offset] !== SPACE) {
        this.hasControl = true;
        offset = this.#scanner.tokenEnd(offset + 1);
      }
      this.start[count] = start;
      this.end[count] = offset;
      count++;
    }
    this.count = count;
    return count;
  }

  bytes(index: number): number {
    return this.end[index]! - this.start[index]!;
  }

  /** Whether token `index` exists and is `text`. */
  is(index: number, text: string): boolean {
    return index < this.count && equalsAscii(this.#u8, this.start[index]!, this.end[index]!, text);
  }

  /** Token `index` as a string; for commands that are rare. */
  text(index: number): string {
    return index < this.count ? readAscii(this.#u8, this.start[index]!, this.end[index]!) : '';
  }
}
