/**
 * Meta debug: what the store knows of an item, for people.
 *
 * ```
 *   request    me <key> [b]\r\n
 *   reply      ME <key> exp=<seconds> la=<seconds> cas=<CAS> fetch=<yes|no> cls=<class> size=<bytes>\r\n
 *              EN\r\n
 * ```
 *
 * exp is minus the seconds to live, or -1 for ever. Composed by `composeMeta`.
 */
import type { Arena } from '@larder/datapath';
import { base64Decode } from '../bytes/base64.ts';
import type { LineTokens } from '../bytes/tokens.ts';
import { RequestStatus } from '../classic/status.ts';
import { KEY_BYTES_MAX } from '../limits.ts';

export class MetaDebugRequest {
  keyOffset: number = 0;
  keyBytes: number = 0;
  keyBinary: boolean = false;
  readonly #u8: Uint8Array;

  constructor(arena: Arena) {
    this.#u8 = arena.u8;
  }

  parse(tokens: LineTokens): RequestStatus {
    if (tokens.count < 2 || tokens.bytes(1) > KEY_BYTES_MAX || tokens.hasControl)
      return RequestStatus.badFormat;
    this.keyOffset = tokens.start[1]!;
    this.keyBytes = tokens.bytes(1);
    this.keyBinary = tokens.is(2, 'b');
    if (this.keyBinary) {
      this.keyBytes = base64Decode(this.#u8, this.keyOffset, tokens.end[1]!, this.keyOffset);
    }
    return this.keyBytes === 0 ? RequestStatus.badFormat : RequestStatus.ok;
  }
}
