/**
 * Meta get.
 *
 * ```
 *   request    mg <key> <flag>*\r\n
 *   reply      VA <bytes> <flag>*\r\n<data>\r\n      a hit, with v
 *              HD <flag>*\r\n                          a hit, without v (or C equals the item's CAS)
 *              EN <flag>*\r\n                          a miss; nothing with q
 *
 *   returned   c CAS   f client flags   h hit before   k key   l seconds since last access   O opaque
 *              s bytes   t seconds to live, -1 for ever   b the key is base64
 *   changing   E new CAS of what N creates   N create a stub on a miss   R win when less to live than this
 *              T new time to live   u do not count as an access
 *   added      W won the right to fill   X stale   Z somebody else has won
 * ```
 */
import type { Arena } from '@larder/datapath';
import type { LineTokens } from '../bytes/tokens.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { RequestStatus } from '../classic/status.ts';
import { KEY_BYTES_MAX, META_TOKENS_MAX } from '../limits.ts';
import { MetaFlags } from './flags.ts';

export class MetaGetRequest {
  readonly flags: MetaFlags;

  constructor(arena: Arena) {
    this.flags = new MetaFlags(arena);
  }

  parse(tokens: LineTokens): RequestStatus {
    if (tokens.count < 2) return RequestStatus.error;
    if (tokens.bytes(1) > KEY_BYTES_MAX || tokens.hasControl) return RequestStatus.badFormat;
    if (tokens.count > META_TOKENS_MAX) return RequestStatus.flagsTooMany;
    return this.flags.parse(tokens, 2);
  }
}

/**
 * Composes a meta command without data: `mg`, `md` or `ma`. `flags` is what stands behind the key, such as
 * `v t O17`; with `binary` the key is sent in base64 and the flag b is added.
 */
export function composeMeta(
  writer: ByteWriter,
  name: 'mg' | 'md' | 'ma' | 'me',
  keyOffset: number,
  keyBytes: number,
  binary: boolean,
  flags: string,
): void {
  writer.ascii(name);
  writer.space();
  composeMetaKey(writer, keyOffset, keyBytes, binary);
  if (binary) writer.ascii(' b');
  if (flags !== '') {
    writer.space();
    writer.ascii(flags);
  }
  writer.crlf();
}

/** The key of a meta command as it goes on the wire. */
export function composeMetaKey(
  writer: ByteWriter,
  keyOffset: number,
  keyBytes: number,
  binary: boolean,
): void {
  if (binary) writer.base64(keyOffset, keyBytes);
  else writer.bytes(keyOffset, keyBytes);
}
