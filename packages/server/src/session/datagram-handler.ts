/**
 * Requests in datagrams: each is a frame header and one or several requests; the reply goes back in as many
 * datagrams as it needs, up to a configured number.
 *
 * Senders that are not allowed get no answer at all, and neither does what is no frame: answering would make
 * this server an amplifier for forged addresses, and neither does another server. A request has to be whole within its datagram; what is left
 * over is dropped.
 */
import type { Arena, DatagramReplies, DatagramSource } from '@larder/datapath';
import {
  DATAGRAM_HEADER_BYTES,
  DATAGRAM_PAYLOAD_BYTES,
  FrameHeader,
  writeFrameHeader,
} from '@larder/protocol';
import { REQUESTS_PER_EVENT_MAX } from '../limits.ts';
import { UDP_MALFORMED, UDP_REFUSED, UDP_REQUESTS, UDP_TOO_LARGE } from './counters.ts';
import { DatagramOutput, gatherBytes } from './datagram-output.ts';
import { FixedReply } from './replies.ts';
import { Session, SessionState } from './session.ts';
import type { SessionHandler } from './session-handler.ts';

const REPLY_TOO_LARGE: FixedReply = new FixedReply('SERVER_ERROR reply too large for UDP');
const MULTI_PACKET: FixedReply = new FixedReply('SERVER_ERROR multi-packet request not supported');

export interface DatagramOptions {
  /** Whether this sender is answered. Its address bytes are at `source.addressOffset` of the arena. */
  readonly allows: (source: DatagramSource) => boolean;
  /** Datagrams of one reply. */
  readonly datagramsMax: number;
  /** Begins `datagramGatherBytes(datagramsMax)` bytes of the arena that belong to the handler. */
  readonly gatherOffset: number;
}

/** Arena bytes that a handler needs at `gatherOffset`. */
export function datagramGatherBytes(datagramsMax: number): number {
  return gatherBytes(datagramsMax * DATAGRAM_PAYLOAD_BYTES);
}

/** Whether a sender's address is this machine's own: 127.0.0.0/8, ::1, or the former mapped into IPv6. */
export function isLoopback(arena: Arena, source: DatagramSource): boolean {
  const { u8 } = arena;
  const at = source.addressOffset;
  if (source.family === 4) return u8[at] === 127;
  for (let index = 0; index < 10; index++) {
    if (u8[at + index] !== 0) return false;
  }
  if (u8[at + 10] === 0xff && u8[at + 11] === 0xff) return u8[at + 12] === 127;
  return (
    u8[at + 10] === 0 &&
    u8[at + 11] === 0 &&
    u8[at + 12] === 0 &&
    u8[at + 13] === 0 &&
    u8[at + 14] === 0 &&
    u8[at + 15] === 1
  );
}

/**
 * Whether a datagram says that it comes from a server like this one, as a client's never does. Answering it could
 * begin an exchange between two servers that never ends: each takes the other's errors for requests.
 */
export function isFromServer(source: DatagramSource): boolean {
  return source.port === source.localPort;
}

export class DatagramHandler {
  readonly #handler: SessionHandler;
  readonly #options: DatagramOptions;
  readonly #output: DatagramOutput;
  readonly #frame: FrameHeader;
  readonly #view: DataView;
  readonly #u8: Uint8Array;
  readonly #counters: Float64Array;
  readonly #isOpen: boolean;

  constructor(handler: SessionHandler, options: DatagramOptions) {
    const { arena, counters, store } = handler.context;
    this.#handler = handler;
    this.#options = options;
    this.#output = new DatagramOutput(
      arena,
      options.gatherOffset,
      options.datagramsMax * DATAGRAM_PAYLOAD_BYTES,
      (owner) => store.release(owner),
    );
    this.#frame = new FrameHeader(arena);
    this.#view = arena.view;
    this.#u8 = arena.u8;
    this.#counters = counters;
    this.#isOpen = handler.context.options.authenticator === undefined;
  }

  /** Answers the datagram [start, end). */
  onDatagram(replies: DatagramReplies, source: DatagramSource, start: number, end: number): void {
    if (isFromServer(source) || !this.#options.allows(source)) {
      this.#counters[UDP_REFUSED]! += 1;
      return;
    }
    const frame = this.#frame;
    if (!frame.read(start, end)) {
      this.#counters[UDP_MALFORMED]! += 1;
      return;
    }
    this.#counters[UDP_REQUESTS]! += 1;
    const output = this.#output;
    output.reset();
    if (frame.whole) this.#run(start + DATAGRAM_HEADER_BYTES, end);
    else this.#fixed(MULTI_PACKET, UDP_MALFORMED);
    if (output.isTooLong) {
      output.reset();
      this.#fixed(REPLY_TOO_LARGE, UDP_TOO_LARGE);
    }
    if (output.bytes > 0) this.#send(replies);
  }

  /** Each datagram is a session of its own: nothing is kept from one to the next. */
  #run(start: number, end: number): void {
    const session = new Session(this.#isOpen, true);
    const { loop } = this.#handler;
    const consumed = loop.run(session, this.#output, start, end, REQUESTS_PER_EVENT_MAX);
    loop.storage.drop(session);
    const isPartial = session.state === SessionState.data || session.state === SessionState.swallow;
    if (consumed < end || isPartial) this.#counters[UDP_MALFORMED]! += 1;
  }

  #fixed(reply: FixedReply, counter: number): void {
    this.#counters[counter]! += 1;
    this.#handler.context.replies.fixed(this.#output, reply);
  }

  /** Cuts the reply into datagrams. */
  #send(replies: DatagramReplies): void {
    const bytes = this.#output.bytes;
    const total = Math.ceil(bytes / DATAGRAM_PAYLOAD_BYTES);
    for (let sequence = 0; sequence < total; sequence++) {
      const from = sequence * DATAGRAM_PAYLOAD_BYTES;
      const payload = Math.min(bytes - from, DATAGRAM_PAYLOAD_BYTES);
      const at = replies.begin(DATAGRAM_HEADER_BYTES + payload);
      if (at === 0) return;
      writeFrameHeader(this.#view, at, this.#frame.requestId, sequence, total);
      const source = this.#output.start + from;
      this.#u8.copyWithin(at + DATAGRAM_HEADER_BYTES, source, source + payload);
      replies.end(DATAGRAM_HEADER_BYTES + payload);
    }
  }
}
