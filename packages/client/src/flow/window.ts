/**
 * One sliding window over all outstanding keys of the process, independent of their destinations
 * (papers/nsdi13 3.1, incast congestion): it grows slowly on success and shrinks when a request goes
 * unanswered, so that the replies to a large multiget do not all arrive at once and overwhelm a switch.
 *
 * ```
 *   waiting ──▶ │ outstanding ≤ size │ ──▶ answered: size += keys / size       (one more per window)
 *                                         lost:     size = max(min, size / 2)  (once per window)
 * ```
 */

import { CacheError, CacheErrorCode } from '../errors.ts';
import { WINDOW_KEYS_INITIAL, WINDOW_KEYS_MAX, WINDOW_KEYS_MIN } from '../limits.ts';

export interface FlowWindowOptions {
  /** In keys. 512 by default. */
  readonly initial?: number;
  /** 16 by default, or `initial` if that is less. */
  readonly min?: number;
  /** 65536 by default. */
  readonly max?: number;
}

/** What the window looks like at a moment. */
export interface FlowWindowState {
  /** How many keys may be outstanding. */
  readonly size: number;
  /** Keys that are asked for and not answered yet. */
  readonly outstanding: number;
  /** Requests that wait for room. */
  readonly waiting: number;
  /** The most keys that were ever outstanding. */
  readonly outstandingPeak: number;
  /** How often the window shrank. */
  readonly losses: number;
  /** How many requests had to wait. */
  readonly waited: number;
}

/** What became of keys that left the window. */
export const WindowOutcome: { readonly answered: 0; readonly lost: 1; readonly refused: 2 } = {
  /** There was an answer, be it an error. */
  answered: 0,
  /** There was none in time, or the connection went away. */
  lost: 1,
  /** Nothing was sent: that says nothing about the network. */
  refused: 2,
};
export type WindowOutcome = (typeof WindowOutcome)[keyof typeof WindowOutcome];

interface Waiter {
  readonly keys: number;
  readonly start: () => void;
  next: Waiter | undefined;
}

export class FlowWindow {
  readonly #min: number;
  readonly #max: number;
  #size: number;
  #outstanding: number = 0;
  #outstandingPeak: number = 0;
  #losses: number = 0;
  #waited: number = 0;
  #waiting: number = 0;
  #first: Waiter | undefined;
  #last: Waiter | undefined;
  /** Keys ever sent; tells whether a loss belongs to what was sent before the last decrease. */
  #sent: number = 0;
  #recoveredAt: number = 0;

  constructor(options: FlowWindowOptions = {}) {
    this.#max = options.max ?? WINDOW_KEYS_MAX;
    this.#min = options.min ?? Math.min(WINDOW_KEYS_MIN, options.initial ?? this.#max);
    this.#size = options.initial ?? Math.min(this.#max, Math.max(this.#min, WINDOW_KEYS_INITIAL));
    const isNumbers = [this.#min, this.#size, this.#max].every((each) => typeof each === 'number');
    const isSound = isNumbers && this.#min >= 1 && this.#min <= this.#size && this.#size <= this.#max;
    if (!isSound) {
      throw new CacheError(CacheErrorCode.invalidConfig, 'the window wants 1 ≤ min ≤ initial ≤ max');
    }
  }

  get state(): FlowWindowState {
    return {
      size: Math.floor(this.#size),
      outstanding: this.#outstanding,
      waiting: this.#waiting,
      outstandingPeak: this.#outstandingPeak,
      losses: this.#losses,
      waited: this.#waited,
    };
  }

  /** How many keys one request should have at most, so that it ever fits. */
  get batchMax(): number {
    return Math.max(1, Math.floor(this.#size));
  }

  /** Takes room for so many keys if there is some and nobody waits; one request larger than the window goes alone. */
  tryEnter(keys: number): boolean {
    if (this.#first !== undefined || !this.#hasRoom(keys)) return false;
    this.#take(keys);
    return true;
  }

  /** After `tryEnter` said no: `start` is called, in order, when room for so many keys has been taken. */
  enqueue(keys: number, start: () => void): void {
    const waiter: Waiter = { keys, start, next: undefined };
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
    this.#waiting += 1;
    this.#waited += 1;
  }

  /** To be remembered by a request when it starts, and given back to `leave`. */
  get mark(): number {
    return this.#sent;
  }

  /** Gives room back: the window grows, shrinks or stays. */
  leave(keys: number, outcome: WindowOutcome, mark: number): void {
    this.#outstanding -= keys;
    if (outcome === WindowOutcome.lost) this.#shrink(mark);
    else if (outcome === WindowOutcome.answered) {
      this.#size = Math.min(this.#max, this.#size + keys / this.#size);
    }
    while (this.#first !== undefined && this.#hasRoom(this.#first.keys)) {
      const waiter: Waiter = this.#first;
      this.#first = waiter.next;
      if (this.#first === undefined) this.#last = undefined;
      this.#waiting -= 1;
      this.#take(waiter.keys);
      waiter.start();
    }
  }

  /** Losses among what was sent before the last decrease say nothing new: one decrease per window. */
  #shrink(mark: number): void {
    if (mark < this.#recoveredAt) return;
    this.#losses += 1;
    this.#size = Math.max(this.#min, this.#size / 2);
    this.#recoveredAt = this.#sent + 1;
  }

  #hasRoom(keys: number): boolean {
    return this.#outstanding === 0 || this.#outstanding + keys <= this.#size;
  }

  #take(keys: number): void {
    this.#outstanding += keys;
    this.#sent += keys;
    if (this.#outstanding > this.#outstandingPeak) this.#outstandingPeak = this.#outstanding;
  }
}

/** The window that all caches of the process share unless one is given its own. */
export const processWindow: FlowWindow = new FlowWindow();
