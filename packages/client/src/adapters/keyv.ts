/**
 * A storage adapter for keyv, versions 5 and 6, and through it for cache-manager and cacheable.
 *
 * ```
 *   const keyv = new Keyv({ store: new KeyvLarder(cache), namespace: 'app' });
 * ```
 *
 * Namespaces are cleared by generations (generations.ts). The iterator asks every server for its keys and is
 * for tools, not for requests.
 */
import type { Cache } from '../cache.ts';
import type { Duration } from '../duration.ts';
import { durationMs } from '../duration.ts';
import { Generations } from './generations.ts';

export interface KeyvLarderOptions {
  /** How long other processes may see what one of them has cleared. 1 s by default. */
  readonly generationMemo?: Duration;
}

/** An entry of setMany: keyv 5 gives a time to live, keyv 6 when it ends. */
interface KeyvEntry {
  readonly key: string;
  readonly value: unknown;
  readonly ttl?: number;
  readonly expires?: number;
}

const NAMESPACE_DEFAULT = 'keyv';

/** The methods as keyv 6 wants them described. */
const METHODS = [
  'get',
  'getMany',
  'has',
  'hasMany',
  'set',
  'setMany',
  'delete',
  'deleteMany',
  'clear',
  'disconnect',
  'iterator',
] as const;

export interface KeyvCapabilities {
  readonly compatible: boolean;
  readonly store: 'keyvStorage';
  readonly methods: Record<(typeof METHODS)[number], { exists: boolean; methodType: 'async' }>;
  readonly expires: boolean;
}

export class KeyvLarder {
  readonly cache: Cache;
  /** Set by keyv. */
  namespace: string | undefined;
  /** keyv 5 iterates only over stores whose dialect it knows; the name says nothing else to it. */
  opts: Record<string, unknown> = { dialect: 'redis', url: '' };
  readonly #generations: Generations;
  /** keyv 6 gives moments where keyv 5 gives durations. */
  #isVersion6: boolean = false;

  constructor(cache: Cache, options: KeyvLarderOptions = {}) {
    this.cache = cache;
    const memo = options.generationMemo;
    this.#generations = new Generations(cache, memo === undefined ? undefined : durationMs(memo));
  }

  /** Only keyv 6 asks for this, and by asking says what it is. */
  get capabilities(): KeyvCapabilities {
    this.#isVersion6 = true;
    const methods = Object.fromEntries(METHODS.map((name) => [name, { exists: true, methodType: 'async' }]));
    return {
      compatible: true,
      store: 'keyvStorage',
      methods: methods as KeyvCapabilities['methods'],
      expires: true,
    };
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    return this.cache.get<Value>(await this.#key(key));
  }

  async getMany<Value>(keys: string[]): Promise<Array<Value | undefined>> {
    const prefix = await this.#prefix();
    return Promise.all(keys.map((key) => this.cache.get<Value>(prefix + key)));
  }

  async has(key: string): Promise<boolean> {
    return (await this.get(key)) !== undefined;
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    return (await this.getMany(keys)).map((value) => value !== undefined);
  }

  async set(key: string, value: unknown, time?: number): Promise<boolean> {
    return this.#set((await this.#prefix()) + key, value, this.#ttlMs(time));
  }

  async setMany(entries: KeyvEntry[]): Promise<boolean[]> {
    const prefix = await this.#prefix();
    return Promise.all(
      entries.map(({ key, value, ttl, expires }) =>
        this.#set(prefix + key, value, this.#ttlMs(expires ?? ttl)),
      ),
    );
  }

  async delete(key: string): Promise<boolean> {
    return this.cache.delete(await this.#key(key));
  }

  /** keyv 5 wants one answer for all keys, keyv 6 one for each. */
  async deleteMany(keys: string[]): Promise<boolean | boolean[]> {
    const prefix = await this.#prefix();
    const deleted = await Promise.all(keys.map((key) => this.cache.delete(prefix + key)));
    return this.#isVersion6 ? deleted : deleted.includes(true);
  }

  async clear(): Promise<void> {
    await this.#generations.renew(this.#namespace);
  }

  /** Every key of the namespace with its value, from all servers. */
  async *iterator<Value>(): AsyncGenerator<[string, Value], void> {
    const prefix = await this.#prefix();
    for await (const key of this.cache.keys(prefix)) {
      const value = await this.cache.get<Value>(key);
      if (value !== undefined) yield [key.slice(prefix.length), value];
    }
  }

  /** The cache belongs to whoever made it, and is closed there. */
  async disconnect(): Promise<void> {}

  /** keyv listens for errors; there are none to hear of: trouble is a miss. */
  on(event: string, listener: (...values: unknown[]) => void): this {
    if (event === 'error') this.cache.on('trouble', ({ error }) => listener(error));
    return this;
  }

  get #namespace(): string {
    return this.namespace ?? NAMESPACE_DEFAULT;
  }

  async #prefix(): Promise<string> {
    return `${await this.#generations.current(this.#namespace)}:`;
  }

  async #key(key: string): Promise<string> {
    return (await this.#prefix()) + key;
  }

  /** How long a value is to live; a moment in the past is 0. */
  #ttlMs(time: number | undefined): number | undefined {
    if (time === undefined || time === null) return undefined;
    return this.#isVersion6 ? Math.max(0, time - Date.now()) : time;
  }

  #set(key: string, value: unknown, ttlMs: number | undefined): Promise<boolean> {
    return this.cache.set(key, value, ttlMs === undefined ? {} : { ttl: ttlMs });
  }
}
