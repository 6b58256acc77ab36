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
import { NOT_A_NUMBER, readSigned, readU32, readUnsigned, WideDecimal } from '../bytes/decimal.ts';
import type { LineTokens } from '../bytes/tokens.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../limits.ts';
import { RequestStatus } from './status.ts';

export const NOREPLY: string = 'noreply';

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
  readonly #wide: WideDecimal = new WideDecimal();

  constructor(arena: Arena) {
    this.#u8 = arena.u8;
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
