/**
 * get, gets, gat and gats.
 *
 * A plain get is one pass over its line: each key is found, hashed, and its ready-made reply copied behind the
 * previous one. What cannot be copied in place (a long value, the end of a send buffer) is sent by reference
 * or spilled by the store. memcached answers a line with an over-long key by the error alone; because the keys
 * in front of it have been answered by then, what was copied is taken back. The first part that cannot be
 * taken back is sent only after the rest of the line has been checked.
 */
import type { Store } from '@larder/cache';
import {
  ByteScanner,
  KeyList,
  KeyStep,
  NOT_A_NUMBER,
  RequestStatus,
  readSigned,
  VALUE_LINE_BYTES_MAX,
  WideDecimal,
  wordOf,
  writeAscii,
  writeU32,
} from '@larder/protocol';
import type { SessionContext } from './context.ts';
import { CMD_GET, CMD_TOUCH, GET_HITS, GET_MISSES, TOUCH_HITS, TOUCH_MISSES } from './counters.ts';
import type { SessionOutput } from './output.ts';
import { BAD_FORMAT, END, ERROR, STATUS_REPLIES } from './replies.ts';

const END_WORD: number = wordOf('END\r');
const END_BYTES = 5;
/** Room that END takes, written as two words. */
const END_ROOM = 8;

export class Retrieval {
  readonly #context: SessionContext;
  readonly #store: Store;
  readonly #view: DataView;
  readonly #u8: Uint8Array;
  readonly #counters: Float64Array;
  readonly #keys: KeyList;
  readonly #scanner: ByteScanner;
  readonly #wide: WideDecimal = new WideDecimal();

  constructor(context: SessionContext) {
    this.#context = context;
    this.#store = context.store;
    this.#view = context.arena.view;
    this.#u8 = context.u8;
    this.#counters = context.counters;
    this.#keys = new KeyList(context.arena);
    this.#scanner = new ByteScanner(context.arena);
  }

  /**
   * Answers a get whose keys begin at `at`; its line is known to end before `end`. Returns where the next
   * request begins.
   */
  get(output: SessionOutput, at: number, end: number): number {
    if (this.#context.observed) return this.#getSlowly(output, at, end, false);
    const keys = this.#keys;
    const store = this.#store;
    keys.at = at;
    let step = keys.next();
    if (step === KeyStep.end) {
      this.#context.fail(output, ERROR);
      return keys.at;
    }
    const begin = output.reserve(END_ROOM);
    if (begin === 0) return end;
    let target = begin;
    let hits = 0;
    let misses = 0;
    let committed = false;
    while (step === KeyStep.key) {
      const hash = store.hash(keys.keyOffset, keys.keyBytes);
      const bytes = store.copyReply(keys.keyOffset, keys.keyBytes, hash, target, output.limit - target);
      if (bytes > 0) {
        target += bytes;
        hits++;
      } else if (bytes === 0) {
        misses++;
      } else {
        if (!committed && !keys.restIsValid()) {
          step = KeyStep.bad;
          break;
        }
        committed = true;
        output.cursor = target;
        if (this.#sendLong(output, hash)) hits++;
        else misses++;
        target = output.cursor;
      }
      step = keys.next();
    }
    if (step === KeyStep.bad) {
      output.cursor = begin;
      return this.#badKey(output, end);
    }
    output.cursor = target;
    this.#end(output);
    const counters = this.#counters;
    counters[CMD_GET]! += hits + misses;
    counters[GET_HITS]! += hits;
    counters[GET_MISSES]! += misses;
    return keys.at;
  }

  gets(output: SessionOutput, at: number, end: number): number {
    return this.#getSlowly(output, at, end, true);
  }

  /** Answers gat or gats; `at` is where the expiry time is looked for. */
  getAndTouch(output: SessionOutput, at: number, end: number, withCas: boolean): number {
    const keys = this.#keys;
    keys.at = at;
    const step = keys.next();
    if (step === KeyStep.end) {
      this.#context.fail(output, ERROR);
      return keys.at;
    }
    if (step === KeyStep.bad) return this.#badKey(output, end);
    const exptime = readSigned(this.#u8, keys.keyOffset, keys.keyOffset + keys.keyBytes);
    if (exptime === NOT_A_NUMBER) {
      this.#context.fail(output, STATUS_REPLIES[RequestStatus.badExptime]!);
      return this.#lineEnd(end);
    }
    if (!keys.restIsValid()) return this.#badKey(output, end);
    const first = keys.at;
    if (keys.next() === KeyStep.end) {
      this.#context.fail(output, ERROR);
      return keys.at;
    }
    keys.at = first;
    return this.#each(output, withCas, this.#store.expiryFrom(exptime));
  }

  /** gets, and get while somebody watches: item by item. */
  #getSlowly(output: SessionOutput, at: number, end: number, withCas: boolean): number {
    const keys = this.#keys;
    keys.at = at;
    const step = keys.next();
    if (step === KeyStep.end) {
      this.#context.fail(output, ERROR);
      return keys.at;
    }
    if (step === KeyStep.bad || !keys.restIsValid()) return this.#badKey(output, end);
    keys.at = at;
    return this.#each(output, withCas, -1);
  }

  /** Answers the keys from here to the end of the line, which are known to be valid. */
  #each(output: SessionOutput, withCas: boolean, expiry: number): number {
    const keys = this.#keys;
    const store = this.#store;
    let hits = 0;
    let misses = 0;
    for (let step = keys.next(); step === KeyStep.key; step = keys.next()) {
      const hash = store.hash(keys.keyOffset, keys.keyBytes);
      const item =
        expiry === -1
          ? store.acquire(keys.keyOffset, keys.keyBytes, hash)
          : store.acquireAndTouch(keys.keyOffset, keys.keyBytes, hash, expiry);
      if (this.#context.observed) this.#context.logFetch(output, keys.keyOffset, keys.keyBytes, item);
      if (item === 0) {
        misses++;
        continue;
      }
      hits++;
      if (withCas) this.#sendWithCas(output, item);
      else store.sendReply(item, output, this.#context.mustRefer(output, item));
      store.release(item);
    }
    this.#context.replies.fixed(output, END);
    const counters = this.#counters;
    const touch = expiry !== -1;
    counters[touch ? CMD_TOUCH : CMD_GET]! += hits + misses;
    counters[touch ? TOUCH_HITS : GET_HITS]! += hits;
    counters[touch ? TOUCH_MISSES : GET_MISSES]! += misses;
    return keys.at;
  }

  /** The current key's reply, when it cannot be copied in place. False when the item is gone meanwhile. */
  #sendLong(output: SessionOutput, hash: number): boolean {
    const keys = this.#keys;
    const item = this.#store.acquire(keys.keyOffset, keys.keyBytes, hash);
    if (item === 0) return false;
    this.#store.sendReply(item, output, this.#context.mustRefer(output, item));
    this.#store.release(item);
    return true;
  }

  /** VALUE key flags bytes cas */
  #sendWithCas(output: SessionOutput, item: number): void {
    const store = this.#store;
    const u8 = this.#u8;
    let at = output.reserve(VALUE_LINE_BYTES_MAX);
    if (at === 0) return;
    const keyOffset = store.keyOffset(item);
    const keyBytes = store.keyBytes(item);
    at = writeAscii(u8, at, 'VALUE ');
    u8.copyWithin(at, keyOffset, keyOffset + keyBytes);
    at = writeAscii(u8, at + keyBytes, ' ');
    at = writeU32(u8, at, store.clientFlags(item));
    at = writeAscii(u8, at, ' ');
    at = writeU32(u8, at, store.valueBytes(item));
    at = writeAscii(u8, at, ' ');
    at = this.#wide.write(u8, at, store.casLow(item), store.casHigh(item));
    output.cursor = writeAscii(u8, at, '\r\n');
    store.sendValue(item, output, this.#context.mustRefer(output, item));
  }

  #end(output: SessionOutput): void {
    const at = output.reserve(END_ROOM);
    if (at === 0) return;
    this.#view.setInt32(at, END_WORD, true);
    this.#u8[at + 4] = 10;
    output.cursor = at + END_BYTES;
  }

  /** memcached's answer to an over-long key; nothing else of the line is answered. */
  #badKey(output: SessionOutput, end: number): number {
    this.#context.fail(output, BAD_FORMAT);
    return this.#lineEnd(end);
  }

  /** The first byte behind the current line. */
  #lineEnd(end: number): number {
    const newline = this.#scanner.newline(this.#keys.at, end);
    return newline < 0 ? end : newline + 1;
  }
}
