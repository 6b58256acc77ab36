/**
 * Retrieval of one or many keys.
 *
 * ```
 *   request    get|gets <key>*\r\n
 *              gat|gats <exptime> <key>*\r\n
 *   reply      VALUE <key> <flags> <bytes> [<cas>]\r\n<data>\r\n      for every hit
 *              END\r\n
 * ```
 *
 * The line may be as long as GET_LINE_BYTES_MAX. Keys are handed out one by one while the line is read, so
 * that a multiget is answered in one pass over its bytes; that means that a bad key is only found when the
 * keys before it have been answered.
 */
import type { Arena } from '@larder/datapath';
import { CARRIAGE_RETURN, NEWLINE, SPACE } from '../bytes/ascii.ts';
import { ByteScanner } from '../bytes/scan.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { KEY_BYTES_MAX } from '../limits.ts';

/** What `KeyList.next` found. */
export const KeyStep: { readonly end: 0; readonly key: 1; readonly bad: -1 } = { end: 0, key: 1, bad: -1 };
export type KeyStep = (typeof KeyStep)[keyof typeof KeyStep];

export class KeyList {
  /** Where reading goes on; after `KeyStep.end` the first byte behind the line. */
  at: number = 0;
  keyOffset: number = 0;
  keyBytes: number = 0;
  readonly #u8: Uint8Array;
  readonly #scanner: ByteScanner;

  constructor(arena: Arena) {
    this.#u8 = arena.u8;
    this.#scanner = new ByteScanner(arena);
  }

  /** The next token of a line that is known to end with a newline. */
  next(): KeyStep {
    const u8 = this.#u8;
    let at = this.at;
    let byte = u8[at]!;
    while (byte === SPACE) byte = u8[++at]!;
    if (byte < SPACE) {
      this.at = at;
      return this.#lineEnd(byte);
    }
    const end = this.#scanner.tokenEnd(at);
    const bytes = end - at;
    this.keyOffset = at;
    this.keyBytes = bytes;
    this.at = end;
    return bytes <= KEY_BYTES_MAX ? KeyStep.key : KeyStep.bad;
  }

  /** Whether everything from here to the end of the line is fit to be a key. Leaves the place unchanged. */
  restIsValid(): boolean {
    const at = this.at;
    const offset = this.keyOffset;
    const bytes = this.keyBytes;
    let step: KeyStep = KeyStep.key;
    while (step === KeyStep.key) step = this.next();
    this.at = at;
    this.keyOffset = offset;
    this.keyBytes = bytes;
    return step === KeyStep.end;
  }

  #lineEnd(byte: number): KeyStep {
    if (byte === NEWLINE) {
      this.at += 1;
      return KeyStep.end;
    }
    if (byte === CARRIAGE_RETURN && this.#u8[this.at + 1] === NEWLINE) {
      this.at += 2;
      return KeyStep.end;
    }
    return KeyStep.bad;
  }
}

/** Begins a retrieval line; keys follow by `composeKey`, then `writer.crlf()`. */
export function composeGet(writer: ByteWriter, name: 'get' | 'gets' | 'lease-get'): void {
  writer.ascii(name);
}

/** Begins a get-and-touch line. */
export function composeGetAndTouch(writer: ByteWriter, name: 'gat' | 'gats', exptime: number): void {
  writer.ascii(name);
  writer.space();
  writer.signed(exptime);
}

/** Adds a key. */
export function composeKey(writer: ByteWriter, keyOffset: number, keyBytes: number): void {
  writer.space();
  writer.bytes(keyOffset, keyBytes);
}
