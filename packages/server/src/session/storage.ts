/**
 * set, add, replace, append, prepend, cas and lease-set: the line, and the data block behind it.
 *
 * A block that is already in the buffer goes straight into its item. Otherwise the item is made when the line
 * is read, and filled as the block arrives; nothing but the item ever holds the value. What cannot be stored
 * is answered at once and its block thrown away.
 */
import { type Store, StoreMode, StoreResult } from '@larder/cache';
import {
  type Command,
  Command as Commands,
  CRLF_16,
  LeaseSetRequest,
  RequestStatus,
  StoreRequest,
} from '@larder/protocol';
import type { SessionContext } from './context.ts';
import {
  CAS_BADVAL,
  CAS_HITS,
  CAS_MISSES,
  CMD_SET,
  LEASE_SET_REJECTED,
  LEASE_SET_STALE,
  LEASE_SET_STORED,
  STORE_NO_MEMORY,
  STORE_TOO_LARGE,
} from './counters.ts';
import type { SessionOutput } from './output.ts';
import {
  BAD_DATA,
  EXISTS,
  type FixedReply,
  NO_MEMORY,
  NOT_FOUND,
  NOT_STORED,
  STALE_STORED,
  STATUS_REPLIES,
  STORED,
  TOO_LARGE,
} from './replies.ts';
import { type Session, SessionState } from './session.ts';

/** What ends a data block. */
export const TERMINATOR_BYTES = 2;

/** Finishes a meta set whose data block is complete; see meta-set.ts. */
export interface MetaSetFinisher {
  finishMeta(session: Session, output: SessionOutput): void;
}

/** The modes as `watch mutations` words them, by their numbers. */
export const MODE_NAMES: readonly string[] = ['', 'set', 'add', 'replace', 'append', 'prepend', 'cas'];

export class Storage {
  readonly #context: SessionContext;
  readonly #store: Store;
  readonly #view: DataView;
  readonly #counters: Float64Array;
  readonly #request: StoreRequest;
  readonly #lease: LeaseSetRequest;
  #metaSets: MetaSetFinisher | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#store = context.store;
    this.#view = context.arena.view;
    this.#counters = context.counters;
    this.#request = new StoreRequest(context.arena);
    this.#lease = new LeaseSetRequest(context.arena);
  }

  /** Tells who finishes meta sets; they share the reading of data blocks. */
  connect(metaSets: MetaSetFinisher): void {
    this.#metaSets = metaSets;
  }

  /**
   * Runs the storage command in the context's tokens. `at` is the first byte behind the line; returns where
   * the next request begins, or `end` when the data block goes on.
   */
  store(session: Session, output: SessionOutput, command: Command, at: number, end: number): number {
    const request = this.#request;
    const status = request.parse(this.#context.tokens, command === Commands.cas);
    if (status !== RequestStatus.ok) {
      if (!request.noreply) this.#context.fail(output, STATUS_REPLIES[status]!);
      return at;
    }
    session.casLow = request.casLow;
    session.casHigh = request.casHigh;
    return this.#begin(session, output, modeOf(command), at, end);
  }

  /**
   * Runs a set whose key begins at `at`, if its line is written as usual and known to end before `end`. Returns 0
   * when it is not; nothing has happened then.
   */
  set(session: Session, output: SessionOutput, at: number, end: number): number {
    const next = this.#request.parseUsual(at);
    return next === 0 ? 0 : this.#begin(session, output, StoreMode.set, next, end);
  }

  /** Makes the item of the request that was read, and reads its data block from `at` on. */
  #begin(session: Session, output: SessionOutput, mode: StoreMode, at: number, end: number): number {
    const request = this.#request;
    const store = this.#store;
    const { keyOffset, keyBytes, valueBytes } = request;
    this.#counters[CMD_SET]! += 1;
    const hash = store.hash(keyOffset, keyBytes);
    const detail = this.#context.options.statistics.detail;
    if (detail.enabled) detail.recordSet(this.#context.prefixText(keyOffset, keyBytes));
    session.noreply = request.noreply;
    session.mode = mode;
    session.exptime = request.exptime;
    session.isMeta = false;
    session.isLease = false;
    if (mode === StoreMode.set && request.exptime === 0) {
      const next = this.#overwrite(session, output, hash, at, end);
      if (next !== 0) return next;
    }
    const expiry = store.expiryFrom(request.exptime);
    const item = store.create(keyOffset, keyBytes, hash, request.flags, expiry, valueBytes);
    if (item > 0) return this.block(session, output, item, valueBytes, at, end);
    if (mode === StoreMode.set) store.unlinkKey(keyOffset, keyBytes, hash);
    const key = this.#context.watchesStores ? this.#context.keyText(keyOffset, keyBytes) : '';
    this.#refuse(session, output, item, key);
    return this.#swallow(session, valueBytes + TERMINATOR_BYTES, at, end);
  }

  /** A set whose data block is there, onto a value of about the same size. Returns 0 when it is not that. */
  #overwrite(session: Session, output: SessionOutput, hash: number, at: number, end: number): number {
    const { keyOffset, keyBytes, valueBytes, flags } = this.#request;
    const next = at + valueBytes;
    if (end - next < TERMINATOR_BYTES || this.#view.getUint16(next, true) !== CRLF_16) return 0;
    if (this.#context.watchesStores) return 0;
    if (!this.#store.overwrite(keyOffset, keyBytes, hash, flags, at, valueBytes)) return 0;
    const reply = this.#count(session, StoreResult.stored);
    if (!session.noreply) this.#context.replies.fixed(output, reply);
    return next + TERMINATOR_BYTES;
  }

  /** Runs lease-set; see `store`. */
  leaseSet(session: Session, output: SessionOutput, at: number, end: number): number {
    const request = this.#lease;
    const status = request.parse(this.#context.tokens);
    if (status !== RequestStatus.ok) {
      if (!request.noreply) this.#context.fail(output, STATUS_REPLIES[status]!);
      return at;
    }
    this.#counters[CMD_SET]! += 1;
    const store = this.#store;
    const hash = store.hash(request.keyOffset, request.keyBytes);
    session.noreply = request.noreply;
    session.mode = StoreMode.set;
    session.exptime = request.exptime;
    session.isMeta = false;
    session.isLease = true;
    session.casLow = request.tokenLow;
    session.casHigh = request.tokenHigh;
    const expiry = store.expiryFrom(request.exptime);
    const item = store.create(
      request.keyOffset,
      request.keyBytes,
      hash,
      request.flags,
      expiry,
      request.valueBytes,
    );
    if (item > 0) return this.block(session, output, item, request.valueBytes, at, end);
    this.#refuse(session, output, item, '');
    return this.#swallow(session, request.valueBytes + TERMINATOR_BYTES, at, end);
  }

  /** Begins to read the data block of an item that was just made. */
  block(
    session: Session,
    output: SessionOutput,
    item: number,
    bytes: number,
    at: number,
    end: number,
  ): number {
    session.item = item;
    session.valueBytes = bytes;
    session.position = 0;
    return this.more(session, output, at, end);
  }

  /** Bytes [at, end) of a data block; returns where the next request begins, or up to where it took them. */
  more(session: Session, output: SessionOutput, at: number, end: number): number {
    const missing = session.valueBytes - session.position;
    const taken = Math.min(missing, end - at);
    if (taken > 0) {
      this.#store.fill(session.item, session.position, at, taken);
      session.position += taken;
    }
    const next = at + taken;
    if (taken < missing || end - next < TERMINATOR_BYTES) {
      session.state = SessionState.data;
      return next;
    }
    session.state = SessionState.line;
    if (this.#view.getUint16(next, true) === CRLF_16) this.#finish(session, output);
    else this.#badData(session, output);
    return next + TERMINATOR_BYTES;
  }

  /** Throws away the rest of a refused data block. */
  skip(session: Session, at: number, end: number): number {
    return this.#swallow(session, session.restBytes, at, end);
  }

  /** Answers a meta set that cannot be stored, and throws its data block away. */
  refuseMeta(
    session: Session,
    output: SessionOutput,
    item: number,
    bytes: number,
    at: number,
    end: number,
  ): number {
    session.noreply = false;
    this.#refuse(session, output, item, '');
    return this.#swallow(session, bytes + TERMINATOR_BYTES, at, end);
  }

  /** Throws a data block away after its line was answered with an error. */
  swallow(session: Session, valueBytes: number, at: number, end: number): number {
    return this.#swallow(session, valueBytes + TERMINATOR_BYTES, at, end);
  }

  /** The connection is gone: an item that is still being filled is dropped. */
  drop(session: Session): void {
    if (session.item === 0) return;
    this.#store.abandon(session.item);
    session.item = 0;
  }

  #finish(session: Session, output: SessionOutput): void {
    if (session.isMeta) {
      this.#metaSets?.finishMeta(session, output);
      return;
    }
    const store = this.#store;
    const item = session.item;
    session.item = 0;
    if (this.#context.watchesStores) {
      this.#finishWatched(session, output, item);
      return;
    }
    const result = session.isLease
      ? store.leaseSet(item, session.casLow, session.casHigh)
      : store.link(item, session.mode as StoreMode, session.casLow, session.casHigh);
    const reply = this.#count(session, result);
    if (!session.noreply) this.#context.replies.fixed(output, reply);
  }

  /** As #finish, with a line for `watch mutations`; what it says has to be read before the item is linked. */
  #finishWatched(session: Session, output: SessionOutput, item: number): void {
    const store = this.#store;
    const key = this.#context.keyText(store.keyOffset(item), store.keyBytes(item));
    const slabClass = store.slabClass(item);
    const bytes = store.valueBytes(item);
    const result = session.isLease
      ? store.leaseSet(item, session.casLow, session.casHigh)
      : store.link(item, session.mode as StoreMode, session.casLow, session.casHigh);
    const name = session.isLease ? 'lease-set' : MODE_NAMES[session.mode]!;
    this.#context.logStore(output, key, statusName(result), name, session.exptime, slabClass, bytes);
    const reply = this.#count(session, result);
    if (!session.noreply) this.#context.replies.fixed(output, reply);
  }

  /** Counts what became of a storage command and gives the line that answers it. */
  #count(session: Session, result: StoreResult): FixedReply {
    const counters = this.#counters;
    if (session.isLease) {
      if (result === StoreResult.stored) counters[LEASE_SET_STORED]! += 1;
      else if (result === StoreResult.staleStored) counters[LEASE_SET_STALE]! += 1;
      else counters[LEASE_SET_REJECTED]! += 1;
    } else if (session.mode === StoreMode.cas) {
      if (result === StoreResult.stored) counters[CAS_HITS]! += 1;
      else if (result === StoreResult.exists) counters[CAS_BADVAL]! += 1;
      else counters[CAS_MISSES]! += 1;
    }
    switch (result) {
      case StoreResult.stored:
        return STORED;
      case StoreResult.exists:
        return EXISTS;
      case StoreResult.notFound:
        return NOT_FOUND;
      case StoreResult.staleStored:
        return STALE_STORED;
      case StoreResult.outOfMemory:
        counters[STORE_NO_MEMORY]! += 1;
        return NO_MEMORY;
      default:
        // An append that would make the item too large included, as memcached answers it.
        return NOT_STORED;
    }
  }

  /** The block does not end with CRLF. The bytes behind it are read as a command, as memcached does. */
  #badData(session: Session, output: SessionOutput): void {
    this.drop(session);
    if (session.isMeta || !session.noreply) this.#context.fail(output, BAD_DATA);
    session.isMeta = false;
  }

  /** `item` is what create returned: 0 for no memory, -1 for too large. */
  #refuse(session: Session, output: SessionOutput, item: number, key: string): void {
    const large = item < 0;
    this.#counters[large ? STORE_TOO_LARGE : STORE_NO_MEMORY]! += 1;
    if (key !== '') {
      const status = large ? 'too_large' : 'no_memory';
      this.#context.logStore(output, key, status, MODE_NAMES[session.mode]!, session.exptime, 0, 0);
    }
    if (!session.noreply) this.#context.replies.fixed(output, large ? TOO_LARGE : NO_MEMORY);
  }

  #swallow(session: Session, bytes: number, at: number, end: number): number {
    const taken = Math.min(bytes, end - at);
    session.restBytes = bytes - taken;
    session.state = session.restBytes > 0 ? SessionState.swallow : SessionState.line;
    return at + taken;
  }
}

function modeOf(command: Command): StoreMode {
  switch (command) {
    case Commands.add:
      return StoreMode.add;
    case Commands.replace:
      return StoreMode.replace;
    case Commands.append:
      return StoreMode.append;
    case Commands.prepend:
      return StoreMode.prepend;
    case Commands.cas:
      return StoreMode.cas;
    default:
      return StoreMode.set;
  }
}

/** The result as `watch mutations` words it. */
export function statusName(result: StoreResult): string {
  switch (result) {
    case StoreResult.stored:
      return 'stored';
    case StoreResult.exists:
      return 'exists';
    case StoreResult.notFound:
      return 'not_found';
    case StoreResult.tooLarge:
      return 'too_large';
    case StoreResult.outOfMemory:
      return 'no_memory';
    case StoreResult.staleStored:
      return 'stale_stored';
    default:
      return 'not_stored';
  }
}
