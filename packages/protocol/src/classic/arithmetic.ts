/**
 * Counting in a value that is a decimal number.
 *
 * ```
 *   request    incr|decr <key> <delta> [noreply]\r\n
 *   reply      <new value> | NOT_FOUND
 * ```
 *
 * delta: u64. incr wraps at 2^64, decr stops at 0.
 */
import type { Arena } from '@larder/datapath';
import { WideDecimal } from '../bytes/decimal.ts';
import type { LineTokens } from '../bytes/tokens.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { KEY_BYTES_MAX } from '../limits.ts';
import { RequestStatus } from './status.ts';
import { NOREPLY } from './store.ts';

export class ArithmeticRequest {
  keyOffset: number = 0;
  keyBytes: number = 0;
  noreply: boolean = false;
  readonly delta: WideDecimal = new WideDecimal();
  readonly #u8: Uint8Array;

  constructor(arena: Arena) {
    this.#u8 = arena.u8;
  }

  parse(tokens: LineTokens): RequestStatus {
    const count = tokens.count;
    this.noreply = false;
    if (count !== 3 && count !== 4) return RequestStatus.error;
    this.noreply = tokens.is(count - 1, NOREPLY);
    this.keyOffset = tokens.start[1]!;
    this.keyBytes = tokens.bytes(1);
    if (this.keyBytes > KEY_BYTES_MAX || tokens.hasControl) return RequestStatus.badFormat;
    return this.delta.read(this.#u8, tokens.start[2]!, tokens.end[2]!)
      ? RequestStatus.ok
      : RequestStatus.badDelta;
  }
}

export function composeArithmetic(
  writer: ByteWriter,
  name: 'incr' | 'decr',
  keyOffset: number,
  keyBytes: number,
  deltaLow: number,
  deltaHigh: number,
): void {
  writer.ascii(name);
  writer.space();
  writer.bytes(keyOffset, keyBytes);
  writer.space();
  writer.u64(deltaLow, deltaHigh);
  writer.crlf();
}
