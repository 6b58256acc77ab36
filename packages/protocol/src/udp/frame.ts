/**
 * The header in front of every datagram of the text protocols.
 *
 * ```
 *   0      2      4      6      8
 *   ├──────┼──────┼──────┼──────┼──────── …
 *   │ id   │ seq  │total │  0   │ payload        four u16, network byte order
 * ```
 *
 * A request fits one datagram (seq 0, total 1). A reply repeats the request's id; its payloads in the order
 * of seq are the bytes that a connection would have carried.
 */
import type { Arena } from '@larder/datapath';
import { DATAGRAM_HEADER_BYTES } from '../limits.ts';

export class FrameHeader {
  requestId: number = 0;
  sequence: number = 0;
  total: number = 0;
  readonly #view: DataView;

  constructor(arena: Arena) {
    this.#view = arena.view;
  }

  /**
   * Reads the header of the datagram [start, end). False when it is none: too short, reserved bytes set, a
   * total of 0 or a sequence number not below it.
   */
  read(start: number, end: number): boolean {
    if (end - start < DATAGRAM_HEADER_BYTES) return false;
    const view = this.#view;
    this.requestId = view.getUint16(start);
    this.sequence = view.getUint16(start + 2);
    this.total = view.getUint16(start + 4);
    return view.getUint16(start + 6) === 0 && this.sequence < this.total;
  }

  /** Whether this is all of a message, as a request has to be. */
  get whole(): boolean {
    return this.total === 1;
  }
}

/** Writes a header at `at`; the payload goes DATAGRAM_HEADER_BYTES behind it. */
export function writeFrameHeader(
  view: DataView,
  at: number,
  requestId: number,
  sequence: number,
  total: number,
): void {
  view.setUint16(at, requestId);
  view.setUint16(at + 2, sequence);
  view.setUint16(at + 4, total);
  view.setUint16(at + 6, 0);
}
