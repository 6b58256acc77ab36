/**
 * Leases (papers/nsdi13 3.2.1) and the deletes that end them.
 *
 * A key that has no value but a state has a dead item:
 * ```
 *              lease-get, mg N                      lease-get, mg N
 *   (nothing) ────────────────▶ stub with token    stale ────────▶ stale with token
 *                                   │    ▲           ▲                  │
 *        lease-set with the token   │    └─ delete ──┼── delete ────────┤ lease-set with the token
 *                                   ▼                │                  ▼
 *                                 cached ──────── delete              cached
 * ```
 * The token is the dead item's CAS value. It is given to one caller per `leaseTokenSeconds`; when that time is
 * over the next one gets a new token and the old one is void. A delete voids the token and lets the next caller
 * have one at once, since what the holder is about to set is older than the delete.
 */
import type { StoreCore } from './core.ts';
import { StoreCounter } from './counters.ts';
import type { ItemFactory } from './creation.ts';
import {
  ACCESS,
  ACTIVE,
  CAS_HIGH,
  CAS_LOW,
  DEAD,
  DELETED,
  EXPIRY,
  EXTRA,
  FETCHED,
  HASH,
  HOLDOFF,
  KEY_AT,
  Segment,
  STALE,
  STUB,
  TAG,
  TAG_KEY_MASK,
  TOKEN,
} from './item.ts';
import { STUB_SECONDS } from './limits.ts';
import { LeaseOutcome, StoreResult } from './result.ts';
import type { Retrieval } from './retrieval.ts';

export class Leases {
  readonly #core: StoreCore;
  readonly #factory: ItemFactory;
  readonly #retrieval: Retrieval;
  readonly #tokenSeconds: number;
  readonly #staleSeconds: number;
  /** What the last `get` found; its token is the core's last CAS. */
  outcome: LeaseOutcome = LeaseOutcome.hit;

  constructor(core: StoreCore, factory: ItemFactory, retrieval: Retrieval) {
    this.#core = core;
    this.#factory = factory;
    this.#retrieval = retrieval;
    this.#tokenSeconds = core.layout.options.leaseTokenSeconds;
    this.#staleSeconds = core.layout.options.staleSeconds;
  }

  /**
   * Returns a retained item or 0; `outcome` tells what it is: the cached item, or (token, hot) a stale value that
   * may be used by those who accept one.
   */
  get(keyOffset: number, keyBytes: number, hash: number): number {
    const core = this.#core;
    core.lockStripe(hash);
    const item = core.findCurrent(keyOffset, keyBytes, hash);
    core.lastCasLow = 0;
    core.lastCasHigh = 0;
    let answer = 0;
    if (item === 0) {
      this.outcome = LeaseOutcome.token;
      const stub = this.makeStub(
        keyOffset,
        keyBytes,
        hash,
        STUB | TOKEN | DELETED,
        core.now() + this.#stubSeconds(),
      );
      if (stub !== 0) core.rememberCas(stub);
    } else if ((core.i32[item + TAG]! & DEAD) === 0) {
      this.outcome = LeaseOutcome.hit;
      this.#retrieval.touchAccess(item);
      core.countHit(item, core.i32[item + TAG]!);
      answer = item;
    } else {
      this.outcome = this.isTokenOut(item) ? LeaseOutcome.hot : LeaseOutcome.token;
      if (this.outcome === LeaseOutcome.token) {
        this.giveToken(item);
        core.rememberCas(item);
      }
      if ((core.i32[item + TAG]! & STUB) === 0) answer = item;
    }
    if (answer !== 0) core.retain(answer);
    core.unlockStripe(hash);
    this.#count(answer);
    return answer;
  }

  /** Links `item` if the token is the key's valid one; the caller's reference is consumed. */
  set(item: number, tokenLow: number, tokenHigh: number): StoreResult {
    const core = this.#core;
    const { i32, u32 } = core;
    const hash = i32[item + HASH]!;
    core.lockStripe(hash);
    core.countRequest(item, 'sets');
    const old = core.findCurrent(item * 4 + KEY_AT, i32[item + TAG]! & TAG_KEY_MASK, hash);
    let result: StoreResult = StoreResult.notStored;
    if (old !== 0 && (i32[old + TAG]! & DEAD) !== 0 && (tokenLow !== 0 || tokenHigh !== 0)) {
      if ((i32[old + TAG]! & TOKEN) !== 0 && core.casEquals(old, tokenLow, tokenHigh)) {
        core.unlink(old);
        core.renewCas(item);
        core.link(item);
        core.rememberCas(item);
        result = StoreResult.stored;
      } else if (this.#staleSeconds > 0) {
        u32[item + EXPIRY] = core.now() + this.#staleSeconds;
        this.#replaceStale(item, old);
        result = StoreResult.staleStored;
      }
    }
    core.unlockStripe(hash);
    if (result === StoreResult.notStored) {
      core.release(item);
      core.count('leaseSetsRefused');
    }
    return result;
  }

  /**
   * Deletes a key: its value stays readable as stale for a while, its token is void, and for `holdoffSeconds` an add
   * fails (papers/nsdi13 4.3).
   */
  delete(keyOffset: number, keyBytes: number, hash: number, holdoffSeconds: number): StoreResult {
    const core = this.#core;
    core.lockStripe(hash);
    const item = core.findCurrent(keyOffset, keyBytes, hash);
    const wasVisible = item !== 0 && (core.i32[item + TAG]! & (STUB | DELETED)) === 0;
    if (wasVisible) core.countRequest(item, 'deletes');
    this.deleteFound(item, keyOffset, keyBytes, hash, holdoffSeconds);
    core.unlockStripe(hash);
    return wasVisible ? StoreResult.deleted : StoreResult.notFound;
  }

  /** The delete of an item that was found (0 for none); its stripe is held. */
  deleteFound(item: number, keyOffset: number, keyBytes: number, hash: number, holdoffSeconds: number): void {
    const core = this.#core;
    const holdoffEnd = core.now() + holdoffSeconds;
    if (item !== 0 && (this.#staleSeconds === 0 || holdoffSeconds > this.#staleSeconds)) {
      core.unlink(item);
      if (holdoffSeconds === 0) return;
    } else if (item !== 0) {
      this.#markDeleted(item);
      if (holdoffSeconds > 0) this.#holdOff(item, holdoffEnd);
      return;
    }
    if (holdoffSeconds === 0) return;
    const stub = this.makeStub(keyOffset, keyBytes, hash, STUB | DELETED, holdoffEnd);
    if (stub !== 0) this.#holdOff(stub, holdoffEnd);
  }

  /** Whether somebody holds a token for this item that has not run out; its stripe is held. */
  isTokenOut(item: number): boolean {
    const { i32, u32 } = this.#core;
    const tag = i32[item + TAG]!;
    if ((tag & TOKEN) === 0 || this.#tokenSeconds === 0) return false;
    // The clock counts whole seconds: a token given late in one of them has not had its time when the next begins.
    return this.#core.now() - u32[item + ((tag & DEAD) !== 0 ? ACCESS : EXTRA)]! <= this.#tokenSeconds;
  }

  /** Gives the item's token out; one that ran out before becomes void. The stripe is held. */
  giveToken(item: number): void {
    const core = this.#core;
    const tag = core.i32[item + TAG]!;
    if ((tag & TOKEN) !== 0) core.renewCas(item);
    core.i32[item + TAG] = tag | TOKEN;
    core.f64[core.counters + StoreCounter.leaseTokens]!++;
    if ((tag & DEAD) === 0) {
      core.u32[item + EXTRA] = core.now();
      return;
    }
    core.u32[item + ACCESS] = core.now();
    // The item must outlive its token, or the next caller would get a second one too early.
    const expiry = core.u32[item + EXPIRY]!;
    const tokenEnd = core.now() + this.#tokenSeconds + 1;
    if ((tag & DELETED) !== 0 && expiry < tokenEnd) core.setExpiry(item, tokenEnd);
  }

  /** Links an empty item that only holds state; its stripe is held. 0 when there is no memory. */
  makeStub(keyOffset: number, keyBytes: number, hash: number, flags: number, expiry: number): number {
    const core = this.#core;
    const stub = this.#factory.create(keyOffset, keyBytes, hash, 0, expiry, 0);
    if (stub <= 0) return 0;
    core.i32[stub + TAG]! |= flags;
    core.renewCas(stub);
    core.link(stub);
    if ((flags & TOKEN) !== 0) core.f64[core.counters + StoreCounter.leaseTokens]!++;
    return stub;
  }

  /** Puts `item` in the place of `old` as a stale value, with the token and hold-off of `old`. The stripe is held. */
  #replaceStale(item: number, old: number): void {
    const core = this.#core;
    const { i32, u32 } = core;
    const kept = i32[old + TAG]! & (TOKEN | HOLDOFF | DELETED);
    const tokenGiven = u32[old + ACCESS]!;
    const holdoffEnd = u32[old + EXTRA]!;
    core.setCas(item, u32[old + CAS_LOW]!, u32[old + CAS_HIGH]!);
    core.unlink(old);
    i32[item + TAG]! |= STALE | kept;
    core.link(item);
    u32[item + ACCESS] = tokenGiven;
    u32[item + EXTRA] = holdoffEnd;
  }

  /** Turns a linked item into a stale one; its stripe is held. */
  #markDeleted(item: number): void {
    const core = this.#core;
    const { i32, u32, lru } = core;
    const tag = i32[item + TAG]!;
    const wasLive = (tag & DEAD) === 0;
    if (wasLive) core.countItem(item, -1);
    const isStub = (tag & STUB) !== 0;
    i32[item + TAG] = (tag & ~(TOKEN | ACTIVE | FETCHED)) | DELETED | (isStub ? 0 : STALE);
    core.renewCas(item);
    if (wasLive || (tag & DELETED) === 0) {
      u32[item + EXTRA] = 0;
      core.setExpiry(item, core.now() + this.#staleSeconds);
      // The next to be evicted: its memory is wanted by items that are not deleted.
      const slabClass = core.slabClass(item);
      lru.lock(slabClass);
      lru.remove(item, slabClass);
      lru.pushTail(item, slabClass, Segment.cold);
      lru.unlock(slabClass);
    }
  }

  #holdOff(item: number, end: number): void {
    const core = this.#core;
    core.i32[item + TAG]! |= HOLDOFF;
    core.u32[item + EXTRA] = end;
    if (core.u32[item + EXPIRY]! < end) core.setExpiry(item, end);
  }

  #stubSeconds(): number {
    return Math.max(STUB_SECONDS, this.#tokenSeconds + 1);
  }

  #count(answer: number): void {
    if (this.outcome === LeaseOutcome.hot) this.#core.count('leaseHotMisses');
    if (this.outcome !== LeaseOutcome.hit && answer !== 0) this.#core.count('leaseStaleServed');
  }
}
