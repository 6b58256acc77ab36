/**
 * mcrouter's leases (papers/nsdi13 3.2.1): a miss gives one client the right to fill the key.
 *
 * ```
 *   request    lease-get <key>*\r\n
 *   reply      VALUE <key> <flags> <bytes>\r\n<data>\r\n              a hit
 *              LVALUE <key> <token> <flags> <bytes>\r\n<data>\r\n     a miss: token, or 0 and a stale value
 *              NOT_FOUND_HOT\r\n                                       somebody else holds the token: wait
 *              END\r\n                     (every key is answered, in order)
 *   request    lease-set <key> <token> <flags> <exptime> <bytes> [noreply]\r\n<data>\r\n
 *   reply      STORED | STALE_STORED | NOT_STORED
 * ```
 *
 * token: u64; 0 never may set.
 */
import type { Arena } from '@larder/datapath';
import { NOT_A_NUMBER, readSigned, readU32, readUnsigned, WideDecimal } from '../bytes/decimal.ts';
import type { LineTokens } from '../bytes/tokens.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../limits.ts';
import { RequestStatus } from './status.ts';
import { NOREPLY } from './store.ts';

export class LeaseSetRequest {
  keyOffset: number = 0;
  keyBytes: number = 0;
  tokenLow: number = 0;
  tokenHigh: number = 0;
  flags: number = 0;
  exptime: number = 0;
  /** The length of the data block, or -1 when the line does not tell it. */
  valueBytes: number = -1;
  noreply: boolean = false;
  readonly #u8: Uint8Array;
  readonly #wide: WideDecimal = new WideDecimal();

  constructor(arena: Arena) {
    this.#u8 = arena.u8;
  }

  parse(tokens: LineTokens): RequestStatus {
    const count = tokens.count;
    this.valueBytes = -1;
    this.noreply = false;
    if (count !== 6 && count !== 7) return RequestStatus.error;
    this.noreply = tokens.is(count - 1, NOREPLY);
    const u8 = this.#u8;
    const bytes = readUnsigned(u8, tokens.start[5]!, tokens.end[5]!, VALUE_BYTES_MAX);
    if (bytes === NOT_A_NUMBER) return RequestStatus.badFormat;
    this.valueBytes = bytes;
    this.keyOffset = tokens.start[1]!;
    this.keyBytes = tokens.bytes(1);
    if (this.keyBytes > KEY_BYTES_MAX || tokens.hasControl) return RequestStatus.badFormat;
    if (!this.#wide.read(u8, tokens.start[2]!, tokens.end[2]!)) return RequestStatus.badFormat;
    this.tokenLow = this.#wide.low;
    this.tokenHigh = this.#wide.high;
    this.flags = readU32(u8, tokens.start[3]!, tokens.end[3]!);
    this.exptime = readSigned(u8, tokens.start[4]!, tokens.end[4]!);
    const bad = this.flags === NOT_A_NUMBER || this.exptime === NOT_A_NUMBER;
    return bad ? RequestStatus.badFormat : RequestStatus.ok;
  }
}

/** Composes the line; the data block follows. `lease-get` is composed by `composeGet`. */
export function composeLeaseSet(
  writer: ByteWriter,
  keyOffset: number,
  keyBytes: number,
  tokenLow: number,
  tokenHigh: number,
  flags: number,
  exptime: number,
  valueBytes: number,
): void {
  writer.ascii('lease-set ');
  writer.bytes(keyOffset, keyBytes);
  writer.space();
  writer.u64(tokenLow, tokenHigh);
  writer.space();
  writer.u32(flags);
  writer.space();
  writer.signed(exptime);
  writer.space();
  writer.u32(valueBytes);
  writer.crlf();
}
