/**
 * Storage of one value.
 *
 * ```
 *   request    set|add|replace|append|prepend <key> <flags> <exptime> <bytes> [noreply]\r\n<data>\r\n
 *              cas <key> <flags> <exptime> <bytes> <cas> [noreply]\r\n<data>\r\n
 *   reply      STORED | NOT_STORED | EXISTS | NOT_FOUND
 * ```
 *
 * flags: u32. exptime: signed seconds. bytes: 0 to VALUE_BYTES_MAX. cas: u64. A last token that is not
 * `noreply` is ignored. This parses the line only; the data block is the caller's to collect.
 */
import type { Arena } from '@larder/datapath';
import { CARRIAGE_RETURN, DIGIT_0, NEWLINE, SPACE, wordOf } from '../bytes/ascii.ts';
import { NOT_A_NUMBER, readSigned, readU32, readUnsigned, WideDecimal } from '../bytes/decimal.ts';
import { ByteScanner } from '../bytes/scan.ts';
import type { LineTokens } from '../bytes/tokens.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../limits.ts';
import { RequestStatus } from './status.ts';

export const NOREPLY: string = 'noreply';
/** ` noreply\r\n` behind its space. */
const WORD_NORE: number = wordOf('nore');
const WORD_PLY: number = wordOf('ply\r');
const NOREPLY_BYTES = 7;
/** Lines that `parseUsual` takes are never longer: a key, three numbers without many zeros, noreply. */
const USUAL_LINE_BYTES_MAX: number = KEY_BYTES_MAX + 60;
const U32_MAX = 0xffff_ffff;

export class StoreRequest {
  keyOffset: number = 0;
  keyBytes: number = 0;
  flags: number = 0;
  exptime: number = 0;
  /** The length of the data block, or -1 when the line does not tell it. */
  valueBytes: number = -1;
  casLow: number = 0;
  casHigh: number = 0;
  noreply: boolean = false;
  readonly #u8: Uint8Array;
  readonly #view: DataView;
  readonly #scanner: ByteScanner;
  readonly #wide: WideDecimal = new WideDecimal();
  /** Where the number read by #digits ends. */
  #numberEnd: number = 0;

  constructor(arena: Arena) {
    this.#u8 = arena.u8;
    this.#view = arena.view;
    this.#scanner = new ByteScanner(arena);
  }

  /**
   * Reads `<key> <flags> <exptime> <bytes>[ noreply]\r\n` at `at` in one pass, when it is written as nearly every
   * client writes it: single spaces, unsigned numbers. Returns the offset behind the line, or 0 when `parse` has
   * to look at it. The line is known to end with a newline.
   */
  parseUsual(at: number): number {
    const u8 = this.#u8;
    const keyEnd = this.#scanner.tokenEnd(at);
    const keyBytes = keyEnd - at;
    if (keyBytes === 0 || keyBytes > KEY_BYTES_MAX || u8[keyEnd] !== SPACE) return 0;
    const flags = this.#digits(keyEnd + 1);
    let offset = this.#numberEnd;
    if (flags < 0 || flags > U32_MAX || u8[offset] !== SPACE) return 0;
    const exptime = this.#digits(offset + 1);
    offset = this.#numberEnd;
    if (exptime < 0 || exptime > U32_MAX || u8[offset] !== SPACE) return 0;
    const bytes = this.#digits(offset + 1);
    offset = this.#numberEnd;
    if (bytes < 0 || bytes > VALUE_BYTES_MAX || offset - at > USUAL_LINE_BYTES_MAX) return 0;
    const next = this.#lineEnd(offset);
    if (next === 0) return 0;
    this.keyOffset = at;
    this.keyBytes = keyBytes;
    this.flags = flags;
    this.exptime = exptime;
    this.valueBytes = bytes;
    return next;
  }

  /** The number at `at`, -1 when there is none; where it ends is in #numberEnd. */
  #digits(at: number): number {
    const u8 = this.#u8;
    let offset = at;
    let digit = u8[offset]! - DIGIT_0;
    if (digit < 0 || digit > 9) return -1;
    let value = 0;
    do {
      value = value * 10 + digit;
      digit = u8[++offset]! - DIGIT_0;
    } while (digit >= 0 && digit <= 9);
    this.#numberEnd = offset;
    return value;
  }

  /** Reads `\r\n` or ` noreply\r\n`; the offset behind it, or 0 for anything else. */
  #lineEnd(at: number): number {
    const u8 = this.#u8;
    this.noreply = false;
    if (u8[at] === CARRIAGE_RETURN) return u8[at + 1] === NEWLINE ? at + 2 : 0;
    const word = at + 1;
    if (u8[at] !== SPACE || word + NOREPLY_BYTES + 2 > u8.length) return 0;
    if (this.#view.getInt32(word, true) !== WORD_NORE || this.#view.getInt32(word + 4, true) !== WORD_PLY)
      return 0;
    if (u8[word + NOREPLY_BYTES + 1] !== NEWLINE) return 0;
    this.noreply = true;
    return word + NOREPLY_BYTES + 2;
  }

  parse(tokens: LineTokens, hasCas: boolean): RequestStatus {
    const wanted = hasCas ? 6 : 5;
    const count = tokens.count;
    this.valueBytes = -1;
    this.noreply = false;
    if (count !== wanted && count !== wanted + 1) return RequestStatus.error;
    this.noreply = tokens.is(count - 1, NOREPLY);
    const u8 = this.#u8;
    const bytes = readUnsigned(u8, tokens.start[4]!, tokens.end[4]!, VALUE_BYTES_MAX);
    if (bytes === NOT_A_NUMBER) return RequestStatus.badFormat;
    this.valueBytes = bytes;
    this.keyOffset = tokens.start[1]!;
    this.keyBytes = tokens.end[1]! - this.keyOffset;
    this.flags = readU32(u8, tokens.start[2]!, tokens.end[2]!);
    this.exptime = readSigned(u8, tokens.start[3]!, tokens.end[3]!);
    if (this.keyBytes > KEY_BYTES_MAX || tokens.hasControl) return RequestStatus.badFormat;
    if (this.flags === NOT_A_NUMBER || this.exptime === NOT_A_NUMBER) return RequestStatus.badFormat;
    if (hasCas) {
      if (!this.#wide.read(u8, tokens.start[5]!, tokens.end[5]!)) return RequestStatus.badFormat;
      this.casLow = this.#wide.low;
      this.casHigh = this.#wide.high;
    }
    return RequestStatus.ok;
  }
}

/** Composes the line; the data block (`writer.bytes`, `writer.crlf()`) follows. */
export function composeStore(
  writer: ByteWriter,
  name: 'set' | 'add' | 'replace' | 'append' | 'prepend',
  keyOffset: number,
  keyBytes: number,
  flags: number,
  exptime: number,
  valueBytes: number,
  noreply: boolean,
): void {
  composeHead(writer, name, keyOffset, keyBytes, flags, exptime, valueBytes);
  if (noreply) writer.ascii(' noreply');
  writer.crlf();
}

/** As composeStore, for a compare-and-swap. */
export function composeCas(
  writer: ByteWriter,
  keyOffset: number,
  keyBytes: number,
  flags: number,
  exptime: number,
  valueBytes: number,
  casLow: number,
  casHigh: number,
): void {
  composeHead(writer, 'cas', keyOffset, keyBytes, flags, exptime, valueBytes);
  writer.space();
  writer.u64(casLow, casHigh);
  writer.crlf();
}

function composeHead(
  writer: ByteWriter,
  name: string,
  keyOffset: number,
  keyBytes: number,
  flags: number,
  exptime: number,
  valueBytes: number,
): void {
  writer.ascii(name);
  writer.space();
  writer.bytes(keyOffset, keyBytes);
  writer.space();
  writer.u32(flags);
  writer.space();
  writer.signed(exptime);
  writer.space();
  writer.u32(valueBytes);
}
