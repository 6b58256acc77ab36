/**
 * Deletion, with Larder's hold-off: for that many seconds an `add` of the key fails.
 *
 * ```
 *   request    delete <key> [<hold-off seconds>] [noreply]\r\n
 *   reply      DELETED | NOT_FOUND
 * ```
 *
 * memcached itself takes no other hold-off than 0.
 */
import type { Arena } from '@larder/datapath';
import { NOT_A_NUMBER, readUnsigned } from '../bytes/decimal.ts';
import type { LineTokens } from '../bytes/tokens.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { KEY_BYTES_MAX } from '../limits.ts';
import { RequestStatus } from './status.ts';
import { NOREPLY } from './store.ts';

/** The longest hold-off: as long as a relative expiry time can be. */
export const HOLDOFF_SECONDS_MAX: number = 30 * 24 * 3600;

export class DeleteRequest {
  keyOffset: number = 0;
  keyBytes: number = 0;
  holdoffSeconds: number = 0;
  noreply: boolean = false;
  readonly #u8: Uint8Array;

  constructor(arena: Arena) {
    this.#u8 = arena.u8;
  }

  parse(tokens: LineTokens): RequestStatus {
    const count = tokens.count;
    this.holdoffSeconds = 0;
    this.noreply = false;
    if (count < 2 || count > 4) return RequestStatus.error;
    this.keyOffset = tokens.start[1]!;
    this.keyBytes = tokens.bytes(1);
    if (count > 2) {
      this.noreply = tokens.is(count - 1, NOREPLY);
      if (count === 4 && !this.noreply) return RequestStatus.badDelete;
      if (count === 4 || !this.noreply) {
        const seconds = readUnsigned(this.#u8, tokens.start[2]!, tokens.end[2]!, HOLDOFF_SECONDS_MAX);
        if (seconds === NOT_A_NUMBER) return RequestStatus.badDelete;
        this.holdoffSeconds = seconds;
      }
    }
    return this.keyBytes > KEY_BYTES_MAX || tokens.hasControl ? RequestStatus.badFormat : RequestStatus.ok;
  }
}

/** Composes the line; a hold-off of 0 is left out. */
export function composeDelete(
  writer: ByteWriter,
  keyOffset: number,
  keyBytes: number,
  holdoffSeconds: number,
  noreply: boolean,
): void {
  writer.ascii('delete ');
  writer.bytes(keyOffset, keyBytes);
  if (holdoffSeconds > 0) {
    writer.space();
    writer.u32(holdoffSeconds);
  }
  if (noreply) writer.ascii(' noreply');
  writer.crlf();
}
