/** leaseGet and leaseSet (papers/nsdi13 3.2.1): as lease-get and lease-set of the text protocol. */
import { LeaseOutcome, type Store, type StoreResult } from '@larder/cache';
import {
  LeaseGetReply,
  LeaseGetRequestView,
  LeaseSetRequestView,
  PutReply,
  Status,
} from '@larder/protocol/rpc';
import { Message } from '@larder/wire';
import type { SessionContext } from '../session/context.ts';
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
import { StoreLog } from './store-log.ts';
import type { ValueReply } from './value-reply.ts';

const TWO_TO_32 = 0x1_0000_0000;

export class RpcLeases {
  readonly #context: SessionContext;
  readonly #store: Store;
  readonly #counters: Float64Array;
  readonly #request: RequestMemory;
  readonly #values: ValueReply;
  readonly #log: StoreLog;
  readonly #getReply: LeaseGetReply;
  readonly #setReply: PutReply;
  readonly #getView: LeaseGetRequestView;
  readonly #setView: LeaseSetRequestView;

  constructor({ context, store, counters, encoder, request, values }: RpcParts) {
    this.#context = context;
    this.#store = store;
    this.#counters = counters;
    this.#request = request;
    this.#values = values;
    this.#log = new StoreLog(context, request);
    this.#getReply = new LeaseGetReply(encoder);
    this.#setReply = new PutReply(encoder);
    const empty = Message.of(EMPTY_OBJECT);
    this.#getView = new LeaseGetRequestView(empty);
    this.#setView = new LeaseSetRequestView(empty);
  }

  leaseGet(message: Message, type: number, id: number, output: RpcOutput): void {
    this.#request.keyAt(message, this.#getView.$over(message).locateKey());
    const store = this.#store;
    const counters = this.#counters;
    const { keyOffset, keyBytes, hash } = this.#request;
    const reply = this.#getReply.reset();
    const item = store.leaseGet(keyOffset, keyBytes, hash);
    const outcome = store.leaseOutcome;
    const isHit = outcome === LeaseOutcome.hit;
    if (this.#context.observed) this.#context.logFetch(output, keyOffset, keyBytes, isHit ? item : 0);
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
    this.#request.keyAt(message, view.locateKey());
    const range = view.locateVal();
    const offset = range?.offset ?? 0;
    const bytes = range?.bytes ?? 0;
    const { token, flags, expiry } = view;
    const store = this.#store;
    const { keyOffset, keyBytes, hash } = this.#request;
    this.#counters[CMD_SET]! += 1;
    this.#log.begin();
    const item = store.create(keyOffset, keyBytes, hash, flags, store.expiryFrom(expiry), bytes);
    const reply = this.#setReply.reset();
    let result = item as StoreResult | 0 | -1;
    if (item > 0) {
      this.#request.fill(item, message, offset, bytes);
      this.#log.note(item);
      result = store.leaseSet(item, token % TWO_TO_32, Math.floor(token / TWO_TO_32));
      this.#counters[COUNTERS[statusOf(result)] ?? LEASE_SET_REJECTED]! += 1;
    }
    this.#log.end(output, 'lease-set', expiry, result);
    reply.status = statusOf(result);
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
}

const COUNTERS: Readonly<Record<number, number>> = {
  [Status.STATUS_OK]: LEASE_SET_STORED,
  [Status.STATUS_STALE]: LEASE_SET_STALE,
};
