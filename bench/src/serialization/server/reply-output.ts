/**
 * Where a reply goes: behind the frame that every message has here, in the send buffer of a connection, in a
 * datagram, or (for measuring the serializer alone) always at the same place.
 *
 * ```
 *   stream     [bytes behind it][type][id][-]                          u32 each: Larder's own frame
 *   datagram   [id][type][bytes of the message][part, parts]           the header of Larder's fragments
 *   reply      frame · copied bytes · references
 * ```
 *
 * Type and id are kept outside the object, as in papers/sosp23.
 */
import type { Arena, Connection, DatagramReplies } from '@larder/datapath';
import { type SendTarget, sendObject, type WireObject } from '@larder/wire';

export const FRAME_BYTES: number = 16;
export const KIND_GET: number = 0;
export const KIND_PUT: number = 1;

export interface ReplyOutput {
  /** Offset of at least `bytes` contiguous bytes for the copied part of the reply. */
  reserve(bytes: number): number;
  /** That many were written there, and `referencedBytes` follow by `reference`. */
  finish(copiedBytes: number, referencedBytes: number): void;
  reference(offset: number, bytes: number, owner: number): void;
  /** Larder's serialize-and-send: frame and all. */
  sendObject(object: WireObject): void;
}

/** An object in a datagram, with all its values copied. */
const OBJECT_BYTES_MAX = 16 * 1024;
/** A datagram that is one whole message: part 0 of 1. */
const ONE_PART = 1 << 16;

function writeFrame(view: DataView, at: number, bytes: number, messageId: number): void {
  view.setUint32(at, bytes, true);
  view.setUint32(at + 4, KIND_GET, true);
  view.setUint32(at + 8, messageId, true);
  view.setUint32(at + 12, 0, true);
}

function writeDatagramHeader(view: DataView, at: number, bytes: number, messageId: number): void {
  view.setUint32(at, messageId, true);
  view.setUint32(at + 4, KIND_GET, true);
  view.setUint32(at + 8, bytes, true);
  view.setUint32(at + 12, ONE_PART, true);
}

export class ConnectionOutput implements ReplyOutput {
  connection: Connection<unknown>;
  messageId = 0;
  readonly #view: DataView;
  #at = 0;

  constructor(arena: Arena, connection: Connection<unknown>) {
    this.#view = arena.view;
    this.connection = connection;
  }

  reserve(bytes: number): number {
    this.#at = this.connection.reserve(bytes + FRAME_BYTES);
    return this.#at + FRAME_BYTES;
  }

  finish(copiedBytes: number, referencedBytes: number): void {
    writeFrame(this.#view, this.#at, copiedBytes + referencedBytes, this.messageId);
    this.connection.cursor = this.#at + FRAME_BYTES + copiedBytes;
  }

  reference(offset: number, bytes: number, owner: number): void {
    this.connection.reference(offset, bytes, owner);
  }

  sendObject(object: WireObject): void {
    sendObject(this.connection, object, KIND_GET, this.messageId);
  }
}

/** What both outputs without a connection have in common: they take an object's parts themselves. */
abstract class PartOutput implements ReplyOutput, SendTarget {
  messageId = 0;
  /** Behind what `sendObject` has written. */
  cursor = 0;
  readonly arena: Arena;
  protected at = 0;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  abstract reserve(bytes: number): number;
  abstract finish(copiedBytes: number, referencedBytes: number): void;
  abstract reference(offset: number, bytes: number, owner: number): void;
  abstract sendObject(object: WireObject): void;

  copy(offset: number, bytes: number): void {
    this.arena.u8.copyWithin(this.cursor, offset, offset + bytes);
    this.cursor += bytes;
  }

  writeBytes(bytes: Uint8Array): void {
    this.arena.u8.set(bytes, this.cursor);
    this.cursor += bytes.length;
  }
}

export class DatagramOutput extends PartOutput {
  replies: DatagramReplies | undefined;
  #copiedBytes = 0;
  #referencedBytes = 0;
  #isObject = false;

  /** For an object, room for its frame as well. */
  reserve(bytes: number): number {
    if (this.#isObject) {
      // Room also for what is copied behind it instead of being referenced.
      this.at = this.replies!.begin(Math.max(bytes, OBJECT_BYTES_MAX));
      return this.at;
    }
    this.at = this.replies!.begin(bytes + FRAME_BYTES);
    return this.at + FRAME_BYTES;
  }

  finish(copiedBytes: number, referencedBytes: number): void {
    writeDatagramHeader(this.arena.view, this.at, copiedBytes + referencedBytes, this.messageId);
    if (referencedBytes === 0) this.replies!.end(FRAME_BYTES + copiedBytes);
    this.#copiedBytes = copiedBytes;
    this.#referencedBytes = referencedBytes;
  }

  reference(offset: number, bytes: number, owner: number): void {
    this.replies!.reference(offset, bytes, owner);
    if (this.#isObject) return;
    this.#referencedBytes -= bytes;
    if (this.#referencedBytes === 0) this.replies!.end(FRAME_BYTES + this.#copiedBytes);
  }

  /** The frame that it is given is a stream's: a datagram's takes its place. */
  sendObject(object: WireObject): void {
    this.#isObject = true;
    sendObject(this, object, KIND_GET, this.messageId);
    this.#isObject = false;
    writeDatagramHeader(this.arena.view, this.at, this.arena.view.getUint32(this.at, true), this.messageId);
    this.replies!.end(this.cursor - this.at);
  }
}

/** Always the same memory: nothing is sent, and references are given back at once. */
export class MemoryOutput extends PartOutput {
  /** Of the last reply. */
  copiedBytes = 0;
  referencedBytes = 0;
  /** References in the order in which they were given: offset and bytes. */
  readonly references: number[] = [];
  readonly #start: number;
  readonly #onRelease: (owner: number) => void;
  readonly #isRecording: boolean;
  #isObject = false;

  /** Bodies are written to `start`. Only a recording output remembers references. */
  constructor(arena: Arena, start: number, onRelease: (owner: number) => void, isRecording: boolean) {
    super(arena);
    this.#start = start;
    this.#onRelease = onRelease;
    this.#isRecording = isRecording;
  }

  get bodyOffset(): number {
    return this.#start;
  }

  reserve(_bytes: number): number {
    if (this.#isRecording) this.references.length = 0;
    this.referencedBytes = 0;
    return this.#isObject ? this.#start - FRAME_BYTES : this.#start;
  }

  finish(copiedBytes: number, _referencedBytes: number): void {
    this.copiedBytes = copiedBytes;
  }

  reference(offset: number, bytes: number, owner: number): void {
    if (this.#isRecording) this.references.push(offset, bytes);
    this.referencedBytes += bytes;
    this.#onRelease(owner);
  }

  sendObject(object: WireObject): void {
    // A long front is written without reserving.
    this.cursor = this.reserve(0) - FRAME_BYTES;
    this.#isObject = true;
    sendObject(this, object, KIND_GET, this.messageId);
    this.#isObject = false;
    this.copiedBytes = this.cursor - this.#start;
  }
}
