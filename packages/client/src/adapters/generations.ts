/**
 * Namespaces that can be cleared at once, which memcache has no command for: the keys of a namespace carry its
 * generation, and clearing makes a new one. What belongs to the old generation is never read again and is
 * evicted in time.
 *
 * ```
 *   sessions#generation = m3k2x8-9fQz41     the namespace's generation, an item of its own
 *   m3k2x8-9fQz41:alice                     a key of it
 * ```
 *
 * A generation is random and never used again, so losing that item clears the namespace and nothing worse.
 * Each process remembers a generation for a short time (`memoMs`): that long other processes may still see
 * what one of them has cleared. The process that clears sees it at once.
 */
import { randomBytes } from 'node:crypto';
import type { Cache } from '../cache.ts';
import { CacheError, CacheErrorCode } from '../errors.ts';

interface Known {
  readonly generation: Promise<string>;
  readonly until: number;
}

/** How long a process believes in a generation without looking again. */
const GENERATION_MEMO_MS_DEFAULT: number = 1000;
const NAMESPACES_MAX = 10_000;

/** What the process knows, for each cache, so that several adapters on one cache agree. */
const known: WeakMap<Cache, Map<string, Known>> = new WeakMap();

function newGeneration(): string {
  return `${Date.now().toString(36)}-${randomBytes(6).toString('base64url')}`;
}

export class Generations {
  readonly #cache: Cache;
  readonly #memoMs: number;
  readonly #known: Map<string, Known>;

  constructor(cache: Cache, memoMs: number = GENERATION_MEMO_MS_DEFAULT) {
    this.#cache = cache;
    this.#memoMs = memoMs;
    this.#known = known.get(cache) ?? new Map<string, Known>();
    known.set(cache, this.#known);
  }

  /** The namespace's generation now. Without a reachable cache it is one that nobody else has: all is a miss. */
  current(namespace: string): Promise<string> {
    const now = performance.now();
    const remembered = this.#known.get(namespace);
    if (remembered !== undefined && remembered.until > now) return remembered.generation;
    const generation = this.#find(namespace);
    this.#remember(namespace, { generation, until: now + this.#memoMs });
    return generation;
  }

  /** Makes a new generation. Rejects when that cannot be stored: the namespace is not cleared then. */
  async renew(namespace: string): Promise<void> {
    const generation = newGeneration();
    const isStored = await this.#cache.set(this.#key(namespace), generation);
    if (!isStored) {
      this.#known.delete(namespace);
      throw new CacheError(CacheErrorCode.unavailable, `the namespace "${namespace}" could not be cleared`);
    }
    const until = performance.now() + this.#memoMs;
    this.#remember(namespace, { generation: Promise.resolve(generation), until });
  }

  async #find(namespace: string): Promise<string> {
    const key = this.#key(namespace);
    const found = await this.#cache.get<string>(key);
    if (found !== undefined) return found;
    const made = newGeneration();
    if (await this.#cache.add(key, made)) return made;
    // Another process was faster, or there is trouble.
    return (await this.#cache.get<string>(key)) ?? made;
  }

  #key(namespace: string): string {
    return `${namespace}#generation`;
  }

  #remember(namespace: string, entry: Known): void {
    if (this.#known.size >= NAMESPACES_MAX) this.#known.clear();
    this.#known.set(namespace, entry);
  }
}
