/** A clock that moves when a test says so. */
import type { Clock, TimerHandle } from '../clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  #now: number = 1_000_000;
  #order: number = 0;
  #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now;
  }

  get timers(): number {
    return this.#timers.length;
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const timer = { at: this.#now + delayMs, order: this.#order++, callback };
    this.#timers.push(timer);
    return { cancel: () => this.#remove(timer) };
  }

  /** Lets time pass; timers are called in the order of their times. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = this.#timers
        .filter(({ at }) => at <= until)
        .sort((one, other) => one.at - other.at || one.order - other.order)[0];
      if (due === undefined) break;
      this.#remove(due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = until;
  }

  /** Time passes while nothing can run: what is due comes once, late. */
  stall(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now).sort((one, other) => one.at - other.at);
    for (const timer of due) {
      this.#remove(timer);
      timer.callback();
    }
  }

  #remove(timer: Timer): void {
    this.#timers = this.#timers.filter((each) => each !== timer);
  }
}

/** Lets everything happen that is ready to: promises, then the check phase. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
