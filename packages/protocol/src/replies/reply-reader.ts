/**
 * Reads replies out of a stream, one item at a time: a line, or a line with its data block. For clients and
 * routers on any memory: everything is an offset into the buffer that `read` was given, no strings are made.
 *
 * ```
 *   value          VALUE <key> <flags> <bytes> [<cas>]\r\n<data>\r\n
 *   leaseValue     LVALUE <key> <token> <flags> <bytes>\r\n<data>\r\n
 *   metaValue      VA <bytes> <flag>*\r\n<data>\r\n
 *   metaHit …      HD | EN | NS | EX | NF | MN, each with <flag>*\r\n
 *   statistic      STAT <text>\r\n
 *   number         1*20DIGIT\r\n
 *   the others     the words of `LINES`, and ERROR | CLIENT_ERROR <text> | SERVER_ERROR <text>\r\n
 * ```
 *
 * `read` returns what the item takes, 0 when some of it is missing (`needed` then says how many bytes it has in
 * all, where that is known), or -1 when this is no reply: `fault` says why, and the stream is lost.
 */
import { CARRIAGE_RETURN, DIGIT_0, NEWLINE, SPACE } from '../bytes/ascii.ts';
import { KEY_BYTES_MAX, REPLY_LINE_BYTES_MAX, REPLY_VALUE_BYTES_MAX } from '../limits.ts';

export const ReplyItem: {
  readonly value: 0;
  readonly leaseValue: 1;
  readonly leaseHot: 2;
  readonly end: 3;
  readonly stored: 4;
  readonly notStored: 5;
  readonly exists: 6;
  readonly notFound: 7;
  readonly deleted: 8;
  readonly touched: 9;
  readonly ok: 10;
  readonly number: 11;
  readonly staleStored: 12;
  readonly version: 13;
  readonly statistic: 14;
  readonly reset: 15;
  readonly error: 16;
  readonly clientError: 17;
  readonly serverError: 18;
  readonly metaValue: 19;
  readonly metaHit: 20;
  readonly metaMiss: 21;
  readonly metaNotStored: 22;
  readonly metaExists: 23;
  readonly metaNotFound: 24;
  readonly metaNoop: 25;
  /** ME and what it knows about the item, as text. */
  readonly metaDebug: 26;
} = {
  value: 0,
  leaseValue: 1,
  leaseHot: 2,
  end: 3,
  stored: 4,
  notStored: 5,
  exists: 6,
  notFound: 7,
  deleted: 8,
  touched: 9,
  ok: 10,
  number: 11,
  staleStored: 12,
  version: 13,
  statistic: 14,
  reset: 15,
  error: 16,
  clientError: 17,
  serverError: 18,
  metaValue: 19,
  metaHit: 20,
  metaMiss: 21,
  metaNotStored: 22,
  metaExists: 23,
  metaNotFound: 24,
  metaNoop: 25,
  metaDebug: 26,
};
export type ReplyItem = (typeof ReplyItem)[keyof typeof ReplyItem];

/** Why something is not a reply. */
export const ReplyFault: {
  readonly none: '';
  readonly lineTooLong: string;
  readonly unknownLine: 'a line that is no reply';
  readonly badValueLine: 'a value line without a proper key, flags or length';
  readonly valueTooLong: string;
  readonly badDataEnd: 'a data block that does not end where its length says';
  readonly outOfPlace: 'a reply that does not belong to the request';
} = {
  none: '',
  lineTooLong: `a line of more than ${REPLY_LINE_BYTES_MAX} bytes (REPLY_LINE_BYTES_MAX)`,
  unknownLine: 'a line that is no reply',
  badValueLine: 'a value line without a proper key, flags or length',
  valueTooLong: `a value longer than ${REPLY_VALUE_BYTES_MAX} bytes (REPLY_VALUE_BYTES_MAX)`,
  badDataEnd: 'a data block that does not end where its length says',
  outOfPlace: 'a reply that does not belong to the request',
};
export type ReplyFault = (typeof ReplyFault)[keyof typeof ReplyFault];

/** Whole lines, by their first letter. */
const LINES: readonly (readonly [string, ReplyItem])[] = [
  ['STORED', ReplyItem.stored],
  ['NOT_STORED', ReplyItem.notStored],
  ['EXISTS', ReplyItem.exists],
  ['NOT_FOUND', ReplyItem.notFound],
  ['DELETED', ReplyItem.deleted],
  ['TOUCHED', ReplyItem.touched],
  ['STALE_STORED', ReplyItem.staleStored],
  ['NOT_FOUND_HOT', ReplyItem.leaseHot],
  ['OK', ReplyItem.ok],
  ['RESET', ReplyItem.reset],
  ['ERROR', ReplyItem.error],
  ['CLIENT_ERROR', ReplyItem.clientError],
  ['SERVER_ERROR', ReplyItem.serverError],
  ['END', ReplyItem.end],
];
/** Lines with something behind a space. */
const PREFIXES: readonly (readonly [string, ReplyItem])[] = [
  ['CLIENT_ERROR', ReplyItem.clientError],
  ['SERVER_ERROR', ReplyItem.serverError],
  ['ERROR', ReplyItem.error],
  ['STAT', ReplyItem.statistic],
  ['VERSION', ReplyItem.version],
];
const META_CODES: readonly (readonly [string, ReplyItem])[] = [
  ['HD', ReplyItem.metaHit],
  ['EN', ReplyItem.metaMiss],
  ['NS', ReplyItem.metaNotStored],
  ['EX', ReplyItem.metaExists],
  ['NF', ReplyItem.metaNotFound],
  ['MN', ReplyItem.metaNoop],
  ['ME', ReplyItem.metaDebug],
];
const META: Map<number, ReplyItem> = new Map(
  META_CODES.map(([code, item]) => [code.charCodeAt(0) | (code.charCodeAt(1) << 8), item]),
);

const NEED_MORE = -2;
const U32_MAX = 0xffff_ffff;
const LETTER_A = 0x41;
const LETTER_D = 0x44;
const LETTER_E = 0x45;
const LETTER_L = 0x4c;
const LETTER_N = 0x4e;
const LETTER_V = 0x56;

export class ReplyReader {
  /** What `read` found. Fields that the item does not have keep what they had. */
  kind: ReplyItem = ReplyItem.end;
  keyStart: number = 0;
  keyEnd: number = 0;
  flags: number = 0;
  valueStart: number = 0;
  valueEnd: number = 0;
  /** The digits of a CAS, a lease token or a number; empty (start = end) when there are none. */
  wideStart: number = 0;
  wideEnd: number = 0;
  /** The text of a line without its word: an error's, a version's, a statistic's, the flags of a meta reply. */
  textStart: number = 0;
  textEnd: number = 0;
  /** After 0: the bytes of the whole item, 0 when not known yet. */
  needed: number = 0;
  /** After -1. */
  fault: ReplyFault = ReplyFault.none;
  /** Where the item begins, and how far its line has been read. */
  #start: number = 0;
  #at: number = 0;

  read(bytes: Buffer, at: number, end: number): number {
    this.needed = 0;
    this.#start = at;
    if (end - at < 4) return this.#line(bytes, at, end);
    const first = bytes[at]!;
    const second = bytes[at + 1]!;
    if (first === LETTER_V && second === LETTER_A) {
      if (bytes[at + 2] === LETTER_L) return this.#value(bytes, at, at + 6, end, false);
      return this.#metaValue(bytes, at, end);
    }
    if (first === LETTER_E && second === LETTER_N && bytes[at + 2] === LETTER_D) {
      // The most frequent line gets by without a search.
      if (end - at < 5) return 0;
      if (bytes[at + 3] === CARRIAGE_RETURN && bytes[at + 4] === NEWLINE) {
        this.kind = ReplyItem.end;
        return 5;
      }
    }
    if (first === LETTER_L) return this.#value(bytes, at, at + 7, end, true);
    return this.#line(bytes, at, end);
  }

  /** What was read lies `by` bytes further on now: somebody has copied it. */
  move(by: number): void {
    this.keyStart += by;
    this.keyEnd += by;
    this.valueStart += by;
    this.valueEnd += by;
    this.wideStart += by;
    this.wideEnd += by;
    this.textStart += by;
    this.textEnd += by;
  }

  /** `VALUE key flags bytes [cas]` and `LVALUE key token flags bytes`, with the data block. */
  #value(bytes: Buffer, at: number, keyStart: number, end: number, isLease: boolean): number {
    if (keyStart > end) return 0;
    if (bytes[keyStart - 1] !== SPACE || bytes[keyStart - 2] !== LETTER_E)
      return this.#fail(ReplyFault.badValueLine);
    let keyEnd = keyStart;
    while (keyEnd < end && bytes[keyEnd]! > SPACE) keyEnd++;
    if (keyEnd - keyStart > KEY_BYTES_MAX) return this.#fail(ReplyFault.badValueLine);
    if (keyEnd === end) return 0;
    if (keyEnd === keyStart || bytes[keyEnd] !== SPACE) return this.#fail(ReplyFault.badValueLine);
    this.#at = keyEnd;
    this.wideStart = 0;
    this.wideEnd = 0;
    if (isLease && !this.#wide(bytes, end)) return this.#short(end);
    const flags = this.#u32(bytes, end);
    if (flags < 0) return this.#short(end);
    const length = this.#u32(bytes, end);
    if (length < 0) return this.#short(end);
    if (!isLease && this.#at < end && bytes[this.#at] === SPACE && !this.#wide(bytes, end))
      return this.#short(end);
    const data = this.#lineEnd(bytes, end);
    if (data <= 0) return data;
    this.kind = isLease ? ReplyItem.leaseValue : ReplyItem.value;
    this.keyStart = keyStart;
    this.keyEnd = keyEnd;
    this.flags = flags;
    return this.#data(bytes, at, data, end, length);
  }

  /** `VA bytes flags*` with the data block. */
  #metaValue(bytes: Buffer, at: number, end: number): number {
    if (bytes[at + 2] !== SPACE) return this.#fail(ReplyFault.unknownLine);
    this.#at = at + 2;
    const length = this.#u32(bytes, end);
    if (length < 0) return this.#short(end);
    const textStart = this.#at;
    const newline = this.#newline(bytes, textStart, end);
    if (newline < 0) return newline === NEED_MORE ? 0 : -1;
    this.kind = ReplyItem.metaValue;
    this.#text(bytes, textStart, newline);
    return this.#data(bytes, at, newline + 1, end, length);
  }

  #data(bytes: Buffer, at: number, data: number, end: number, length: number): number {
    if (length > REPLY_VALUE_BYTES_MAX) return this.#fail(ReplyFault.valueTooLong);
    const next = data + length + 2;
    if (next > end) {
      this.needed = next - at;
      return 0;
    }
    if (bytes[next - 2] !== CARRIAGE_RETURN || bytes[next - 1] !== NEWLINE)
      return this.#fail(ReplyFault.badDataEnd);
    this.valueStart = data;
    this.valueEnd = next - 2;
    return next - at;
  }

  #line(bytes: Buffer, at: number, end: number): number {
    const newline = this.#newline(bytes, at, end);
    if (newline < 0) return newline === NEED_MORE ? 0 : -1;
    const textEnd = newline > at && bytes[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
    const consumed = newline + 1 - at;
    const third = textEnd - at > 2 ? bytes[at + 2]! : SPACE;
    if (third === SPACE && textEnd - at >= 2) {
      const item = META.get(bytes[at]! | (bytes[at + 1]! << 8));
      if (item !== undefined) {
        this.kind = item;
        this.#text(bytes, at + 2, newline);
        return consumed;
      }
    }
    for (const [text, item] of LINES) {
      if (textEnd - at === text.length && startsWith(bytes, at, text)) {
        this.kind = item;
        this.textStart = textEnd;
        this.textEnd = textEnd;
        return consumed;
      }
    }
    for (const [text, item] of PREFIXES) {
      if (textEnd - at > text.length && bytes[at + text.length] === SPACE && startsWith(bytes, at, text)) {
        this.kind = item;
        this.#text(bytes, at + text.length, newline);
        return consumed;
      }
    }
    return this.#isNumber(bytes, at, textEnd) ? consumed : this.#fail(ReplyFault.unknownLine);
  }

  /** The number that incr and decr answer, spaces behind it allowed. */
  #isNumber(bytes: Buffer, at: number, textEnd: number): boolean {
    let digitsEnd = at;
    while (digitsEnd < textEnd && isDecimal(bytes[digitsEnd]!)) digitsEnd++;
    if (digitsEnd === at || digitsEnd - at > 20) return false;
    for (let index = digitsEnd; index < textEnd; index++) if (bytes[index] !== SPACE) return false;
    this.kind = ReplyItem.number;
    this.wideStart = at;
    this.wideEnd = digitsEnd;
    return true;
  }

  /** What lies between a word and the line's end, without the spaces in front. */
  #text(bytes: Buffer, at: number, newline: number): void {
    let start = at;
    const end = bytes[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
    while (start < end && bytes[start] === SPACE) start++;
    this.textStart = start;
    this.textEnd = end;
  }

  /** A u32 behind one space at `#at`; -1 when there is none (or it has not all arrived: see `#short`). */
  #u32(bytes: Buffer, end: number): number {
    let at = this.#at;
    if (at >= end || bytes[at] !== SPACE) return -1;
    at++;
    const start = at;
    let value = 0;
    while (at < end && isDecimal(bytes[at]!)) value = value * 10 + bytes[at++]! - DIGIT_0;
    this.#at = at;
    return at === start || at === end || at - start > 10 || value > U32_MAX ? -1 : value;
  }

  /** The digits of a u64 behind one space at `#at`. */
  #wide(bytes: Buffer, end: number): boolean {
    let at = this.#at;
    if (at >= end || bytes[at] !== SPACE) return false;
    const start = ++at;
    while (at < end && isDecimal(bytes[at]!)) at++;
    this.#at = at;
    this.wideStart = start;
    this.wideEnd = at;
    return at !== start && at !== end && at - start <= 20;
  }

  /** Reading stopped at `#at`: for want of bytes, or because what stands there is wrong. */
  #short(end: number): number {
    if (this.#at < end) return this.#fail(ReplyFault.badValueLine);
    return end - this.#start > REPLY_LINE_BYTES_MAX ? this.#fail(ReplyFault.lineTooLong) : 0;
  }

  /** Takes `\r\n` (or `\n`) at `#at`; returns the offset behind it, 0 for "need more", -1. */
  #lineEnd(bytes: Buffer, end: number): number {
    let at = this.#at;
    if (at < end && bytes[at] === CARRIAGE_RETURN) at++;
    if (at >= end) return 0;
    return bytes[at] === NEWLINE ? at + 1 : this.#fail(ReplyFault.badValueLine);
  }

  /** The offset of the newline, NEED_MORE when it has not arrived, -1 when the line is too long. */
  #newline(bytes: Buffer, at: number, end: number): number {
    const limit = Math.min(end, at + REPLY_LINE_BYTES_MAX);
    for (let index = at; index < limit; index++) if (bytes[index] === NEWLINE) return index;
    return limit < end ? this.#fail(ReplyFault.lineTooLong) : NEED_MORE;
  }

  #fail(fault: ReplyFault): -1 {
    this.fault = fault;
    return -1;
  }
}

function isDecimal(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_0 + 9;
}

function startsWith(bytes: Buffer, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (bytes[at + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** The u64 whose digits begin at `start` and end at the first byte that is none, or at `end`; 0n without digits. */
export function readWide(bytes: Buffer, start: number, end: number): bigint {
  let value = 0;
  let at = start;
  for (; at < end && isDecimal(bytes[at]!); at++) value = value * 10 + bytes[at]! - DIGIT_0;
  // Up to here a double is exact, and no text is needed.
  if (at - start <= 15) return BigInt(value);
  return BigInt.asUintN(64, BigInt(bytes.toString('latin1', start, Math.min(at, start + 20))));
}
