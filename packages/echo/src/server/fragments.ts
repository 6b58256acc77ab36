/** Messages that are bytes already, in as many datagrams as they take (`Reassembler` of @larder/wire reads them). */
import { DATAGRAM_BYTES, FRAGMENT_HEADER_BYTES } from '@larder/wire';

/** What one datagram carries. */
export const FRAGMENT_BYTES_MAX: number = DATAGRAM_BYTES - FRAGMENT_HEADER_BYTES;

export function putFragmentHeader(
  view: DataView,
  at: number,
  id: number,
  type: number,
  bytes: number,
  index: number,
  count: number,
): void {
  view.setUint32(at, id, true);
  view.setUint32(at + 4, type, true);
  view.setUint32(at + 8, bytes, true);
  view.setUint16(at + 12, index, true);
  view.setUint16(at + 14, count, true);
}

/** The parts of a message: all but the last are equally long. */
export function fragmentsOf(bytes: Uint8Array): Uint8Array[] {
  const count = Math.max(1, Math.ceil(bytes.length / FRAGMENT_BYTES_MAX));
  const partBytes = Math.ceil(bytes.length / count);
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * partBytes, (index + 1) * partBytes),
  );
}
