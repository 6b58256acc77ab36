/**
 * When the next request goes out: as soon as another was answered (closed loop), or when it is due (open loop,
 * Poisson). Also counts and times what is answered.
 */
import { Latency } from '../../load/latency.ts';
import type { LatencyPoint } from '../../load/plan.ts';
import { Arrivals } from '../../random/arrivals.ts';
import { Random } from '../../random/random.ts';

const SEED = 99;

export class Pace {
  answered = 0;
  lost = 0;
  readonly isOpenLoop: boolean;
  readonly #arrivals: Arrivals | undefined;
  readonly #latency: Latency | undefined;
  #isMeasuring = false;

  constructor(ratePerSecond: number) {
    this.isOpenLoop = ratePerSecond > 0;
    if (this.isOpenLoop) {
      this.#arrivals = new Arrivals('poisson', ratePerSecond, new Random(SEED));
      this.#latency = new Latency();
    }
  }

  start(nowMs: number): void {
    this.#arrivals?.start(nowMs);
  }

  /** The measured time begins. */
  measure(): void {
    this.answered = 0;
    this.lost = 0;
    this.#latency?.reset();
    this.#isMeasuring = true;
  }

  /** The measured time is over; later answers count no more. */
  stop(): void {
    this.#isMeasuring = false;
  }

  /** When a request is due that may go out now, or -1. Only in an open loop. */
  takeDue(nowMs: number): number {
    const arrivals = this.#arrivals!;
    const dueMs = arrivals.nextMs;
    if (dueMs > nowMs) return -1;
    arrivals.advance();
    return dueMs;
  }

  done(dueMs: number, nowMs: number): void {
    if (!this.#isMeasuring) return;
    this.answered++;
    this.#latency?.record(nowMs - dueMs);
  }

  points(): LatencyPoint[] {
    return this.#latency?.points() ?? [];
  }
}
