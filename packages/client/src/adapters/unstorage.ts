/**
 * A driver for unstorage (and so for Nitro and Nuxt).
 *
 * ```
 *   const storage = createStorage({ driver: larderStorage({ cache }) });
 * ```
 *
 * Listing keys asks every server for all it has and is for tools. Clearing everything is done by generations
 * (generations.ts); clearing below a base lists and deletes.
 */
import type { Driver, TransactionOptions } from 'unstorage';
import type { Cache } from '../cache.ts';
import { type Duration, durationMs } from '../duration.ts';
import { Generations } from './generations.ts';

export interface LarderStorageOptions {
  readonly cache: Cache;
  /** In front of all keys. `unstorage` by default. */
  readonly base?: string;
  /** Where a call does not say (its `ttl` is in seconds). For ever by default. */
  readonly ttl?: Duration;
  /** How long other processes may see what one of them has cleared. 1 s by default. */
  readonly generationMemo?: Duration;
}

const BASE_DEFAULT = 'unstorage';

class LarderStorage {
  readonly #options: LarderStorageOptions;
  readonly #generations: Generations;
  readonly #base: string;

  constructor(options: LarderStorageOptions) {
    const memo = options.generationMemo;
    this.#options = options;
    this.#base = (options.base ?? BASE_DEFAULT).replace(/:$/, '');
    this.#generations = new Generations(options.cache, memo === undefined ? undefined : durationMs(memo));
  }

  async prefix(): Promise<string> {
    return `${this.#base}:${await this.#generations.current(this.#base)}:`;
  }

  async get(key: string): Promise<unknown> {
    return (await this.#options.cache.get((await this.prefix()) + key)) ?? null;
  }

  async getMany(keys: readonly string[]): Promise<{ key: string; value: unknown }[]> {
    const prefix = await this.prefix();
    const found = await this.#options.cache.getMany(keys.map((key) => prefix + key));
    return keys.map((key) => ({ key, value: found.get(prefix + key) ?? null }));
  }

  async set(key: string, value: unknown, options: TransactionOptions): Promise<void> {
    const seconds: unknown = options?.ttl;
    const ttl = typeof seconds === 'number' ? seconds * 1000 : this.#options.ttl;
    await this.#options.cache.set((await this.prefix()) + key, value, ttl === undefined ? {} : { ttl });
  }

  async remove(key: string): Promise<void> {
    await this.#options.cache.delete((await this.prefix()) + key);
  }

  async keys(base: string): Promise<string[]> {
    const prefix = await this.prefix();
    const found: string[] = [];
    for await (const key of this.#options.cache.keys(prefix + base)) found.push(key.slice(prefix.length));
    return found;
  }

  async clear(base: string): Promise<void> {
    if (base === '') {
      await this.#generations.renew(this.#base);
      return;
    }
    const prefix = await this.prefix();
    await this.#options.cache.deleteMany((await this.keys(base)).map((key) => prefix + key));
  }
}

/** What `createStorage` takes as its driver. */
export function larderStorage(options: LarderStorageOptions): Driver<LarderStorageOptions, Cache> {
  const storage = new LarderStorage(options);
  return {
    name: 'larder',
    options,
    getInstance: () => options.cache,
    hasItem: async (key) => (await storage.get(key)) !== null,
    getItem: (key) => storage.get(key) as Promise<string | null>,
    getItems: (items) =>
      storage.getMany(items.map((item) => item.key)) as Promise<{ key: string; value: string | null }[]>,
    getItemRaw: (key) => storage.get(key),
    setItem: (key, value, transaction) => storage.set(key, value, transaction),
    setItemRaw: (key, value, transaction) => storage.set(key, value, transaction),
    removeItem: (key) => storage.remove(key),
    getKeys: (base: string | undefined) => storage.keys(base ?? ''),
    clear: (base: string | undefined) => storage.clear(base ?? ''),
    // The cache belongs to whoever made it.
    dispose: () => {},
  };
}
