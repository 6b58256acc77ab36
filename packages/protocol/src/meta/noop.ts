/**
 * Meta no-op: answered when everything before it has been, which closes a series of quiet requests.
 *
 * ```
 *   request    mn\r\n
 *   reply      MN\r\n
 * ```
 */
import type { ByteWriter } from '../bytes/writer.ts';

export function composeMetaNoop(writer: ByteWriter): void {
  writer.ascii('mn');
  writer.crlf();
}
