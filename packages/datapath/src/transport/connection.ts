/**
 * One connection, the same for all transports: where a handler writes, and what of that is still unsent.
 *
 * ```
 *   send buffer   [ sent | segmentStart ... unsent ... cursor | room ... limit ]
 *   queue         parts that come before segmentStart: references, and full or interrupted send buffers
 * ```
 *
 * Small output never touches the queue: it is copied to the cursor and sent from segmentStart. A reference
 * closes the segment, which becomes a part of the queue, and is appended behind it. The send buffer is taken
 * with the first byte and given back with the last.
 *
 * The fields marked "transport" belong to the code in this folder.
 */
import { DatapathError } from '../errors.ts';
import { SEND_BUFFER_BYTES } from '../limits.ts';
import type { Arena } from '../memory/arena.ts';
import type { BufferPool } from '../memory/buffer-pool.ts';
import type { ScatterGatherTarget } from '../scatter-gather-target.ts';
import { COPIED, type ReleaseSink, ScatterGatherQueue } from './scatter-gather.ts';
import { CloseReason } from './transport.ts';

/** Where a connection is in its life. Output is accepted up to `open`. */
export const ConnectionState: {
  readonly connecting: 0;
  readonly open: 1;
  /** `end` was called; output leaves. */
  readonly ending: 2;
  /** All output left and the peer was told; its own end is awaited. */
  readonly lingering: 3;
  /** To be closed at the end of this turn. */
  readonly closing: 4;
  /** The handler was told; the socket is going. */
  readonly closed: 5;
} = { connecting: 0, open: 1, ending: 2, lingering: 3, closing: 4, closed: 5 };
export type ConnectionState = (typeof ConnectionState)[keyof typeof ConnectionState];

/** Why input cannot simply be given to the handler: bits of `Connection.gate`. */
export const GATE_CONGESTED: number = 1;
const GATE_PAUSED: number = 2;
export const GATE_ENDED: number = 4;
export const GATE_CARRY: number = 8;
/** The bits that hold input back until something else happens. */
export const GATE_HELD: number = GATE_CONGESTED | GATE_PAUSED;

/** How a connection's send in flight is known to be over; transports use it as they need. */
export const SEND_NONE: number = 0;
/** It ends with this submission, or the kernel says so. */
export const SEND_INLINE: number = 1;
/** It ends when the kernel says so. */
export const SEND_WAITING: number = 2;

/** Copies of at most this many bytes are done by a loop, which is faster than a call up to there. */
const LOOP_BYTES_MAX = 64;
const WORD_LOOP_BYTES_MAX = 96;

/** What a connection needs from its transport. */
export interface ConnectionHost<S> {
  readonly arena: Arena;
  readonly sendPool: BufferPool;
  readonly outputBytesHigh: number;
  /** Whether bytes outside of the arena can be sent from where they are. */
  readonly sendsObjects: boolean;
  /** There is something to send, or an end to be made. */
  markDirty(connection: Connection<S>): void;
  /** Input was paused or resumed. */
  markInput(connection: Connection<S>): void;
  requestClose(connection: Connection<S>, reason: CloseReason, error?: Error): void;
  /** `onRelease(owner)` as soon as no handler is running. */
  deferRelease(owner: number): void;
  addressOf(connection: Connection<S>, isPeer: boolean): string;
}

/** An object that knows who can write it to a connection. */
export interface SendableObject<O> {
  readonly $encoder: { writeTo(target: Connection<unknown>, object: O, type: number, id: number): void };
}

export class Connection<S> implements ScatterGatherTarget {
  /** The handler's own state. */
  session: S;
  /** The slot; reused by later connections of another generation. */
  readonly id: number;
  readonly generation: number;
  readonly kind: 'tcp' | 'unix';
  /** Arena offset of the next copied byte, and the end of the send buffer. */
  cursor = 0;
  limit = 0;
  readonly openedAt: number;
  lastActiveAt: number;

  /** Transport: the descriptor, -1 where there is none. */
  descriptor: number;
  /** Transport: the rest is the output's and the input's state. */
  state: ConnectionState;
  buffer = 0;
  segmentStart = 0;
  queue: ScatterGatherQueue | null = null;
  sendMode: number = SEND_NONE;
  sendBytes = 0;
  sendResult = 0;
  gate = 0;
  isDirty = false;
  isInputMarked = false;
  isReading = false;
  isReadCancelled = false;
  isFinishing = false;
  /** `end` was called before the connection was there. */
  isEndWanted = false;
  /** How the kernel is told the socket: by descriptor, or by its place in a table and a flag that says so. */
  file = -1;
  fileFlag = 0;
  inputEnded = false;
  isOwed = false;
  drainWanted = false;
  carry = 0;
  carryBytes = 0;
  carryStart = 0;
  carryEnd = 0;
  /** Since when output made no progress, or the end is awaited; 0 when neither. And what was taken since. */
  waitingSince = 0;
  takenBytes = 0;
  closeReason: CloseReason = CloseReason.local;
  closeError: Error | undefined = undefined;
  readonly #host: ConnectionHost<S>;

  constructor(
    host: ConnectionHost<S>,
    id: number,
    generation: number,
    descriptor: number,
    kind: 'tcp' | 'unix',
    state: ConnectionState,
    nowMs: number,
  ) {
    this.#host = host;
    this.session = undefined as S;
    this.id = id;
    this.generation = generation;
    this.descriptor = descriptor;
    this.kind = kind;
    this.state = state;
    this.openedAt = nowMs;
    this.lastActiveAt = nowMs;
  }

  /** Output not yet taken by the kernel. */
  get queuedBytes(): number {
    return this.cursor - this.segmentStart + (this.queue === null ? 0 : this.queue.bytes);
  }

  /**
   * Whether so much output waits that a handler should stop producing more: it may return from `onData`
   * early, and is called again with what it left when output has drained.
   */
  get isCongested(): boolean {
    return this.queuedBytes > this.#host.outputBytesHigh;
  }

  get isOpen(): boolean {
    return this.state <= ConnectionState.open;
  }

  /**
   * The offset of at least `bytes` (≤ SEND_BUFFER_BYTES) contiguous bytes to write; after writing, set
   * `cursor` behind the last of them. 0 when memory is exhausted or the connection is ending.
   */
  reserve(bytes: number): number {
    const cursor = this.cursor;
    return cursor + bytes <= this.limit ? cursor : this.#nextBuffer(bytes);
  }

  /** Copies arena bytes to the output, however many. */
  copy(offset: number, bytes: number): void {
    let source = offset;
    let left = bytes;
    while (left > 0) {
      if (this.cursor === this.limit && this.#nextBuffer(1) === 0) return;
      const cursor = this.cursor;
      const count = Math.min(left, this.limit - cursor);
      copyWithinArena(this.#host.arena, source, cursor, count);
      this.cursor = cursor + count;
      source += count;
      left -= count;
    }
  }

  /** Copies bytes from outside the arena to the output. */
  writeBytes(bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) {
      if (this.cursor === this.limit && this.#nextBuffer(1) === 0) return;
      const count = Math.min(bytes.length - done, this.limit - this.cursor);
      this.#host.arena.u8.set(bytes.subarray(done, done + count), this.cursor);
      this.cursor += count;
      done += count;
    }
  }

  /**
   * Sends bytes from outside the arena, which must stay as they are until then: on the portable transport from where
   * they are, on the others a copy of them.
   */
  referenceBytes(bytes: Uint8Array): void {
    if (!this.#host.sendsObjects) this.writeBytes(bytes);
    else if (this.state <= ConnectionState.open && bytes.length > 0) {
      this.sealSegment();
      this.#queued().pushObject(bytes);
      this.#host.markDirty(this);
    }
  }

  /** Where its output lies. */
  get arena(): Arena {
    return this.#host.arena;
  }

  /** Writes text whose characters are all below 256; for paths that are not hot. */
  writeLatin1(text: string): void {
    let done = 0;
    while (done < text.length) {
      if (this.cursor === this.limit && this.#nextBuffer(1) === 0) return;
      const count = Math.min(text.length - done, this.limit - this.cursor);
      const part = count === text.length ? text : text.slice(done, done + count);
      this.#host.arena.node.write(part, this.cursor, count, 'latin1');
      this.cursor += count;
      done += count;
    }
  }

  /**
   * Appends arena bytes without copying them. The caller retained their owner (a number ≥ 0, not looked at
   * here); `onRelease(owner)` is called exactly once, when the kernel no longer needs them.
   */
  reference(offset: number, bytes: number, owner: number): void {
    if (this.state > ConnectionState.open || bytes === 0) {
      this.#host.deferRelease(owner);
      return;
    }
    this.sealSegment();
    this.#queued().push(offset, bytes, owner);
    this.#host.markDirty(this);
  }

  /**
   * Sends an object as one frame: its header and small fields are written into the send buffer, its large ones
   * are referenced (papers/sosp23 3.2.3). For builders that @larder/wire's compiler made; `type` and `id` are
   * the frame's.
   */
  sendObject<O extends SendableObject<O>>(object: O, type: number = 0, id: number = 0): void {
    object.$encoder.writeTo(this, object, type, id);
  }

  /** Closes when all output has left; later output is dropped, later input is not delivered. */
  end(): void {
    if (this.state === ConnectionState.connecting) {
      this.isEndWanted = true;
      return;
    }
    if (this.state > ConnectionState.open) return;
    this.state = ConnectionState.ending;
    this.gate |= GATE_ENDED;
    this.isFinishing = true;
    this.limit = this.cursor;
    this.#host.markDirty(this);
  }

  /** Closes now; output that was not sent is dropped. */
  destroy(reason: CloseReason = CloseReason.local, error?: Error): void {
    this.#host.requestClose(this, reason, error);
  }

  /** Stops reading input. */
  pause(): void {
    this.gate |= GATE_PAUSED;
    this.#host.markInput(this);
  }

  resume(): void {
    this.gate &= ~GATE_PAUSED;
    this.#host.markInput(this);
  }

  /**
   * Whether output is still to come that nothing shows yet (another server's answer): while it is, the peer's end
   * of input does not end the connection.
   */
  owe(isOwed: boolean): void {
    this.isOwed = isOwed;
    if (!isOwed && this.inputEnded) this.#host.markInput(this);
  }

  /** `address:port`, `unix:path`, or empty when it is gone. */
  remoteAddress(): string {
    return this.#host.addressOf(this, true);
  }

  localAddress(): string {
    return this.#host.addressOf(this, false);
  }

  /** Transport: makes the open segment a part of the queue. */
  sealSegment(): void {
    const bytes = this.cursor - this.segmentStart;
    if (bytes === 0) return;
    this.#queued().push(this.segmentStart, bytes, COPIED);
    this.segmentStart = this.cursor;
  }

  /** Transport: output bytes have been taken by the kernel; gives back what is through. */
  consumeOutput(bytes: number, sink: ReleaseSink): void {
    const queue = this.queue;
    this.segmentStart += queue === null ? bytes : queue.consume(bytes, sink);
    // While parts are queued, some may lie in the current buffer.
    if (this.segmentStart === this.cursor && this.buffer !== 0 && (queue === null || queue.count === 0)) {
      this.#giveBuffer(sink);
    }
  }

  /** Transport: drops all output. */
  dropOutput(sink: ReleaseSink): void {
    this.queue?.clear(sink);
    if (this.buffer !== 0) this.#giveBuffer(sink);
  }

  #giveBuffer(sink: ReleaseSink): void {
    const buffer = this.buffer;
    this.buffer = 0;
    this.cursor = 0;
    this.limit = 0;
    this.segmentStart = 0;
    sink.releaseBuffer(buffer);
  }

  #queued(): ScatterGatherQueue {
    this.queue ??= new ScatterGatherQueue();
    return this.queue;
  }

  #nextBuffer(bytes: number): number {
    if (bytes > SEND_BUFFER_BYTES) {
      throw new DatapathError('ARGUMENT', 'reserve', `${bytes} bytes is more than ${SEND_BUFFER_BYTES}`);
    }
    if (this.state > ConnectionState.open) return 0;
    const next = this.#host.sendPool.take();
    if (next === 0) {
      this.destroy(CloseReason.error, new DatapathError('ENOMEM', 'reserve', 'no memory for a send buffer'));
      return 0;
    }
    if (this.buffer !== 0)
      this.#queued().push(this.segmentStart, this.cursor - this.segmentStart, -this.buffer);
    this.buffer = next;
    this.cursor = next;
    this.segmentStart = next;
    this.limit = next + SEND_BUFFER_BYTES;
    this.#host.markDirty(this);
    return next;
  }
}

function copyWithinArena(arena: Arena, source: number, target: number, bytes: number): void {
  if (bytes <= WORD_LOOP_BYTES_MAX && ((source | target | bytes) & 3) === 0) {
    const words = arena.i32;
    const end = (source + bytes) / 4;
    for (let from = source / 4, to = target / 4; from < end; from++, to++) words[to] = words[from]!;
  } else if (bytes <= LOOP_BYTES_MAX) {
    const u8 = arena.u8;
    for (let index = 0; index < bytes; index++) u8[target + index] = u8[source + index]!;
  } else {
    arena.u8.copyWithin(target, source, source + bytes);
  }
}
