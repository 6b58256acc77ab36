/**
 * When the requests of an open loop are due: a sequence of times that does not wait for replies. Latency
 * measured from these times does not hide what a slow reply did to the requests behind it ("coordinated
 * omission").
 */
import type { Random } from './random.ts';

export type ArrivalProcess = 'poisson' | 'constant';

export class Arrivals {
  readonly #process: ArrivalProcess;
  readonly #gapMs: number;
  readonly #random: Random;
  /** When the next request is due, in milliseconds on the clock that `start` was given in. */
  nextMs = 0;

  constructor(process: ArrivalProcess, ratePerSecond: number, random: Random) {
    this.#process = process;
    this.#gapMs = 1000 / ratePerSecond;
    this.#random = random;
  }

  start(nowMs: number): void {
    this.nextMs = nowMs;
    this.advance();
  }

  /** Goes on to the request after `nextMs`. */
  advance(): void {
    this.nextMs += this.#process === 'poisson' ? this.#random.exponential(this.#gapMs) : this.#gapMs;
  }
}
