/**
 * ms: the line, and what happens when its data block is complete.
 */
import { type Store, StoreMode, StoreResult } from '@larder/cache';
import {
  FLAG_C,
  FLAG_E,
  FLAG_I,
  FLAG_LOWER_C,
  FLAG_LOWER_K,
  FLAG_LOWER_S,
  FLAG_N,
  FLAG_O,
  FLAG_T,
  type MetaFlags,
  MetaSetRequest,
  RequestStatus,
  SET_MODE_ADD,
  SET_MODE_APPEND,
  SET_MODE_PREPEND,
  SET_MODE_REPLACE,
} from '@larder/protocol';
import type { SessionContext } from './context.ts';
import { CAS_BADVAL, CAS_HITS, CAS_MISSES, CMD_META, CMD_SET, STORE_NO_MEMORY } from './counters.ts';
import { EventCategory } from './event-log.ts';
import { MetaLine, PendingMeta } from './meta-reply.ts';
import type { SessionOutput } from './output.ts';
import { NO_MEMORY, STATUS_REPLIES } from './replies.ts';
import { type Session, SessionState } from './session.ts';
import { type MetaSetFinisher, type Storage, statusName } from './storage.ts';

export class MetaSets implements MetaSetFinisher {
  readonly #context: SessionContext;
  readonly #store: Store;
  readonly #counters: Float64Array;
  readonly #storage: Storage;
  readonly #request: MetaSetRequest;
  readonly #line: MetaLine;
  /** For sets whose data block came with their line. */
  #pending: PendingMeta = new PendingMeta();

  constructor(context: SessionContext, storage: Storage) {
    this.#context = context;
    this.#store = context.store;
    this.#counters = context.counters;
    this.#storage = storage;
    this.#request = new MetaSetRequest(context.arena);
    this.#line = new MetaLine(context);
    storage.connect(this);
  }

  /** Runs the ms in the context's tokens; `at` is the first byte behind the line. See `Storage.store`. */
  set(session: Session, output: SessionOutput, at: number, end: number): number {
    const request = this.#request;
    const status = request.parse(this.#context.tokens);
    if (status !== RequestStatus.ok) {
      this.#context.fail(output, STATUS_REPLIES[status]!);
      return request.valueBytes < 0 ? at : this.#storage.swallow(session, request.valueBytes, at, end);
    }
    this.#counters[CMD_SET]! += 1;
    this.#counters[CMD_META]! += 1;
    const flags = request.flags;
    const store = this.#store;
    const hash = store.hash(flags.keyOffset, flags.keyBytes);
    const expiry = flags.has(FLAG_T) ? store.expiryFrom(flags.ttlSeconds) : 0;
    session.isMeta = true;
    session.isLease = false;
    session.noreply = false;
    session.exptime = flags.ttlSeconds;
    const { valueBytes } = request;
    const item = store.create(flags.keyOffset, flags.keyBytes, hash, flags.clientFlags, expiry, valueBytes);
    if (item <= 0) {
      session.isMeta = false;
      session.mode = StoreMode.set;
      store.unlinkKey(flags.keyOffset, flags.keyBytes, hash);
      return this.#storage.refuseMeta(session, output, item, valueBytes, at, end);
    }
    const pending = this.#pending;
    pending.copyFrom(this.#context.u8, flags);
    this.#fillOptions(pending, flags);
    session.meta = pending;
    const next = this.#storage.block(session, output, item, valueBytes, at, end);
    // A session whose data is still to come keeps the notes; others are written into a new set of notes.
    if (session.state === SessionState.data) this.#pending = new PendingMeta();
    return next;
  }

  #fillOptions(pending: PendingMeta, flags: MetaFlags): void {
    const options = pending.options;
    options.mode = modeOf(flags.mode);
    // An add has nothing to compare with: memcached ignores the CAS then.
    options.compareCas = flags.has(FLAG_C) && options.mode !== StoreMode.add;
    options.casLow = options.compareCas ? flags.compareCas.low : 0;
    options.casHigh = options.compareCas ? flags.compareCas.high : 0;
    options.invalidateOlder = flags.has(FLAG_I);
    options.hasNewCas = flags.has(FLAG_E);
    options.newCasLow = options.hasNewCas ? flags.newCas.low : 0;
    options.newCasHigh = options.hasNewCas ? flags.newCas.high : 0;
    options.vivifyExpiry = flags.has(FLAG_N) ? this.#store.expiryFrom(flags.vivifySeconds) : -1;
  }

  finishMeta(session: Session, output: SessionOutput): void {
    const store = this.#store;
    const item = session.item;
    const pending = session.meta!;
    session.item = 0;
    session.meta = null;
    session.isMeta = false;
    const watched = (this.#context.watched & EventCategory.mutations) !== 0;
    const key = watched ? this.#context.keyText(store.keyOffset(item), store.keyBytes(item)) : '';
    const slabClass = watched ? store.slabClass(item) : 0;
    const bytes = store.valueBytes(item);
    // Linking may free the item, and the reply may need its key.
    store.retain(item);
    const result = store.linkMeta(item, pending.options);
    if (watched)
      this.#context.logStore(output, key, statusName(result), 'ms', session.exptime, slabClass, bytes);
    this.#count(pending, result);
    if (result === StoreResult.outOfMemory) this.#context.replies.fixed(output, NO_MEMORY);
    else if (result !== StoreResult.stored || !pending.quiet) this.#reply(output, pending, item, result);
    store.release(item);
  }

  #reply(output: SessionOutput, pending: PendingMeta, item: number, result: StoreResult): void {
    const store = this.#store;
    const line = this.#line;
    if (!line.begin(output, codeOf(result))) return;
    const stored = result === StoreResult.stored;
    for (let index = 0; index < pending.orderCount; index++) {
      const letter = pending.order[index]!;
      if (letter === FLAG_O) line.opaque(pending.opaque, 0, pending.opaqueBytes);
      else if (letter === FLAG_LOWER_K)
        line.key(store.keyOffset(item), store.keyBytes(item), pending.keyBinary);
      else if (letter === FLAG_LOWER_C) {
        line.flagWide(letter, stored ? store.lastCasLow : 0, stored ? store.lastCasHigh : 0);
      } else if (letter === FLAG_LOWER_S) line.flagNumber(letter, this.#finalBytes(pending, item, stored));
    }
    line.end();
  }

  /** The length of the value as it is now stored: append and prepend made it longer. */
  #finalBytes(pending: PendingMeta, item: number, stored: boolean): number {
    const store = this.#store;
    const { mode } = pending.options;
    const own = store.valueBytes(item);
    if (!stored || (mode !== StoreMode.append && mode !== StoreMode.prepend)) return own;
    const keyOffset = store.keyOffset(item);
    const keyBytes = store.keyBytes(item);
    const linked = store.peek(keyOffset, keyBytes, store.hash(keyOffset, keyBytes), true);
    if (linked === 0) return own;
    const bytes = store.valueBytes(linked);
    store.release(linked);
    return bytes;
  }

  #count(pending: PendingMeta, result: StoreResult): void {
    const counters = this.#counters;
    if (result === StoreResult.outOfMemory) counters[STORE_NO_MEMORY]! += 1;
    if (!pending.options.compareCas) return;
    if (result === StoreResult.stored) counters[CAS_HITS]! += 1;
    else if (result === StoreResult.exists) counters[CAS_BADVAL]! += 1;
    else if (result === StoreResult.notFound) counters[CAS_MISSES]! += 1;
  }
}

function modeOf(mode: number): StoreMode {
  switch (mode) {
    case SET_MODE_ADD:
      return StoreMode.add;
    case SET_MODE_APPEND:
      return StoreMode.append;
    case SET_MODE_PREPEND:
      return StoreMode.prepend;
    case SET_MODE_REPLACE:
      return StoreMode.replace;
    default:
      return StoreMode.set;
  }
}

/** The two letters of a result. */
export function codeOf(result: StoreResult): string {
  switch (result) {
    case StoreResult.stored:
    case StoreResult.deleted:
    case StoreResult.ok:
      return 'HD';
    case StoreResult.exists:
      return 'EX';
    case StoreResult.notFound:
      return 'NF';
    default:
      return 'NS';
  }
}
