/**
 * Keys whose get has failed lately. A value that a caller fetched elsewhere because of such a failure is not
 * set, so that an overloaded server or network gets no additional load (papers/nsdi13 3.1). Bounded: the
 * oldest are forgotten first.
 */
import type { Clock } from '@larder/routing';
import { FAILED_GETS_MAX } from './limits.ts';

export class FailedGets {
  readonly #clock: Clock;
  readonly #keepMs: number;
  /** Key to when it is forgotten. A Map keeps the order of insertion, which is also that of expiry. */
  readonly #until: Map<string, number> = new Map();

  constructor(clock: Clock, keepMs: number) {
    this.#clock = clock;
    this.#keepMs = keepMs;
  }

  add(key: string): void {
    if (this.#keepMs <= 0) return;
    this.#until.delete(key);
    this.#until.set(key, this.#clock.now() + this.#keepMs);
    if (this.#until.size > FAILED_GETS_MAX) {
      for (const oldest of this.#until.keys()) {
        this.#until.delete(oldest);
        break;
      }
    }
  }

  has(key: string): boolean {
    if (this.#until.size === 0) return false;
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (until > this.#clock.now()) return true;
    this.#until.delete(key);
    return false;
  }

  /** The key was read or deleted successfully since. */
  delete(key: string): void {
    if (this.#until.size > 0) this.#until.delete(key);
  }
}
