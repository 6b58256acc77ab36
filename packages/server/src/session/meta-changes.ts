/**
 * md and ma.
 */
import { type ArithmeticOptions, type MetaDeleteOptions, type Store, StoreResult } from '@larder/cache';
import {
  FLAG_C,
  FLAG_E,
  FLAG_I,
  FLAG_LOWER_B,
  FLAG_LOWER_C,
  FLAG_LOWER_K,
  FLAG_LOWER_Q,
  FLAG_LOWER_T,
  FLAG_LOWER_V,
  FLAG_LOWER_X,
  FLAG_N,
  FLAG_O,
  FLAG_T,
  MetaArithmeticRequest,
  MetaDeleteRequest,
  type MetaFlags,
  RequestStatus,
} from '@larder/protocol';
import type { SessionContext } from './context.ts';
import {
  CMD_META,
  DECR_HITS,
  DECR_MISSES,
  DELETE_HITS,
  DELETE_MISSES,
  INCR_HITS,
  INCR_MISSES,
  STORE_NO_MEMORY,
} from './counters.ts';
import { MetaLine } from './meta-reply.ts';
import { codeOf } from './meta-set.ts';
import type { SessionOutput } from './output.ts';
import { NO_MEMORY_ARITHMETIC, NOT_NUMERIC, STATUS_REPLIES } from './replies.ts';

export class MetaChanges {
  readonly #context: SessionContext;
  readonly #store: Store;
  readonly #counters: Float64Array;
  readonly #delete: MetaDeleteRequest;
  readonly #arithmetic: MetaArithmeticRequest;
  readonly #line: MetaLine;
  readonly #deleteOptions: MetaDeleteOptions = {
    compareCas: false,
    casLow: 0,
    casHigh: 0,
    invalidate: false,
    touchExpiry: -1,
    dropValue: false,
    hasNewCas: false,
    newCasLow: 0,
    newCasHigh: 0,
  };
  readonly #arithmeticOptions: ArithmeticOptions = {
    compareCas: false,
    casLow: 0,
    casHigh: 0,
    hasNewCas: false,
    newCasLow: 0,
    newCasHigh: 0,
    vivifyExpiry: -1,
    initial: 0n,
    touchExpiry: -1,
  };

  constructor(context: SessionContext) {
    this.#context = context;
    this.#store = context.store;
    this.#counters = context.counters;
    this.#delete = new MetaDeleteRequest(context.arena);
    this.#arithmetic = new MetaArithmeticRequest(context.arena);
    this.#line = new MetaLine(context);
  }

  /** Runs the md in the context's tokens. */
  delete(output: SessionOutput): void {
    const status = this.#delete.parse(this.#context.tokens);
    if (status !== RequestStatus.ok) {
      this.#context.fail(output, STATUS_REPLIES[status]!);
      return;
    }
    const flags = this.#delete.flags;
    const store = this.#store;
    const { keyOffset, keyBytes } = flags;
    const options = this.#deleteOptions;
    fillCas(options, flags);
    options.invalidate = flags.has(FLAG_I);
    options.dropValue = flags.has(FLAG_LOWER_X);
    const touches = flags.has(FLAG_T) && (options.invalidate || options.dropValue);
    options.touchExpiry = touches ? store.expiryFrom(flags.ttlSeconds) : -1;
    const hash = store.hash(keyOffset, keyBytes);
    this.#context.logDelete(output, keyOffset, keyBytes, hash, 'md');
    const result = store.metaDelete(keyOffset, keyBytes, hash, options);
    const done = result === StoreResult.deleted;
    const counters = this.#counters;
    counters[CMD_META]! += 1;
    if (!done) counters[DELETE_MISSES]! += 1;
    else if (!options.invalidate) counters[DELETE_HITS]! += 1;
    if (result === StoreResult.outOfMemory) {
      counters[STORE_NO_MEMORY]! += 1;
      this.#context.replies.fixed(output, NO_MEMORY_ARITHMETIC);
    } else if (!(done && flags.has(FLAG_LOWER_Q)) && this.#line.begin(output, codeOf(result))) {
      this.#line.opaqueAndKey(flags);
      this.#line.end();
    }
  }

  /** Runs the ma in the context's tokens. */
  arithmetic(output: SessionOutput): void {
    const request = this.#arithmetic;
    const status = request.parse(this.#context.tokens);
    if (status !== RequestStatus.ok) {
      this.#context.fail(output, STATUS_REPLIES[status]!);
      return;
    }
    const flags = request.flags;
    const store = this.#store;
    const options = this.#arithmeticOptions;
    fillCas(options, flags);
    options.vivifyExpiry = flags.has(FLAG_N) ? store.expiryFrom(flags.vivifySeconds) : -1;
    options.initial = flags.initial.toBigInt();
    options.touchExpiry = flags.has(FLAG_T) ? store.expiryFrom(flags.ttlSeconds) : -1;
    const hash = store.hash(flags.keyOffset, flags.keyBytes);
    const result = store.arithmetic(
      flags.keyOffset,
      flags.keyBytes,
      hash,
      request.decrement,
      flags.delta.toBigInt(),
      options,
    );
    this.#countArithmetic(result, request.decrement);
    if (result === StoreResult.notNumber) this.#context.fail(output, NOT_NUMERIC);
    else if (result === StoreResult.outOfMemory) this.#context.replies.fixed(output, NO_MEMORY_ARITHMETIC);
    else if (result === StoreResult.ok) {
      if (!flags.has(FLAG_LOWER_Q)) this.#number(output, flags);
    } else if (this.#line.begin(output, codeOf(result))) {
      this.#line.opaqueAndKey(flags);
      this.#line.end();
    }
  }

  #countArithmetic(result: StoreResult, decrement: boolean): void {
    const counters = this.#counters;
    counters[CMD_META]! += 1;
    if (result === StoreResult.ok) counters[decrement ? DECR_HITS : INCR_HITS]! += 1;
    else if (result === StoreResult.notFound) counters[decrement ? DECR_MISSES : INCR_MISSES]! += 1;
    else if (result === StoreResult.outOfMemory) counters[STORE_NO_MEMORY]! += 1;
  }

  #number(output: SessionOutput, flags: MetaFlags): void {
    const store = this.#store;
    const line = this.#line;
    const text = flags.has(FLAG_LOWER_V) ? store.lastNumber.toString() : '';
    if (!line.begin(output, text === '' ? 'HD' : 'VA')) return;
    if (text !== '') line.number(text.length);
    const count = flags.orderCount;
    for (let index = 0; index < count; index++) {
      const letter = flags.order[index]!;
      if (letter === FLAG_LOWER_C) line.flagWide(letter, store.lastCasLow, store.lastCasHigh);
      else if (letter === FLAG_LOWER_T) line.timeToLive(letter, store.lastExpiry, store.now());
      else if (letter === FLAG_O) line.opaque(this.#context.u8, flags.opaqueOffset, flags.opaqueBytes);
      else if (letter === FLAG_LOWER_K) line.key(flags.keyOffset, flags.keyBytes, flags.has(FLAG_LOWER_B));
    }
    line.end();
    if (text !== '') this.#context.replies.line(output, text);
  }
}

interface CasOptions {
  compareCas: boolean;
  casLow: number;
  casHigh: number;
  hasNewCas: boolean;
  newCasLow: number;
  newCasHigh: number;
}

function fillCas(options: CasOptions, flags: MetaFlags): void {
  options.compareCas = flags.has(FLAG_C);
  options.casLow = options.compareCas ? flags.compareCas.low : 0;
  options.casHigh = options.compareCas ? flags.compareCas.high : 0;
  options.hasNewCas = flags.has(FLAG_E);
  options.newCasLow = options.hasNewCas ? flags.newCas.low : 0;
  options.newCasHigh = options.hasNewCas ? flags.newCas.high : 0;
}
