/**
 * A loader with the interface of the npm package `dataloader`, on top of the cache.
 *
 * ```
 *   load a ─┐                      ┌─ hit ─────────────────────────────────────▶
 *   load b ─┼─▶ one look each, ────┤
 *   load c ─┘   sent together      └─ lease won ─▶ collected ─▶ load([a, c]) ─▶ filled with the leases
 * ```
 *
 * As with dataloader, a loader lives as long as one request: it remembers every promise it gave out (the memo).
 * `clear` and `clearAll` forget those; `invalidate` deletes the value from the cache as well.
 */
import type { Cache } from './cache.ts';
import { CacheError, CacheErrorCode } from './errors.ts';
import type { GetOrSetOptions } from './leases/options.ts';

/** What a memo has to be able to do: a Map is one. */
export interface LoaderMemo<C, V> {
  get(key: C): Promise<V> | undefined;
  set(key: C, value: Promise<V>): unknown;
  delete(key: C): unknown;
  clear(): unknown;
}

export interface LoaderOptions<K, V, C = K> extends GetOrSetOptions<V> {
  /** The key in the cache. Required: loaders of different things share one cache. */
  readonly key: (key: K) => string;
  /** `false`: every key is loaded on its own. */
  readonly batch?: boolean;
  /** Keys that are loaded at once. No limit by default. */
  readonly maxBatchSize?: number;
  /** When a batch is loaded; by default when all that is ready to run has run. */
  readonly batchScheduleFn?: (callback: () => void) => void;
  /** `false`: nothing is remembered in the process. */
  readonly cache?: boolean;
  /** What tells keys apart in the memo. The key itself by default. */
  readonly cacheKeyFn?: (key: K) => C;
  readonly cacheMap?: LoaderMemo<C, V> | null;
  readonly name?: string | null;
}

type BatchLoad<K, V> = (keys: readonly K[]) => PromiseLike<ArrayLike<V | Error>>;

interface Waiting<K, V> {
  readonly key: K;
  readonly resolve: (value: V) => void;
  readonly reject: (error: unknown) => void;
}

const RESOLVED: Promise<void> = Promise.resolve();

function afterThisTurn(callback: () => void): void {
  RESOLVED.then(() => process.nextTick(callback));
}

/** Collects the misses of a turn and loads them at once. */
class MissBatcher<K, V> {
  readonly #load: BatchLoad<K, V>;
  readonly #sizeMax: number;
  readonly #schedule: (callback: () => void) => void;
  #waiting: Waiting<K, V>[] = [];

  constructor(load: BatchLoad<K, V>, options: LoaderOptions<K, V, unknown>) {
    this.#load = load;
    this.#sizeMax = options.batch === false ? 1 : (options.maxBatchSize ?? Infinity);
    this.#schedule = options.batchScheduleFn ?? afterThisTurn;
    if (!(this.#sizeMax >= 1)) {
      throw new CacheError(CacheErrorCode.invalidConfig, `maxBatchSize is at least 1, not ${this.#sizeMax}`);
    }
  }

  load(key: K): Promise<V> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ key, resolve, reject }) === 1) this.#schedule(() => this.#dispatch());
    });
  }

  #dispatch(): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < all.length; at += this.#sizeMax) {
      void this.#run(all.slice(at, at + this.#sizeMax));
    }
  }

  async #run(batch: readonly Waiting<K, V>[]): Promise<void> {
    try {
      const values = await this.#load(batch.map((each) => each.key));
      if (typeof values?.length !== 'number' || values.length !== batch.length) {
        throw new TypeError('a loader gives one value or Error for each key, in the order of the keys');
      }
      for (const [index, each] of batch.entries()) {
        const value = values[index] as V | Error;
        if (value instanceof Error) each.reject(value);
        else each.resolve(value);
      }
    } catch (thrown) {
      for (const each of batch) each.reject(thrown);
    }
  }
}

export class Loader<K, V, C = K> {
  readonly name: string | null;
  readonly #cache: Cache;
  readonly #options: LoaderOptions<K, V, C>;
  readonly #misses: MissBatcher<K, V>;
  readonly #memo: LoaderMemo<C, V> | undefined;

  constructor(cache: Cache, load: BatchLoad<K, V>, options: LoaderOptions<K, V, C>) {
    this.name = options.name ?? null;
    this.#cache = cache;
    this.#options = options;
    this.#misses = new MissBatcher(load, options as LoaderOptions<K, V, unknown>);
    const isMemo = options.cache !== false && options.cacheMap !== null;
    this.#memo = isMemo ? (options.cacheMap ?? new Map<C, Promise<V>>()) : undefined;
  }

  load(key: K): Promise<V> {
    if (key === null || key === undefined) throw new TypeError(`a loader cannot load ${String(key)}`);
    const known = this.#memo?.get(this.#memoKey(key));
    if (known !== undefined) return known;
    const loaded = this.#cache.getOrSet<V>(
      this.#options.key(key),
      () => this.#misses.load(key),
      this.#options,
    );
    this.#memo?.set(this.#memoKey(key), loaded);
    return loaded;
  }

  loadMany(keys: ArrayLike<K>): Promise<Array<V | Error>> {
    const loads = Array.from(keys, (key) =>
      this.load(key).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))),
    );
    return Promise.all(loads);
  }

  /** Forgets what this loader remembers of a key; the cache keeps it. */
  clear(key: K): this {
    this.#memo?.delete(this.#memoKey(key));
    return this;
  }

  clearAll(): this {
    this.#memo?.clear();
    return this;
  }

  /** Remembers a value, unless one is remembered already; the cache is not changed. */
  prime(key: K, value: V | PromiseLike<V> | Error): this {
    const memoKey = this.#memoKey(key);
    if (this.#memo === undefined || this.#memo.get(memoKey) !== undefined) return this;
    const promise = value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
    // A primed error that nobody loads is nobody's unhandled rejection.
    promise.catch(() => {});
    this.#memo.set(memoKey, promise as Promise<V>);
    return this;
  }

  /** Deletes the value from the cache and forgets it. */
  async invalidate(key: K): Promise<void> {
    this.clear(key);
    await this.#cache.delete(this.#options.key(key));
    this.clear(key);
  }

  #memoKey(key: K): C {
    return this.#options.cacheKeyFn === undefined ? (key as unknown as C) : this.#options.cacheKeyFn(key);
  }
}

export function createLoader<K, V, C = K>(
  cache: Cache,
  load: BatchLoad<K, V>,
  options: LoaderOptions<K, V, C>,
): Loader<K, V, C> {
  if (typeof load !== 'function') {
    throw new TypeError('a loader needs a function from keys to a promise of values');
  }
  return new Loader(cache, load, options);
}
