/**
 * delete, incr, decr and touch.
 */
import { type Store, StoreResult } from '@larder/cache';
import { ArithmeticRequest, DeleteRequest, RequestStatus, TouchRequest } from '@larder/protocol';
import type { SessionContext } from './context.ts';
import {
  CMD_TOUCH,
  DECR_HITS,
  DECR_MISSES,
  DELETE_HITS,
  DELETE_MISSES,
  INCR_HITS,
  INCR_MISSES,
  STORE_NO_MEMORY,
  TOUCH_HITS,
  TOUCH_MISSES,
} from './counters.ts';
import type { SessionOutput } from './output.ts';
import { DELETED, NO_MEMORY_ARITHMETIC, NOT_FOUND, NOT_NUMERIC, STATUS_REPLIES, TOUCHED } from './replies.ts';

export class Changes {
  readonly #context: SessionContext;
  readonly #store: Store;
  readonly #counters: Float64Array;
  readonly #delete: DeleteRequest;
  readonly #arithmetic: ArithmeticRequest;
  readonly #touch: TouchRequest;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#store = context.store;
    this.#counters = context.counters;
    this.#delete = new DeleteRequest(context.arena);
    this.#arithmetic = new ArithmeticRequest(context.arena);
    this.#touch = new TouchRequest(context.arena);
  }

  delete(output: SessionOutput): void {
    const request = this.#delete;
    const status = request.parse(this.#context.tokens);
    if (status !== RequestStatus.ok) {
      if (!request.noreply) this.#context.fail(output, STATUS_REPLIES[status]!);
      return;
    }
    const store = this.#store;
    const { keyOffset, keyBytes } = request;
    const hash = store.hash(keyOffset, keyBytes);
    this.#context.logDelete(output, keyOffset, keyBytes, hash, 'delete');
    const found = store.delete(keyOffset, keyBytes, hash, request.holdoffSeconds) === StoreResult.deleted;
    this.#counters[found ? DELETE_HITS : DELETE_MISSES]! += 1;
    if (!request.noreply) this.#context.replies.fixed(output, found ? DELETED : NOT_FOUND);
  }

  arithmetic(output: SessionOutput, decrement: boolean): void {
    const request = this.#arithmetic;
    const status = request.parse(this.#context.tokens);
    if (status !== RequestStatus.ok) {
      if (!request.noreply) this.#context.fail(output, STATUS_REPLIES[status]!);
      return;
    }
    const store = this.#store;
    const hash = store.hash(request.keyOffset, request.keyBytes);
    const delta = request.delta.toBigInt();
    const result = store.arithmetic(request.keyOffset, request.keyBytes, hash, decrement, delta, null);
    const counters = this.#counters;
    if (result === StoreResult.ok) counters[decrement ? DECR_HITS : INCR_HITS]! += 1;
    else if (result === StoreResult.notFound) counters[decrement ? DECR_MISSES : INCR_MISSES]! += 1;
    else if (result === StoreResult.outOfMemory) counters[STORE_NO_MEMORY]! += 1;
    if (request.noreply) return;
    const replies = this.#context.replies;
    if (result === StoreResult.ok) replies.line(output, store.lastNumber.toString());
    else if (result === StoreResult.notFound) replies.fixed(output, NOT_FOUND);
    else if (result === StoreResult.notNumber) this.#context.fail(output, NOT_NUMERIC);
    else replies.fixed(output, NO_MEMORY_ARITHMETIC);
  }

  touch(output: SessionOutput): void {
    const request = this.#touch;
    const status = request.parse(this.#context.tokens);
    if (status !== RequestStatus.ok) {
      if (!request.noreply) this.#context.fail(output, STATUS_REPLIES[status]!);
      return;
    }
    const store = this.#store;
    const hash = store.hash(request.keyOffset, request.keyBytes);
    const expiry = store.expiryFrom(request.exptime);
    const item = store.acquireAndTouch(request.keyOffset, request.keyBytes, hash, expiry);
    const counters = this.#counters;
    counters[CMD_TOUCH]! += 1;
    counters[item !== 0 ? TOUCH_HITS : TOUCH_MISSES]! += 1;
    if (item !== 0) store.release(item);
    if (!request.noreply) this.#context.replies.fixed(output, item !== 0 ? TOUCHED : NOT_FOUND);
  }
}
