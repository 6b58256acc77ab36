/**
 * What stands in front of a message on a stream.
 *
 * ```
 *   [u32 bytes of the message][u32 type][u32 id][u32 0]
 * ```
 */
import { WireError } from '../errors.ts';

/** Type and id are the application's: which method or request, and which reply belongs to it. */
export function putFrameHeader(view: DataView, at: number, bytes: number, type: number, id: number): void {
  if (type >>> 0 !== type || id >>> 0 !== id) {
    throw new WireError('RANGE', `frame type ${type} or id ${id} is not a uint32`);
  }
  view.setUint32(at, bytes, true);
  view.setUint32(at + 4, type, true);
  view.setUint32(at + 8, id, true);
  view.setUint32(at + 12, 0, true);
}
