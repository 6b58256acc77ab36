/** leaseGet and leaseSet (papers/nsdi13 3.2.1): as lease-get and lease-set of the text protocol. */
import { LeaseOutcome, type Store } from '@larder/cache';
import {
  LeaseGetReply,
  LeaseGetRequestView,
  LeaseSetRequestView,
  PutReply,
  Status,
} from '@larder/protocol/rpc';
import { Message } from '@larder/wire';
import {
  CMD_GET,
  CMD_SET,
  GET_HITS,
  GET_MISSES,
  LEASE_GET_HITS,
  LEASE_GET_HOT,
  LEASE_GET_STALE,
  LEASE_GET_TOKENS,
  LEASE_SET_REJECTED,
  LEASE_SET_STALE,
  LEASE_SET_STORED,
} from '../session/counters.ts';
import type { RequestMemory } from './request-memory.ts';
import { EMPTY_OBJECT, type RpcParts } from './rpc-gets.ts';
import type { RpcOutput } from './rpc-output.ts';
import { statusOf } from './rpc-puts.ts';
import { RpcRefusal } from './rpc-refusal.ts';
import type { ValueReply } from './value-reply.ts';

const TWO_TO_32 = 0x1_0000_0000;

export class RpcLeases {
  readonly #store: Store;
  readonly #counters: Float64Array;
  readonly #request: RequestMemory;
  readonly #values: ValueReply;
  readonly #getReply: LeaseGetReply;
  readonly #setReply: PutReply;
  readonly #getView: LeaseGetRequestView;
  readonly #setView: LeaseSetRequestView;

  constructor({ store, counters, encoder, request, values }: RpcParts) {
    this.#store = store;
    this.#counters = counters;
    this.#request = request;
    this.#values = values;
    this.#getReply = new LeaseGetReply(encoder);
    this.#setReply = new PutReply(encoder);
    const empty = Message.of(EMPTY_OBJECT);
    this.#getView = new LeaseGetRequestView(empty);
    this.#setView = new LeaseSetRequestView(empty);
  }

  leaseGet(message: Message, type: number, id: number, output: RpcOutput): void {
    this.#key(message, this.#getView.$over(message).locateKey());
    const store = this.#store;
    const counters = this.#counters;
    const { keyOffset, keyBytes, hash } = this.#request;
    const reply = this.#getReply.reset();
    const item = store.leaseGet(keyOffset, keyBytes, hash);
    const outcome = store.leaseOutcome;
    const isHit = outcome === LeaseOutcome.hit;
    counters[CMD_GET]! += 1;
    counters[isHit ? GET_HITS : GET_MISSES]! += 1;
    if (isHit) {
      counters[LEASE_GET_HITS]! += 1;
    } else {
      if (item !== 0) counters[LEASE_GET_STALE]! += 1;
      const hasToken = outcome === LeaseOutcome.token;
      counters[hasToken ? LEASE_GET_TOKENS : LEASE_GET_HOT]! += 1;
      reply.status = hasToken ? Status.STATUS_FILL : Status.STATUS_WAIT;
      if (hasToken) reply.token = store.lastCasHigh * TWO_TO_32 + store.lastCasLow;
    }
    if (item !== 0) this.#setValue(reply, item, isHit, output);
    output.send(reply, type, id);
  }

  leaseSet(message: Message, type: number, id: number, output: RpcOutput): void {
    const view = this.#setView.$over(message);
    this.#key(message, view.locateKey());
    const range = view.locateVal();
    const offset = range?.offset ?? 0;
    const bytes = range?.bytes ?? 0;
    const { token, flags } = view;
    const store = this.#store;
    const { keyOffset, keyBytes, hash } = this.#request;
    this.#counters[CMD_SET]! += 1;
    const item = store.create(keyOffset, keyBytes, hash, flags, store.expiryFrom(view.expiry), bytes);
    const reply = this.#setReply.reset();
    if (item > 0) {
      this.#request.fill(item, message, offset, bytes);
      const result = store.leaseSet(item, token % TWO_TO_32, Math.floor(token / TWO_TO_32));
      reply.status = statusOf(result);
      this.#counters[COUNTERS[reply.status] ?? LEASE_SET_REJECTED]! += 1;
    } else {
      reply.status = statusOf(item as 0 | -1);
    }
    output.send(reply, type, id);
  }

  #setValue(reply: LeaseGetReply, item: number, isHit: boolean, output: RpcOutput): void {
    const store = this.#store;
    if (store.valueBytes(item) > output.replyBytesMax) {
      store.release(item);
      throw new RpcRefusal('TOO_LARGE', `a reply of more than ${output.replyBytesMax} bytes`);
    }
    reply.flags = store.clientFlags(item);
    reply.stale = !isHit;
    if (store.valueOffset(item) !== 0) this.#values.setValue(reply, item);
    else this.#values.setCopy(reply, item);
  }

  #key(message: Message, range: { readonly offset: number; readonly bytes: number } | undefined): void {
    if (range === undefined) this.#request.key(message, 0, 0);
    else this.#request.key(message, range.offset, range.bytes);
  }
}

const COUNTERS: Readonly<Record<number, number>> = {
  [Status.STATUS_OK]: LEASE_SET_STORED,
  [Status.STATUS_STALE]: LEASE_SET_STALE,
};
