/**
 * A second-level driver for bentocache.
 *
 * ```
 *   const bento = new BentoCache({
 *     default: 'main',
 *     stores: { main: bentostore().useL2Layer(larderDriver({ cache })) },
 *   });
 * ```
 *
 * Namespaces are cleared by generations (generations.ts). A key carries the generations of all namespaces that it
 * lies in, so clearing one clears those inside as well:
 *
 * ```
 *   bentocache         → <generation>:
 *   bentocache:users   → <generation> <generation of users>:users:7
 * ```
 */
import type { CreateDriverResult, L2CacheDriver } from 'bentocache/types';
import type { Cache } from '../cache.ts';
import { type Duration, durationMs } from '../duration.ts';
import { Generations } from './generations.ts';

export interface LarderDriverOptions {
  readonly cache: Cache;
  /** In front of all keys. `bentocache` by default. */
  readonly prefix?: string;
  /** How long other processes may see what one of them has cleared. 1 s by default. */
  readonly generationMemo?: Duration;
}

const PREFIX_DEFAULT = 'bentocache';

/** What the drivers of one store share. */
interface Shared {
  readonly cache: Cache;
  readonly generations: Generations;
  readonly root: string;
  /** Namespaces that exist in this process, without the root: `users`, `users:posts`. */
  readonly namespaces: Set<string>;
}

class LarderDriver implements L2CacheDriver {
  readonly type = 'l2' as const;
  readonly #shared: Shared;
  readonly #path: string;

  constructor(shared: Shared, path: string) {
    this.#shared = shared;
    this.#path = path;
  }

  namespace(namespace: string): LarderDriver {
    const path = this.#pathOf(namespace);
    this.#shared.namespaces.add(path);
    return new LarderDriver(this.#shared, path);
  }

  async get(key: string): Promise<string | undefined> {
    return this.#shared.cache.get<string>(await this.#key(key));
  }

  async pull(key: string): Promise<string | undefined> {
    const wire = await this.#key(key);
    const value = await this.#shared.cache.get<string>(wire);
    if (value !== undefined) await this.#shared.cache.delete(wire);
    return value;
  }

  async set(key: string, value: string, ttl?: number): Promise<boolean> {
    return this.#shared.cache.set(await this.#key(key), value, ttl === undefined ? {} : { ttl });
  }

  async delete(key: string): Promise<boolean> {
    return this.#shared.cache.delete(await this.#key(key));
  }

  async deleteMany(keys: string[]): Promise<boolean> {
    await this.#shared.cache.deleteMany(await Promise.all(keys.map((key) => this.#key(key))));
    return true;
  }

  async clear(): Promise<void> {
    await this.#shared.generations.renew(this.#generationName(this.#path));
  }

  /** The cache belongs to whoever made it, and is closed there. */
  async disconnect(): Promise<void> {}

  #pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}:${name}`;
  }

  #generationName(path: string): string {
    return path === '' ? this.#shared.root : `${this.#shared.root}:${path}`;
  }

  async #key(key: string): Promise<string> {
    const { generations, namespaces } = this.#shared;
    const path = this.#pathOf(key);
    const around = [''];
    for (let at = path.indexOf(':'); at >= 0; at = path.indexOf(':', at + 1)) {
      const namespace = path.slice(0, at);
      if (namespaces.has(namespace)) around.push(namespace);
    }
    const found = await Promise.all(around.map((each) => generations.current(this.#generationName(each))));
    return `${found.join('.')}:${path}`;
  }
}

/** What `useL2Layer` takes. */
export function larderDriver(options: LarderDriverOptions): CreateDriverResult<L2CacheDriver> {
  return {
    options: options as unknown as Record<string, unknown>,
    factory: (config: { readonly prefix?: string }) => {
      const memo = options.generationMemo;
      const shared: Shared = {
        cache: options.cache,
        generations: new Generations(options.cache, memo === undefined ? undefined : durationMs(memo)),
        root: options.prefix ?? config.prefix ?? PREFIX_DEFAULT,
        namespaces: new Set(),
      };
      return new LarderDriver(shared, '');
    },
  };
}
