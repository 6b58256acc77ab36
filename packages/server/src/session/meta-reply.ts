/**
 * The parts that the replies to meta commands have in common: return flags, keys, opaques.
 */
import type { MetaStoreOptions } from '@larder/cache';
import { StoreMode } from '@larder/cache';
import {
  base64Encode,
  FLAG_LOWER_B,
  FLAG_LOWER_K,
  FLAG_LOWER_Q,
  FLAG_O,
  KEY_BYTES_MAX,
  META_LINE_BYTES_MAX,
  META_TOKENS_MAX,
  type MetaFlags,
  OPAQUE_BYTES_MAX,
  WideDecimal,
  writeAscii,
  writeU32,
} from '@larder/protocol';
import type { SessionContext } from './context.ts';
import type { SessionOutput } from './output.ts';

const SPACE = 32;

/**
 * What has to be known of a meta set when its data block is complete, after its line is gone from the buffer.
 * One is reused for all meta sets whose block comes with the line; a session that streams one keeps its own.
 */
export class PendingMeta {
  readonly order: Uint8Array = new Uint8Array(META_TOKENS_MAX);
  orderCount: number = 0;
  readonly opaque: Uint8Array = new Uint8Array(OPAQUE_BYTES_MAX + 1);
  opaqueBytes: number = 0;
  quiet: boolean = false;
  keyBinary: boolean = false;
  readonly options: MetaStoreOptions = {
    mode: StoreMode.set,
    compareCas: false,
    casLow: 0,
    casHigh: 0,
    invalidateOlder: false,
    hasNewCas: false,
    newCasLow: 0,
    newCasHigh: 0,
    vivifyExpiry: -1,
  };

  /** Notes what the reply returns. */
  copyFrom(u8: Uint8Array, flags: MetaFlags): void {
    const count = flags.orderCount;
    this.orderCount = count;
    for (let index = 0; index < count; index++) this.order[index] = flags.order[index]!;
    this.opaqueBytes = flags.opaqueBytes;
    for (let index = 0; index < flags.opaqueBytes; index++)
      this.opaque[index] = u8[flags.opaqueOffset + index]!;
    this.quiet = flags.has(FLAG_LOWER_Q);
    this.keyBinary = flags.has(FLAG_LOWER_B);
  }
}

/**
 * Composes one reply line: `begin`, then parts, then `end`. `at` is where the next byte goes; 0 means that
 * there is no memory and nothing is written.
 */
export class MetaLine {
  at: number = 0;
  #output: SessionOutput | undefined;
  readonly #u8: Uint8Array;
  readonly #wide: WideDecimal = new WideDecimal();

  constructor(context: SessionContext) {
    this.#u8 = context.u8;
  }

  /** False when there is no memory for a reply. */
  begin(output: SessionOutput, code: string): boolean {
    this.at = output.reserve(META_LINE_BYTES_MAX);
    if (this.at === 0) return false;
    this.#output = output;
    this.at = writeAscii(this.#u8, this.at, code);
    return true;
  }

  end(): void {
    this.at = writeAscii(this.#u8, this.at, '\r\n');
    this.#output!.cursor = this.at;
  }

  /** ` <value>` */
  number(value: number): void {
    this.#u8[this.at] = SPACE;
    this.at = writeU32(this.#u8, this.at + 1, value);
  }

  /** ` <letter>` */
  flag(letter: number): void {
    this.#u8[this.at] = SPACE;
    this.#u8[this.at + 1] = letter;
    this.at += 2;
  }

  /** ` <letter><value>` */
  flagNumber(letter: number, value: number): void {
    this.flag(letter);
    this.at = writeU32(this.#u8, this.at, value);
  }

  /** ` <letter><u64>` */
  flagWide(letter: number, low: number, high: number): void {
    this.flag(letter);
    this.at = this.#wide.write(this.#u8, this.at, low, high);
  }

  /** ` t<seconds to live>`, -1 for ever. */
  timeToLive(letter: number, expiry: number, now: number): void {
    this.flag(letter);
    if (expiry === 0) this.at = writeAscii(this.#u8, this.at, '-1');
    else this.at = writeU32(this.#u8, this.at, Math.max(0, expiry - now));
  }

  /** ` k<key>`, or ` k<base64> b`. */
  key(keyOffset: number, keyBytes: number, binary: boolean): void {
    const u8 = this.#u8;
    this.flag(FLAG_LOWER_K);
    if (keyBytes > KEY_BYTES_MAX) return;
    if (binary) {
      this.at = base64Encode(u8, keyOffset, keyBytes, this.at);
      this.flag(FLAG_LOWER_B);
    } else {
      u8.copyWithin(this.at, keyOffset, keyOffset + keyBytes);
      this.at += keyBytes;
    }
  }

  /** ` O<opaque>`; `source` holds the token with its letter. */
  opaque(source: Uint8Array, offset: number, bytes: number): void {
    const u8 = this.#u8;
    u8[this.at++] = SPACE;
    for (let index = 0; index < bytes; index++) u8[this.at + index] = source[offset + index]!;
    this.at += bytes;
  }

  /** What every reply returns, hit or miss: opaque and key, in the order asked. */
  opaqueAndKey(flags: MetaFlags): void {
    const count = flags.orderCount;
    for (let index = 0; index < count; index++) {
      const letter = flags.order[index]!;
      if (letter === FLAG_O) this.opaque(this.#u8, flags.opaqueOffset, flags.opaqueBytes);
      else if (letter === FLAG_LOWER_K) this.key(flags.keyOffset, flags.keyBytes, flags.has(FLAG_LOWER_B));
    }
  }
}
