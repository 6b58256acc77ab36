/**
 * lease-get: a hit, the right to fill, or the advice to wait (papers/nsdi13 3.2.1).
 *
 * Every key is answered, in order. A client that does not hold the token and finds a stale value is given it
 * with token 0, which never may set.
 */
import { LeaseOutcome, type Store } from '@larder/cache';
import { KeyList, KeyStep, VALUE_LINE_BYTES_MAX, WideDecimal, writeAscii, writeU32 } from '@larder/protocol';
import type { SessionContext } from './context.ts';
import {
  CMD_GET,
  GET_HITS,
  GET_MISSES,
  LEASE_GET_HITS,
  LEASE_GET_HOT,
  LEASE_GET_STALE,
  LEASE_GET_TOKENS,
} from './counters.ts';
import type { SessionOutput } from './output.ts';
import { BAD_FORMAT, EMPTY_LINE, END, ERROR, NOT_FOUND_HOT } from './replies.ts';

export class LeaseGets {
  readonly #context: SessionContext;
  readonly #store: Store;
  readonly #counters: Float64Array;
  readonly #keys: KeyList;
  readonly #wide: WideDecimal = new WideDecimal();

  constructor(context: SessionContext) {
    this.#context = context;
    this.#store = context.store;
    this.#counters = context.counters;
    this.#keys = new KeyList(context.arena);
  }

  /** Answers a lease-get whose keys begin at `at` and whose line ends with the newline before `next`. */
  get(output: SessionOutput, at: number, next: number): number {
    const keys = this.#keys;
    keys.at = at;
    const step = keys.next();
    if (step === KeyStep.end) this.#context.fail(output, ERROR);
    else if (step === KeyStep.bad || !keys.restIsValid()) this.#context.fail(output, BAD_FORMAT);
    else {
      keys.at = at;
      while (keys.next() === KeyStep.key) this.#one(output, keys.keyOffset, keys.keyBytes);
      this.#context.replies.fixed(output, END);
    }
    return next;
  }

  #one(output: SessionOutput, keyOffset: number, keyBytes: number): void {
    const store = this.#store;
    const counters = this.#counters;
    const item = store.leaseGet(keyOffset, keyBytes, store.hash(keyOffset, keyBytes));
    const outcome = store.leaseOutcome;
    if (this.#context.observed) {
      this.#context.logFetch(output, keyOffset, keyBytes, outcome === LeaseOutcome.hit ? item : 0);
    }
    counters[CMD_GET]! += 1;
    if (outcome === LeaseOutcome.hit) {
      counters[GET_HITS]! += 1;
      counters[LEASE_GET_HITS]! += 1;
      store.sendReply(item, output, this.#context.mustRefer(output, item));
      store.release(item);
      return;
    }
    counters[GET_MISSES]! += 1;
    if (item !== 0) counters[LEASE_GET_STALE]! += 1;
    if (outcome === LeaseOutcome.token) {
      // Without memory for a stub there is no token either: 0, which never may set.
      counters[LEASE_GET_TOKENS]! += 1;
      this.#value(output, keyOffset, keyBytes, item, store.lastCasLow, store.lastCasHigh);
    } else {
      counters[LEASE_GET_HOT]! += 1;
      if (item !== 0) this.#value(output, keyOffset, keyBytes, item, 0, 0);
      else this.#context.replies.fixed(output, NOT_FOUND_HOT);
    }
    if (item !== 0) store.release(item);
  }

  /** LVALUE key token flags bytes, and the value of `item` (0: an empty one). */
  #value(
    output: SessionOutput,
    keyOffset: number,
    keyBytes: number,
    item: number,
    low: number,
    high: number,
  ): void {
    const store = this.#store;
    const u8 = this.#context.u8;
    let at = output.reserve(VALUE_LINE_BYTES_MAX);
    if (at === 0) return;
    at = writeAscii(u8, at, 'LVALUE ');
    u8.copyWithin(at, keyOffset, keyOffset + keyBytes);
    at = writeAscii(u8, at + keyBytes, ' ');
    at = this.#wide.write(u8, at, low, high);
    at = writeAscii(u8, at, ' ');
    at = writeU32(u8, at, item === 0 ? 0 : store.clientFlags(item));
    at = writeAscii(u8, at, ' ');
    at = writeU32(u8, at, item === 0 ? 0 : store.valueBytes(item));
    output.cursor = writeAscii(u8, at, '\r\n');
    if (item === 0) this.#context.replies.fixed(output, EMPTY_LINE);
    else store.sendValue(item, output, this.#context.mustRefer(output, item));
  }
}
