/** Meta get and meta delete: memcached's rules for vivifying, recaching and invalidating, with the token timer. */
import type { StoreCore } from './core.ts';
import { StoreCounter } from './counters.ts';
import type { ItemFactory } from './creation.ts';
import { ACCESS, DEAD, DELETED, EXPIRY, FETCHED, STALE, STUB, TAG, TOKEN } from './item.ts';
import type { Leases } from './leases.ts';
import { META_SENT, META_STALE, META_VIVIFIED, META_WAS_FETCHED, META_WON, StoreResult } from './result.ts';
import type { Retrieval } from './retrieval.ts';

/** What a meta get asks for; one object is reused by its caller. Times are seconds of the store's clock. */
export interface MetaGetOptions {
  /** New expiry of a hit (T flag); -1 for none. */
  touchExpiry: number;
  /** Make a stub with this expiry on a miss (N flag); -1 for not. */
  vivifyExpiry: number;
  /** Win the token when less than this many seconds are left (R flag); -1 for not. */
  recacheSeconds: number;
  /** Leave the LRU alone (u flag). */
  noBump: boolean;
  /** CAS of a vivified stub (E flag) when `hasNewCas`. */
  hasNewCas: boolean;
  newCasLow: number;
  newCasHigh: number;
}

/** What a meta delete asks for; one object is reused by its caller. */
export interface MetaDeleteOptions {
  compareCas: boolean;
  casLow: number;
  casHigh: number;
  /** Mark stale instead of deleting (I flag). */
  invalidate: boolean;
  /** New expiry of an invalidated item (T flag); -1 for none. */
  touchExpiry: number;
  /** Drop the value but keep the item (x flag). */
  dropValue: boolean;
  hasNewCas: boolean;
  newCasLow: number;
  newCasHigh: number;
}

export class MetaOperations {
  readonly #core: StoreCore;
  readonly #factory: ItemFactory;
  readonly #retrieval: Retrieval;
  readonly #leases: Leases;
  /** After `get`: a mask of META_ bits, and when the item was last used before. */
  outcome = 0;
  lastAccess = 0;

  constructor(core: StoreCore, factory: ItemFactory, retrieval: Retrieval, leases: Leases) {
    this.#core = core;
    this.#factory = factory;
    this.#retrieval = retrieval;
    this.#leases = leases;
  }

  /** Returns a retained item, or 0 for a miss. */
  get(keyOffset: number, keyBytes: number, hash: number, options: MetaGetOptions): number {
    const core = this.#core;
    core.lockStripe(hash);
    let item = core.findCurrent(keyOffset, keyBytes, hash);
    this.outcome = 0;
    const vivify = options.vivifyExpiry !== -1;
    if (item !== 0 && (core.i32[item + TAG]! & DELETED) !== 0 && !vivify) item = 0;
    else if (item === 0 && vivify) item = this.#vivify(keyOffset, keyBytes, hash, options);
    else if (item !== 0) this.#hit(item, options);
    if (item !== 0) core.retain(item);
    core.unlockStripe(hash);
    return item;
  }

  #vivify(keyOffset: number, keyBytes: number, hash: number, options: MetaGetOptions): number {
    const core = this.#core;
    const stub = this.#leases.makeStub(keyOffset, keyBytes, hash, STUB | TOKEN, options.vivifyExpiry);
    if (stub === 0) return 0;
    if (options.hasNewCas) core.setCas(stub, options.newCasLow, options.newCasHigh);
    this.outcome = META_WON | META_VIVIFIED;
    this.lastAccess = core.now();
    return stub;
  }

  #hit(item: number, options: MetaGetOptions): void {
    const core = this.#core;
    const { i32, u32 } = core;
    const tag = i32[item + TAG]!;
    this.lastAccess = u32[item + ACCESS]!;
    if ((tag & FETCHED) !== 0) this.outcome |= META_WAS_FETCHED;
    if ((tag & STALE) !== 0) this.outcome |= META_STALE;
    if (this.#leases.isTokenOut(item)) this.outcome |= META_SENT;
    else if ((tag & DEAD) !== 0 || this.#isDue(item, options)) {
      this.#leases.giveToken(item);
      this.outcome |= META_WON;
    }
    if (options.touchExpiry !== -1) core.setExpiry(item, options.touchExpiry);
    if ((tag & DEAD) !== 0) {
      // A dead item's access time is its token's; only that it was fetched is noted.
      i32[item + TAG]! |= FETCHED;
      if ((tag & STUB) === 0) core.f64[core.counters + StoreCounter.leaseStaleServed]!++;
    } else {
      if (!options.noBump) this.#retrieval.touchAccess(item);
      if (options.touchExpiry !== -1) core.countRequest(item, 'touches');
      else core.countHit(item, tag);
    }
  }

  /** Whether an item is due for an early refresh (R flag). */
  #isDue(item: number, options: MetaGetOptions): boolean {
    const expiry = this.#core.u32[item + EXPIRY]!;
    return (
      options.recacheSeconds !== -1 && expiry !== 0 && expiry - this.#core.now() < options.recacheSeconds
    );
  }

  delete(keyOffset: number, keyBytes: number, hash: number, options: MetaDeleteOptions): StoreResult {
    const core = this.#core;
    core.lockStripe(hash);
    const item = core.findCurrent(keyOffset, keyBytes, hash);
    const result = this.#delete(item, keyOffset, keyBytes, hash, options);
    core.unlockStripe(hash);
    return result;
  }

  #delete(
    item: number,
    keyOffset: number,
    keyBytes: number,
    hash: number,
    options: MetaDeleteOptions,
  ): StoreResult {
    const core = this.#core;
    if (item === 0 || (core.i32[item + TAG]! & DELETED) !== 0) {
      this.#leases.deleteFound(item, keyOffset, keyBytes, hash, 0);
      return StoreResult.notFound;
    }
    if (options.compareCas && !core.casEquals(item, options.casLow, options.casHigh))
      return StoreResult.exists;
    core.countRequest(item, 'deletes');
    if (!options.invalidate && !options.dropValue) {
      this.#leases.deleteFound(item, keyOffset, keyBytes, hash, 0);
      return StoreResult.deleted;
    }
    const kept = options.dropValue ? this.#withoutValue(item, keyOffset, keyBytes, hash) : item;
    if (kept === 0) return StoreResult.outOfMemory;
    if (options.invalidate) this.#invalidate(kept);
    if (options.hasNewCas) core.setCas(kept, options.newCasLow, options.newCasHigh);
    else core.renewCas(kept);
    if (options.touchExpiry !== -1) core.setExpiry(kept, options.touchExpiry);
    return StoreResult.deleted;
  }

  #invalidate(item: number): void {
    const core = this.#core;
    const tag = core.i32[item + TAG]!;
    if ((tag & DEAD) === 0) core.countItem(item, -1);
    core.i32[item + TAG] = (tag & ~TOKEN) | STALE;
  }

  /** Replaces an item by an empty one with the same expiry and state. */
  #withoutValue(item: number, keyOffset: number, keyBytes: number, hash: number): number {
    const core = this.#core;
    const empty = this.#factory.create(keyOffset, keyBytes, hash, 0, core.u32[item + EXPIRY]!, 0);
    if (empty <= 0) return 0;
    core.i32[empty + TAG]! |= core.i32[item + TAG]! & (STALE | TOKEN | STUB);
    core.unlink(item);
    core.link(empty);
    return empty;
  }
}
