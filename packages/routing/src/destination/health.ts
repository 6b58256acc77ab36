/**
 * Whether a server is worth asking.
 *
 * ```
 *            reply                       refused connection, or N failures in a row
 *   ┌─────┐ ───────▶ ┌────┐ ─────────────────────────────────────────────▶ ┌─────┐ ──┐ probe fails: the next one
 *   │ new │          │ up │                                               │ tko │   │ after 1.5 times as long,
 *   └─────┘          └────┘ ◀───────────────────────────────────────────── └─────┘ ◀─┘ ± 25%, at most 60 s
 *                                        a probe is answered
 * ```
 *
 * A server that answers probes and lets requests wait (overload, a slow disk) would be taken back and given up
 * again every moment, at the cost of a time-out each time: when it fails soon after it came back, the delays go on
 * where they were.
 */
import type { Clock, Random, TimerHandle } from '../clock.ts';
import { FLAPPING_MS, PROBE_DELAY_GROWTH, PROBE_JITTER } from '../limits.ts';
import { DestinationState } from './destination.ts';
import type { DestinationOptions } from './destination-options.ts';

export class Health {
  state: DestinationState = DestinationState.new;
  lastError: Error | undefined = undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #options: DestinationOptions;
  readonly #probe: () => void;
  readonly #changed: (state: DestinationState) => void;
  #failures: number = 0;
  #delayMs: number = 0;
  #timer: TimerHandle | undefined = undefined;
  #upAt: number = Number.NEGATIVE_INFINITY;

  constructor(
    clock: Clock,
    random: Random,
    options: DestinationOptions,
    probe: () => void,
    changed: (state: DestinationState) => void,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#options = options;
    this.#probe = probe;
    this.#changed = changed;
  }

  /** A reply has come. */
  success(): void {
    this.#failures = 0;
    if (this.state === DestinationState.up || this.state === DestinationState.closed) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#upAt = this.#clock.now();
    this.#set(DestinationState.up);
  }

  /** No reply in time, or a connection that broke. */
  softFailure(error: Error): void {
    this.#failures++;
    if (this.#failures < this.#options.failuresUntilTko) this.lastError = error;
    else this.#fail(error, this.#clock.now() - this.#upAt < FLAPPING_MS);
  }

  /** The server cannot be reached. While TKO: the probe has failed. */
  hardFailure(error: Error): void {
    this.#fail(error, false);
  }

  #fail(error: Error, isFlapping: boolean): void {
    this.lastError = error;
    if (this.state === DestinationState.closed) return;
    const isTko = this.state === DestinationState.tko;
    const { probeDelayInitialMs, probeDelayMaxMs } = this.#options;
    const isLonger = (isTko || isFlapping) && this.#delayMs > 0;
    this.#delayMs = isLonger
      ? Math.min(this.#delayMs * PROBE_DELAY_GROWTH, probeDelayMaxMs)
      : probeDelayInitialMs;
    if (!isTko) this.#set(DestinationState.tko);
    this.#schedule();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#set(DestinationState.closed);
  }

  #schedule(): void {
    if (this.#timer !== undefined) return;
    // Without jitter all routers would probe a server that comes back at the same moment.
    const jitter = 1 + PROBE_JITTER * (2 * this.#random() - 1);
    const delayMs = Math.min(this.#delayMs * jitter, this.#options.probeDelayMaxMs);
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#probe();
    });
  }

  #set(state: DestinationState): void {
    if (this.state === state) return;
    this.state = state;
    this.#changed(state);
  }
}
