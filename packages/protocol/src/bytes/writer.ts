/**
 * Composes requests: an offset that moves through a piece of the arena. A request that does not fit leaves
 * the writer where it was and says so, so that the caller sends what it has and begins anew.
 */
import type { Arena } from '@larder/datapath';
import { CRLF_16, SPACE, writeAscii } from './ascii.ts';
import { base64Encode } from './base64.ts';
import { WideDecimal, writeU32 } from './decimal.ts';

export class ByteWriter {
  /** Where the next byte goes, and the end of the room. */
  at: number = 0;
  limit: number = 0;
  readonly u8: Uint8Array;
  readonly #view: DataView;
  readonly #wide: WideDecimal = new WideDecimal();

  constructor(arena: Arena, at: number, limit: number) {
    this.u8 = arena.u8;
    this.#view = arena.view;
    this.at = at;
    this.limit = limit;
  }

  /** Starts anew in other room. */
  reset(at: number, limit: number): void {
    this.at = at;
    this.limit = limit;
  }

  /** Whether `bytes` more fit. */
  fits(bytes: number): boolean {
    return this.limit - this.at >= bytes;
  }

  byte(value: number): void {
    this.u8[this.at++] = value;
  }

  ascii(text: string): void {
    this.at = writeAscii(this.u8, this.at, text);
  }

  bytes(source: number, bytes: number): void {
    this.u8.copyWithin(this.at, source, source + bytes);
    this.at += bytes;
  }

  base64(source: number, bytes: number): void {
    this.at = base64Encode(this.u8, source, bytes, this.at);
  }

  u32(value: number): void {
    this.at = writeU32(this.u8, this.at, value);
  }

  signed(value: number): void {
    if (value < 0) this.ascii('-');
    this.at = writeU32(this.u8, this.at, Math.abs(value));
  }

  u64(low: number, high: number): void {
    this.at = this.#wide.write(this.u8, this.at, low, high);
  }

  space(): void {
    this.u8[this.at++] = SPACE;
  }

  crlf(): void {
    this.#view.setUint16(this.at, CRLF_16, true);
    this.at += 2;
  }
}
