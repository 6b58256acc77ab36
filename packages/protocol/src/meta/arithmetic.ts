/**
 * Meta arithmetic.
 *
 * ```
 *   request    ma <key> <flag>*\r\n
 *   reply      HD <flag>*\r\n                         counted; nothing with q
 *              VA <bytes> <flag>*\r\n<number>\r\n     counted, with v
 *              NF, NS, EX <flag>*\r\n                  no such item; not created; the CAS is another one
 *
 *   returned   b k O   c the new CAS   t seconds to live
 *   changing   C compare CAS   D delta, 1 by default   E new CAS   J value of what N creates, 0 by default
 *              M mode: I or + increment, D or - decrement   N create on a miss, with this time to live
 *              T new time to live
 * ```
 *
 * Composed by `composeMeta`.
 */
import type { Arena } from '@larder/datapath';
import { MINUS, PLUS } from '../bytes/ascii.ts';
import type { LineTokens } from '../bytes/tokens.ts';
import { RequestStatus } from '../classic/status.ts';
import { KEY_BYTES_MAX, META_TOKENS_MAX } from '../limits.ts';
import { FLAG_D, FLAG_I, MetaFlags } from './flags.ts';

export class MetaArithmeticRequest {
  readonly flags: MetaFlags;
  decrement: boolean = false;

  constructor(arena: Arena) {
    this.flags = new MetaFlags(arena);
  }

  parse(tokens: LineTokens): RequestStatus {
    if (tokens.count < 2) return RequestStatus.error;
    if (tokens.bytes(1) > KEY_BYTES_MAX || tokens.hasControl) return RequestStatus.badFormat;
    if (tokens.count > META_TOKENS_MAX) return RequestStatus.setFlagsTooMany;
    const status = this.flags.parse(tokens, 2);
    if (status === RequestStatus.opaqueTooLong) return status;
    if (status !== RequestStatus.ok) return RequestStatus.invalidOrDuplicateFlag;
    const mode = this.flags.mode;
    this.decrement = mode === FLAG_D || mode === MINUS;
    const known = mode === 0 || this.decrement || mode === FLAG_I || mode === PLUS;
    return known ? RequestStatus.ok : RequestStatus.badArithmeticMode;
  }
}
