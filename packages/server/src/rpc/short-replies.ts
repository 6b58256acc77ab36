/**
 * Replies of short values only, which is most of them: every value is copied once, without a lock, from its item
 * to its place behind the reply's structure in the send buffer. Nothing has happened when that is not possible
 * (a value is missing, long, has flags, or must be looked at under the lock), and the reply is made in the usual
 * way.
 *
 * ```
 *   get    [frame header][1, bits][size, offset of val][value]
 *   getM   [frame header][1, bits][count, offset of vals][(size, offset) × count][value][value]...
 * ```
 */
import type { Store, ValueCopy } from '@larder/cache';
import { SEND_BUFFER_BYTES } from '@larder/datapath';
import {
  type BytesListView,
  type Encoder,
  FRAME_HEADER_BYTES,
  type Message,
  putFrameHeader,
} from '@larder/wire';
import { RPC_SHORT_KEYS_MAX } from '../limits.ts';
import { CMD_GET, GET_HITS } from '../session/counters.ts';
import type { RequestMemory } from './request-memory.ts';
import type { RpcStream } from './rpc-output.ts';

const OBJECT_HEADER_BYTES = 8;
const ENTRY_BYTES = 8;
/** Room that is asked for; a send buffer with less is taken for full. */
const ROOM_BYTES = 256;
const ROOM_PER_VALUE_BYTES = 32;
/** The bit of GetReply's `val` and of GetMReply's `vals`. */
const FIRST_FIELD = 1;

if (ROOM_BYTES + RPC_SHORT_KEYS_MAX * (ENTRY_BYTES + ROOM_PER_VALUE_BYTES) > SEND_BUFFER_BYTES)
  throw new Error('rpc limits: the room for the values of a getM is part of a send buffer');

export class ShortReplies {
  readonly #copies: ValueCopy;
  readonly #counters: Float64Array;
  readonly #request: RequestMemory;
  readonly #view: DataView;
  /** Items that were copied and their tags, to be counted when the reply is complete. */
  readonly #items: Float64Array = new Float64Array(RPC_SHORT_KEYS_MAX);
  readonly #tags: Int32Array = new Int32Array(RPC_SHORT_KEYS_MAX);

  constructor(parts: {
    readonly store: Store;
    readonly counters: Float64Array;
    readonly encoder: Encoder;
    readonly request: RequestMemory;
  }) {
    this.#copies = parts.store.values;
    this.#counters = parts.counters;
    this.#request = parts.request;
    this.#view = parts.encoder.send!.memory.view;
  }

  /** Answers a get of the key that was read last; false if it cannot. */
  sendOne(stream: RpcStream, type: number, id: number): boolean {
    const start = stream.reserve(ROOM_BYTES);
    if (start === 0) return false;
    const object = start + FRAME_HEADER_BYTES;
    const value = object + OBJECT_HEADER_BYTES + ENTRY_BYTES;
    const room = stream.limit - value;
    const { keyOffset, keyBytes, hash } = this.#request;
    const copies = this.#copies;
    const bytes = copies.copy(keyOffset, keyBytes, hash, value, room);
    // An empty value is an absent field.
    if (bytes <= 0 || copies.hasFlags) return false;
    const view = this.#view;
    putFrameHeader(view, start, value - object + bytes, type, id);
    view.setInt32(object, 1, true);
    view.setInt32(object + 4, FIRST_FIELD, true);
    view.setUint32(object + 8, bytes, true);
    view.setUint32(object + 12, value - object, true);
    stream.cursor = value + bytes;
    copies.count(copies.item, copies.tag);
    this.#counters[CMD_GET]! += 1;
    this.#counters[GET_HITS]! += 1;
    return true;
  }

  /** Answers a getM; false if it cannot. Throws `BAD_KEY`. */
  sendMany(stream: RpcStream, message: Message, keys: BytesListView, type: number, id: number): boolean {
    const count = keys.length;
    if (count === 0 || count > RPC_SHORT_KEYS_MAX) return false;
    const start = stream.reserve(ROOM_BYTES + count * (ENTRY_BYTES + ROOM_PER_VALUE_BYTES));
    if (start === 0) return false;
    const { limit } = stream;
    const object = start + FRAME_HEADER_BYTES;
    const list = object + OBJECT_HEADER_BYTES + ENTRY_BYTES;
    let value = list + count * ENTRY_BYTES;
    const request = this.#request;
    const copies = this.#copies;
    const view = this.#view;
    for (let index = 0, entry = list; index < count; index++, entry += ENTRY_BYTES) {
      const key = keys.locate(index);
      request.key(message, key.offset, key.bytes);
      const bytes = copies.copy(request.keyOffset, request.keyBytes, request.hash, value, limit - value);
      if (bytes < 0 || copies.hasFlags) return false;
      this.#items[index] = copies.item;
      this.#tags[index] = copies.tag;
      view.setUint32(entry, bytes, true);
      view.setUint32(entry + 4, bytes === 0 ? 0 : value - object, true);
      value += bytes;
    }
    putFrameHeader(view, start, value - object, type, id);
    view.setInt32(object, 1, true);
    view.setInt32(object + 4, FIRST_FIELD, true);
    view.setUint32(object + 8, count, true);
    view.setUint32(object + 12, list - object, true);
    stream.cursor = value;
    for (let index = 0; index < count; index++) copies.count(this.#items[index]!, this.#tags[index]!);
    this.#counters[CMD_GET]! += count;
    this.#counters[GET_HITS]! += count;
    return true;
  }
}
