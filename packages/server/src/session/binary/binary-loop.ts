/**
 * The binary protocol on a connection whose first byte was its magic. Requests are taken one after the other; the
 * values of storage requests are streamed (`binary-storage.ts`), everything else is run when it is there whole.
 *
 * Quiet requests answer only what their sender did not expect: misses of a quiet get, successes of all others
 * are passed over in silence. A header that cannot be one ends the connection.
 */
import { type ArithmeticOptions, type MetaDeleteOptions, type Store, StoreResult } from '@larder/cache';
import {
  BINARY_HEADER_BYTES,
  BinaryRequest,
  KEY_BYTES_MAX,
  BinaryOpcode as Opcode,
  BinaryStatus as Status,
} from '@larder/protocol';
import { PROTOCOL_LEVEL } from '../administration.ts';
import type { SessionContext } from '../context.ts';
import * as counters from '../counters.ts';
import { CommandKind } from '../latency.ts';
import type { SessionOutput } from '../output.ts';
import { type Session, SessionState } from '../session.ts';
import { BinaryReplies } from './binary-replies.ts';
import { BinaryStorage } from './binary-storage.ts';

/** Longest body of a request that is not a storage request: extras, a key, nothing else. */
const SMALL_BODY_BYTES_MAX = 512;
/** An increment with this expiry makes no missing item. */
const NO_VIVIFY = 0xffff_ffff;
const ARITHMETIC_EXTRAS = 20;
const STORAGE_EXTRAS = 8;
const EXPIRY_EXTRAS = 4;

/** Quiet opcodes and what they do; all others are loud. */
const LOUD: ReadonlyMap<number, number> = new Map<number, number>([
  [Opcode.getQuietly, Opcode.get],
  [Opcode.getKeyQuietly, Opcode.getKey],
  [Opcode.setQuietly, Opcode.set],
  [Opcode.addQuietly, Opcode.add],
  [Opcode.replaceQuietly, Opcode.replace],
  [Opcode.deleteQuietly, Opcode.delete],
  [Opcode.incrementQuietly, Opcode.increment],
  [Opcode.decrementQuietly, Opcode.decrement],
  [Opcode.quitQuietly, Opcode.quit],
  [Opcode.flushQuietly, Opcode.flush],
  [Opcode.appendQuietly, Opcode.append],
  [Opcode.prependQuietly, Opcode.prepend],
  [Opcode.getAndTouchQuietly, Opcode.getAndTouch],
  [Opcode.getKeyAndTouchQuietly, Opcode.getKeyAndTouch],
]);

export class BinaryLoop {
  readonly #context: SessionContext;
  readonly #store: Store;
  readonly #counters: Float64Array;
  readonly #request: BinaryRequest;
  readonly #replies: BinaryReplies;
  readonly #storage: BinaryStorage;
  readonly #arithmetic: ArithmeticOptions = {
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
  readonly #delete: MetaDeleteOptions = {
    compareCas: true,
    casLow: 0,
    casHigh: 0,
    invalidate: false,
    touchExpiry: -1,
    dropValue: false,
    hasNewCas: false,
    newCasLow: 0,
    newCasHigh: 0,
  };

  constructor(context: SessionContext) {
    this.#context = context;
    this.#store = context.store;
    this.#counters = context.counters;
    this.#request = new BinaryRequest(context.arena);
    this.#replies = new BinaryReplies(context.arena, context.store);
    this.#storage = new BinaryStorage(context, this.#replies);
  }

  /** One request, or one part of a value. Returns where the next one begins, or `at` when bytes are missing. */
  step(session: Session, output: SessionOutput, at: number, end: number): number {
    if (session.state === SessionState.binaryData) return this.#storage.more(session, output, at, end);
    if (session.state === SessionState.binarySwallow) return swallow(session, at, end);
    if (end - at < BINARY_HEADER_BYTES) return at;
    const request = this.#request;
    if (!request.read(at)) {
      this.#counters[counters.PROTOCOL_ERRORS]! += 1;
      session.state = SessionState.closed;
      output.end();
      return end;
    }
    const opcode = LOUD.get(request.opcode) ?? request.opcode;
    const quiet = opcode !== request.opcode;
    if (isStorage(opcode)) return this.#storeWhole(session, output, opcode, quiet, at, end);
    const bodyBytes = request.extrasBytes + request.keyBytes + request.valueBytes;
    if (bodyBytes > SMALL_BODY_BYTES_MAX) return this.#refuse(session, output, bodyBytes, at, end);
    if (end - request.valueOffset < request.valueBytes) return at;
    this.#small(session, output, opcode, quiet);
    return request.valueOffset + request.valueBytes;
  }

  /** A storage request, once its extras and its key are there. */
  #storeWhole(
    session: Session,
    output: SessionOutput,
    opcode: number,
    quiet: boolean,
    at: number,
    end: number,
  ): number {
    const request = this.#request;
    const extras = opcode === Opcode.append || opcode === Opcode.prepend ? 0 : STORAGE_EXTRAS;
    if (request.extrasBytes !== extras || !hasKey(request)) {
      const bodyBytes = request.extrasBytes + request.keyBytes + request.valueBytes;
      return this.#refuse(session, output, bodyBytes, at, end);
    }
    if (end < request.valueOffset) return at;
    this.#context.kind = CommandKind.set;
    this.#storage.begin(session, output, request, opcode, quiet);
    // Of a value without bytes nothing more will come.
    if (session.valueBytes === 0 && session.state === SessionState.binaryData)
      this.#storage.more(session, output, request.valueOffset, request.valueOffset);
    return request.valueOffset;
  }

  /** Answers that the request makes no sense, and throws its body away. */
  #refuse(session: Session, output: SessionOutput, bodyBytes: number, at: number, end: number): number {
    this.#counters[counters.PROTOCOL_ERRORS]! += 1;
    this.#replies.status(output, this.#request, Status.invalid);
    session.restBytes = bodyBytes;
    session.state = SessionState.binarySwallow;
    return swallow(session, at + BINARY_HEADER_BYTES, end);
  }

  /** A request that is there whole. */
  #small(session: Session, output: SessionOutput, opcode: number, quiet: boolean): void {
    const request = this.#request;
    this.#context.kind = CommandKind.other;
    if (!isWellFormed(request, opcode)) {
      this.#counters[counters.PROTOCOL_ERRORS]! += 1;
      this.#replies.status(output, request, isKnown(opcode) ? Status.invalid : Status.unknownCommand);
      return;
    }
    switch (opcode) {
      case Opcode.get:
      case Opcode.getKey:
        this.#get(output, opcode === Opcode.getKey, quiet);
        break;
      case Opcode.touch:
      case Opcode.getAndTouch:
      case Opcode.getKeyAndTouch:
        this.#getAndTouch(output, opcode, quiet);
        break;
      case Opcode.delete:
        this.#deleteKey(output, quiet);
        break;
      case Opcode.increment:
      case Opcode.decrement:
        this.#change(output, opcode === Opcode.decrement, quiet);
        break;
      default:
        this.#administer(session, output, opcode, quiet);
    }
  }

  #get(output: SessionOutput, withKey: boolean, quiet: boolean): void {
    const { keyOffset, keyBytes } = this.#request;
    this.#context.kind = CommandKind.get;
    const item = this.#store.acquire(keyOffset, keyBytes, this.#store.hash(keyOffset, keyBytes));
    this.#counters[counters.CMD_GET]! += 1;
    this.#counters[item === 0 ? counters.GET_MISSES : counters.GET_HITS]! += 1;
    this.#answer(output, item, withKey, true, quiet);
  }

  #getAndTouch(output: SessionOutput, opcode: number, quiet: boolean): void {
    const request = this.#request;
    const { keyOffset, keyBytes } = request;
    this.#context.kind = CommandKind.touch;
    const hash = this.#store.hash(keyOffset, keyBytes);
    const expiry = this.#store.expiryFrom(request.extra(0));
    const item = this.#store.acquireAndTouch(keyOffset, keyBytes, hash, expiry);
    this.#counters[counters.CMD_TOUCH]! += 1;
    this.#counters[item === 0 ? counters.TOUCH_MISSES : counters.TOUCH_HITS]! += 1;
    this.#answer(output, item, opcode === Opcode.getKeyAndTouch, opcode !== Opcode.touch, quiet);
  }

  /** `item` is 0 for a miss; otherwise it is retained, and released here. */
  #answer(output: SessionOutput, item: number, withKey: boolean, withValue: boolean, quiet: boolean): void {
    const request = this.#request;
    const { keyOffset, keyBytes } = request;
    if (this.#context.observed) this.#context.logFetch(output, keyOffset, keyBytes, item);
    if (item !== 0) {
      this.#replies.item(output, request, item, withKey, withValue);
      this.#store.release(item);
    } else if (!quiet && withKey) {
      const key = this.#context.arena.node.toString('latin1', keyOffset, keyOffset + keyBytes);
      this.#replies.text(output, request, Status.notFound, key, '');
    } else if (!quiet) this.#replies.status(output, request, Status.notFound);
  }

  #deleteKey(output: SessionOutput, quiet: boolean): void {
    const request = this.#request;
    const { keyOffset, keyBytes, casLow, casHigh } = request;
    const store = this.#store;
    this.#context.kind = CommandKind.delete;
    const hash = store.hash(keyOffset, keyBytes);
    this.#context.logDelete(output, keyOffset, keyBytes, hash, 'delete');
    let result: StoreResult;
    if (casLow === 0 && casHigh === 0) result = store.delete(keyOffset, keyBytes, hash, 0);
    else {
      this.#delete.casLow = casLow;
      this.#delete.casHigh = casHigh;
      result = store.metaDelete(keyOffset, keyBytes, hash, this.#delete);
    }
    const deleted = result === StoreResult.deleted;
    if (deleted) this.#counters[counters.DELETE_HITS]! += 1;
    else if (result === StoreResult.notFound) this.#counters[counters.DELETE_MISSES]! += 1;
    if (!deleted)
      this.#replies.status(output, request, result === StoreResult.exists ? Status.exists : Status.notFound);
    else if (!quiet) this.#replies.ok(output, request, 0, 0);
  }

  #change(output: SessionOutput, decrement: boolean, quiet: boolean): void {
    const request = this.#request;
    const { keyOffset, keyBytes } = request;
    const store = this.#store;
    this.#context.kind = CommandKind.arithmetic;
    const options = this.#arithmetic;
    options.casLow = request.casLow;
    options.casHigh = request.casHigh;
    options.compareCas = request.casLow !== 0 || request.casHigh !== 0;
    options.initial = request.wideExtra(8);
    const exptime = request.extra(16);
    options.vivifyExpiry = exptime === NO_VIVIFY ? -1 : store.expiryFrom(exptime);
    const hash = store.hash(keyOffset, keyBytes);
    const result = store.arithmetic(keyOffset, keyBytes, hash, decrement, request.wideExtra(0), options);
    const hits = decrement ? counters.DECR_HITS : counters.INCR_HITS;
    const misses = decrement ? counters.DECR_MISSES : counters.INCR_MISSES;
    if (result === StoreResult.ok) {
      this.#counters[hits]! += 1;
      if (!quiet)
        this.#replies.number(output, request, store.lastNumber, store.lastCasLow, store.lastCasHigh);
      return;
    }
    if (result === StoreResult.notFound) this.#counters[misses]! += 1;
    if (result === StoreResult.outOfMemory) this.#counters[counters.STORE_NO_MEMORY]! += 1;
    this.#replies.status(output, request, arithmeticFailure(result));
  }

  #administer(session: Session, output: SessionOutput, opcode: number, quiet: boolean): void {
    const request = this.#request;
    const { options } = this.#context;
    switch (opcode) {
      case Opcode.noop:
        this.#replies.ok(output, request, 0, 0);
        break;
      case Opcode.version:
        this.#replies.text(output, request, Status.ok, '', `${PROTOCOL_LEVEL}-larder-${options.version}`);
        break;
      case Opcode.quit:
        if (!quiet) this.#replies.ok(output, request, 0, 0);
        session.state = SessionState.closed;
        output.end();
        break;
      case Opcode.flush:
        this.#flush(output, quiet);
        break;
      case Opcode.verbosity:
        options.control.setVerbosity(request.extra(0));
        this.#replies.ok(output, request, 0, 0);
        break;
      default:
        this.#stat(output);
    }
  }

  #flush(output: SessionOutput, quiet: boolean): void {
    const request = this.#request;
    this.#counters[counters.CMD_FLUSH]! += 1;
    if (!this.#context.options.flushEnabled) {
      this.#replies.status(output, request, Status.invalid);
      return;
    }
    const exptime = request.extrasBytes === 0 ? 0 : request.extra(0);
    this.#store.flushAll(
      exptime === 0 ? 0 : Math.max(0, this.#store.expiryFrom(exptime) - this.#store.now()),
    );
    if (!quiet) this.#replies.ok(output, request, 0, 0);
  }

  /** Every row is a response of its own; one without a key is the end. */
  #stat(output: SessionOutput): void {
    const request = this.#request;
    const source = this.#context.options.statistics;
    const { keyOffset, keyBytes } = request;
    const name = this.#context.arena.node.toString('latin1', keyOffset, keyOffset + keyBytes);
    if (name === 'reset') source.reset();
    const rows =
      name === ''
        ? source.general()
        : name === 'settings' || name === 'items' || name === 'slabs' || name === 'sizes' || name === 'conns'
          ? source[name]()
          : name === 'reset'
            ? []
            : undefined;
    if (rows === undefined) {
      this.#replies.status(output, request, Status.notFound);
      return;
    }
    for (const [key, value] of rows) this.#replies.text(output, request, Status.ok, key, String(value));
    this.#replies.text(output, request, Status.ok, '', '');
  }
}

function swallow(session: Session, at: number, end: number): number {
  const taken = Math.min(session.restBytes, end - at);
  session.restBytes -= taken;
  if (session.restBytes === 0) session.state = SessionState.binary;
  return at + taken;
}

function hasKey(request: BinaryRequest): boolean {
  return request.keyBytes > 0 && request.keyBytes <= KEY_BYTES_MAX;
}

function isStorage(opcode: number): boolean {
  return (
    opcode === Opcode.set ||
    opcode === Opcode.add ||
    opcode === Opcode.replace ||
    opcode === Opcode.append ||
    opcode === Opcode.prepend
  );
}

const KNOWN: ReadonlySet<number> = new Set(Object.values(Opcode));

function isKnown(opcode: number): boolean {
  return KNOWN.has(opcode);
}

/** Whether a request that carries no value has the parts that its opcode wants. */
function isWellFormed(request: BinaryRequest, opcode: number): boolean {
  const { extrasBytes, keyBytes, valueBytes } = request;
  if (!isKnown(opcode) || valueBytes !== 0) return false;
  switch (opcode) {
    case Opcode.get:
    case Opcode.getKey:
    case Opcode.delete:
      return extrasBytes === 0 && hasKey(request);
    case Opcode.touch:
    case Opcode.getAndTouch:
    case Opcode.getKeyAndTouch:
      return extrasBytes === EXPIRY_EXTRAS && hasKey(request);
    case Opcode.increment:
    case Opcode.decrement:
      return extrasBytes === ARITHMETIC_EXTRAS && hasKey(request);
    case Opcode.flush:
      return keyBytes === 0 && (extrasBytes === 0 || extrasBytes === EXPIRY_EXTRAS);
    case Opcode.verbosity:
      return keyBytes === 0 && extrasBytes === EXPIRY_EXTRAS;
    case Opcode.stat:
      return extrasBytes === 0 && keyBytes <= KEY_BYTES_MAX;
    default:
      return extrasBytes === 0 && keyBytes === 0;
  }
}

function arithmeticFailure(result: StoreResult): Status {
  switch (result) {
    case StoreResult.notFound:
      return Status.notFound;
    case StoreResult.exists:
      return Status.exists;
    case StoreResult.notNumber:
      return Status.notNumeric;
    default:
      return Status.outOfMemory;
  }
}
