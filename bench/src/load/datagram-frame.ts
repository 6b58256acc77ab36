/**
 * The frame in front of every memcache datagram: request id, sequence number, datagrams of this reply, 0;
 * each 16 bits, big-endian.
 */
export const FRAME_BYTES = 8;

/** Writes the frame of a request, which is always one datagram. */
export function writeFrame(view: DataView, at: number, requestId: number): void {
  view.setUint16(at, requestId);
  view.setUint16(at + 2, 0);
  view.setUint16(at + 4, 1);
  view.setUint16(at + 6, 0);
}

export function frameRequestId(view: DataView, at: number): number {
  return view.getUint16(at);
}

export function frameSequence(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}

export function frameTotal(view: DataView, at: number): number {
  return view.getUint16(at + 4);
}
