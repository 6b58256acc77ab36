/**
 * A new expiry time for an item, without reading it.
 *
 * ```
 *   request    touch <key> <exptime> [noreply]\r\n
 *   reply      TOUCHED | NOT_FOUND
 * ```
 */
import type { Arena } from '@larder/datapath';
import { NOT_A_NUMBER, readSigned } from '../bytes/decimal.ts';
import type { LineTokens } from '../bytes/tokens.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { KEY_BYTES_MAX } from '../limits.ts';
import { RequestStatus } from './status.ts';
import { NOREPLY } from './store.ts';

export class TouchRequest {
  keyOffset: number = 0;
  keyBytes: number = 0;
  exptime: number = 0;
  noreply: boolean = false;
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
    this.exptime = readSigned(this.#u8, tokens.start[2]!, tokens.end[2]!);
    return this.exptime === NOT_A_NUMBER ? RequestStatus.badExptime : RequestStatus.ok;
  }
}

export function composeTouch(writer: ByteWriter, keyOffset: number, keyBytes: number, exptime: number): void {
  writer.ascii('touch ');
  writer.bytes(keyOffset, keyBytes);
  writer.space();
  writer.signed(exptime);
  writer.crlf();
}
