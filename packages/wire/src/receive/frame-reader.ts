/**
 * Frames out of a datapath connection's input (send/frame.ts has the layout). A frame that lies in the receive
 * buffer whole is read there; the transport keeps the beginning of a short one until the rest has come; a long
 * one is gathered in memory of its own, up to 1 GiB.
 */
import { Memory } from '../decode/memory.ts';
import { Message } from '../decode/message.ts';
import { WireError } from '../errors.ts';
import { FRAME_GATHER_BYTES_MIN, FRAME_HEADER_BYTES, MESSAGE_BYTES_MAX } from '../limits.ts';
import { FrameGatherer } from './frame-gatherer.ts';
import type { GatherBudget } from './gather-budget.ts';
import type { ReceiveHolds } from './receive-holds.ts';

/** Gets one message, which is valid until this returns unless it is retained. False: no more for now. */
export type FrameHandler = (message: Message, type: number, id: number) => boolean | undefined;

export interface FrameReaderOptions {
  /** A longer message is an error. */
  readonly messageBytesMax?: number;
  /** Lets retained messages stay in the receive buffer; without, they move to copies. */
  readonly holds?: ReceiveHolds;
  /** What the long messages of several readers may hold together. */
  readonly budget?: GatherBudget;
  /** A long message got no memory, and will not be delivered; called once for each, when some of it has come. */
  readonly onRefused?: (type: number, id: number) => void;
}

export class FrameReader {
  readonly #memory: Memory;
  readonly #onFrame: FrameHandler;
  readonly #bytesMax: number;
  readonly #holds: ReceiveHolds | null;
  readonly #budget: GatherBudget | null;
  readonly #onRefused: ((type: number, id: number) => void) | undefined;
  #message: Message = new Message();
  #gatherer: FrameGatherer | null = null;
  #isRefusalTold = false;
  /** What the handler said to the long message that was delivered last. */
  #isWanted = true;

  /** One per connection; `memory` is the arena's. */
  constructor(memory: Memory, onFrame: FrameHandler, options: FrameReaderOptions = {}) {
    this.#memory = memory;
    this.#onFrame = onFrame;
    this.#bytesMax = Math.min(options.messageBytesMax ?? MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX);
    this.#holds = options.holds ?? null;
    this.#budget = options.budget ?? null;
    this.#onRefused = options.onRefused;
  }

  /** The connection is gone: what it has sent of a long message is given back. */
  close(): void {
    this.#gatherer?.release();
    this.#gatherer = null;
  }

  /**
   * Reads the input [start, end) of the arena and returns up to where it was consumed, as `onData` must.
   * Throws `TOO_LARGE` or `FRAME` for input that is none, after which the connection is to be closed.
   */
  push(start: number, end: number): number {
    let at = start;
    if (this.#gatherer !== null) {
      at = this.#gather(this.#gatherer, at, end);
      if (this.#gatherer !== null || !this.#isWanted) return at;
    }
    const { view } = this.#memory;
    while (end - at >= FRAME_HEADER_BYTES) {
      const bytes = view.getUint32(at, true);
      const type = view.getUint32(at + 4, true);
      const id = view.getUint32(at + 8, true);
      checkFrame(bytes, view.getUint32(at + 12, true), this.#bytesMax);
      const body = at + FRAME_HEADER_BYTES;
      if (bytes <= end - body) {
        at = body + bytes;
        const message = this.#message.borrow(this.#memory, body, at, this.#holds);
        if (!this.#deliver(message, type, id)) return at;
      } else if (bytes >= FRAME_GATHER_BYTES_MIN) {
        this.#gatherer = new FrameGatherer(bytes, type, id, this.#budget);
        this.#isRefusalTold = false;
        return this.#gather(this.#gatherer, body, end);
      } else {
        return at;
      }
    }
    return at;
  }

  #deliver(message: Message, type: number, id: number): boolean {
    let isWanted: boolean | undefined;
    try {
      isWanted = this.#onFrame(message, type, id);
    } finally {
      if (message.isRetained) this.#message = new Message();
      else message.invalidate();
    }
    return isWanted !== false;
  }

  /** Takes the next part of a long message, and delivers it when it is whole; then there is no gatherer any more. */
  #gather(gatherer: FrameGatherer, start: number, end: number): number {
    const at = gatherer.take(this.#memory.u8, start, end);
    if (gatherer.isRefused && !this.#isRefusalTold) {
      this.#isRefusalTold = true;
      this.#onRefused?.(gatherer.type, gatherer.id);
    }
    if (gatherer.isComplete) {
      this.#gatherer = null;
      this.#isWanted = gatherer.isRefused || deliverGathered(gatherer, this.#onFrame);
    }
    return at;
  }
}

/** Frames out of the chunks of a Node socket. Messages lie in memory that nobody uses again. */
export class StreamReader {
  readonly #onFrame: FrameHandler;
  readonly #bytesMax: number;
  /** A header that has not come whole. */
  readonly #header: Uint8Array = new Uint8Array(FRAME_HEADER_BYTES);
  readonly #headerView: DataView = new DataView(this.#header.buffer);
  #headerBytes = 0;
  #gatherer: FrameGatherer | null = null;

  constructor(onFrame: FrameHandler, options: Pick<FrameReaderOptions, 'messageBytesMax'> = {}) {
    this.#onFrame = onFrame;
    this.#bytesMax = Math.min(options.messageBytesMax ?? MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX);
  }

  /** Reads a chunk, whose bytes must stay as they are. All of it is consumed, whatever the handler returns. */
  push(chunk: Uint8Array): void {
    const memory = Memory.of(chunk);
    const end = chunk.byteOffset + chunk.length;
    let at = chunk.byteOffset;
    while (at < end) {
      if (this.#gatherer !== null) {
        at = this.#gatherer.take(memory.u8, at, end);
        this.#finishGathered();
      } else if (this.#headerBytes > 0 || end - at < FRAME_HEADER_BYTES) {
        at = this.#takeHeader(memory.u8, at, end);
      } else {
        at = this.#read(memory, at, end);
      }
    }
  }

  #takeHeader(u8: Uint8Array, at: number, end: number): number {
    const count = Math.min(end - at, FRAME_HEADER_BYTES - this.#headerBytes);
    this.#header.set(u8.subarray(at, at + count), this.#headerBytes);
    this.#headerBytes += count;
    if (this.#headerBytes === FRAME_HEADER_BYTES) {
      this.#headerBytes = 0;
      this.#gather(this.#headerView, 0);
      this.#finishGathered();
    }
    return at + count;
  }

  #read(memory: Memory, at: number, end: number): number {
    const { view } = memory;
    const bytes = view.getUint32(at, true);
    const body = at + FRAME_HEADER_BYTES;
    if (bytes > end - body) {
      this.#gather(view, at);
      return body;
    }
    checkFrame(bytes, view.getUint32(at + 12, true), this.#bytesMax);
    const message = new Message().over(memory, body, body + bytes);
    this.#onFrame(message, view.getUint32(at + 4, true), view.getUint32(at + 8, true));
    return body + bytes;
  }

  #gather(view: DataView, at: number): void {
    const bytes = view.getUint32(at, true);
    checkFrame(bytes, view.getUint32(at + 12, true), this.#bytesMax);
    this.#gatherer = new FrameGatherer(bytes, view.getUint32(at + 4, true), view.getUint32(at + 8, true));
  }

  #finishGathered(): void {
    const gatherer = this.#gatherer;
    if (gatherer === null || !gatherer.isComplete) return;
    this.#gatherer = null;
    deliverGathered(gatherer, this.#onFrame);
  }
}

function deliverGathered(gatherer: FrameGatherer, onFrame: FrameHandler): boolean {
  const message = new Message().over(gatherer.toMemory(), 0, gatherer.bytes);
  try {
    return onFrame(message, gatherer.type, gatherer.id) !== false;
  } finally {
    // Whoever keeps the message keeps its memory; it is no longer what this side holds for a peer.
    gatherer.release();
  }
}

function checkFrame(bytes: number, reserved: number, bytesMax: number): void {
  if (bytes > bytesMax)
    throw new WireError('TOO_LARGE', `a frame of ${bytes} bytes; the limit is ${bytesMax}`);
  if (reserved !== 0) throw new WireError('FRAME', 'the last word of a frame header is not 0');
}
