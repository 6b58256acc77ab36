/** Linking new items under the rules of set, add, replace, append, prepend and cas, and of meta set. */
import { copyStream } from './chain.ts';
import { clientFlagsOf } from './client-flags.ts';
import type { StoreCore } from './core.ts';
import type { ItemFactory } from './creation.ts';
import {
  ACCESS,
  CAS_HIGH,
  CAS_LOW,
  DEAD,
  EXPIRY,
  EXTRA,
  HASH,
  HOLDOFF,
  KEY_AT,
  STALE,
  TAG,
  TAG_KEY_MASK,
  TOKEN,
  VALUE_BYTES,
} from './item.ts';
import { StoreMode, StoreResult } from './result.ts';

/** What a meta set asks for; one object is reused by its caller. */
export interface MetaStoreOptions {
  mode: StoreMode;
  /** Compare with casLow, casHigh (C flag). */
  compareCas: boolean;
  casLow: number;
  casHigh: number;
  /** A CAS below the item's stores the value as stale instead of refusing it (I flag). */
  invalidateOlder: boolean;
  /** The new item's CAS (E flag) when `hasNewCas`. */
  hasNewCas: boolean;
  newCasLow: number;
  newCasHigh: number;
  /** Append and prepend make a missing item with this expiry (N flag); -1 for not. */
  vivifyExpiry: number;
}

export class Storing {
  readonly #core: StoreCore;
  readonly #factory: ItemFactory;
  /** Whether the last meta set linked the given item itself. */
  #isLinked = false;
  /** The item that an append or prepend made last. */
  #extended = 0;

  constructor(core: StoreCore, factory: ItemFactory) {
    this.#core = core;
    this.#factory = factory;
  }

  /**
   * Links an item under `mode`. The caller's reference is consumed whatever the result. `casLow`, `casHigh` are
   * read in mode cas only.
   */
  link(item: number, mode: StoreMode, casLow: number, casHigh: number): StoreResult {
    const core = this.#core;
    const hash = core.i32[item + HASH]!;
    core.lockStripe(hash);
    core.countRequest(item, 'sets');
    const old = this.#findOld(item);
    const isLive = old !== 0 && (core.i32[old + TAG]! & DEAD) === 0;
    let result: StoreResult;
    if (mode === StoreMode.set) result = this.#replace(item, old);
    else if (mode === StoreMode.add) result = this.#add(item, old, isLive);
    else if (mode === StoreMode.cas) {
      if (!isLive) result = StoreResult.notFound;
      else result = this.#compareAndReplace(item, old, casLow, casHigh);
    } else if (!isLive) result = StoreResult.notStored;
    else if (mode === StoreMode.replace) result = this.#replace(item, old);
    else result = this.#extend(item, old, mode);
    core.unlockStripe(hash);
    // Linking took the reference over; everything else, extending included, leaves the given item unused.
    if (result !== StoreResult.stored || mode === StoreMode.append || mode === StoreMode.prepend)
      core.release(item);
    return result;
  }

  /** As `link`, by the rules of meta set. */
  linkMeta(item: number, options: MetaStoreOptions): StoreResult {
    const core = this.#core;
    const hash = core.i32[item + HASH]!;
    core.lockStripe(hash);
    core.countRequest(item, 'sets');
    const old = this.#findOld(item);
    this.#isLinked = false;
    const result = this.#storeMeta(item, old, options);
    core.unlockStripe(hash);
    if (!this.#isLinked) core.release(item);
    return result;
  }

  #storeMeta(item: number, old: number, options: MetaStoreOptions): StoreResult {
    const core = this.#core;
    const tag = old === 0 ? 0 : core.i32[old + TAG]!;
    const isLive = old !== 0 && (tag & DEAD) === 0;
    let becomesStale = false;
    if (options.compareCas) {
      if (old === 0) return StoreResult.notFound;
      const isEqual = core.casEquals(old, options.casLow, options.casHigh);
      core.countRequest(old, isEqual ? 'casHits' : 'casMismatches');
      if (!isEqual) {
        if (!options.invalidateOlder || !this.#isOlder(options, old)) return StoreResult.exists;
        becomesStale = true;
      }
    }
    const { mode } = options;
    const extends_ = mode === StoreMode.append || mode === StoreMode.prepend;
    if (mode === StoreMode.add && (isLive || this.#isHeldOff(old))) return StoreResult.notStored;
    if (mode === StoreMode.replace && !isLive) return StoreResult.notStored;
    if (extends_ && isLive) {
      const result = this.#extend(item, old, mode);
      if (result === StoreResult.stored && options.hasNewCas) this.#overrideCas(options);
      return result;
    }
    if (extends_) {
      if (options.vivifyExpiry === -1) return StoreResult.notStored;
      core.u32[item + EXPIRY] = options.vivifyExpiry;
    }
    this.#isLinked = true;
    if (options.hasNewCas) core.setCas(item, options.newCasLow, options.newCasHigh);
    if (becomesStale) return this.#replaceByStale(item, old, options.hasNewCas);
    return this.#replace(item, old, options.hasNewCas);
  }

  /** Links a value that is known to be older: stale, with the expiry and the token of what it replaces. */
  #replaceByStale(item: number, old: number, keepsCas: boolean): StoreResult {
    const { i32, u32 } = this.#core;
    const tag = i32[old + TAG]!;
    const tokenGiven = u32[old + ((tag & DEAD) !== 0 ? ACCESS : EXTRA)]!;
    i32[item + TAG]! |= STALE | (tag & TOKEN);
    u32[item + EXPIRY] = u32[old + EXPIRY]!;
    const result = this.#replace(item, old, keepsCas);
    if ((tag & TOKEN) !== 0) u32[item + ACCESS] = tokenGiven;
    return result;
  }

  #overrideCas(options: MetaStoreOptions): void {
    this.#core.setCas(this.#extended, options.newCasLow, options.newCasHigh);
    this.#core.rememberCas(this.#extended);
  }

  #isOlder(options: MetaStoreOptions, old: number): boolean {
    const { u32 } = this.#core;
    const high = u32[old + CAS_HIGH]!;
    return options.casHigh < high || (options.casHigh === high && options.casLow < u32[old + CAS_LOW]!);
  }

  /** The linked item with the same key as a new one; the stripe is held. */
  #findOld(item: number): number {
    const { i32 } = this.#core;
    return this.#core.findCurrent(item * 4 + KEY_AT, i32[item + TAG]! & TAG_KEY_MASK, i32[item + HASH]!);
  }

  #isHeldOff(old: number): boolean {
    const { i32, u32 } = this.#core;
    return old !== 0 && (i32[old + TAG]! & HOLDOFF) !== 0 && u32[old + EXTRA]! > this.#core.now();
  }

  #compareAndReplace(item: number, old: number, casLow: number, casHigh: number): StoreResult {
    const isEqual = this.#core.casEquals(old, casLow, casHigh);
    this.#core.countRequest(old, isEqual ? 'casHits' : 'casMismatches');
    return isEqual ? this.#replace(item, old) : StoreResult.exists;
  }

  #add(item: number, old: number, isLive: boolean): StoreResult {
    if (isLive || this.#isHeldOff(old)) return StoreResult.notStored;
    return this.#replace(item, old);
  }

  /** Links `item` in place of `old` (0 for none). */
  #replace(item: number, old: number, keepsCas = false): StoreResult {
    const core = this.#core;
    if (old !== 0) core.unlink(old);
    if (!keepsCas) core.renewCas(item);
    core.link(item);
    core.rememberCas(item);
    return StoreResult.stored;
  }

  /** Stores the old value and the new one, one behind the other, with the old flags and expiry. */
  #extend(item: number, old: number, mode: StoreMode): StoreResult {
    const core = this.#core;
    const { i32, u32 } = core;
    const oldBytes = u32[old + VALUE_BYTES]!;
    const newBytes = u32[item + VALUE_BYTES]!;
    const keyBytes = i32[old + TAG]! & TAG_KEY_MASK;
    const flags = clientFlagsOf(core, old);
    const joined = this.#factory.create(
      old * 4 + KEY_AT,
      keyBytes,
      i32[old + HASH]!,
      flags,
      u32[old + EXPIRY]!,
      oldBytes + newBytes,
    );
    if (joined === -1) return StoreResult.tooLarge;
    if (joined === 0) return StoreResult.outOfMemory;
    const start = core.headBytes(joined);
    const isAppend = mode === StoreMode.append;
    copyStream(core, old, core.headBytes(old), joined, start + (isAppend ? 0 : newBytes), oldBytes);
    copyStream(core, item, core.headBytes(item), joined, start + (isAppend ? oldBytes : 0), newBytes);
    this.#extended = joined;
    return this.#replace(joined, old);
  }
}
