/** Messages into datagrams (receive/reassembler.ts has the layout). */
import type { Socket } from 'node:dgram';
import type { DatagramReplies } from '@larder/datapath';
import { Memory } from '../decode/memory.ts';
import type { ReferenceList } from '../encode/reference-list.ts';
import type { WireObject } from '../encode/wire-object.ts';
import { WireError } from '../errors.ts';
import {
  DATAGRAM_BURST,
  DATAGRAM_BURST_PAUSE_MS,
  DATAGRAM_BYTES,
  DATAGRAM_REFERENCES_MAX,
  FRAGMENT_HEADER_BYTES,
  FRAGMENTS_MAX,
} from '../limits.ts';
import type { SendMemory } from '../memory/send-memory.ts';
import { encode, type ScatterGatherList } from './serialize.ts';

function putFragmentHeader(
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

/** How many parts a message is sent in, and their length. */
function partsOf(bytes: number, datagramBytes: number): { count: number; partBytes: number } {
  const room = datagramBytes - FRAGMENT_HEADER_BYTES;
  if (!(room > 0)) throw new WireError('RANGE', `a datagram of ${datagramBytes} bytes has no room for data`);
  const count = Math.max(1, Math.ceil(bytes / room));
  if (count > FRAGMENTS_MAX) throw new WireError('TOO_LARGE', `${bytes} bytes in ${count} datagrams`);
  return { count, partBytes: Math.ceil(bytes / count) };
}

/**
 * Answers a datagram with an object of the arena world, in as many datagrams as it takes. Large fields are sent by
 * reference, cut where the datagrams end.
 */
export function sendDatagrams(
  replies: DatagramReplies,
  object: WireObject,
  type: number,
  id: number,
  datagramBytes: number = DATAGRAM_BYTES,
): void {
  const encoder = object.$encoder;
  const { send } = encoder;
  if (send === null) throw new WireError('TYPE', 'the encoder has no arena to send datagrams from');
  try {
    const bytes = encoder.measure(object);
    const { count, partBytes } = partsOf(bytes, datagramBytes);
    if (count > 1) {
      const fragments = { type, id, bytes, count, partBytes };
      if (mayCut(encoder.references, partBytes)) sendCut(replies, object, send, fragments);
      else sendCopied(replies, encode(object), send, fragments);
      return;
    }
    const { references } = encoder;
    // Behind its references a datagram takes no more copied bytes, so those must not be in between.
    const isCopied = references.isAligned || references.count > DATAGRAM_REFERENCES_MAX;
    const frontBytes = encoder.structureBytes + encoder.copiedBytes;
    const copiedBytes = FRAGMENT_HEADER_BYTES + (isCopied ? bytes : frontBytes);
    const at = replies.begin(copiedBytes);
    putFragmentHeader(send.memory.view, at, id, type, bytes, 0, 1);
    if (isCopied) encoder.writeAll(object, send.memory, at + FRAGMENT_HEADER_BYTES);
    else {
      encoder.writeFront(object, send.memory, at + FRAGMENT_HEADER_BYTES);
      encoder.giveReferences(replies, Number.POSITIVE_INFINITY);
    }
    replies.end(copiedBytes);
  } finally {
    object.$clear();
    encoder.reset();
  }
}

interface Fragments {
  readonly type: number;
  readonly id: number;
  readonly bytes: number;
  readonly count: number;
  readonly partBytes: number;
}

/**
 * Whether references can be cut into parts: a datagram takes so many of them, and no copied bytes between them, as
 * padding would be.
 */
function mayCut(references: ReferenceList, partBytes: number): boolean {
  if (references.count === 0 || references.isAligned) return false;
  // Beside whole ones a datagram has the end of one and the beginning of another.
  const bytesMin = Math.ceil(partBytes / (DATAGRAM_REFERENCES_MAX - 2));
  for (let index = 0; index < references.count; index++) {
    const bytes = references.bytes[index]!;
    if (bytes > 0 && (bytes < bytesMin || references.owners[index]! < 0)) return false;
  }
  return true;
}

/**
 * Every datagram has its part of the front copied, and behind that its part of the references, each of them counted
 * for itself: a reference lies in several datagrams, and each of these is sent, or dropped, by itself.
 */
function sendCut(replies: DatagramReplies, object: WireObject, send: SendMemory, fragments: Fragments): void {
  const { type, id, bytes, count, partBytes } = fragments;
  const encoder = object.$encoder;
  const { references } = encoder;
  const frontBytes = encoder.structureBytes + encoder.copiedBytes;
  // A front that is longer than a datagram is written elsewhere first, since it has to be in one piece for that.
  const front = frontBytes <= partBytes ? null : frontOf(object, frontBytes);
  let reference = 0;
  let done = 0;
  for (let index = 0; index < count; index++) {
    const from = index * partBytes;
    const until = Math.min(bytes, from + partBytes);
    const copied = Math.max(0, Math.min(until, frontBytes) - from);
    const at = replies.begin(FRAGMENT_HEADER_BYTES + copied);
    putFragmentHeader(send.memory.view, at, id, type, bytes, index, count);
    const target = at + FRAGMENT_HEADER_BYTES;
    if (front !== null) send.memory.u8.set(front.subarray(from, from + copied), target);
    else if (index === 0) encoder.writeFront(object, send.memory, target);
    for (let left = until - from - copied; left > 0; ) {
      const rest = references.bytes[reference]! - done;
      const piece = Math.min(left, rest);
      if (piece > 0) {
        const owner = references.owners[reference]!;
        const offset = references.offsets[reference]! + done;
        send.owners.retain(owner);
        send.guard?.posted(offset, piece, owner);
        replies.reference(offset, piece, owner);
      }
      left -= piece;
      done += piece;
      if (piece === rest) {
        reference++;
        done = 0;
      }
    }
    replies.end(FRAGMENT_HEADER_BYTES + copied);
  }
}

/** Structure and copied fields of a measured message. */
function frontOf(object: WireObject, bytes: number): Uint8Array {
  const front = new Uint8Array(bytes);
  object.$encoder.writeFront(object, Memory.of(front), 0);
  return front;
}

function sendCopied(
  replies: DatagramReplies,
  message: Uint8Array,
  send: SendMemory,
  { type, id, count, partBytes }: Fragments,
): void {
  for (let index = 0; index < count; index++) {
    const part = message.subarray(index * partBytes, (index + 1) * partBytes);
    const at = replies.begin(FRAGMENT_HEADER_BYTES + part.length);
    putFragmentHeader(send.memory.view, at, id, type, message.length, index, count);
    send.memory.u8.set(part, at + FRAGMENT_HEADER_BYTES);
    replies.end(FRAGMENT_HEADER_BYTES + part.length);
  }
}

export interface DatagramTarget {
  /** Without a port: to where the socket is connected. */
  readonly port?: number;
  readonly host?: string;
  readonly type?: number;
  readonly id?: number;
}

/**
 * Sends a list from `serialize` over one of Node's datagram sockets: each datagram is one system call with as
 * many parts as it takes. Long messages go in bursts with pauses between them, so that the receiver's socket buffer
 * takes them all. The list is released when the last has left; `done` hears of the first failure.
 */
export function sendToDatagram(
  socket: Socket,
  list: ScatterGatherList,
  target: DatagramTarget,
  options: { readonly datagramBytes?: number; readonly done?: (error: Error | null) => void } = {},
): void {
  const { count, partBytes } = partsOf(list.bytes, options.datagramBytes ?? DATAGRAM_BYTES);
  let left = count;
  let failure: Error | null = null;
  const sent = (error: Error | null): void => {
    failure ??= error;
    left--;
    if (left !== 0) return;
    list.release();
    options.done?.(failure);
  };
  const cursor = { part: 0, at: 0 };
  const { type = 0, id = 0, port, host } = target;
  let next = 0;
  const sendBurst = (): void => {
    for (const end = Math.min(count, next + DATAGRAM_BURST); next < end; next++) {
      const header = new Uint8Array(FRAGMENT_HEADER_BYTES);
      putFragmentHeader(new DataView(header.buffer), 0, id, type, list.bytes, next, count);
      const pieces = [header, ...cut(list.parts, cursor, partBytes)];
      if (port === undefined) socket.send(pieces, sent);
      else socket.send(pieces, port, host, sent);
    }
    if (next < count) setTimeout(goOn, DATAGRAM_BURST_PAUSE_MS);
  };
  const goOn = (): void => {
    try {
      sendBurst();
    } catch (error) {
      // The socket was closed meanwhile: what is left does not leave, and Node does not tell of all that was sent.
      left = 1;
      sent(error as Error);
    }
  };
  sendBurst();
}

/** The next `bytes` bytes of some parts. */
function cut(
  parts: readonly Uint8Array[],
  cursor: { part: number; at: number },
  bytes: number,
): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let left = bytes;
  while (left > 0 && cursor.part < parts.length) {
    const part = parts[cursor.part]!;
    const piece = part.subarray(cursor.at, cursor.at + left);
    if (piece.length > 0) pieces.push(piece);
    left -= piece.length;
    cursor.at += piece.length;
    if (cursor.at === part.length) {
      cursor.part++;
      cursor.at = 0;
    }
  }
  return pieces;
}
