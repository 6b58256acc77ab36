/**
 * Reads classic replies: what a client does with the bytes of a connection or of a reassembled datagram
 * reply.
 *
 * ```
 *   VALUE <key> <flags> <bytes> [<cas>]\r\n<data>\r\n
 *   LVALUE <key> <token> <flags> <bytes>\r\n<data>\r\n
 *   END | STORED | DELETED | … | <number> | ERROR | CLIENT_ERROR <text> | SERVER_ERROR <text>\r\n
 * ```
 *
 * One `parse` reads one of these; fields hold offsets into the arena. 0 consumed means "need more".
 */
import type { Arena } from '@larder/datapath';
import { wordOf } from '../bytes/ascii.ts';
import { isDigit, NOT_A_NUMBER, readU32, WideDecimal } from '../bytes/decimal.ts';
import { ByteScanner } from '../bytes/scan.ts';
import { LineTokens } from '../bytes/tokens.ts';

export const ReplyKind: {
  readonly unknown: 0;
  readonly value: 1;
  readonly leaseValue: 2;
  readonly end: 3;
  readonly stored: 4;
  readonly notStored: 5;
  readonly exists: 6;
  readonly notFound: 7;
  readonly deleted: 8;
  readonly touched: 9;
  readonly ok: 10;
  readonly number: 11;
  readonly error: 12;
  readonly clientError: 13;
  readonly serverError: 14;
  readonly staleStored: 15;
  readonly notFoundHot: 16;
} = {
  unknown: 0,
  value: 1,
  leaseValue: 2,
  end: 3,
  stored: 4,
  notStored: 5,
  exists: 6,
  notFound: 7,
  deleted: 8,
  touched: 9,
  ok: 10,
  number: 11,
  error: 12,
  clientError: 13,
  serverError: 14,
  staleStored: 15,
  notFoundHot: 16,
};
export type ReplyKind = (typeof ReplyKind)[keyof typeof ReplyKind];

const LINES: readonly (readonly [string, ReplyKind])[] = [
  ['STORED', ReplyKind.stored],
  ['NOT_STORED', ReplyKind.notStored],
  ['EXISTS', ReplyKind.exists],
  ['NOT_FOUND', ReplyKind.notFound],
  ['DELETED', ReplyKind.deleted],
  ['TOUCHED', ReplyKind.touched],
  ['OK', ReplyKind.ok],
  ['ERROR', ReplyKind.error],
  ['CLIENT_ERROR', ReplyKind.clientError],
  ['SERVER_ERROR', ReplyKind.serverError],
  ['STALE_STORED', ReplyKind.staleStored],
  ['NOT_FOUND_HOT', ReplyKind.notFoundHot],
];
const WORD_VALU = wordOf('VALU');
const WORD_LVAL = wordOf('LVAL');
const WORD_END = wordOf('END\r');

export class ClassicReply {
  kind: ReplyKind = ReplyKind.unknown;
  keyOffset: number = 0;
  keyBytes: number = 0;
  flags: number = 0;
  valueOffset: number = 0;
  valueBytes: number = 0;
  /** The CAS of `gets`, the token of a lease, or the number that incr or decr returned. */
  readonly wide: WideDecimal = new WideDecimal();
  /** The text of an error, or of a line of an unknown kind. */
  textOffset: number = 0;
  textBytes: number = 0;
  readonly #view: DataView;
  readonly #u8: Uint8Array;
  readonly #scanner: ByteScanner;
  readonly #tokens: LineTokens;

  constructor(arena: Arena) {
    this.#view = arena.view;
    this.#u8 = arena.u8;
    this.#scanner = new ByteScanner(arena);
    this.#tokens = new LineTokens(arena);
  }

  /** Reads one reply line, with its data, from [at, end). Returns the bytes consumed; 0 when some are missing. */
  parse(at: number, end: number): number {
    if (end - at < 4) return 0;
    const word = this.#view.getInt32(at, true);
    if (word === WORD_END) {
      if (end - at < 5) return 0;
      this.kind = ReplyKind.end;
      return 5;
    }
    const newline = this.#scanner.newline(at, end);
    if (newline < 0) return 0;
    this.#tokens.split(at, newline);
    if (word === WORD_VALU) return this.#value(at, newline, end, 1, ReplyKind.value);
    if (word === WORD_LVAL) return this.#value(at, newline, end, 2, ReplyKind.leaseValue);
    this.#line(at);
    return newline + 1 - at;
  }

  /** VALUE key flags bytes [cas]; LVALUE has its token in front of the flags. */
  #value(at: number, newline: number, end: number, flagsBehind: number, kind: ReplyKind): number {
    const tokens = this.#tokens;
    const u8 = this.#u8;
    const flagsIndex = 1 + flagsBehind;
    const flags =
      tokens.count > flagsIndex ? readU32(u8, tokens.start[flagsIndex]!, tokens.end[flagsIndex]!) : -1;
    const bytes =
      tokens.count > flagsIndex + 1
        ? readU32(u8, tokens.start[flagsIndex + 1]!, tokens.end[flagsIndex + 1]!)
        : NOT_A_NUMBER;
    if (flags < 0 || bytes === NOT_A_NUMBER) {
      this.#unknown(at);
      return newline + 1 - at;
    }
    const next = newline + 1 + bytes + 2;
    if (next > end) return 0;
    const wideIndex = kind === ReplyKind.value ? 4 : 2;
    this.wide.low = 0;
    this.wide.high = 0;
    if (tokens.count > wideIndex) this.wide.read(u8, tokens.start[wideIndex]!, tokens.end[wideIndex]!);
    this.kind = kind;
    this.keyOffset = tokens.start[1]!;
    this.keyBytes = tokens.bytes(1);
    this.flags = flags;
    this.valueOffset = newline + 1;
    this.valueBytes = bytes;
    return next - at;
  }

  #line(at: number): void {
    const tokens = this.#tokens;
    this.#unknown(at);
    if (tokens.count === 0) return;
    if (isDigit(this.#u8[at]!)) {
      if (this.wide.read(this.#u8, tokens.start[0]!, tokens.end[0]!)) this.kind = ReplyKind.number;
      return;
    }
    for (const [text, kind] of LINES) {
      if (tokens.is(0, text)) {
        this.kind = kind;
        return;
      }
    }
  }

  #unknown(at: number): void {
    this.kind = ReplyKind.unknown;
    this.textOffset = at;
    this.textBytes = this.#tokens.textEnd - at;
  }
}
