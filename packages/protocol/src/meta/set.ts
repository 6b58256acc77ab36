/**
 * Meta set.
 *
 * ```
 *   request    ms <key> <bytes> <flag>*\r\n<data>\r\n
 *   reply      HD <flag>*\r\n    stored; nothing with q
 *              NS <flag>*\r\n    not stored: the mode's condition does not hold
 *              EX <flag>*\r\n    the CAS is another one
 *              NF <flag>*\r\n    a CAS was given and there is no item
 *
 *   returned   b k O   c the new CAS (0 when not stored)   s the bytes stored
 *   changing   C compare CAS   E new CAS   F client flags   I store as stale when C is older than the item's CAS
 *              M mode: S set, E add, A append, P prepend, R replace   N append and prepend create, with this
 *              time to live   T time to live
 * ```
 */
import type { Arena } from '@larder/datapath';
import { NOT_A_NUMBER, readUnsigned } from '../bytes/decimal.ts';
import type { LineTokens } from '../bytes/tokens.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { RequestStatus } from '../classic/status.ts';
import { KEY_BYTES_MAX, META_TOKENS_MAX, VALUE_BYTES_MAX } from '../limits.ts';
import { MetaFlags } from './flags.ts';
import { composeMetaKey } from './get.ts';

/** The characters of the mode. */
export const SET_MODE_ADD: number = 69;
export const SET_MODE_APPEND: number = 65;
export const SET_MODE_PREPEND: number = 80;
export const SET_MODE_REPLACE: number = 82;
export const SET_MODE_SET: number = 83;

export class MetaSetRequest {
  readonly flags: MetaFlags;
  /** The length of the data block, or -1 when the line does not tell it. */
  valueBytes: number = -1;
  readonly #u8: Uint8Array;

  constructor(arena: Arena) {
    this.#u8 = arena.u8;
    this.flags = new MetaFlags(arena);
  }

  parse(tokens: LineTokens): RequestStatus {
    this.valueBytes = -1;
    if (tokens.count < 2) return RequestStatus.error;
    if (tokens.count < 3) return RequestStatus.badFormat;
    const bytes = readUnsigned(this.#u8, tokens.start[2]!, tokens.end[2]!, VALUE_BYTES_MAX);
    if (bytes === NOT_A_NUMBER) return RequestStatus.badFormat;
    this.valueBytes = bytes;
    if (tokens.bytes(1) > KEY_BYTES_MAX || tokens.hasControl) return RequestStatus.badFormat;
    if (tokens.count > META_TOKENS_MAX) return RequestStatus.setFlagsTooMany;
    const status = this.flags.parse(tokens, 3);
    if (status !== RequestStatus.ok) return status;
    return isSetMode(this.flags.mode) ? RequestStatus.ok : RequestStatus.badSetMode;
  }
}

function isSetMode(mode: number): boolean {
  switch (mode) {
    case 0:
    case SET_MODE_ADD:
    case SET_MODE_APPEND:
    case SET_MODE_PREPEND:
    case SET_MODE_REPLACE:
    case SET_MODE_SET:
      return true;
    default:
      return false;
  }
}

/** Composes the line; the data block follows. */
export function composeMetaSet(
  writer: ByteWriter,
  keyOffset: number,
  keyBytes: number,
  binary: boolean,
  valueBytes: number,
  flags: string,
): void {
  writer.ascii('ms ');
  composeMetaKey(writer, keyOffset, keyBytes, binary);
  writer.space();
  writer.u32(valueBytes);
  if (binary) writer.ascii(' b');
  if (flags !== '') {
    writer.space();
    writer.ascii(flags);
  }
  writer.crlf();
}
