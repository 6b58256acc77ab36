/**
 * Sessions as items of the cache: what the stores for express-session and @fastify/session share. A session is
 * not something to be recomputed, so trouble with the cache is an error here and not "there is no session",
 * which would log people out.
 */
import type { Cache } from '../cache.ts';
import { type Duration, durationMs } from '../duration.ts';
import { CacheError, CacheErrorCode } from '../errors.ts';

export interface SessionStoreOptions {
  readonly cache: Cache;
  /** In front of every session id. `session:` by default. */
  readonly prefix?: string;
  /** For sessions whose cookie does not say when it expires. One day by default. */
  readonly ttl?: Duration;
}

/** What a session's cookie says about its time. */
export interface TimedSession {
  readonly cookie?: {
    readonly expires?: Date | string | null | undefined;
    readonly originalMaxAge?: number | null | undefined;
    readonly maxAge?: number | null | undefined;
  };
}

const TTL_MS_DEFAULT = 86_400_000;

export class SessionItems {
  readonly #cache: Cache;
  readonly #prefix: string;
  readonly #ttlMs: number;

  constructor(options: SessionStoreOptions) {
    this.#cache = options.cache;
    this.#prefix = options.prefix ?? 'session:';
    this.#ttlMs = options.ttl === undefined ? TTL_MS_DEFAULT : durationMs(options.ttl);
  }

  async get<S>(id: string): Promise<S | null> {
    return (await this.#cache.get<S>(this.#key(id), { throwOnTrouble: true })) ?? null;
  }

  async set(id: string, session: TimedSession): Promise<void> {
    const ttl = this.#remainingMs(session);
    if (ttl <= 0) {
      await this.destroy(id);
      return;
    }
    // Cookies and whatever was put into the session have their own ways to become JSON.
    const text = JSON.parse(JSON.stringify(session)) as unknown;
    const isStored = await this.#cache.set(this.#key(id), text, { ttl, throwOnTrouble: true });
    if (!isStored)
      throw new CacheError(CacheErrorCode.unavailable, 'the session could not be stored', { key: id });
  }

  async touch(id: string, session: TimedSession): Promise<void> {
    const ttl = this.#remainingMs(session);
    if (ttl <= 0) await this.destroy(id);
    else await this.#cache.touch(this.#key(id), ttl, { throwOnTrouble: true });
  }

  async destroy(id: string): Promise<void> {
    await this.#cache.delete(this.#key(id), { throwOnTrouble: true });
  }

  #key(id: string): string {
    return this.#prefix + id;
  }

  #remainingMs(session: TimedSession): number {
    const expires = session.cookie?.expires;
    if (expires === undefined || expires === null) return session.cookie?.originalMaxAge ?? this.#ttlMs;
    const remaining = new Date(expires).getTime() - Date.now();
    return Number.isNaN(remaining) ? this.#ttlMs : remaining;
  }
}

/** Tells a callback how a promise ended. What the callback throws is not the promise's matter. */
export function settle<T>(
  promise: Promise<T>,
  callback: ((error: unknown, value?: T) => void) | undefined,
): void {
  promise.then(
    (value) => process.nextTick(() => callback?.(null, value)),
    (error: unknown) => process.nextTick(() => callback?.(error)),
  );
}
