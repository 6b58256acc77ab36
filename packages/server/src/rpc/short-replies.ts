/**
 * Replies of short values only, which is most of them: every value is copied once, without a lock, from its item
 * to its place behind the reply's structure in the send buffer. Nothing has happened when that is not possible
 * (a value is long, or must be looked at under the lock), and the reply is made in the usual way.
 *
 * ```
 *   get    [frame header][1, bits][size, offset of val][value]
 *   getM   [frame header][1, bits][count, offset of vals][(size, offset) × count][value][value]...
 *          with missing keys or flags their entries come behind that of vals, and their lists at the end
 * ```
 */
import { type Store, VALUE_MISSING, type ValueCopy } from '@larder/cache';
import { type DatagramReplies, SEND_BUFFER_BYTES } from '@larder/datapath';
import { Status } from '@larder/protocol/rpc';
import {
  type BytesListView,
  DATAGRAM_BYTES,
  type Encoder,
  FRAGMENT_HEADER_BYTES,
  FRAME_HEADER_BYTES,
  type Message,
  putFrameHeader,
} from '@larder/wire';
import { RPC_SHORT_KEYS_MAX } from '../limits.ts';
import { CMD_GET, GET_HITS, GET_MISSES } from '../session/counters.ts';
import type { RequestMemory } from './request-memory.ts';
import type { RpcStream } from './rpc-output.ts';

const OBJECT_HEADER_BYTES = 8;
const ENTRY_BYTES = 8;
/** Room that is asked for; a send buffer with less is taken for full. */
const ROOM_BYTES = 256;
const ROOM_PER_VALUE_BYTES = 32;
/** Keys of a getM that is answered in one datagram: their entries leave room for values. */
const RPC_DATAGRAM_KEYS_MAX = 100;
/** The bits of GetReply's `val` and GetMReply's `vals`, of `status`, of `missing`, and of `flags` in both. */
const FIRST_FIELD = 1;
const STATUS_BIT = 2;
const MISSING_BIT = 2;
const FLAGS_BIT = 4;

if (ROOM_BYTES + RPC_SHORT_KEYS_MAX * (ENTRY_BYTES + ROOM_PER_VALUE_BYTES) > SEND_BUFFER_BYTES)
  throw new Error('rpc limits: the room for the values of a getM is part of a send buffer');

export class ShortReplies {
  readonly #copies: ValueCopy;
  readonly #counters: Float64Array;
  readonly #request: RequestMemory;
  readonly #view: DataView;
  readonly #u8: Uint8Array;
  /** Items that were copied and their tags, to be counted when the reply is complete. */
  readonly #items: Float64Array = new Float64Array(RPC_SHORT_KEYS_MAX);
  readonly #tags: Int32Array = new Int32Array(RPC_SHORT_KEYS_MAX);
  /** Positions of missing keys, and the flags of all. */
  readonly #missing: Uint32Array = new Uint32Array(RPC_SHORT_KEYS_MAX);
  readonly #flags: Uint32Array = new Uint32Array(RPC_SHORT_KEYS_MAX);

  constructor(parts: {
    readonly store: Store;
    readonly counters: Float64Array;
    readonly encoder: Encoder;
    readonly request: RequestMemory;
  }) {
    this.#copies = parts.store.values;
    this.#counters = parts.counters;
    this.#request = parts.request;
    const { memory } = parts.encoder.send!;
    this.#view = memory.view;
    this.#u8 = memory.u8;
  }

  /** Answers a get of the key that was read last; false if it cannot. */
  sendOne(stream: RpcStream, type: number, id: number): boolean {
    const start = stream.reserve(ROOM_BYTES);
    if (start === 0) return false;
    const object = start + FRAME_HEADER_BYTES;
    const end = this.#one(object, stream.limit);
    if (end === 0) return false;
    putFrameHeader(this.#view, start, end - object, type, id);
    stream.cursor = end;
    return true;
  }

  /** The same in one datagram. */
  sendOneDatagram(replies: DatagramReplies, type: number, id: number): boolean {
    const start = replies.begin(DATAGRAM_BYTES);
    const object = start + FRAGMENT_HEADER_BYTES;
    const end = this.#one(object, start + DATAGRAM_BYTES);
    if (end === 0) return false;
    this.#endDatagram(replies, start, end, type, id);
    return true;
  }

  /** Answers a getM; false if it cannot. Throws `BAD_KEY`. */
  sendMany(stream: RpcStream, message: Message, keys: BytesListView, type: number, id: number): boolean {
    const count = keys.length;
    if (count === 0 || count > RPC_SHORT_KEYS_MAX) return false;
    const start = stream.reserve(ROOM_BYTES + count * (ENTRY_BYTES + ROOM_PER_VALUE_BYTES));
    if (start === 0) return false;
    const object = start + FRAME_HEADER_BYTES;
    const end = this.#many(message, keys, count, object, stream.limit);
    if (end === 0) return false;
    putFrameHeader(this.#view, start, end - object, type, id);
    stream.cursor = end;
    return true;
  }

  /** The same in one datagram. */
  sendManyDatagram(
    replies: DatagramReplies,
    message: Message,
    keys: BytesListView,
    type: number,
    id: number,
  ): boolean {
    const count = keys.length;
    if (count === 0 || count > RPC_DATAGRAM_KEYS_MAX) return false;
    const start = replies.begin(DATAGRAM_BYTES);
    const object = start + FRAGMENT_HEADER_BYTES;
    const end = this.#many(message, keys, count, object, start + DATAGRAM_BYTES);
    if (end === 0) return false;
    this.#endDatagram(replies, start, end, type, id);
    return true;
  }

  /** A GetReply at `object`, which must end before `limit`: its end, or 0. */
  #one(object: number, limit: number): number {
    const { keyOffset, keyBytes, hash } = this.#request;
    const copies = this.#copies;
    const view = this.#view;
    const value = object + OBJECT_HEADER_BYTES + ENTRY_BYTES;
    // Room for the flags' entry, should there be one.
    const bytes = copies.copy(keyOffset, keyBytes, hash, value, limit - value - ENTRY_BYTES);
    if (bytes === VALUE_MISSING) {
      this.#counters[CMD_GET]! += 1;
      this.#counters[GET_MISSES]! += 1;
      view.setInt32(object, 1, true);
      view.setInt32(object + 4, STATUS_BIT, true);
      view.setInt32(object + 8, Status.STATUS_NOT_FOUND, true);
      view.setInt32(object + 12, 0, true);
      return value;
    }
    // An empty value is an absent field.
    if (bytes <= 0) return 0;
    const { flags } = copies;
    let at = value;
    if (flags !== 0) {
      at += ENTRY_BYTES;
      this.#u8.copyWithin(at, value, value + bytes);
      view.setUint32(object + 16, flags, true);
      view.setInt32(object + 20, 0, true);
    }
    view.setInt32(object, 1, true);
    view.setInt32(object + 4, flags === 0 ? FIRST_FIELD : FIRST_FIELD | FLAGS_BIT, true);
    view.setUint32(object + 8, bytes, true);
    view.setUint32(object + 12, at - object, true);
    copies.count(copies.item, copies.tag);
    this.#counters[CMD_GET]! += 1;
    this.#counters[GET_HITS]! += 1;
    return at + bytes;
  }

  /** A GetMReply likewise. */
  #many(message: Message, keys: BytesListView, count: number, object: number, limit: number): number {
    const request = this.#request;
    const copies = this.#copies;
    const view = this.#view;
    const list = object + OBJECT_HEADER_BYTES + ENTRY_BYTES;
    let value = list + count * ENTRY_BYTES;
    let missing = 0;
    let anyFlags = 0;
    for (let index = 0, entry = list; index < count; index++, entry += ENTRY_BYTES) {
      const key = keys.locate(index);
      request.key(message, key.offset, key.bytes);
      const bytes = copies.copy(request.keyOffset, request.keyBytes, request.hash, value, limit - value);
      if (bytes < 0) {
        if (bytes !== VALUE_MISSING) return 0;
        this.#missing[missing++] = index;
        this.#items[index] = 0;
        this.#flags[index] = 0;
        view.setUint32(entry, 0, true);
        view.setUint32(entry + 4, 0, true);
        continue;
      }
      this.#items[index] = copies.item;
      this.#tags[index] = copies.tag;
      this.#flags[index] = copies.flags;
      anyFlags |= copies.flags;
      view.setUint32(entry, bytes, true);
      view.setUint32(entry + 4, bytes === 0 ? 0 : value - object, true);
      value += bytes;
    }
    view.setInt32(object, 1, true);
    view.setInt32(object + 4, FIRST_FIELD, true);
    view.setUint32(object + 8, count, true);
    view.setUint32(object + 12, list - object, true);
    const end =
      missing === 0 && anyFlags === 0
        ? value
        : this.#addLists(object, value, count, missing, limit, anyFlags !== 0);
    if (end !== 0) this.#countMany(count, missing);
    return end;
  }

  /** Makes room for the entries of `missing` and `flags` in a complete GetMReply, and adds their lists. */
  #addLists(
    object: number,
    valuesEnd: number,
    count: number,
    missing: number,
    limit: number,
    hasFlags: boolean,
  ): number {
    const view = this.#view;
    const list = object + OBJECT_HEADER_BYTES + ENTRY_BYTES;
    const shift = (missing > 0 ? ENTRY_BYTES : 0) + (hasFlags ? ENTRY_BYTES : 0);
    let at = object + ((valuesEnd + shift - object + 3) & ~3);
    if (at + (missing + (hasFlags ? count : 0)) * 4 > limit) return 0;
    this.#u8.copyWithin(list + shift, list, valuesEnd);
    for (let index = 0, entry = list + shift; index < count; index++, entry += ENTRY_BYTES) {
      if (view.getUint32(entry, true) !== 0)
        view.setUint32(entry + 4, view.getUint32(entry + 4, true) + shift, true);
    }
    view.setUint32(object + 12, list + shift - object, true);
    // Padding is nobody's, but it is sent.
    for (let pad = valuesEnd + shift; pad < at; pad++) this.#u8[pad] = 0;
    let entry = list;
    let bits = FIRST_FIELD;
    if (missing > 0) {
      bits |= MISSING_BIT;
      at = this.#putList(entry, object, at, this.#missing, missing);
      entry += ENTRY_BYTES;
    }
    if (hasFlags) {
      bits |= FLAGS_BIT;
      at = this.#putList(entry, object, at, this.#flags, count);
    }
    view.setInt32(object + 4, bits, true);
    return at;
  }

  /** A list of numbers at `at` and its entry; returns where the list ends. */
  #putList(entry: number, object: number, at: number, numbers: Uint32Array, count: number): number {
    const view = this.#view;
    view.setUint32(entry, count, true);
    view.setUint32(entry + 4, at - object, true);
    for (let index = 0; index < count; index++) view.setUint32(at + index * 4, numbers[index]!, true);
    return at + count * 4;
  }

  #countMany(count: number, missing: number): void {
    for (let index = 0; index < count; index++) {
      const item = this.#items[index]!;
      if (item !== 0) this.#copies.count(item, this.#tags[index]!);
    }
    this.#counters[CMD_GET]! += count;
    this.#counters[GET_HITS]! += count - missing;
    this.#counters[GET_MISSES]! += missing;
  }

  #endDatagram(replies: DatagramReplies, start: number, end: number, type: number, id: number): void {
    const view = this.#view;
    view.setUint32(start, id, true);
    view.setUint32(start + 4, type, true);
    view.setUint32(start + 8, end - start - FRAGMENT_HEADER_BYTES, true);
    // The first part of one.
    view.setUint16(start + 12, 0, true);
    view.setUint16(start + 14, 1, true);
    replies.end(end - start);
  }
}
