/** put, putM, putList, append, delete. */
import { type Store, StoreMode, StoreResult } from '@larder/cache';
import {
  AppendRequestView,
  DeleteRequestView,
  PutListRequestView,
  PutMode,
  PutMReply,
  PutMRequestView,
  PutReply,
  PutRequestView,
  Status,
} from '@larder/protocol/rpc';
import { Message } from '@larder/wire';
import { RPC_KEYS_MAX } from '../limits.ts';
import type { SessionContext } from '../session/context.ts';
import {
  CAS_BADVAL,
  CAS_HITS,
  CAS_MISSES,
  CMD_SET,
  DELETE_HITS,
  DELETE_MISSES,
  STORE_NO_MEMORY,
  STORE_TOO_LARGE,
} from '../session/counters.ts';
import { MODE_NAMES } from '../session/storage.ts';
import type { RequestMemory } from './request-memory.ts';
import { EMPTY_OBJECT, type RpcParts } from './rpc-gets.ts';
import type { RpcOutput } from './rpc-output.ts';
import { RpcRefusal } from './rpc-refusal.ts';
import { StoreLog } from './store-log.ts';

const TWO_TO_32 = 0x1_0000_0000;
/** A list that others change all the time is appended to so often before giving up. */
const APPEND_TRIES = 8;
const HOLDOFF_SECONDS_MAX = 30 * 24 * 3600;

export class RpcPuts {
  readonly #context: SessionContext;
  readonly #store: Store;
  readonly #counters: Float64Array;
  readonly #request: RequestMemory;
  readonly #u8: Uint8Array;
  readonly #log: StoreLog;
  readonly #putReply: PutReply;
  readonly #putMReply: PutMReply;
  readonly #putView: PutRequestView;
  readonly #putMView: PutMRequestView;
  readonly #putListView: PutListRequestView;
  readonly #appendView: AppendRequestView;
  readonly #deleteView: DeleteRequestView;
  readonly #statuses: Int32Array = new Int32Array(RPC_KEYS_MAX);

  constructor({ context, store, counters, encoder, request }: RpcParts) {
    this.#context = context;
    this.#log = new StoreLog(context, request);
    this.#store = store;
    this.#counters = counters;
    this.#request = request;
    this.#u8 = encoder.send!.memory.u8;
    this.#putReply = new PutReply(encoder);
    this.#putMReply = new PutMReply(encoder);
    const empty = Message.of(EMPTY_OBJECT);
    this.#putView = new PutRequestView(empty);
    this.#putMView = new PutMRequestView(empty);
    this.#putListView = new PutListRequestView(empty);
    this.#appendView = new AppendRequestView(empty);
    this.#deleteView = new DeleteRequestView(empty);
  }

  put(message: Message, type: number, id: number, output: RpcOutput): void {
    const view = this.#putView.$over(message);
    this.#request.keyAt(message, view.locateKey());
    const range = view.locateVal();
    const offset = range?.offset ?? 0;
    const bytes = range?.bytes ?? 0;
    const { mode, version } = view;
    const storeMode = MODES[mode];
    if (storeMode === undefined) throw new RpcRefusal('BAD_REQUEST', `there is no mode ${mode}`);
    const { flags, expiry } = view;
    const result = this.#put(output, message, offset, bytes, flags, expiry, storeMode, version);
    if (storeMode === StoreMode.cas) this.#countCompare(result);
    this.#reply(result, type, id, output);
  }

  putM(message: Message, type: number, id: number, output: RpcOutput): void {
    const view = this.#putMView.$over(message);
    const { keys, vals, flags, expiry } = view;
    const count = keys.length;
    if (count > RPC_KEYS_MAX) throw new RpcRefusal('BAD_REQUEST', `more than ${RPC_KEYS_MAX} keys`);
    if (vals.length !== count) throw new RpcRefusal('BAD_REQUEST', `${count} keys and ${vals.length} values`);
    // A key that is none must not be found when half of the others are stored.
    for (let index = 0; index < count; index++) this.#request.keyAt(message, keys.locate(index));
    const reply = this.#putMReply.reset();
    let failed = 0;
    for (let index = 0; index < count; index++) {
      this.#request.keyAt(message, keys.locate(index));
      const { offset, bytes } = vals.locate(index);
      const status = statusOf(this.#put(output, message, offset, bytes, flags, expiry, StoreMode.set, 0));
      this.#statuses[index] = status;
      failed |= status;
    }
    if (failed !== 0) reply.statuses = this.#statuses.subarray(0, count);
    output.send(reply, type, id);
  }

  putList(message: Message, type: number, id: number, output: RpcOutput): void {
    const view = this.#putListView.$over(message);
    this.#request.keyAt(message, view.locateKey());
    const { vals, flags, expiry } = view;
    const store = this.#store;
    const { keyOffset, keyBytes, hash } = this.#request;
    this.#counters[CMD_SET]! += 1;
    this.#log.begin();
    const count = vals.length;
    let bytes = 0;
    for (let index = 0; index < count; index++) bytes += vals.locate(index).bytes;
    const item = store.lists.create(keyOffset, keyBytes, hash, flags, store.expiryFrom(expiry), count, bytes);
    let result: StoreResult | 0 | -1 = item as 0 | -1;
    if (item > 0) {
      result = this.#fillList(item, message, vals);
      this.#log.note(item);
      if (result > 0) result = store.link(item, StoreMode.set, 0, 0);
      else store.abandon(item);
    }
    this.#log.end(output, 'put-list', expiry, result);
    // No old value may be taken for the new one that could not be stored.
    if (result <= 0) store.unlinkKey(keyOffset, keyBytes, hash);
    this.#reply(result, type, id, output);
  }

  append(message: Message, type: number, id: number, output: RpcOutput): void {
    const view = this.#appendView.$over(message);
    this.#request.keyAt(message, view.locateKey());
    const range = view.locateVal();
    const offset = range?.offset ?? 0;
    const bytes = range?.bytes ?? 0;
    const store = this.#store;
    const { keyOffset, keyBytes, hash } = this.#request;
    this.#counters[CMD_SET]! += 1;
    this.#log.begin();
    let result: StoreResult | 0 | -1 = StoreResult.exists;
    for (let tries = 0; tries < APPEND_TRIES && result === StoreResult.exists; tries++) {
      const old = store.peek(keyOffset, keyBytes, hash, false);
      if (old !== 0 && store.lists.isList(old)) {
        result = this.#appendToList(old, message, offset, bytes);
      } else {
        const item = store.create(keyOffset, keyBytes, hash, 0, 0, bytes);
        result = item as 0 | -1;
        if (item > 0) {
          this.#request.fill(item, message, offset, bytes);
          this.#log.note(item);
          result = store.link(item, StoreMode.append, 0, 0);
        }
      }
      if (old !== 0) store.release(old);
    }
    this.#log.end(output, 'append', 0, result);
    this.#reply(result, type, id, output);
  }

  delete(message: Message, type: number, id: number, output: RpcOutput): void {
    const view = this.#deleteView.$over(message);
    this.#request.keyAt(message, view.locateKey());
    const { holdoff } = view;
    if (holdoff > HOLDOFF_SECONDS_MAX)
      throw new RpcRefusal('BAD_REQUEST', `a hold-off of more than ${HOLDOFF_SECONDS_MAX} seconds`);
    const { keyOffset, keyBytes, hash } = this.#request;
    this.#context.logDelete(output, keyOffset, keyBytes, hash, 'delete');
    const result = this.#store.delete(keyOffset, keyBytes, hash, holdoff);
    this.#counters[result === StoreResult.deleted ? DELETE_HITS : DELETE_MISSES]! += 1;
    this.#reply(result, type, id, output);
  }

  #put(
    output: RpcOutput,
    message: Message,
    offset: number,
    bytes: number,
    flags: number,
    expiry: number,
    mode: StoreMode,
    version: number,
  ): StoreResult | 0 | -1 {
    const store = this.#store;
    const request = this.#request;
    const { keyOffset, keyBytes, hash } = request;
    this.#counters[CMD_SET]! += 1;
    this.#log.begin();
    if (mode === StoreMode.set && expiry === 0 && request.isInArena(message) && !this.#log.isWatched) {
      if (store.overwrite(keyOffset, keyBytes, hash, flags, offset, bytes)) return StoreResult.stored;
    }
    const item = store.create(keyOffset, keyBytes, hash, flags, store.expiryFrom(expiry), bytes);
    let result = item as StoreResult | 0 | -1;
    if (item > 0) {
      request.fill(item, message, offset, bytes);
      this.#log.note(item);
      result = store.link(item, mode, version % TWO_TO_32, Math.floor(version / TWO_TO_32));
    } else if (mode === StoreMode.set) {
      // As in the text protocols: no old value may be taken for the new one that could not be stored.
      store.unlinkKey(keyOffset, keyBytes, hash);
    }
    this.#log.end(output, MODE_NAMES[mode]!, expiry, result);
    return result;
  }

  #countCompare(result: StoreResult | 0 | -1): void {
    if (result === StoreResult.stored) this.#counters[CAS_HITS]! += 1;
    else if (result === StoreResult.exists) this.#counters[CAS_BADVAL]! += 1;
    else if (result === StoreResult.notFound) this.#counters[CAS_MISSES]! += 1;
  }

  /** Copies the elements of a request into a new list: 1, 0 without memory, -1 when one is too large. */
  #fillList(item: number, message: Message, vals: PutListRequestView['vals']): 0 | 1 | -1 {
    const last = vals.length - 1;
    for (let index = 0; index <= last; index++) {
      const { offset, bytes } = vals.locate(index);
      const target = this.#store.lists.add(item, bytes, index === last);
      if (target <= 0) return target as 0 | -1;
      this.#request.copy(message, offset, bytes, target);
    }
    return 1;
  }

  /** Another list with the elements of `old` and one more, stored unless somebody else was faster (`exists`). */
  #appendToList(old: number, message: Message, offset: number, bytes: number): StoreResult | 0 | -1 {
    const store = this.#store;
    const { lists } = store;
    const { keyOffset, keyBytes, hash } = this.#request;
    const count = lists.count(old);
    const flags = store.clientFlags(old);
    const sum = store.valueBytes(old) + bytes;
    const item = lists.create(keyOffset, keyBytes, hash, flags, store.expiry(old), count + 1, sum);
    if (item <= 0) return item as 0 | -1;
    for (let index = 0; index <= count; index++) {
      const isNew = index === count;
      const elementBytes = isNew ? bytes : lists.elementBytes(old, index);
      const target = lists.add(item, elementBytes, isNew);
      if (target <= 0) {
        store.abandon(item);
        return target as 0 | -1;
      }
      if (isNew) this.#request.copy(message, offset, bytes, target);
      else {
        const source = lists.elementOffset(old, index);
        this.#u8.copyWithin(target, source, source + elementBytes);
      }
    }
    this.#log.note(item);
    return store.link(item, StoreMode.cas, store.casLow(old), store.casHigh(old));
  }

  #reply(result: StoreResult | 0 | -1, type: number, id: number, output: RpcOutput): void {
    const reply = this.#putReply.reset();
    reply.status = statusOf(result);
    if (result === -1 || result === StoreResult.tooLarge) this.#counters[STORE_TOO_LARGE]! += 1;
    if (result === 0 || result === StoreResult.outOfMemory) this.#counters[STORE_NO_MEMORY]! += 1;
    output.send(reply, type, id);
  }
}

/** The store's modes by those of a request; undefined for numbers that are none. */
const MODES: Readonly<Record<number, StoreMode | undefined>> = {
  [PutMode.PUT_MODE_SET]: StoreMode.set,
  [PutMode.PUT_MODE_ADD]: StoreMode.add,
  [PutMode.PUT_MODE_REPLACE]: StoreMode.replace,
  [PutMode.PUT_MODE_COMPARE]: StoreMode.cas,
};

/** What the store said, or `create`: 0 without memory, -1 when it is too large. */
export function statusOf(result: StoreResult | 0 | -1): number {
  switch (result) {
    case StoreResult.stored:
    case StoreResult.deleted:
    case StoreResult.ok:
      return Status.STATUS_OK;
    case StoreResult.notFound:
      return Status.STATUS_NOT_FOUND;
    case StoreResult.exists:
      return Status.STATUS_EXISTS;
    case StoreResult.staleStored:
      return Status.STATUS_STALE;
    case -1:
    case StoreResult.tooLarge:
      return Status.STATUS_TOO_LARGE;
    case 0:
    case StoreResult.outOfMemory:
      return Status.STATUS_OUT_OF_MEMORY;
    default:
      return Status.STATUS_NOT_STORED;
  }
}
