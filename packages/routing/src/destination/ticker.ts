/**
 * One coarse timer for all time-outs: nothing is started or cancelled per request.
 *
 * ```
 *   clock      ──25 ms──┬──25 ms──┬──────── 2 s stall ────────┬──25 ms──┬
 *   ticker.now  0       25        50                          150       175
 * ```
 *
 * Its time stands still while nobody waits, and goes on by at most TICKS_PER_TURN_MAX ticks at once: when this
 * process could not run for two seconds, the replies of that time lie in the sockets, and their requests must not
 * be taken for timed out before they were read.
 */
import type { Clock, TimerHandle } from '../clock.ts';
import { TIMER_TICK_MS } from '../limits.ts';

const TICKS_PER_TURN_MAX = 4;
/** A time-out is looked at this often while it runs, at least. */
const TICKS_PER_TIMEOUT_MIN = 4;

export interface Expiring {
  /** Fails what is over; returns false when nothing waits any more. */
  expire(now: number): boolean;
}

export class Ticker {
  /** Milliseconds of waiting so far. */
  now: number = 0;
  readonly #clock: Clock;
  readonly #active: Set<Expiring> = new Set();
  #tickMs: number = TIMER_TICK_MS;
  #timer: TimerHandle | undefined = undefined;
  #lastAt: number = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** There will be time-outs this short. */
  prepare(timeoutMs: number): void {
    this.#tickMs = Math.max(1, Math.min(this.#tickMs, Math.floor(timeoutMs / TICKS_PER_TIMEOUT_MIN)));
  }

  /** From now on `expire` is called with every tick, until it returns false. */
  watch(expiring: Expiring): void {
    this.#active.add(expiring);
    if (this.#timer !== undefined) return;
    this.#lastAt = this.#clock.now();
    this.#arm();
  }

  forget(expiring: Expiring): void {
    this.#active.delete(expiring);
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(this.#tickMs, () => this.#tick());
  }

  #tick(): void {
    const at = this.#clock.now();
    this.now += Math.min(at - this.#lastAt, this.#tickMs * TICKS_PER_TURN_MAX);
    this.#lastAt = at;
    this.#timer = undefined;
    for (const expiring of this.#active) {
      if (!expiring.expire(this.now)) this.#active.delete(expiring);
    }
    if (this.#active.size > 0 && this.#timer === undefined) this.#arm();
  }
}
