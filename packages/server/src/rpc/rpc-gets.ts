/** get, getM, getList, getFromList. */
import type { Store } from '@larder/cache';
import {
  GetFromListReply,
  GetFromListRequestView,
  GetListReply,
  GetListRequestView,
  GetMReply,
  GetMRequestView,
  GetReply,
  GetRequestView,
  Status,
} from '@larder/protocol/rpc';
import { type ByteRange, type Encoder, Message } from '@larder/wire';
import { RPC_KEYS_MAX, RPC_REPLY_BYTES_MAX } from '../limits.ts';
import type { SessionContext } from '../session/context.ts';
import { CMD_GET, GET_HITS, GET_MISSES } from '../session/counters.ts';
import type { RequestMemory } from './request-memory.ts';
import type { RpcOutput } from './rpc-output.ts';
import { RpcRefusal } from './rpc-refusal.ts';
import { ShortReplies } from './short-replies.ts';
import type { ValueReply } from './value-reply.ts';

/** What a key and an entry add to a reply, beside its value. */
const ENTRY_BYTES = 16;
const TWO_TO_32 = 0x1_0000_0000;

/** What the operations share. */
export interface RpcParts {
  readonly context: SessionContext;
  readonly store: Store;
  /** The typed protocol's own. */
  readonly counters: Float64Array;
  readonly encoder: Encoder;
  readonly request: RequestMemory;
  readonly values: ValueReply;
}

export class RpcGets {
  readonly #context: SessionContext;
  readonly #store: Store;
  readonly #counters: Float64Array;
  readonly #request: RequestMemory;
  readonly #values: ValueReply;
  readonly #short: ShortReplies;
  readonly #getReply: GetReply;
  readonly #getMReply: GetMReply;
  readonly #getListReply: GetListReply;
  readonly #getFromListReply: GetFromListReply;
  readonly #getView: GetRequestView;
  readonly #getMView: GetMRequestView;
  readonly #getListView: GetListRequestView;
  readonly #getFromListView: GetFromListRequestView;
  /** Positions of missing keys, and flags, of one getM. */
  readonly #missing: Uint32Array = new Uint32Array(RPC_KEYS_MAX);
  readonly #flags: Uint32Array = new Uint32Array(RPC_KEYS_MAX);

  constructor({ context, store, counters, encoder, request, values }: RpcParts) {
    this.#context = context;
    this.#store = store;
    this.#counters = counters;
    this.#request = request;
    this.#values = values;
    this.#short = new ShortReplies({ store, counters, encoder, request });
    this.#getReply = new GetReply(encoder);
    this.#getMReply = new GetMReply(encoder);
    this.#getListReply = new GetListReply(encoder);
    this.#getFromListReply = new GetFromListReply(encoder);
    // A view is made on a message, and pointed at every request after that.
    const empty = Message.of(EMPTY_OBJECT);
    this.#getView = new GetRequestView(empty);
    this.#getMView = new GetMRequestView(empty);
    this.#getListView = new GetListRequestView(empty);
    this.#getFromListView = new GetFromListRequestView(empty);
  }

  get(message: Message, type: number, id: number, output: RpcOutput): void {
    const view = this.#getView.$over(message);
    if (!view.version && !this.#context.observed) {
      const { stream, replies } = output;
      this.#request.keyAt(message, view.locateKey());
      if (stream !== null && this.#short.sendOne(stream, type, id)) return;
      if (replies !== null && this.#short.sendOneDatagram(replies, type, id)) return;
    }
    const reply = this.#getReply.reset();
    const item = this.#find(output, message, view.locateKey());
    if (item === 0) {
      reply.status = Status.STATUS_NOT_FOUND;
      output.send(reply, type, id);
      return;
    }
    const store = this.#store;
    const flags = store.clientFlags(item);
    if (store.valueBytes(item) > output.replyBytesMax) {
      store.release(item);
      throw new RpcRefusal('TOO_LARGE', `a reply of more than ${output.replyBytesMax} bytes`);
    }
    if (view.version) reply.version = store.casHigh(item) * TWO_TO_32 + store.casLow(item);
    if (store.valueOffset(item) !== 0) {
      this.#values.setValue(reply, item);
    } else if (output.stream !== null && !view.version) {
      this.#values.sendChained(output.stream, item, flags, type, id);
      return;
    } else {
      this.#values.setCopy(reply, item);
    }
    reply.flags = flags;
    output.send(reply, type, id);
  }

  getM(message: Message, type: number, id: number, output: RpcOutput): void {
    const { keys } = this.#getMView.$over(message);
    const count = keys.length;
    if (count > RPC_KEYS_MAX) throw new RpcRefusal('BAD_REQUEST', `more than ${RPC_KEYS_MAX} keys`);
    const { stream, replies } = output;
    if (!this.#context.observed) {
      if (stream !== null && this.#short.sendMany(stream, message, keys, type, id)) return;
      if (replies !== null && this.#short.sendManyDatagram(replies, message, keys, type, id)) return;
    }
    const store = this.#store;
    const reply = this.#getMReply.reset();
    const { vals } = reply;
    const most = Math.min(output.replyBytesMax, RPC_REPLY_BYTES_MAX);
    let missing = 0;
    let anyFlags = 0;
    let bytes = 0;
    for (let index = 0; index < count; index++) {
      const item = this.#find(output, message, keys.locate(index));
      this.#flags[index] = 0;
      bytes += ENTRY_BYTES;
      if (item === 0) {
        this.#missing[missing++] = index;
        this.#values.appendNothing(vals);
        continue;
      }
      bytes += store.valueBytes(item);
      if (bytes > most) store.release(item);
      this.#values.checkBytes(bytes, most);
      const flags = store.clientFlags(item);
      this.#flags[index] = flags;
      anyFlags |= flags;
      this.#values.appendValue(vals, item);
    }
    if (missing > 0) reply.missing = this.#missing.subarray(0, missing);
    if (anyFlags !== 0) reply.flags = this.#flags.subarray(0, count);
    output.send(reply, type, id);
  }

  getList(message: Message, type: number, id: number, output: RpcOutput): void {
    const view = this.#getListView.$over(message);
    const reply = this.#getListReply.reset();
    const item = this.#find(output, message, view.locateKey());
    if (item === 0) {
      reply.status = Status.STATUS_NOT_FOUND;
    } else {
      const store = this.#store;
      const isList = store.lists.isList(item);
      const bytes = store.valueBytes(item) + (isList ? store.lists.count(item) : 1) * ENTRY_BYTES;
      const most = Math.min(output.replyBytesMax, RPC_REPLY_BYTES_MAX);
      if (bytes > most) store.release(item);
      this.#values.checkBytes(bytes, most);
      reply.flags = store.clientFlags(item);
      if (isList) this.#values.appendElements(reply.vals, item);
      else this.#values.appendValue(reply.vals, item);
    }
    output.send(reply, type, id);
  }

  getFromList(message: Message, type: number, id: number, output: RpcOutput): void {
    const view = this.#getFromListView.$over(message);
    const reply = this.#getFromListReply.reset();
    const { index } = view;
    const item = this.#find(output, message, view.locateKey());
    if (item === 0) {
      reply.status = Status.STATUS_NOT_FOUND;
      output.send(reply, type, id);
      return;
    }
    const store = this.#store;
    const isList = store.lists.isList(item);
    const count = isList ? store.lists.count(item) : 1;
    reply.count = count;
    reply.flags = store.clientFlags(item);
    if (index >= count) {
      reply.status = Status.STATUS_NOT_FOUND;
      store.release(item);
    } else {
      const bytes = isList ? store.lists.elementBytes(item, index) : store.valueBytes(item);
      if (bytes > output.replyBytesMax) store.release(item);
      this.#values.checkBytes(bytes, output.replyBytesMax);
      if (isList) this.#values.setBytes(reply, item, store.lists.elementOffset(item, index), bytes);
      else if (store.valueOffset(item) !== 0) this.#values.setValue(reply, item);
      else this.#values.setCopy(reply, item);
    }
    output.send(reply, type, id);
  }

  /** The live item of a key that was located in a message, retained and counted; 0 for none. */
  #find(output: RpcOutput, message: Message, range: ByteRange | undefined): number {
    const request = this.#request;
    request.keyAt(message, range);
    const item = this.#store.acquire(request.keyOffset, request.keyBytes, request.hash);
    if (this.#context.observed) this.#context.logFetch(output, request.keyOffset, request.keyBytes, item);
    this.#counters[CMD_GET]! += 1;
    this.#counters[item === 0 ? GET_MISSES : GET_HITS]! += 1;
    return item;
  }
}

/** An object without fields. */
export const EMPTY_OBJECT: Uint8Array = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
