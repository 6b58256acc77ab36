/** A stand-in for the database behind the caches: it answers after a while and counts what it is asked. */
import { setTimeout as delay } from 'node:timers/promises';

const BUCKET_MS = 100;

export class Database {
  queries = 0;
  readonly #answerMs: number;
  readonly #begunMs: number = performance.now();
  readonly #buckets: number[] = [];
  /** What is true; a key that nobody has changed has version 0. */
  readonly #versions: Map<string, number> = new Map();

  constructor(answerMs: number) {
    this.#answerMs = answerMs;
  }

  /** The present value of a key. */
  async read(key: string): Promise<string> {
    this.queries++;
    const bucket = Math.floor((performance.now() - this.#begunMs) / BUCKET_MS);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    const value = this.valueOf(key);
    await delay(this.#answerMs);
    return value;
  }

  write(key: string): void {
    this.#versions.set(key, (this.#versions.get(key) ?? 0) + 1);
  }

  valueOf(key: string): string {
    return `${key}@${this.#versions.get(key) ?? 0}`;
  }

  /** The most queries in a second, taken over tenths of seconds. */
  get peakPerSecond(): number {
    return Math.max(0, ...this.#buckets.filter((count) => count !== undefined)) * (1000 / BUCKET_MS);
  }

  /** Queries a second between two times since it was made. */
  rate(fromMs: number, toMs: number): number {
    let sum = 0;
    for (let bucket = Math.floor(fromMs / BUCKET_MS); bucket < toMs / BUCKET_MS; bucket++) {
      sum += this.#buckets[bucket] ?? 0;
    }
    return (sum * 1000) / (toMs - fromMs);
  }

  get ageMs(): number {
    return performance.now() - this.#begunMs;
  }
}
