/**
 * set, add, replace, append and prepend of the binary protocol. The value is streamed into an unlinked item as it
 * arrives, like a data block of the text protocol.
 */
import { type Store, StoreMode, StoreResult } from '@larder/cache';
import { BinaryOpcode, type BinaryRequest, BinaryStatus } from '@larder/protocol';
import type { SessionContext } from '../context.ts';
import { CAS_BADVAL, CAS_HITS, CAS_MISSES, CMD_SET, STORE_NO_MEMORY, STORE_TOO_LARGE } from '../counters.ts';
import { EventCategory } from '../event-log.ts';
import type { SessionOutput } from '../output.ts';
import { type Session, SessionState } from '../session.ts';
import { statusName } from '../storage.ts';
import type { BinaryReplies } from './binary-replies.ts';

const MODES: ReadonlyMap<number, StoreMode> = new Map<number, StoreMode>([
  [BinaryOpcode.set, StoreMode.set],
  [BinaryOpcode.add, StoreMode.add],
  [BinaryOpcode.replace, StoreMode.replace],
  [BinaryOpcode.append, StoreMode.append],
  [BinaryOpcode.prepend, StoreMode.prepend],
]);
const MODE_NAMES: ReadonlyMap<StoreMode, string> = new Map<StoreMode, string>([
  [StoreMode.set, 'set'],
  [StoreMode.add, 'add'],
  [StoreMode.replace, 'replace'],
  [StoreMode.append, 'append'],
  [StoreMode.prepend, 'prepend'],
  [StoreMode.cas, 'cas'],
]);

export class BinaryStorage {
  readonly #context: SessionContext;
  readonly #store: Store;
  readonly #counters: Float64Array;
  readonly #replies: BinaryReplies;

  constructor(context: SessionContext, replies: BinaryReplies) {
    this.#context = context;
    this.#store = context.store;
    this.#counters = context.counters;
    this.#replies = replies;
  }

  /** Begins a storage request, of which everything but the value is there. `opcode` is the loud one. */
  begin(
    session: Session,
    output: SessionOutput,
    request: BinaryRequest,
    opcode: number,
    quiet: boolean,
  ): void {
    const store = this.#store;
    const { keyOffset, keyBytes, valueBytes } = request;
    const extends_ = opcode === BinaryOpcode.append || opcode === BinaryOpcode.prepend;
    const mode = MODES.get(opcode) ?? StoreMode.set;
    this.#counters[CMD_SET]! += 1;
    const { detail } = this.#context.options.statistics;
    if (detail.enabled) detail.recordSet(this.#context.prefixText(keyOffset, keyBytes));
    const flags = extends_ ? 0 : request.extra(0);
    const exptime = extends_ ? 0 : request.extra(4);
    const hash = store.hash(keyOffset, keyBytes);
    const expiry = store.expiryFrom(exptime);
    session.opcode = request.opcode;
    session.opaque = request.opaque;
    session.noreply = quiet;
    session.casLow = request.casLow;
    session.casHigh = request.casHigh;
    session.mode = request.casLow !== 0 || request.casHigh !== 0 ? StoreMode.cas : mode;
    session.exptime = exptime;
    const item = store.create(keyOffset, keyBytes, hash, flags, expiry, valueBytes);
    if (item > 0) {
      session.item = item;
      session.valueBytes = valueBytes;
      session.position = 0;
      session.state = SessionState.binaryData;
      return;
    }
    if (mode === StoreMode.set) store.unlinkKey(keyOffset, keyBytes, hash);
    this.#counters[item < 0 ? STORE_TOO_LARGE : STORE_NO_MEMORY]! += 1;
    this.#replies.status(output, request, item < 0 ? BinaryStatus.tooLarge : BinaryStatus.outOfMemory);
    session.restBytes = valueBytes;
    session.state = SessionState.binarySwallow;
  }

  /** Bytes [at, end) of a value; returns up to where it took them. */
  more(session: Session, output: SessionOutput, at: number, end: number): number {
    const missing = session.valueBytes - session.position;
    const taken = Math.min(missing, end - at);
    if (taken > 0) {
      this.#store.fill(session.item, session.position, at, taken);
      session.position += taken;
    }
    if (taken === missing) {
      session.state = SessionState.binary;
      this.#finish(session, output);
    }
    return at + taken;
  }

  #finish(session: Session, output: SessionOutput): void {
    const store = this.#store;
    const item = session.item;
    session.item = 0;
    const watches = (this.#context.watched & EventCategory.mutations) !== 0;
    const key = watches ? this.#context.keyText(store.keyOffset(item), store.keyBytes(item)) : '';
    const slabClass = watches ? store.slabClass(item) : 0;
    const mode = session.mode as StoreMode;
    const result = store.link(item, mode, session.casLow, session.casHigh);
    if (watches) {
      const name = MODE_NAMES.get(mode) ?? 'set';
      const bytes = session.valueBytes;
      this.#context.logStore(output, key, statusName(result), name, session.exptime, slabClass, bytes);
    }
    this.#count(mode, result);
    if (result !== StoreResult.stored) this.#replies.status(output, session, failure(mode, result));
    else if (!session.noreply) this.#replies.ok(output, session, store.lastCasLow, store.lastCasHigh);
  }

  #count(mode: StoreMode, result: StoreResult): void {
    if (result === StoreResult.outOfMemory) this.#counters[STORE_NO_MEMORY]! += 1;
    if (mode !== StoreMode.cas) return;
    const counter =
      result === StoreResult.stored ? CAS_HITS : result === StoreResult.exists ? CAS_BADVAL : CAS_MISSES;
    this.#counters[counter]! += 1;
  }
}

/** What memcached answers to a request that stored nothing. */
function failure(mode: StoreMode, result: StoreResult): BinaryStatus {
  if (result === StoreResult.outOfMemory) return BinaryStatus.outOfMemory;
  if (result === StoreResult.tooLarge) return BinaryStatus.tooLarge;
  if (result === StoreResult.exists || mode === StoreMode.add) return BinaryStatus.exists;
  if (result === StoreResult.notFound || mode === StoreMode.replace) return BinaryStatus.notFound;
  return BinaryStatus.notStored;
}
