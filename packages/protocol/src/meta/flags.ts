/**
 * The flags behind a meta command: single letters, some with a token.
 *
 * ```
 *   flag    = letter [token]                 separated by spaces, each letter once
 *   letters without token   b c f h I k q s t u v x
 *   signed seconds          N R T            u32  F          u64  C D E J
 *   one character           M                opaque  O (at most OPAQUE_BYTES_MAX)
 *   ignored                 L P              (for routers)
 * ```
 *
 * As memcached does, every command takes every known letter and ignores what means nothing to it. What a
 * reply returns is kept in the order of the request (`order`).
 */
import type { Arena } from '@larder/datapath';
import { base64Decode } from '../bytes/base64.ts';
import { NOT_A_NUMBER, readSigned, readU32, WideDecimal } from '../bytes/decimal.ts';
import type { LineTokens } from '../bytes/tokens.ts';
import { RequestStatus } from '../classic/status.ts';
import { META_TOKENS_MAX, OPAQUE_BYTES_MAX } from '../limits.ts';

/** The letters, as the bytes that stand on the line. */
export const FLAG_LOWER_B: number = 98;
export const FLAG_LOWER_C: number = 99;
export const FLAG_LOWER_F: number = 102;
export const FLAG_LOWER_H: number = 104;
export const FLAG_LOWER_K: number = 107;
export const FLAG_LOWER_L: number = 108;
export const FLAG_LOWER_Q: number = 113;
export const FLAG_LOWER_S: number = 115;
export const FLAG_LOWER_T: number = 116;
export const FLAG_LOWER_U: number = 117;
export const FLAG_LOWER_V: number = 118;
export const FLAG_LOWER_X: number = 120;
export const FLAG_C: number = 67;
export const FLAG_D: number = 68;
export const FLAG_E: number = 69;
export const FLAG_F: number = 70;
export const FLAG_I: number = 73;
export const FLAG_J: number = 74;
export const FLAG_L: number = 76;
export const FLAG_M: number = 77;
export const FLAG_N: number = 78;
export const FLAG_O: number = 79;
export const FLAG_P: number = 80;
export const FLAG_R: number = 82;
export const FLAG_T: number = 84;

const LETTER_A = 65;
const LETTER_Z = 90;
const LETTER_LOWER_A = 97;
const LETTER_LOWER_Z = 122;
/** From this byte on memcached calls a flag a duplicate: its table of seen flags ends there. */
const SEEN_TABLE_END = 127;

/** One bit per letter of a set of letters; upper and lower case apart. */
function bitsOf(letters: string): number {
  let bits = 0;
  for (const letter of letters) bits |= 1 << ((letter.charCodeAt(0) - LETTER_A) & 31);
  return bits;
}
const KNOWN_UPPER = bitsOf('CDEFIJLMNOPRT');
/** Lower case letters are 32 above upper case ones, so the same mask of five bits serves. */
const KNOWN_LOWER = bitsOf('bcfhkqlstuvx');

export class MetaFlags {
  keyOffset: number = 0;
  keyBytes: number = 0;
  /** Bits of the letters seen: ask with `has`. */
  #upper: number = 0;
  #lower: number = 0;
  /** The letters in the order of the request, `orderCount` of them. */
  readonly order: Uint8Array = new Uint8Array(META_TOKENS_MAX);
  orderCount: number = 0;
  /** The opaque token with its letter; 0 bytes when there is none. */
  opaqueOffset: number = 0;
  opaqueBytes: number = 0;
  /** N, R and T in seconds as the client gave them. */
  vivifySeconds: number = 0;
  recacheSeconds: number = 0;
  ttlSeconds: number = 0;
  clientFlags: number = 0;
  /** The character of M, 0 without. */
  mode: number = 0;
  /** C, E, D (1 by default) and J (0 by default). */
  readonly compareCas: WideDecimal = new WideDecimal();
  readonly newCas: WideDecimal = new WideDecimal();
  readonly delta: WideDecimal = new WideDecimal();
  readonly initial: WideDecimal = new WideDecimal();
  readonly #u8: Uint8Array;

  constructor(arena: Arena) {
    this.#u8 = arena.u8;
  }

  /** Whether the request had this flag. */
  has(letter: number): boolean {
    const bits = letter >= LETTER_LOWER_A ? this.#lower : this.#upper;
    return (bits & (1 << ((letter - LETTER_A) & 31))) !== 0;
  }

  /**
   * Reads the key (token 1) and the flags from token `first` on. With the flag b the key is decoded in place.
   * A flag that is unknown or repeated ends the reading; of other mistakes the last one is reported, as
   * memcached does.
   */
  parse(tokens: LineTokens, first: number): RequestStatus {
    this.#reset();
    this.keyOffset = tokens.start[1]!;
    this.keyBytes = tokens.bytes(1);
    const u8 = this.#u8;
    const count = tokens.count;
    let status: RequestStatus = RequestStatus.ok;
    for (let index = first; index < count; index++) {
      const letter = u8[tokens.start[index]!]!;
      if (!isLetter(letter)) {
        return letter >= SEEN_TABLE_END ? RequestStatus.duplicateFlag : RequestStatus.invalidFlag;
      }
      if (this.has(letter)) return RequestStatus.duplicateFlag;
      if (!isKnown(letter)) return RequestStatus.invalidFlag;
      this.#note(letter);
      const result = this.#token(letter, tokens.start[index]! + 1, tokens.end[index]!);
      if (result !== RequestStatus.ok) status = result;
    }
    if (status === RequestStatus.ok && this.opaqueBytes > OPAQUE_BYTES_MAX + 1)
      return RequestStatus.opaqueTooLong;
    return status;
  }

  #reset(): void {
    this.#upper = 0;
    this.#lower = 0;
    this.orderCount = 0;
    this.opaqueBytes = 0;
    this.clientFlags = 0;
    this.ttlSeconds = 0;
    this.mode = 0;
    this.delta.low = 1;
    this.delta.high = 0;
    this.initial.low = 0;
    this.initial.high = 0;
  }

  #note(letter: number): void {
    const bit = 1 << ((letter - LETTER_A) & 31);
    if (letter >= LETTER_LOWER_A) this.#lower |= bit;
    else this.#upper |= bit;
    this.order[this.orderCount++] = letter;
  }

  /** Reads the token [at, end) of a flag that has one. */
  #token(letter: number, at: number, end: number): RequestStatus {
    const u8 = this.#u8;
    switch (letter) {
      case FLAG_LOWER_B:
        return this.#decodeKey();
      case FLAG_N:
        this.vivifySeconds = readSigned(u8, at, end);
        return this.vivifySeconds === NOT_A_NUMBER ? RequestStatus.badToken : RequestStatus.ok;
      case FLAG_R:
        this.recacheSeconds = readSigned(u8, at, end);
        return this.recacheSeconds === NOT_A_NUMBER ? RequestStatus.badToken : RequestStatus.ok;
      case FLAG_T:
        this.ttlSeconds = readSigned(u8, at, end);
        return this.ttlSeconds === NOT_A_NUMBER ? RequestStatus.badToken : RequestStatus.ok;
      case FLAG_F:
        this.clientFlags = readU32(u8, at, end);
        return this.clientFlags === NOT_A_NUMBER ? RequestStatus.badFormat : RequestStatus.ok;
      case FLAG_C:
        return this.compareCas.read(u8, at, end) ? RequestStatus.ok : RequestStatus.badToken;
      case FLAG_E:
        return this.newCas.read(u8, at, end) ? RequestStatus.ok : RequestStatus.badToken;
      case FLAG_J:
        return this.initial.read(u8, at, end) ? RequestStatus.ok : RequestStatus.badInitial;
      case FLAG_D:
        return this.delta.read(u8, at, end) ? RequestStatus.ok : RequestStatus.badMetaDelta;
      case FLAG_M:
        if (end - at !== 1) return RequestStatus.badModeLength;
        this.mode = u8[at]!;
        return RequestStatus.ok;
      case FLAG_O:
        this.opaqueOffset = at - 1;
        this.opaqueBytes = end - at + 1;
        return RequestStatus.ok;
      default:
        return RequestStatus.ok;
    }
  }

  #decodeKey(): RequestStatus {
    const bytes = base64Decode(this.#u8, this.keyOffset, this.keyOffset + this.keyBytes, this.keyOffset);
    this.keyBytes = bytes;
    return bytes === 0 ? RequestStatus.badKeyEncoding : RequestStatus.ok;
  }
}

function isLetter(byte: number): boolean {
  return (byte >= LETTER_A && byte <= LETTER_Z) || (byte >= LETTER_LOWER_A && byte <= LETTER_LOWER_Z);
}

function isKnown(letter: number): boolean {
  const known = letter >= LETTER_LOWER_A ? KNOWN_LOWER : KNOWN_UPPER;
  return (known & (1 << ((letter - LETTER_A) & 31))) !== 0;
}
