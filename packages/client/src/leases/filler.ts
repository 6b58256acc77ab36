/**
 * getOrSet: one caller fills, the others wait with jitter or take the stale value if they accept one
 * (papers/nsdi13 3.2.1). Callers of one process that want the same key share one flight.
 *
 * ```
 *             ┌──────────────── wait, jittered ◀─────────────┐
 *             ▼                                              │ another fills, no value to take
 *   look ───────┬─▶ fresh value ──────────────▶ return ◀─────┤ another fills, stale value accepted
 *               ├─▶ value, lease won ─▶ return, refresh behind
 *               ├─▶ nothing (or stale, not accepted), lease won ─▶ factory ─┬─▶ fill with the lease ─▶ return
 *               │                                                           └─▶ fails: release, throw
 *               └─▶ trouble, no lease to be had, patience over ─▶ factory ─▶ return, nothing is set
 * ```
 */
import type { Clock, Random } from '@larder/routing';
import { exptimeOf } from '../duration.ts';
import { CacheError, CacheErrorCode } from '../errors.ts';
import type { CacheEmitter } from '../events.ts';
import type { FailedGets } from '../failed-gets.ts';
import { LEASE_WAIT_MS_MAX, LEASE_WAIT_MS_MIN } from '../limits.ts';
import type { CacheStatistics } from '../statistics.ts';
import type { EncodedValue, ValueSchema } from '../values/codec.ts';
import { ValueFlag } from '../values/flags.ts';
import { DATE_MASK, staleMoment, withStaleMoment } from '../values/freshness.ts';
import type { LeaseStore, Look } from './lease-store.ts';
import type { Factory, FillPlan } from './options.ts';

/** Reading and writing of values, chunks included; the cache's own. */
export interface FillerValues {
  /** May be a promise, when the value is split. Throws or rejects with DECODE. */
  decode(
    stored: Buffer,
    flags: number,
    key: string,
    schema: ValueSchema<never, unknown> | undefined,
  ): unknown;
  /** Ready for the item: a split value's parts are stored already. From `staleAtMs` (Unix time) on it is stale. */
  encode(
    value: unknown,
    key: string,
    ttlMs: number,
    schema: ValueSchema<never, unknown> | undefined,
    staleAtMs?: number,
  ): EncodedValue | Promise<EncodedValue>;
}

export interface FillerParts {
  readonly store: LeaseStore;
  readonly values: FillerValues;
  readonly statistics: CacheStatistics;
  readonly failedGets: FailedGets;
  readonly events: CacheEmitter;
  readonly clock: Clock;
  readonly random: Random;
}

/** One call, as the flight sees it. */
export interface FillRequest {
  readonly key: string;
  readonly wireKey: string;
  readonly factory: Factory<unknown, unknown>;
  readonly plan: FillPlan;
  readonly schema: ValueSchema<never, unknown> | undefined;
  readonly isTroubleThrown: boolean;
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal;
}

const ABSENT: EncodedValue = { bytes: Buffer.from('-'), flags: ValueFlag.absent };
/** What a stored value turned out to be when it could not be read: the key is cleared and looked at again. */
const UNREADABLE: unique symbol = Symbol('unreadable');
/** A value that the server would not give in full. */
class Unread {
  readonly trouble: CacheError;

  constructor(trouble: CacheError) {
    this.trouble = trouble;
  }
}
const WAIT_GROWTH = 1.6;
/** Clocks of processes and the whole seconds of servers: a refresh that much too early is as good. */
const CLOCKS_DIFFER_MS = 2000;

export class Filler {
  readonly #parts: FillerParts;

  constructor(parts: FillerParts) {
    this.#parts = parts;
  }

  async run(request: FillRequest): Promise<unknown> {
    const { store, clock, statistics } = this.#parts;
    const { plan, wireKey } = request;
    const deadline = clock.now() + plan.patienceMs;
    let pauseMs = LEASE_WAIT_MS_MIN;
    let cleared = false;
    for (;;) {
      const look = await store.look(wireKey, plan);
      if (look.trouble !== undefined) return this.#withoutCache(request, look.trouble);
      const value = look.value === undefined ? undefined : await this.#read(request, look);
      if (value instanceof Unread) return this.#withoutCache(request, value.trouble);
      if (value === UNREADABLE && !look.isWon) {
        // What this caller cannot read nobody who waits for it can: make room once, then go without.
        if (cleared) return this.#withoutCache(request, undefined);
        cleared = true;
        await store.release(wireKey, look);
        continue;
      }
      if (look.value !== undefined && value !== UNREADABLE) {
        const isFresh = !look.isStale && !this.#isExpired(look, plan);
        if (isFresh || plan.isStaleAccepted) return this.#take(request, look, value, isFresh);
      }
      if (look.isWon) return this.#fill(request, look, value === UNREADABLE ? undefined : value);
      if (!look.isFilling) return this.#withoutCache(request, undefined);
      if (clock.now() >= deadline) {
        statistics.leasePatienceOver += 1;
        return this.#withoutCache(request, undefined);
      }
      statistics.leaseWaits += 1;
      await this.#pause(pauseMs * (0.5 + this.#parts.random()), request.signal);
      pauseMs = Math.min(LEASE_WAIT_MS_MAX, pauseMs * WAIT_GROWTH);
    }
  }

  /** Past its ttl, in the time that `staleTtl` added. */
  #isExpired(look: Look, plan: FillPlan): boolean {
    if (plan.staleSeconds === 0 || look.ttlSeconds < 0 || look.ttlSeconds >= plan.staleSeconds) return false;
    // Little is left to live, but that may be all it was given: by a gutter, or because there is no value.
    const now = this.#parts.clock.wallNow();
    const moment = staleMoment(look.flags, now);
    return moment === undefined || moment.atMs <= now;
  }

  /** Whether a value whose lease was won is so old that it has to be fetched anew. */
  #isDue(look: Look, plan: FillPlan): boolean {
    const now = this.#parts.clock.wallNow();
    const moment = look.isStale ? undefined : staleMoment(look.flags, now);
    if (moment === undefined) return true;
    const isAbsent = (look.flags & ValueFlag.absent) !== 0;
    const aheadMs = isAbsent ? 0 : (plan.aheadSeconds - plan.staleSeconds) * 1000;
    return moment.atMs - aheadMs - moment.unitMs - CLOCKS_DIFFER_MS <= now;
  }

  async #read(request: FillRequest, look: Look): Promise<unknown> {
    if ((look.flags & ValueFlag.absent) !== 0) return undefined;
    const { values, events, statistics } = this.#parts;
    try {
      return await values.decode(look.value!, look.flags, request.wireKey, request.schema);
    } catch (thrown) {
      const error = CacheError.from(thrown, CacheErrorCode.decode);
      // A part of a split value could not be had: the value may well be whole.
      if (error.code !== CacheErrorCode.decode) return new Unread(error);
      statistics.decodeFailures += 1;
      events.emit('trouble', { operation: 'getOrSet', key: request.key, error });
      return UNREADABLE;
    }
  }

  /** Returns a value that is there; the caller that won the lease refreshes it behind. */
  #take(request: FillRequest, look: Look, value: unknown, isFresh: boolean): unknown {
    const { statistics } = this.#parts;
    statistics.hits += 1;
    if (value === undefined) statistics.negativeHits += 1;
    if (!isFresh) statistics.staleServed += 1;
    if (look.isWon && this.#isDue(look, request.plan)) {
      statistics.leasesWon += 1;
      this.#refresh(request, look, value);
    }
    return value;
  }

  #refresh(request: FillRequest, look: Look, value: unknown): void {
    this.#parts.statistics.refreshes += 1;
    // Whoever waited has been served: the refresh ends with the cache, not with the caller.
    this.#produce(request, value, look).catch(async (error: unknown) => {
      this.#parts.events.emit('refreshFailed', { key: request.key, error });
      const isFresh = !look.isStale && !this.#isExpired(look, request.plan);
      // A value that is still fresh is left alone: nobody waits for its refresh.
      if (!isFresh) await this.#parts.store.releaseStale(request.wireKey, look, look.ttlSeconds);
    });
  }

  async #fill(request: FillRequest, look: Look, stale: unknown): Promise<unknown> {
    this.#parts.statistics.misses += 1;
    this.#parts.statistics.leasesWon += 1;
    try {
      return await this.#produce(request, stale, look);
    } catch (thrown) {
      const { store } = this.#parts;
      if (look.value === undefined || stale === undefined) await store.release(request.wireKey, look);
      else await store.releaseStale(request.wireKey, look, look.ttlSeconds);
      throw thrown;
    }
  }

  /** The factory's value, stored with the lease. */
  async #produce(request: FillRequest, stale: unknown, look: Look): Promise<unknown> {
    const { store, clock, statistics, events } = this.#parts;
    const { plan, wireKey, key } = request;
    const made = await this.#runFactory(request, stale);
    if (made === undefined && plan.negativeMs === 0) {
      await store.release(wireKey, look);
      return undefined;
    }
    const now = clock.wallNow();
    const freshMs = made === undefined ? plan.negativeMs : plan.ttlMs;
    const ttlMs = made === undefined ? freshMs : freshMs + plan.staleSeconds * 1000;
    // Who asks for the lease of a value that is nearly over has to be able to tell whether it is.
    const staleAtMs = plan.aheadSeconds === 0 ? Infinity : now + freshMs;
    const encoded =
      made === undefined
        ? withStaleMoment(ABSENT, staleAtMs, now)
        : await this.#parts.values.encode(made, wireKey, ttlMs, request.schema, staleAtMs);
    const outcome = await store.fill(wireKey, look, encoded, exptimeOf(ttlMs, now));
    if (outcome === 'stored') statistics.stores += 1;
    else if (outcome === 'overtaken') statistics.leasesLost += 1;
    else {
      statistics.storeFailures += 1;
      events.emit('trouble', { operation: 'getOrSet', key, error: outcome });
      if (request.isTroubleThrown) throw outcome;
    }
    return this.#asRead(request, made, encoded);
  }

  /** With a schema callers get views, whether the value came from the cache or from the factory. */
  #asRead(request: FillRequest, made: unknown, encoded: EncodedValue): unknown {
    if (request.schema === undefined || made === undefined) return made;
    if ((encoded.flags & ~DATE_MASK) !== ValueFlag.schema)
      return request.schema.decode(request.schema.encode(made as never));
    return request.schema.decode(encoded.bytes);
  }

  async #runFactory(request: FillRequest, stale: unknown): Promise<unknown> {
    const { statistics } = this.#parts;
    statistics.factoryRuns += 1;
    try {
      return await request.factory({ key: request.key, signal: request.signal, stale });
    } catch (thrown) {
      statistics.factoryFailures += 1;
      throw thrown;
    }
  }

  /** Without a lease nothing is set, and after a failed get least of all (papers/nsdi13 3.1). */
  async #withoutCache(request: FillRequest, trouble: CacheError | undefined): Promise<unknown> {
    const { statistics, failedGets, events } = this.#parts;
    statistics.misses += 1;
    if (trouble !== undefined) {
      statistics.failedGets += 1;
      failedGets.add(request.wireKey);
      events.emit('trouble', { operation: 'getOrSet', key: request.key, error: trouble });
      if (request.isTroubleThrown) throw trouble;
    }
    return this.#viewed(request, await this.#runFactory(request, undefined));
  }

  #viewed(request: FillRequest, made: unknown): unknown {
    if (request.schema === undefined || made === undefined) return made;
    return request.schema.decode(request.schema.encode(made as never));
  }

  /** Resolves after the time, or rejects when the signal fires. */
  #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        timer.cancel();
        reject(new CacheError(CacheErrorCode.aborted, 'nobody waits for the value any more'));
      };
      const timer = this.#parts.clock.setTimer(delayMs, () => {
        signal.removeEventListener('abort', aborted);
        resolve();
      });
      if (signal.aborted) aborted();
      else signal.addEventListener('abort', aborted, { once: true });
    });
  }
}
