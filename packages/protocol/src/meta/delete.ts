/**
 * Meta delete.
 *
 * ```
 *   request    md <key> <flag>*\r\n
 *   reply      HD <flag>*\r\n    deleted or marked; nothing with q
 *              NF <flag>*\r\n    no such item
 *              EX <flag>*\r\n    the CAS is another one
 *
 *   returned   b k O
 *   changing   C compare CAS   E new CAS   I mark stale instead of deleting   T new time to live (with I or x)
 *              x drop the value and keep an empty item
 * ```
 *
 * Composed by `composeMeta`.
 */
import type { Arena } from '@larder/datapath';
import type { LineTokens } from '../bytes/tokens.ts';
import { RequestStatus } from '../classic/status.ts';
import { KEY_BYTES_MAX, META_TOKENS_MAX } from '../limits.ts';
import { MetaFlags } from './flags.ts';

export class MetaDeleteRequest {
  readonly flags: MetaFlags;

  constructor(arena: Arena) {
    this.flags = new MetaFlags(arena);
  }

  parse(tokens: LineTokens): RequestStatus {
    if (tokens.count < 2) return RequestStatus.error;
    if (tokens.bytes(1) > KEY_BYTES_MAX || tokens.hasControl) return RequestStatus.badFormat;
    if (tokens.count > META_TOKENS_MAX) return RequestStatus.setFlagsTooMany;
    const status = this.flags.parse(tokens, 2);
    if (status === RequestStatus.ok || status === RequestStatus.opaqueTooLong) return status;
    return RequestStatus.invalidOrDuplicateFlag;
  }
}
