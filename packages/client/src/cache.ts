/**
 * The cache as a service sees it.
 *
 * ```
 *   get, getMany ──▶ batcher ──▶ one multiget per server ─┐
 *   getOrSet ──────▶ flights ──▶ filler (leases) ─▶ sender ┼─▶ window ─▶ route handles ─▶ servers
 *   set, delete, … ─────────────────────────────▶ sender ─┘
 * ```
 *
 * Cache trouble never breaks the caller unless it asks for that: a failed get is a miss, a failed store is
 * `false`, and both are counted and told by the event `trouble`. After a failed get the key is not set for a
 * while (papers/nsdi13 3.1).
 */
import {
  Operation,
  type Reply,
  type Request,
  Result,
  type RouteHandle,
  type SpoolContents,
  type SpoolStatistics,
} from '@larder/routing';
import { type CacheParts, composeCache } from './compose.ts';
import { type Duration, durationMs, exptimeOf, ttlSeconds } from './duration.ts';
import { CacheError, CacheErrorCode } from './errors.ts';
import { CacheEmitter } from './events.ts';
import type { FlowWindow } from './flow/window.ts';
import { PendingGet } from './gets/pending-get.ts';
import { listKeys } from './key-list.ts';
import { wireKey } from './keys.ts';
import { abortable, type Flight, refuseAborted } from './leases/flights.ts';
import { type Factory, fillPlan, type GetOrSetOptions } from './leases/options.ts';
import { createLoader, type Loader, type LoaderOptions } from './loader.ts';
import type {
  ArithmeticOptions,
  CacheOptions,
  CallOptions,
  CasOutcome,
  CasValue,
  DeleteOptions,
  GetOptions,
  SetOptions,
  UpdateOptions,
} from './options.ts';
import { Plan } from './plan/plan.ts';
import { troubleOfReply } from './send/trouble.ts';
import type { CacheStatistics } from './statistics.ts';
import type { EncodedValue, ValueSchema } from './values/codec.ts';

type AnySchema = ValueSchema<never, unknown> | undefined;

/** The deletes that wait for their servers. */
export interface SpoolState {
  readonly statistics: Readonly<SpoolStatistics>;
  /** Of all processes that share the folder. Reads directories: for metrics, not for requests. */
  contents(): SpoolContents;
}

/** What a store operation came to. */
interface StoreOutcome {
  readonly result: Result | undefined;
}
const SKIPPED: StoreOutcome = { result: undefined };

export class Cache extends CacheEmitter {
  readonly #parts: CacheParts;
  readonly #prefix: string;
  readonly #ttlMs: number | undefined;
  readonly #isTroubleThrown: boolean;

  /** Connects at the first request, or when `ready` is called. */
  constructor(options: CacheOptions = {}) {
    super();
    this.#parts = composeCache(options, this);
    this.#prefix = options.keyPrefix ?? '';
    this.#ttlMs = options.ttl === undefined ? undefined : durationMs(options.ttl);
    this.#isTroubleThrown = options.throwOnTrouble ?? false;
  }

  /** A cache whose configuration has been read and found good. */
  static async connect(options: CacheOptions = {}): Promise<Cache> {
    const cache = new Cache(options);
    await cache.ready();
    return cache;
  }

  /** Resolves when the configuration has been read. Rejects when it is bad, or cannot be read now. */
  ready(): Promise<void> {
    return this.#parts.routes.ready();
  }

  get statistics(): CacheStatistics {
    return this.#parts.statistics;
  }

  /** The flow-control window that this cache's requests go through. */
  get window(): FlowWindow {
    return this.#parts.window;
  }

  /**
   * Where deletes wait whose server could not be told (`spoolFolder`): what this process did with it, and what waits
   * in it now. Undefined before the first request, and where there is none.
   */
  get spool(): SpoolState | undefined {
    return this.#parts.routes.spool;
  }

  /** The root of the route handles as they are now, for tools and tests. */
  get routes(): RouteHandle {
    return this.#parts.routes.root();
  }

  /**
   * The value of a key, `undefined` when there is none. All gets of one turn of the event loop become one
   * multiget per server.
   */
  get<Input, View>(
    key: string,
    options: GetOptions<Input, View> & { readonly schema: ValueSchema<Input, View> },
  ): Promise<View | undefined>;
  get<T = unknown>(key: string, options?: CallOptions): Promise<T | undefined>;
  get(key: string, options?: GetOptions<never, unknown>): Promise<unknown> {
    return this.#get(key, options);
  }

  #get(key: string, options: GetOptions<never, unknown> | undefined): Promise<unknown> {
    const promise = new Promise<unknown>((resolve, reject) => {
      const { routes, batcher } = this.#parts;
      refuseAborted(options?.signal);
      if (routes.fatal !== undefined) throw routes.fatal;
      const isThrown = options?.throwOnTrouble ?? this.#isTroubleThrown;
      const wire = wireKey(this.#prefix, key);
      batcher.add(new PendingGet(wire, key, options?.schema, resolve, isThrown ? reject : undefined));
    });
    return options?.signal === undefined ? promise : abortable(promise, options.signal);
  }

  /** The values of many keys; keys without a value are not in the Map. */
  getMany<Input, View>(
    keys: Iterable<string>,
    options: GetOptions<Input, View> & { readonly schema: ValueSchema<Input, View> },
  ): Promise<Map<string, View>>;
  getMany<T = unknown>(keys: Iterable<string>, options?: CallOptions): Promise<Map<string, T>>;
  async getMany(keys: Iterable<string>, options?: GetOptions<never, unknown>): Promise<Map<string, unknown>> {
    const wanted = [...new Set(keys)];
    const values = await Promise.all(wanted.map((key) => this.#get(key, options)));
    const found = new Map<string, unknown>();
    for (const [index, value] of values.entries()) {
      if (value !== undefined) found.set(wanted[index]!, value);
    }
    return found;
  }

  /** A value with its CAS number, for `cas`. */
  async gets<T = unknown>(key: string, options: GetOptions<never, T> = {}): Promise<CasValue<T> | undefined> {
    const request = this.#request(Operation.gets, key);
    const value = await this.#retrieve<T>('gets', key, request, options);
    return value;
  }

  /** The value, whose time to live begins anew. */
  async getAndTouch<T = unknown>(
    key: string,
    ttl: Duration,
    options: GetOptions<never, T> = {},
  ): Promise<T | undefined> {
    const request = this.#request(Operation.gat, key);
    request.exptime = exptimeOf(ttl, this.#parts.clock.wallNow());
    const found = await this.#retrieve<T>('getAndTouch', key, request, options);
    return found?.value;
  }

  /**
   * Stores a value. False when that failed, or was left out because the key's get has just failed. Bytes are sent
   * from where they lie: they must not change until the promise has settled.
   */
  set<T>(key: string, value: T, options: SetOptions<T> = {}): Promise<boolean> {
    return this.#isStored('set', Operation.set, key, value, options);
  }

  /** Stores many values alike; how many were stored. */
  async setMany<T>(entries: Iterable<readonly [string, T]>, options: SetOptions<T> = {}): Promise<number> {
    const stores = [...entries].map(([key, value]) =>
      this.#isStored('set', Operation.set, key, value, options),
    );
    const outcomes = await Promise.all(stores);
    return outcomes.filter((isStored) => isStored).length;
  }

  /** Stores a value only if there is none. */
  add<T>(key: string, value: T, options: SetOptions<T> = {}): Promise<boolean> {
    return this.#isStored('add', Operation.add, key, value, options);
  }

  /** Stores a value only if there is one already. */
  replace<T>(key: string, value: T, options: SetOptions<T> = {}): Promise<boolean> {
    return this.#isStored('replace', Operation.replace, key, value, options);
  }

  /** Stores a value only if nothing changed since `gets` gave this number. */
  async cas<T>(key: string, value: T, cas: bigint, options: SetOptions<T> = {}): Promise<CasOutcome> {
    const { result } = await this.#store('cas', Operation.cas, key, value, options, cas);
    switch (result) {
      case Result.stored:
        return 'stored';
      case Result.exists:
        return 'exists';
      case Result.miss:
        return 'missing';
      default:
        return 'failed';
    }
  }

  /** Puts text or bytes behind a stored string or bytes that are neither compressed nor split. */
  append(key: string, piece: string | Uint8Array, options: CallOptions = {}): Promise<boolean> {
    return this.#join('append', Operation.append, key, piece, options);
  }

  /** The same in front. */
  prepend(key: string, piece: string | Uint8Array, options: CallOptions = {}): Promise<boolean> {
    return this.#join('prepend', Operation.prepend, key, piece, options);
  }

  /**
   * Adds to a number of the server and gives the new one; `undefined` when there is none and no `initial` is
   * given. Wraps at 2^64; exact up to 2^53.
   */
  incr(
    key: string,
    delta: number | bigint = 1,
    options: ArithmeticOptions = {},
  ): Promise<number | undefined> {
    return this.#count('incr', Operation.incr, key, delta, options);
  }

  /** The same downwards; stops at 0. */
  decr(
    key: string,
    delta: number | bigint = 1,
    options: ArithmeticOptions = {},
  ): Promise<number | undefined> {
    return this.#count('decr', Operation.decr, key, delta, options);
  }

  /** The time to live of a key begins anew. False when there is no such key. */
  async touch(key: string, ttl: Duration, options: CallOptions = {}): Promise<boolean> {
    const request = this.#request(Operation.touch, key);
    request.exptime = exptimeOf(ttl, this.#parts.clock.wallNow());
    const reply = await this.#send('touch', key, request, options);
    return reply?.result === Result.touched;
  }

  /** Deletes a key, and voids the lease of whoever is about to fill it. False when there was none. */
  delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    return this.#delete(key, options);
  }

  async #delete(key: string, options: DeleteOptions): Promise<boolean> {
    const request = this.#request(Operation.delete, key);
    if (options.holdOff !== undefined) request.holdOffSeconds = ttlSeconds(durationMs(options.holdOff));
    if (options.staleTtl !== undefined) request.staleSeconds = ttlSeconds(durationMs(options.staleTtl));
    const { statistics, failedGets } = this.#parts;
    const reply = await this.#send('delete', key, request, options);
    if (reply === undefined) {
      statistics.deleteFailures += 1;
      return false;
    }
    statistics.deletes += 1;
    failedGets.delete(wireKey(this.#prefix, key));
    return reply.result === Result.deleted;
  }

  /** Deletes many keys; how many there were. */
  async deleteMany(keys: Iterable<string>, options: DeleteOptions = {}): Promise<number> {
    const outcomes = await Promise.all([...new Set(keys)].map((key) => this.#delete(key, options)));
    return outcomes.filter((isDeleted) => isDeleted).length;
  }

  /**
   * The value of a key, or what `factory` gives, which is stored. Of all callers in all processes one runs its
   * factory; the others wait for it, or take a stale value if they accept one. The factory's failure is
   * thrown, and lets the next caller try.
   */
  getOrSet<Input, View>(
    key: string,
    factory: Factory<Input, View>,
    options: GetOrSetOptions<Input, View> & { readonly schema: ValueSchema<Input, View> },
  ): Promise<View | undefined>;
  getOrSet<T>(
    key: string,
    factory: (context: Parameters<Factory<T, T>>[0]) => T | Promise<T>,
    options?: GetOrSetOptions<T>,
  ): Promise<T>;
  async getOrSet(
    key: string,
    factory: Factory<never, never>,
    options: GetOrSetOptions<never, unknown> = {},
  ): Promise<unknown> {
    const { routes, flights, filler, statistics } = this.#parts;
    refuseAborted(options.signal);
    if (routes.fatal !== undefined) throw routes.fatal;
    if (typeof factory !== 'function') {
      throw new CacheError(CacheErrorCode.invalidValue, 'getOrSet needs a factory', { key });
    }
    const wire = wireKey(this.#prefix, key);
    const plan = fillPlan(options, this.#ttlMs);
    const isTroubleThrown = options.throwOnTrouble ?? this.#isTroubleThrown;
    // Who wants something else of trouble and of stale values travels alone.
    const lane = flightLane(wire, isTroubleThrown, plan.isStaleAccepted);
    let flight = flights.find(lane, options.schema);
    if (flight === undefined) {
      const shared = {
        key,
        wireKey: wire,
        factory: factory as unknown as Factory<unknown, unknown>,
        plan,
        isTroubleThrown,
      };
      flight = flights.start(lane, options.schema, (own: Flight) =>
        filler.run({
          ...shared,
          schema: options.schema,
          get signal() {
            return own.signal;
          },
        }),
      );
    } else {
      statistics.coalesced += 1;
    }
    return flights.board(lane, flight, options.signal);
  }

  /**
   * Runs `work` (a transaction that changes what the keys were made of) and deletes the keys, whether it
   * succeeds or fails: nobody knows what a failed one has done. Keys may be a function of the work's result. The
   * work's outcome is the caller's; a delete that fails is trouble. A signal that fires meanwhile stops no delete.
   */
  async update<T>(
    keys: string | Iterable<string> | ((result: T) => string | Iterable<string>),
    work: () => T | Promise<T>,
    { signal, ...options }: UpdateOptions = {},
  ): Promise<T> {
    refuseAborted(signal);
    if (typeof keys === 'function') {
      const result = await work();
      await this.#invalidate(keys(result), options);
      return result;
    }
    try {
      return await work();
    } finally {
      await this.#invalidate(keys, options);
    }
  }

  /** Values and the values that depend on them, fetched with one round trip per level: see `Plan`. */
  plan(): Plan {
    return new Plan(this);
  }

  /** A loader with DataLoader's interface that keeps what it loads in this cache. */
  loader<K, V, C = K>(
    load: (keys: readonly K[]) => PromiseLike<ArrayLike<V | Error>>,
    options: LoaderOptions<K, V, C>,
  ): Loader<K, V, C> {
    return createLoader(this, load, options);
  }

  /**
   * The keys on all servers that begin with `prefix`, from `lru_crawler metadump`: for tools and tests, not for
   * requests. Hashed keys appear as they are on the wire. Rejects with UNSUPPORTED behind a router, which has no such
   * command: a cache with the router's own configuration lists them.
   */
  async *keys(prefix: string = ''): AsyncGenerator<string, void> {
    await this.ready();
    const whole = this.#prefix + prefix;
    for await (const key of listKeys(this.#parts.routes.destinations(), whole)) {
      yield key.slice(this.#prefix.length);
    }
  }

  /**
   * Reads the configuration, or finds the servers out, again now instead of at the next time. Rejects when that is
   * bad or fails: what was there stays.
   */
  reload(): Promise<void> {
    return this.#parts.routes.reload();
  }

  /** Ends the connections; what is under way fails. */
  async close(): Promise<void> {
    await this.#parts.routes.close();
    this.emit('close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #invalidate(keys: string | Iterable<string>, options: UpdateOptions): Promise<void> {
    const list = typeof keys === 'string' ? [keys] : [...new Set(keys)];
    await Promise.all(list.map((key) => this.#delete(key, options)));
  }

  #request(operation: Operation, key: string): Request {
    const { routes, sender } = this.#parts;
    if (routes.fatal !== undefined) throw routes.fatal;
    return sender.request(operation, wireKey(this.#prefix, key));
  }

  /** The reply, or undefined after trouble that the caller does not want to hear of. */
  async #send(
    operation: string,
    key: string,
    request: Request,
    options: CallOptions,
  ): Promise<Reply | undefined> {
    refuseAborted(options.signal);
    const reply = await abortable(this.#parts.sender.send(request), options.signal);
    if (!reply.isError) return reply;
    this.#tell(operation, key, troubleOfReply(reply, key), options);
    return undefined;
  }

  #tell(operation: string, key: string, error: CacheError, options: CallOptions): void {
    this.emit('trouble', { operation, key, error });
    if (options.throwOnTrouble ?? this.#isTroubleThrown) throw error;
  }

  async #retrieve<T>(
    operation: string,
    key: string,
    request: Request,
    options: GetOptions<never, T>,
  ): Promise<CasValue<T> | undefined> {
    const { statistics, failedGets, values } = this.#parts;
    const wire = wireKey(this.#prefix, key);
    refuseAborted(options.signal);
    try {
      const reply = await abortable(this.#parts.sender.send(request), options.signal);
      if (reply.isError) throw troubleOfReply(reply, key);
      const isStub = reply.valueBytes === 0 && reply.flags === 0;
      if (!reply.hasValue || isStub) {
        statistics.misses += 1;
        return undefined;
      }
      const value = await values.decode(reply.value, reply.flags, wire, options.schema as AnySchema);
      statistics.hits += 1;
      // That there is nothing was remembered by getOrSet.
      if (value === undefined) {
        statistics.negativeHits += 1;
        return undefined;
      }
      return { value: value as T, cas: reply.cas };
    } catch (thrown) {
      const error = CacheError.from(thrown, CacheErrorCode.decode);
      if (!error.isTrouble) throw error;
      statistics.misses += 1;
      statistics.failedGets += 1;
      if (error.code === CacheErrorCode.decode) statistics.decodeFailures += 1;
      else failedGets.add(wire);
      this.#tell(operation, key, error, options);
      return undefined;
    }
  }

  async #isStored(
    name: string,
    operation: Operation,
    key: string,
    value: unknown,
    options: SetOptions<never>,
  ): Promise<boolean> {
    const { result } = await this.#store(name, operation, key, value, options);
    return result === Result.stored;
  }

  async #store(
    name: string,
    operation: Operation,
    key: string,
    value: unknown,
    options: SetOptions<never>,
    cas: bigint = 0n,
  ): Promise<StoreOutcome> {
    const { statistics, failedGets, values, sender, routes } = this.#parts;
    refuseAborted(options.signal);
    if (routes.fatal !== undefined) throw routes.fatal;
    const wire = wireKey(this.#prefix, key);
    const ttlMs = options.ttl === undefined ? (this.#ttlMs ?? Infinity) : durationMs(options.ttl);
    try {
      if (failedGets.has(wire)) {
        statistics.storesSkipped += 1;
        return SKIPPED;
      }
      const encoded: EncodedValue | Promise<EncodedValue> = values.encode(value, wire, ttlMs, options.schema);
      const { bytes, flags } = encoded instanceof Promise ? await encoded : encoded;
      refuseAborted(options.signal);
      const request = sender.request(operation, wire);
      request.value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      request.flags = flags;
      request.exptime = exptimeOf(ttlMs, this.#parts.clock.wallNow());
      request.cas = cas;
      const reply = await abortable(sender.send(request), options.signal);
      if (reply.isError) throw troubleOfReply(reply, key);
      statistics.stores += 1;
      return { result: reply.result };
    } catch (thrown) {
      const error = CacheError.from(thrown);
      if (!error.isTrouble) throw error;
      statistics.storeFailures += 1;
      this.#tell(name, key, error, options);
      return SKIPPED;
    }
  }

  async #join(
    name: string,
    operation: Operation,
    key: string,
    piece: string | Uint8Array,
    options: CallOptions,
  ): Promise<boolean> {
    const bytes = this.#parts.values.encodePiece(piece);
    const request = this.#request(operation, key);
    request.value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const reply = await this.#send(name, key, request, options);
    return reply?.result === Result.stored;
  }

  async #count(
    name: string,
    operation: Operation,
    key: string,
    delta: number | bigint,
    options: ArithmeticOptions,
  ): Promise<number | undefined> {
    const step = wholeNumber(delta, 'a delta');
    const request = this.#request(operation, key);
    request.delta = step;
    refuseAborted(options.signal);
    const reply = await abortable(this.#parts.sender.send(request), options.signal);
    if (reply.result === Result.clientError && reply.message.includes('non-numeric')) {
      throw new CacheError(CacheErrorCode.notNumber, `${name} of a value that is not a whole number`, {
        key,
      });
    }
    if (reply.isError) {
      this.#tell(name, key, troubleOfReply(reply, key), options);
      return undefined;
    }
    if (reply.result === Result.number) return Number(reply.number);
    if (options.initial === undefined) return undefined;
    const initial = wholeNumber(options.initial, 'an initial value');
    const ttl = options.ttl === undefined ? {} : { ttl: options.ttl };
    if (await this.#isStored('add', Operation.add, key, Number(initial), { ...options, ...ttl }))
      return Number(initial);
    // Somebody else has made it meanwhile.
    const { initial: _made, ...again } = options;
    return this.#count(name, operation, key, delta, again);
  }
}

/** Servers count in 64 bits. */
const COUNTER_MAX = 0xffff_ffff_ffff_ffffn;

function wholeNumber(value: number | bigint, what: string): bigint {
  const isWhole =
    typeof value === 'bigint'
      ? value >= 0n && value <= COUNTER_MAX
      : Number.isSafeInteger(value) && value >= 0;
  if (isWhole) return BigInt(value);
  throw new CacheError(
    CacheErrorCode.invalidValue,
    `${what} is a whole number from 0 to 2^64 - 1, not ${String(value)}`,
  );
}

/** Callers for one key share a flight when they want the same of it. No key of the wire has a space. */
function flightLane(wire: string, isTroubleThrown: boolean, isStaleAccepted: boolean): string {
  if (!isTroubleThrown && !isStaleAccepted) return wire;
  return `${wire} ${isTroubleThrown ? 'thrown' : ''} ${isStaleAccepted ? 'stale' : ''}`;
}
