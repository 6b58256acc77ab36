/**
 * Messages for whoever has a socket of their own: as a scatter-gather list (papers/hotos21 Listing 1), or as
 * one piece.
 */
import type { Memory } from '../decode/memory.ts';
import type { View } from '../decode/view.ts';
import type { Encoder } from '../encode/encoder.ts';
import { putRelay } from '../encode/relay.ts';
import type { WireObject } from '../encode/wire-object.ts';
import { WireError } from '../errors.ts';
import { FRAME_HEADER_BYTES, RELAY_BYTES } from '../limits.ts';
import type { SendMemory } from '../memory/send-memory.ts';
import { putFrameHeader } from './frame.ts';
import { OutputMemory } from './output.ts';

/** Asks for a frame header in front of the message. */
export interface FrameOptions {
  readonly type?: number;
  readonly id?: number;
}

const output = new OutputMemory();
const ZEROS = new Uint8Array(8);

/** A message in parts, to be sent one behind the other. */
export class ScatterGatherList implements Iterable<Uint8Array> {
  readonly parts: Uint8Array[] = [];
  bytes = 0;
  readonly #send: SendMemory | null;
  #owners: number[] | null = null;
  #isReleased = false;

  constructor(send: SendMemory | null) {
    this.#send = send;
  }

  [Symbol.iterator](): Iterator<Uint8Array> {
    return this.parts[Symbol.iterator]();
  }

  /** Appends bytes; `owner` is a counted reference that this list gives back, or negative. */
  push(part: Uint8Array, owner: number): void {
    this.parts.push(part);
    this.bytes += part.length;
    if (owner < 0) return;
    this.#owners ??= [];
    this.#owners.push(owner);
  }

  /** Gives all references back, once the parts are not needed any more. Twice throws `RELEASED`. */
  release(): void {
    if (this.#isReleased) throw new WireError('RELEASED', 'the list was released before');
    this.#isReleased = true;
    for (const owner of this.#owners ?? []) this.#send?.complete(owner);
  }

  [Symbol.dispose](): void {
    if (!this.#isReleased) this.release();
  }

  /** All parts in one piece of fresh memory. */
  toUint8Array(): Uint8Array {
    const joined = new Uint8Array(this.bytes);
    let at = 0;
    for (const part of this.parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }
}

/**
 * The message as a list: one part of fresh memory with headers and copied data, and the referenced parts.
 * Neighbours that are to be copied become one part. Release the list when the parts have been sent.
 */
export function serialize(object: WireObject, frame?: FrameOptions): ScatterGatherList {
  const encoder = object.$encoder;
  try {
    const bytes = encoder.measure(object);
    const list = new ScatterGatherList(encoder.send);
    const header = frame === undefined ? 0 : FRAME_HEADER_BYTES;
    const frontBytes = header + encoder.structureBytes + encoder.copiedBytes;
    const at = output.take(frontBytes);
    const { memory } = output;
    if (frame !== undefined) putFrameHeader(memory.view, at, bytes, frame.type ?? 0, frame.id ?? 0);
    encoder.writeFront(object, memory, at + header);
    list.push(memory.slice(at, frontBytes), -1);
    if (encoder.references.count > 0) listReferences(list, encoder);
    return list;
  } finally {
    encoder.reset();
    object.$clear();
  }
}

function listReferences(list: ScatterGatherList, encoder: Encoder): void {
  const { references } = encoder;
  references.limitEntries(encoder.policy.referencesMax);
  const { copyBelow } = references;
  let { copyAlso } = references;
  /** Neighbours that are copied, and their bytes. */
  let copies: Uint8Array[] = [];
  const flush = (): void => {
    if (copies.length > 0) list.push(copies.length === 1 ? copies[0]! : Buffer.concat(copies), -1);
    copies = [];
  };
  for (let index = 0; index < references.count; index++) {
    const bytes = references.bytes[index]!;
    if (bytes === 0) continue;
    const padding = references.paddings[index]!;
    if (padding > 0) copies.push(ZEROS.subarray(0, padding));
    const part = encoder.referencedAt(index, bytes);
    if (bytes < copyBelow || (bytes === copyBelow && copyAlso-- > 0)) {
      copies.push(part.slice());
      continue;
    }
    flush();
    const owner = references.drop(index);
    if (owner >= 0) encoder.send?.guard?.posted(part.byteOffset, bytes, owner);
    list.push(part, owner);
  }
  flush();
}

/** The message as one piece of fresh memory. Everything is copied; references are given back. */
export function encode(object: WireObject): Uint8Array {
  const encoder = object.$encoder;
  try {
    const bytes = encoder.measure(object);
    const at = output.take(bytes);
    const { memory } = output;
    encoder.writeAll(object, memory, at);
    return memory.slice(at, bytes);
  } finally {
    encoder.reset();
    object.$clear();
  }
}

/**
 * Writes the message to `memory` at `at`, where there must be room for it, and returns its bytes. Nothing is
 * allocated.
 */
export function encodeInto(object: WireObject, memory: Memory, at: number): number {
  const encoder = object.$encoder;
  try {
    const bytes = encoder.measure(object);
    if (!(at >= 0 && at + bytes <= memory.u8.length)) {
      throw new WireError('TOO_LARGE', `${bytes} bytes at ${at} do not fit ${memory.u8.length}`);
    }
    encoder.writeAll(object, memory, at);
    return bytes;
  } finally {
    encoder.reset();
    object.$clear();
  }
}

/**
 * The bytes of a received message as they came, with all its unknown fields, to be sent on unread: not copied. An
 * object inside a message takes the message along, behind a relay to the object.
 */
export function forward(view: View): Uint8Array {
  const message = view.$message.toUint8Array();
  if (view.$at === 0) return message;
  const relayed = new Uint8Array(RELAY_BYTES + message.length);
  putRelay(new DataView(relayed.buffer), 0, view.$at, message.length, RELAY_BYTES);
  relayed.set(message, RELAY_BYTES);
  return relayed;
}
