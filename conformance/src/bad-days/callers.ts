/**
 * Callers as a service has them: some at a time, each reading one key after the other through a cache, falling back
 * on the database.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cache, Duration } from '@larder/client';
import type { Database } from './database.ts';

export interface CallerOptions {
  readonly cache: Cache;
  readonly database: Database;
  readonly callers: number;
  /** How many keys there are, and what they begin with. */
  readonly keys: number;
  readonly prefix: string;
  /** A caller thinks for so long between two calls. */
  readonly pauseMs: number;
  readonly seed: number;
  /** Reads by getOrSet, taking values that are stale for so long, instead of get and set. */
  readonly staleTtl?: Duration;
}

/** One call, as its caller saw it. */
export interface Call {
  readonly atMs: number;
  readonly tookMs: number;
  /** The cache could not be asked: what nsdi13 calls a client-visible failure. */
  readonly isFailure: boolean;
  readonly isHit: boolean;
}

/** A small generator, so that every run asks for the same keys in the same order. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Runs callers until `stop`; what they saw is in `calls`. */
export class Callers implements AsyncDisposable {
  readonly calls: Call[] = [];
  /** Values that were neither what the database had said nor on their way to be. */
  wrong = 0;
  readonly #options: CallerOptions;
  readonly #begunMs: number = performance.now();
  #isStopped = false;
  readonly #done: Promise<unknown>;

  constructor(options: CallerOptions) {
    this.#options = options;
    const callers = Array.from({ length: options.callers }, (_, index) =>
      this.#call(randomFrom(options.seed + index)),
    );
    this.#done = Promise.all(callers);
  }

  get ageMs(): number {
    return performance.now() - this.#begunMs;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Calls that began between two times. */
  between(fromMs: number, toMs: number): Call[] {
    return this.calls.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  }

  async #call(random: () => number): Promise<void> {
    const { keys, prefix, pauseMs, staleTtl } = this.#options;
    while (!this.#isStopped) {
      const key = `${prefix}${Math.floor(random() * keys)}`;
      await (staleTtl === undefined ? this.#lookAside(key) : this.#getOrSet(key, staleTtl));
      await delay(pauseMs);
    }
  }

  async #lookAside(key: string): Promise<void> {
    const { cache, database } = this.#options;
    const before = performance.now();
    let isFailure = false;
    let value: string | undefined;
    try {
      value = await cache.get<string>(key, { throwOnTrouble: true });
    } catch {
      isFailure = true;
    }
    const isHit = value !== undefined;
    this.#record(before, isFailure, isHit);
    if (isHit && value !== database.valueOf(key)) this.wrong++;
    if (isHit) return;
    const fresh = await database.read(key);
    if (!isFailure) await cache.set(key, fresh);
  }

  async #getOrSet(key: string, staleTtl: Duration): Promise<void> {
    const { cache, database } = this.#options;
    const before = performance.now();
    let isHit = true;
    let isFailure = false;
    const fetch = (): Promise<string> => {
      isHit = false;
      return database.read(key);
    };
    try {
      await cache.getOrSet(key, fetch, { ttl: '60s', staleTtl });
    } catch {
      isFailure = true;
    }
    this.#record(before, isFailure, isHit && !isFailure);
  }

  #record(beforeMs: number, isFailure: boolean, isHit: boolean): void {
    const tookMs = performance.now() - beforeMs;
    this.calls.push({ atMs: beforeMs - this.#begunMs, tookMs, isFailure, isHit });
  }
}

export function share(calls: readonly Call[], pick: (call: Call) => boolean): number {
  return calls.length === 0 ? 0 : calls.filter(pick).length / calls.length;
}

export function percentile(calls: readonly Call[], percent: number): number {
  const sorted = calls.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
}
