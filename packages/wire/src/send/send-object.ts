/**
 * Serialize-and-send (papers/sosp23 3.2.3): frame header, object header and copied data are written straight
 * into the connection's send buffer, and references are posted behind them. Nothing lies in between, neither a
 * list nor an object.
 */
import { type Arena, SEND_BUFFER_BYTES } from '@larder/datapath';
import { TURN_BYTES } from '../encode/copy.ts';
import type { Encoder } from '../encode/encoder.ts';
import type { WireObject } from '../encode/wire-object.ts';
import { WireError } from '../errors.ts';
import { FRAME_HEADER_BYTES } from '../limits.ts';
import { putFrameHeader } from './frame.ts';
import { OutputMemory } from './output.ts';

/** What takes a message: a datapath connection, or a simulated one. All offsets are the arena's. */
export interface SendTarget {
  /** Behind the last byte written; set by whoever wrote to what `reserve` returned. */
  cursor: number;
  /** Room for so many bytes (at most SEND_BUFFER_BYTES), 0 when there is none and the target is closing. */
  reserve(bytes: number): number;
  copy(offset: number, bytes: number): void;
  writeBytes(bytes: Uint8Array): void;
  reference(offset: number, bytes: number, owner: number): void;
  /** Bytes outside of the arena that stay as they are until they are sent. */
  referenceBytes?(bytes: Uint8Array): void;
  /** Where it is known, an encoder of another arena is refused. */
  readonly arena?: Arena;
}

const output = new OutputMemory();

/**
 * Sends an object as one frame. The transport's `onRelease` gets every owner that was referenced, and must
 * call `memory.complete(owner)` of the encoder's SendMemory. Afterwards the object is empty and its encoder
 * ready for the next message, also when this throws.
 */
export function sendObject(target: SendTarget, object: WireObject, type: number = 0, id: number = 0): void {
  const encoder = object.$encoder;
  try {
    const { send } = encoder;
    if (send !== null && target.arena !== undefined && target.arena.buffer !== send.arena.buffer) {
      throw new WireError('FOREIGN', "the encoder's arena is not the connection's");
    }
    const bytes = encoder.measure(object);
    const frontBytes = FRAME_HEADER_BYTES + encoder.structureBytes + encoder.copiedBytes;
    if (send !== null && frontBytes <= SEND_BUFFER_BYTES - TURN_BYTES) {
      // Copies by words may write a little beyond the front.
      const at = target.reserve(frontBytes + TURN_BYTES);
      if (at === 0) return;
      putFrameHeader(send.memory.view, at, bytes, type, id);
      encoder.writeFront(object, send.memory, at + FRAME_HEADER_BYTES, TURN_BYTES);
      target.cursor = at + frontBytes;
    } else {
      writeLongFront(target, encoder, object, type, id);
    }
    if (encoder.references.count > 0) encoder.giveReferences(target);
  } finally {
    encoder.reset();
    object.$clear();
  }
}

/**
 * A front that no send buffer holds: structure is written to one when it can be, and the bump arena's block is
 * referenced as it is, so that what was copied at assignment is not copied again.
 */
function writeLongFront(
  target: SendTarget,
  encoder: Encoder,
  object: WireObject,
  type: number,
  id: number,
): void {
  const { send, structureBytes, copiedBytes } = encoder;
  const bytes = FRAME_HEADER_BYTES + structureBytes;
  if (send !== null && bytes <= SEND_BUFFER_BYTES) {
    const at = target.reserve(bytes);
    if (at === 0) return;
    putFrameHeader(send.memory.view, at, encoder.bytes, type, id);
    encoder.writeStructure(object, send.memory, at + FRAME_HEADER_BYTES);
    target.cursor = at + bytes;
  } else {
    const at = output.take(bytes);
    const { memory } = output;
    putFrameHeader(memory.view, at, encoder.bytes, type, id);
    encoder.writeStructure(object, memory, at + FRAME_HEADER_BYTES);
    target.writeBytes(memory.slice(at, bytes));
  }
  if (copiedBytes === 0) return;
  encoder.settle();
  const { memory, start } = encoder.bump;
  const owner = encoder.bump.give();
  if (owner === 0) {
    target.writeBytes(memory.slice(start, copiedBytes));
  } else {
    send?.guard?.posted(start, copiedBytes, owner);
    target.reference(start, copiedBytes, owner);
  }
}
