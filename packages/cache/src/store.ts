/**
 * The item store: what a server thread calls. It joins the parts (retrieval, storing, leases, meta, arithmetic,
 * maintenance) over one shared memory; every thread has its own `Store` object on the same arena.
 *
 * Keys and values are bytes in the arena, given as byte offsets. An item is a number (its word index); a retained
 * item must be released. See item.ts for its memory and layout.ts for the arena's.
 */
import { randomInt } from 'node:crypto';
import {
  type Arena,
  PAGE_BYTES,
  type ScatterGatherTarget,
  SlabAllocator,
  SlabClasses,
} from '@larder/datapath';
import { Arithmetic, type ArithmeticOptions } from './arithmetic.ts';
import { referenceStream, sendStream, writeStream } from './chain.ts';
import { CLASS_REQUEST_BLOCK_BYTES } from './class-requests.ts';
import { clientFlagsOf } from './client-flags.ts';
import { StoreCore } from './core.ts';
import { COUNTER_BLOCK_BYTES, type StoreTotals, sumCounters } from './counters.ts';
import { ItemFactory } from './creation.ts';
import { CacheError } from './errors.ts';
import { type EvictionObserver, Evictor } from './eviction.ts';
import {
  ACCESS,
  CAS_HIGH,
  CAS_LOW,
  CHAINED,
  EXPIRY,
  FETCHED,
  ITEM_HEADER_BYTES,
  KEY_AT,
  STALE,
  STUB,
  TAG,
  TAG_KEY_MASK,
  VALUE_BYTES,
} from './item.ts';
import {
  type LayoutRequest,
  planLayout,
  type StoreLayout,
  SUPER_BUCKETS,
  SUPER_CAS_BASE_HIGH,
  SUPER_CAS_BASE_LOW,
  SUPER_COPY_BYTES,
  SUPER_EPOCH_BYTE,
  SUPER_LAYOUT,
  SUPER_MAGIC,
  SUPER_NOW,
  SUPER_SEED_HIGH,
  SUPER_SEED_LOW,
  SUPER_SHAPE,
  SUPER_STATE,
} from './layout.ts';
import { Leases } from './leases.ts';
import { BUCKETS_INITIAL, CAS_BASE_HIGH_MAX, RELATIVE_EXPIRY_SECONDS_MAX, THREADS_MAX } from './limits.ts';
import { Lists } from './lists.ts';
import { type ItemVisitor, Maintenance } from './maintenance.ts';
import { type MetaDeleteOptions, type MetaGetOptions, MetaOperations } from './meta.ts';
import { type StoreOptions, storeOptions } from './options.ts';
import { overwrite } from './overwriting.ts';
import { PageMover } from './page-mover.ts';
import { checkRestartable, LAYOUT_VERSION, layoutShape, MAGIC, resumeStore, StoreState } from './restart.ts';
import type { LeaseOutcome, StoreMode, StoreResult } from './result.ts';
import { Retrieval } from './retrieval.ts';
import {
  type ClassItemStatistics,
  type ClassSlabStatistics,
  itemStatistics,
  slabStatistics,
} from './statistics.ts';
import { type MetaStoreOptions, Storing } from './storing.ts';
import { ValueCopy } from './value-copy.ts';

/** The store's clock begins here, so that 0 (never) and 1 (expired long ago) are not seconds of it. */
const FIRST_SECOND = 2;
/** An expiry in the past. */
const EXPIRED = 1;
/** Allocator id of network buffers in the page table. */
const NETWORK_ALLOCATOR_ID = 2;

/** Lays out the arena of a store; make one of `layout.arenaBytes` bytes and give it to `Store.create`. */
export function planStore(options: Partial<StoreOptions>, request: Partial<LayoutRequest> = {}): StoreLayout {
  return planLayout(storeOptions(options), { networkPages: 0, extraBytes: 0, ...request });
}

export class Store {
  readonly layout: StoreLayout;
  readonly options: StoreOptions;
  /** Values that are lists of buffers; what it makes is linked and released like every item. */
  readonly lists: Lists;
  /** Short values without a lock. */
  readonly values: ValueCopy;
  readonly #core: StoreCore;
  readonly #factory: ItemFactory;
  readonly #evictor: Evictor;
  readonly #retrieval: Retrieval;
  readonly #storing: Storing;
  readonly #leases: Leases;
  readonly #meta: MetaOperations;
  readonly #arithmetic: Arithmetic;
  readonly #maintenance: Maintenance;

  /** An empty store in a zeroed arena. The clock's wall time is injected (Unix seconds). */
  static create(arena: Arena, layout: StoreLayout, wallSeconds: () => number = unixSeconds): Store {
    checkArena(arena, layout);
    const { i32, f64 } = arena;
    const casBase = layout.options.casBase ?? [randomInt(2 ** 32), randomInt(1, CAS_BASE_HIGH_MAX)];
    const seed = layout.options.hashSeed ?? [randomInt(2 ** 32), randomInt(2 ** 32)];
    i32[SUPER_MAGIC] = MAGIC;
    i32[SUPER_LAYOUT] = LAYOUT_VERSION;
    i32[SUPER_SHAPE] = layoutShape(layout);
    i32[SUPER_SEED_LOW] = seed[0];
    i32[SUPER_SEED_HIGH] = seed[1];
    i32[SUPER_CAS_BASE_LOW] = casBase[0];
    i32[SUPER_CAS_BASE_HIGH] = casBase[1];
    i32[SUPER_BUCKETS] = BUCKETS_INITIAL;
    i32[SUPER_NOW] = FIRST_SECOND;
    i32[SUPER_COPY_BYTES] = layout.options.copyBytesMax;
    i32[SUPER_STATE] = StoreState.open;
    f64[SUPER_EPOCH_BYTE / 8] = Math.floor(wallSeconds()) - FIRST_SECOND;
    const store = new Store(arena, layout, 0, wallSeconds);
    store.#core.slabs.setPageLimit(layout.itemPages);
    store.networkAllocator().setPageLimit(layout.networkPages);
    return store;
  }

  /** The store that a former process left in the arena; throws CacheError RESTART_REFUSED with the reason. */
  static restore(arena: Arena, layout: StoreLayout, wallSeconds: () => number = unixSeconds): Store {
    checkArena(arena, layout);
    const store = new Store(arena, layout, 0, wallSeconds);
    checkRestartable(store.#core);
    resumeStore(store.#core);
    arena.i32[SUPER_COPY_BYTES] = layout.options.copyBytesMax;
    arena.i32[SUPER_STATE] = StoreState.open;
    store.#core.slabs.setPageLimit(layout.itemPages);
    store.networkAllocator().setPageLimit(layout.networkPages);
    store.maintain(0);
    return store;
  }

  /** The store in another thread; `thread` counts from 1 (0 is the thread that made it). */
  static attach(
    arena: Arena,
    layout: StoreLayout,
    thread: number,
    wallSeconds: () => number = unixSeconds,
  ): Store {
    checkArena(arena, layout);
    if (!(thread >= 0 && thread < layout.options.threads)) {
      throw new CacheError(
        'ARGUMENT',
        `thread ${thread} is not below the ${layout.options.threads} of the store`,
      );
    }
    return new Store(arena, layout, thread, wallSeconds);
  }

  /** Replies up to this are copied, longer ones referenced; for all threads. It may be measured anew at any time. */
  get copyBytesMax(): number {
    return this.#core.i32[SUPER_COPY_BYTES]!;
  }

  set copyBytesMax(bytes: number) {
    Atomics.store(this.#core.i32, SUPER_COPY_BYTES, bytes);
  }

  /** Pages that items have taken so far. */
  get itemPagesUsed(): number {
    return this.#core.slabs.pagesUsed;
  }

  private constructor(arena: Arena, layout: StoreLayout, thread: number, wallSeconds: () => number) {
    this.layout = layout;
    this.options = layout.options;
    const core = new StoreCore(arena, layout, thread);
    const mover = new PageMover(core);
    this.#core = core;
    this.#evictor = new Evictor(core);
    this.#factory = new ItemFactory(core, this.#evictor, mover);
    this.lists = new Lists(core, this.#factory);
    this.values = new ValueCopy(core);
    this.#retrieval = new Retrieval(core);
    this.#storing = new Storing(core, this.#factory);
    this.#leases = new Leases(core, this.#factory, this.#retrieval);
    this.#meta = new MetaOperations(core, this.#factory, this.#retrieval, this.#leases);
    this.#arithmetic = new Arithmetic(core, this.#factory);
    this.#maintenance = new Maintenance(core, this.#evictor, mover, wallSeconds);
  }

  // ---- the clock

  /** The store's second. */
  now(): number {
    return this.#core.now();
  }

  /** Unix time of the store's second 0. */
  get epochSeconds(): number {
    return this.#core.f64[SUPER_EPOCH_BYTE / 8]!;
  }

  /**
   * The store's second at which a protocol exptime expires: relative seconds up to 30 days, an absolute Unix
   * time above, expired at once when negative; 0 is never.
   */
  expiryFrom(exptime: number): number {
    if (exptime === 0) return 0;
    if (exptime < 0) return EXPIRED;
    if (exptime <= RELATIVE_EXPIRY_SECONDS_MAX) return exptime + this.#core.now();
    return Math.min(Math.max(exptime - this.epochSeconds, EXPIRED), 0xffff_ffff);
  }

  // ---- retrieval

  /** The seeded hash of a key, an int32; what every other operation wants with the key. */
  hash(keyOffset: number, keyBytes: number): number {
    return this.#core.hash(keyOffset, keyBytes);
  }

  /**
   * Copies the classic reply (`VALUE key flags bytes\r\n…\r\n`) to `target`: its length, 0 for a miss, or -1 for a hit that
   * is longer than `capacity` or than `copyBytesMax` (then `acquire` and `sendReply`). Takes no lock.
   */
  copyReply(keyOffset: number, keyBytes: number, hash: number, target: number, capacity: number): number {
    return this.#retrieval.copyReply(keyOffset, keyBytes, hash, target, capacity);
  }

  /** A live item, its access noted, retained; 0 if there is none. */
  acquire(keyOffset: number, keyBytes: number, hash: number): number {
    return this.#retrieval.acquire(keyOffset, keyBytes, hash);
  }

  /** As `acquire`; also sets when it expires. */
  acquireAndTouch(keyOffset: number, keyBytes: number, hash: number, expiry: number): number {
    return this.#retrieval.acquireAndTouch(keyOffset, keyBytes, hash, expiry);
  }

  /** An item without noting an access, retained; dead ones (stale values, stubs) only if `any`. */
  peek(keyOffset: number, keyBytes: number, hash: number, any: boolean): number {
    return this.#retrieval.peek(keyOffset, keyBytes, hash, any);
  }

  retain(item: number): void {
    this.#core.retain(item);
  }

  release(item: number): void {
    this.#core.release(item);
  }

  // ---- a retained item

  keyOffset(item: number): number {
    return item * 4 + KEY_AT;
  }

  keyBytes(item: number): number {
    return this.#core.i32[item + TAG]! & TAG_KEY_MASK;
  }

  valueBytes(item: number): number {
    return this.#core.u32[item + VALUE_BYTES]!;
  }

  clientFlags(item: number): number {
    return clientFlagsOf(this.#core, item);
  }

  casLow(item: number): number {
    return this.#core.u32[item + CAS_LOW]!;
  }

  casHigh(item: number): number {
    return this.#core.u32[item + CAS_HIGH]!;
  }

  /** Second of the store's clock; 0 never. */
  expiry(item: number): number {
    return this.#core.u32[item + EXPIRY]!;
  }

  lastAccess(item: number): number {
    return this.#core.u32[item + ACCESS]!;
  }

  isFetched(item: number): boolean {
    return (this.#core.i32[item + TAG]! & FETCHED) !== 0;
  }

  isStale(item: number): boolean {
    return (this.#core.i32[item + TAG]! & STALE) !== 0;
  }

  isStub(item: number): boolean {
    return (this.#core.i32[item + TAG]! & STUB) !== 0;
  }

  slabClass(item: number): number {
    return this.#core.slabClass(item);
  }

  /** What the item counts in `bytes`. */
  totalBytes(item: number): number {
    return this.#core.totalBytes(item);
  }

  /** Bytes of the classic reply, and of its first line. */
  replyBytes(item: number): number {
    return this.#core.replyBytes(item);
  }

  headBytes(item: number): number {
    return this.#core.headBytes(item);
  }

  /** Where the value lies when it is contiguous; 0 for a chain. */
  valueOffset(item: number): number {
    if ((this.#core.i32[item + TAG]! & CHAINED) !== 0) return 0;
    return item * 4 + ITEM_HEADER_BYTES + this.#core.headBytes(item);
  }

  /**
   * Sends the classic reply: short ones are copied, long ones, and with `isReferred` all, referenced and retained
   * until sent.
   */
  sendReply(item: number, target: ScatterGatherTarget, isReferred: boolean = false): void {
    const send = isReferred ? referenceStream : sendStream;
    send(this.#core, item, 0, this.#core.replyBytes(item), target);
  }

  /** Sends the value and its "\r\n" only, likewise. */
  sendValue(item: number, target: ScatterGatherTarget, isReferred: boolean = false): void {
    const head = this.#core.headBytes(item);
    const send = isReferred ? referenceStream : sendStream;
    send(this.#core, item, head, this.#core.replyBytes(item) - head, target);
  }

  /** Sends the value alone. */
  sendBareValue(item: number, target: ScatterGatherTarget): void {
    sendStream(this.#core, item, this.#core.headBytes(item), this.valueBytes(item), target);
  }

  /** Sends the value alone: always by reference, each part of a chain for itself. */
  referenceValue(item: number, target: ScatterGatherTarget): void {
    referenceStream(this.#core, item, this.#core.headBytes(item), this.valueBytes(item), target);
  }

  // ---- storing

  /**
   * A new item, not linked, with one reference that is the caller's: its number, 0 when there is no memory, -1 when
   * the value is longer than the limit. Fill it, then link or abandon it.
   */
  create(
    keyOffset: number,
    keyBytes: number,
    hash: number,
    clientFlags: number,
    expiry: number,
    valueBytes: number,
  ): number {
    return this.#factory.create(keyOffset, keyBytes, hash, clientFlags, expiry, valueBytes);
  }

  /** Copies arena bytes into the value of a new item at `position`. */
  fill(item: number, position: number, source: number, bytes: number): void {
    const core = this.#core;
    if ((core.i32[item + TAG]! & CHAINED) === 0) {
      core.u8.copyWithin(
        item * 4 + ITEM_HEADER_BYTES + core.headBytes(item) + position,
        source,
        source + bytes,
      );
    } else writeStream(core, item, core.headBytes(item) + position, source, bytes);
  }

  /**
   * A set without expiry whose value lies whole at `source`, done in place when the key has a value of the same slab
   * class that nobody refers to. False when it has not; then `create`, `fill` and `link`.
   */
  overwrite(
    keyOffset: number,
    keyBytes: number,
    hash: number,
    clientFlags: number,
    source: number,
    valueBytes: number,
  ): boolean {
    return overwrite(this.#core, keyOffset, keyBytes, hash, clientFlags, source, valueBytes);
  }

  /** Links a new item; the caller's reference is consumed whatever the result. The CAS is read in mode cas only. */
  link(item: number, mode: StoreMode, casLow: number, casHigh: number): StoreResult {
    return this.#storing.link(item, mode, casLow, casHigh);
  }

  linkMeta(item: number, options: MetaStoreOptions): StoreResult {
    return this.#storing.linkMeta(item, options);
  }

  /** CAS of what was stored or changed last, or the token that `leaseGet` gave (0, 0 for none). */
  get lastCasLow(): number {
    return this.#core.lastCasLow;
  }

  get lastCasHigh(): number {
    return this.#core.lastCasHigh;
  }

  /** Drops a new item that will not be linked. */
  abandon(item: number): void {
    this.#core.release(item);
  }

  /** Removes a key without a trace; what a failed set does, so that no old value is taken for the new one. */
  unlinkKey(keyOffset: number, keyBytes: number, hash: number): void {
    const core = this.#core;
    core.lockStripe(hash);
    const item = core.find(keyOffset, keyBytes, hash);
    if (item !== 0) core.unlink(item);
    core.unlockStripe(hash);
  }

  // ---- leases and deletes

  /** Returns a retained item or 0; `leaseOutcome` tells which, `lastCasLow/High` the token given. */
  leaseGet(keyOffset: number, keyBytes: number, hash: number): number {
    return this.#leases.get(keyOffset, keyBytes, hash);
  }

  get leaseOutcome(): LeaseOutcome {
    return this.#leases.outcome;
  }

  /** Links a new item if the token is valid; the caller's reference is consumed. */
  leaseSet(item: number, tokenLow: number, tokenHigh: number): StoreResult {
    return this.#leases.set(item, tokenLow, tokenHigh);
  }

  delete(keyOffset: number, keyBytes: number, hash: number, holdoffSeconds: number): StoreResult {
    return this.#leases.delete(keyOffset, keyBytes, hash, holdoffSeconds);
  }

  // ---- meta

  /** Returns a retained item, or 0 for a miss; `metaOutcome` and `metaLastAccess` tell more. */
  metaGet(keyOffset: number, keyBytes: number, hash: number, options: MetaGetOptions): number {
    return this.#meta.get(keyOffset, keyBytes, hash, options);
  }

  get metaOutcome(): number {
    return this.#meta.outcome;
  }

  get metaLastAccess(): number {
    return this.#meta.lastAccess;
  }

  metaDelete(keyOffset: number, keyBytes: number, hash: number, options: MetaDeleteOptions): StoreResult {
    return this.#meta.delete(keyOffset, keyBytes, hash, options);
  }

  // ---- arithmetic

  arithmetic(
    keyOffset: number,
    keyBytes: number,
    hash: number,
    decrement: boolean,
    delta: bigint,
    options: ArithmeticOptions | null,
  ): StoreResult {
    return this.#arithmetic.apply(keyOffset, keyBytes, hash, decrement, delta, options);
  }

  /** The number and the expiry that `arithmetic` left; its CAS is `lastCasLow/High`. */
  get lastNumber(): bigint {
    return this.#arithmetic.lastNumber;
  }

  get lastExpiry(): number {
    return this.#arithmetic.lastExpiry;
  }

  // ---- administration

  /** Flushes all items, now or after a delay in seconds. */
  flushAll(delaySeconds: number): void {
    this.#maintenance.flush(delaySeconds);
  }

  /** One slice of maintenance, by one thread only. Returns after how many milliseconds the next is due. */
  maintain(budgetMs: number): number {
    return this.#maintenance.run(budgetMs);
  }

  /** Parts of the maintenance that operators steer (the maintaining thread's store only). */
  get maintenance(): Maintenance {
    return this.#maintenance;
  }

  /**
   * Visits live items, some buckets of the index at a time: call with 0, then with what it returned, until that is
   * 0. The items' stripe is held during a visit, which must be quick and not call the store's operations.
   */
  walk(cursor: number, buckets: number, visit: ItemVisitor): number {
    return this.#maintenance.walk(cursor, buckets, visit);
  }

  /** Called for each evicted item before its memory goes; null for none. */
  set evictionObserver(observer: EvictionObserver | null) {
    this.#evictor.observer = observer;
  }

  /** The counters of all threads, summed. */
  totals(): StoreTotals {
    return sumCounters(this.#core.arena, this.layout.countersOffset, THREADS_MAX);
  }

  /** Sets what counts up back to 0; what is stored stays counted. */
  resetCounters(): void {
    const { f64 } = this.#core;
    for (let thread = 0; thread < this.options.threads; thread++) {
      const first = (this.layout.countersOffset + thread * COUNTER_BLOCK_BYTES) / 8;
      f64.fill(0, first + 2, first + COUNTER_BLOCK_BYTES / 8);
    }
    const { classRequestsOffset } = this.layout;
    const bytes = this.options.threads * CLASS_REQUEST_BLOCK_BYTES;
    f64.fill(0, classRequestsOffset / 8, (classRequestsOffset + bytes) / 8);
  }

  /** Buckets of the index. */
  get hashBuckets(): number {
    return this.#core.i32[SUPER_BUCKETS]!;
  }

  /** Memory that items may take now; at most what the store was made with. */
  get memoryLimitBytes(): number {
    return this.#core.slabs.pageLimit * PAGE_BYTES;
  }

  /**
   * Changes how much memory items may take: false if it is more than the store was made with. Maintenance evicts what
   * is too much, page by page.
   */
  setMemoryLimit(bytes: number): boolean {
    const pages = Math.ceil(bytes / PAGE_BYTES);
    if (pages > this.layout.itemPages || pages < 1) return false;
    this.#core.slabs.setPageLimit(pages);
    return true;
  }

  itemStatistics(): ClassItemStatistics[] {
    return itemStatistics(this.#core);
  }

  slabStatistics(): ClassSlabStatistics[] {
    return slabStatistics(this.#core);
  }

  /** Bytes of memory given to slab classes. */
  get slabBytes(): number {
    return this.#core.slabs.pagesUsed * 1024 * 1024;
  }

  /** The allocator for network buffers, on this store's arena; one object per thread. */
  networkAllocator(): SlabAllocator {
    return new SlabAllocator(
      this.#core.pages,
      this.layout.networkSlabOffset,
      NETWORK_ALLOCATOR_ID,
      new SlabClasses(),
    );
  }

  /** Marks the memory as cleanly closed; no thread may use it afterwards. */
  close(): void {
    this.#maintenance.balancer.cancel();
    Atomics.store(this.#core.i32, SUPER_STATE, StoreState.closed);
  }
}

function unixSeconds(): number {
  return Date.now() / 1000;
}

function checkArena(arena: Arena, layout: StoreLayout): void {
  if (arena.bytes !== layout.arenaBytes) {
    throw new CacheError(
      'ARGUMENT',
      `the arena has ${arena.bytes} bytes, the layout needs ${layout.arenaBytes}`,
    );
  }
}
