/** Time and chance as everything in this package is given them, so that tests decide both. */

export interface TimerHandle {
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds, from any origin. */
  now(): number;
  /** Unix time in milliseconds, for absolute expiry times and file names. */
  wallNow(): number;
  /** Calls `callback` once after `delayMs`, unless cancelled. A waiting timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): TimerHandle;
}

/** A number in [0, 1). */
export type Random = () => number;

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
