/**
 * mg and me.
 */
import {
  META_SENT,
  META_STALE,
  META_VIVIFIED,
  META_WAS_FETCHED,
  META_WON,
  type MetaGetOptions,
  type Store,
} from '@larder/cache';
import {
  base64Encode,
  FLAG_C,
  FLAG_E,
  FLAG_LOWER_B,
  FLAG_LOWER_C,
  FLAG_LOWER_F,
  FLAG_LOWER_H,
  FLAG_LOWER_K,
  FLAG_LOWER_L,
  FLAG_LOWER_Q,
  FLAG_LOWER_S,
  FLAG_LOWER_T,
  FLAG_LOWER_U,
  FLAG_LOWER_V,
  FLAG_N,
  FLAG_O,
  FLAG_R,
  FLAG_T,
  META_LINE_BYTES_MAX,
  MetaDebugRequest,
  type MetaFlags,
  MetaGetRequest,
  RequestStatus,
  WideDecimal,
  writeAscii,
} from '@larder/protocol';
import type { SessionContext } from './context.ts';
import { CMD_GET, CMD_META, CMD_TOUCH, GET_HITS, GET_MISSES, TOUCH_HITS, TOUCH_MISSES } from './counters.ts';
import { MetaLine } from './meta-reply.ts';
import type { SessionOutput } from './output.ts';
import { EN, STATUS_REPLIES } from './replies.ts';

const LETTER_W = 87;
const LETTER_X = 88;
const LETTER_Z = 90;

export class MetaGets {
  readonly #context: SessionContext;
  readonly #store: Store;
  readonly #counters: Float64Array;
  readonly #request: MetaGetRequest;
  readonly #debug: MetaDebugRequest;
  readonly #line: MetaLine;
  readonly #wide: WideDecimal = new WideDecimal();
  readonly #options: MetaGetOptions = {
    touchExpiry: -1,
    vivifyExpiry: -1,
    recacheSeconds: -1,
    noBump: false,
    hasNewCas: false,
    newCasLow: 0,
    newCasHigh: 0,
  };

  constructor(context: SessionContext) {
    this.#context = context;
    this.#store = context.store;
    this.#counters = context.counters;
    this.#request = new MetaGetRequest(context.arena);
    this.#debug = new MetaDebugRequest(context.arena);
    this.#line = new MetaLine(context);
  }

  /** Runs the mg in the context's tokens. */
  get(output: SessionOutput): void {
    const status = this.#request.parse(this.#context.tokens);
    if (status !== RequestStatus.ok) {
      this.#context.fail(output, STATUS_REPLIES[status]!);
      return;
    }
    const flags = this.#request.flags;
    const store = this.#store;
    const hash = store.hash(flags.keyOffset, flags.keyBytes);
    const item = store.metaGet(flags.keyOffset, flags.keyBytes, hash, this.#optionsOf(flags));
    const outcome = store.metaOutcome;
    this.#count(flags, item !== 0 && (outcome & META_VIVIFIED) === 0);
    if (this.#context.observed) this.#context.logFetch(output, flags.keyOffset, flags.keyBytes, item);
    if (item !== 0) {
      this.#hit(output, flags, item, outcome);
      store.release(item);
    } else if (!flags.has(FLAG_LOWER_Q) && this.#line.begin(output, 'EN')) {
      this.#line.opaqueAndKey(flags);
      this.#line.end();
    }
  }

  #optionsOf(flags: MetaFlags): MetaGetOptions {
    const options = this.#options;
    const store = this.#store;
    options.touchExpiry = flags.has(FLAG_T) ? store.expiryFrom(flags.ttlSeconds) : -1;
    options.vivifyExpiry = flags.has(FLAG_N) ? store.expiryFrom(flags.vivifySeconds) : -1;
    options.recacheSeconds = flags.has(FLAG_R) ? Math.max(0, flags.recacheSeconds) : -1;
    options.noBump = flags.has(FLAG_LOWER_U);
    options.hasNewCas = flags.has(FLAG_E);
    if (options.hasNewCas) {
      options.newCasLow = flags.newCas.low;
      options.newCasHigh = flags.newCas.high;
    }
    return options;
  }

  #count(flags: MetaFlags, hit: boolean): void {
    const counters = this.#counters;
    counters[CMD_META]! += 1;
    if (flags.has(FLAG_T)) {
      counters[CMD_TOUCH]! += 1;
      counters[hit ? TOUCH_HITS : TOUCH_MISSES]! += 1;
    } else {
      counters[CMD_GET]! += 1;
      counters[hit ? GET_HITS : GET_MISSES]! += 1;
    }
  }

  #hit(output: SessionOutput, flags: MetaFlags, item: number, outcome: number): void {
    const store = this.#store;
    const line = this.#line;
    // A client that names the CAS it has does not want the value again.
    const known =
      flags.has(FLAG_C) &&
      flags.compareCas.low === store.casLow(item) &&
      flags.compareCas.high === store.casHigh(item);
    const withValue = flags.has(FLAG_LOWER_V) && !known;
    if (!line.begin(output, withValue ? 'VA' : 'HD')) return;
    if (withValue) line.number(store.valueBytes(item));
    this.#returnFlags(flags, item, outcome);
    if ((outcome & META_SENT) !== 0) line.flag(LETTER_Z);
    if ((outcome & META_STALE) !== 0) line.flag(LETTER_X);
    if ((outcome & META_WON) !== 0) line.flag(LETTER_W);
    line.end();
    if (withValue) store.sendValue(item, output);
  }

  #returnFlags(flags: MetaFlags, item: number, outcome: number): void {
    const store = this.#store;
    const line = this.#line;
    const count = flags.orderCount;
    for (let index = 0; index < count; index++) {
      const letter = flags.order[index]!;
      switch (letter) {
        case FLAG_LOWER_C:
          line.flagWide(letter, store.casLow(item), store.casHigh(item));
          break;
        case FLAG_LOWER_F:
          line.flagNumber(letter, store.clientFlags(item));
          break;
        case FLAG_LOWER_H:
          line.flagNumber(letter, (outcome & META_WAS_FETCHED) !== 0 ? 1 : 0);
          break;
        case FLAG_LOWER_K:
          line.key(flags.keyOffset, flags.keyBytes, flags.has(FLAG_LOWER_B));
          break;
        case FLAG_LOWER_L:
          line.flagNumber(letter, Math.max(0, store.now() - store.metaLastAccess));
          break;
        case FLAG_LOWER_S:
          line.flagNumber(letter, store.valueBytes(item));
          break;
        case FLAG_LOWER_T:
          line.timeToLive(letter, store.expiry(item), store.now());
          break;
        case FLAG_O:
          line.opaque(this.#context.u8, flags.opaqueOffset, flags.opaqueBytes);
          break;
        default:
          break;
      }
    }
  }

  /** Runs the me in the context's tokens. */
  debug(output: SessionOutput): void {
    const request = this.#debug;
    const status = request.parse(this.#context.tokens);
    if (status !== RequestStatus.ok) {
      this.#context.fail(output, STATUS_REPLIES[status]!);
      return;
    }
    this.#counters[CMD_META]! += 1;
    const store = this.#store;
    const hash = store.hash(request.keyOffset, request.keyBytes);
    const item = store.peek(request.keyOffset, request.keyBytes, hash, true);
    if (item === 0) {
      this.#context.replies.fixed(output, EN);
      return;
    }
    const u8 = this.#context.u8;
    let at = output.reserve(META_LINE_BYTES_MAX);
    if (at !== 0) {
      at = writeAscii(u8, at, 'ME ');
      if (request.keyBinary) at = base64Encode(u8, request.keyOffset, request.keyBytes, at);
      else {
        u8.copyWithin(at, request.keyOffset, request.keyOffset + request.keyBytes);
        at += request.keyBytes;
      }
      at = writeAscii(u8, at, this.#describe(item));
      at = this.#wide.write(u8, at, store.casLow(item), store.casHigh(item));
      at = writeAscii(u8, at, this.#describeRest(item));
      output.cursor = at;
    }
    store.release(item);
  }

  /** memcached counts the time to live downwards from zero; tools read it so. */
  #describe(item: number): string {
    const store = this.#store;
    const expiry = store.expiry(item);
    const exp = expiry === 0 ? -1 : store.now() - expiry;
    return ` exp=${exp} la=${Math.max(0, store.now() - store.lastAccess(item))} cas=`;
  }

  #describeRest(item: number): string {
    const store = this.#store;
    const state = store.isStub(item) ? ' state=stub' : store.isStale(item) ? ' state=stale' : '';
    const fetch = store.isFetched(item) ? 'yes' : 'no';
    return ` fetch=${fetch} cls=${store.slabClass(item)} size=${store.totalBytes(item)}${state}\r\n`;
  }
}
