/**
 * Tells when a cold cluster is warm: when its hit rate has stopped rising (nsdi13 4.3, "once the cold cluster's hit
 * rate stabilizes and the benefits diminish").
 *
 * Hits are counted in windows of time. A window with too few requests to say anything is made longer. The rate has
 * settled when no window of the last `windows` is better than the best one before them by more than `tolerance`:
 * noise makes single windows worse or better, but only a warming cache keeps setting new bests.
 */
import type { Clock } from '../clock.ts';

export interface SettleSettings {
  readonly window_ms: number;
  readonly windows: number;
  readonly min_requests: number;
  readonly tolerance: number;
}

export class WarmUpGauge {
  /** The warm-up is over; it does not begin again by itself. */
  isSettled = false;
  /** Hit rate of the last full window, undefined before the first. */
  lastHitRate: number | undefined;
  readonly #settings: SettleSettings;
  readonly #clock: Clock;
  readonly #onSettled: (hitRate: number) => void;
  #windowEndMs: number;
  #hits = 0;
  #requests = 0;
  #best = 0;
  #windowsWithoutBest = 0;

  constructor(settings: SettleSettings, clock: Clock, onSettled: (hitRate: number) => void) {
    this.#settings = settings;
    this.#clock = clock;
    this.#onSettled = onSettled;
    this.#windowEndMs = clock.now() + settings.window_ms;
  }

  /** A get was answered by the cold cluster itself, or was not. */
  count(isHit: boolean): void {
    this.#requests++;
    if (isHit) this.#hits++;
    if (this.#requests < this.#settings.min_requests) return;
    const now = this.#clock.now();
    if (now >= this.#windowEndMs) this.#endWindow(now);
  }

  #endWindow(now: number): void {
    const hitRate = this.#hits / this.#requests;
    this.lastHitRate = hitRate;
    this.#windowEndMs = now + this.#settings.window_ms;
    this.#hits = 0;
    this.#requests = 0;
    if (hitRate > this.#best + this.#settings.tolerance) {
      this.#best = hitRate;
      this.#windowsWithoutBest = 0;
      return;
    }
    this.#windowsWithoutBest++;
    if (this.isSettled || this.#windowsWithoutBest < this.#settings.windows) return;
    this.isSettled = true;
    this.#onSettled(hitRate);
  }
}
