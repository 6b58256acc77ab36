/**
 * The copy threshold of a process: a start value, calibrated when asked for, and decided again when memory has
 * become slower or faster (papers/sosp23 names this as future work: a threshold that follows the pressure on
 * memory bandwidth).
 *
 * ```
 *   look, now and then ─▶ probe: ns per KiB of copying cold memory ─▶ has it changed, several times in a row?
 *                                                                       └─▶ calibrate again ─▶ onChange(bytes)
 * ```
 */
import {
  COPY_THRESHOLD_MAX,
  COPY_THRESHOLD_MIN,
  PRESSURE_CHANGE,
  PRESSURE_LOOKS,
  PRESSURE_PAUSE_MS,
} from '../limits.ts';

export interface CopyThresholdOptions {
  /** Until something is measured. */
  readonly bytes: number;
  /** Measures the threshold. */
  readonly calibrate: () => Promise<number>;
  /** Nanoseconds per KiB of copying memory that is not in a cache; cheap enough to be called every second. */
  readonly probe: () => number;
  /** Hears of every decision. */
  readonly onChange: (bytes: number) => void;
}

export class CopyThreshold {
  readonly #options: CopyThresholdOptions;
  #bytes: number;
  /** The probe's result that belongs to the last decision; 0 when there is none. */
  #reference = 0;
  #deviations = 0;
  #decidedAtMs = Number.NEGATIVE_INFINITY;
  #isDeciding = false;

  constructor(options: CopyThresholdOptions) {
    this.#options = options;
    this.#bytes = options.bytes;
  }

  /** Parts of at least this many bytes are sent by reference. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Measures now, and tells. */
  async decide(nowMs: number): Promise<number> {
    this.#isDeciding = true;
    try {
      const measured = await this.#options.calibrate();
      this.#bytes = Math.min(COPY_THRESHOLD_MAX, Math.max(COPY_THRESHOLD_MIN, measured));
      this.#reference = this.#options.probe();
      this.#deviations = 0;
      this.#decidedAtMs = nowMs;
    } finally {
      this.#isDeciding = false;
    }
    this.#options.onChange(this.#bytes);
    return this.#bytes;
  }

  /** The probe sees other memory than before: what it finds next is what later looks are held against. */
  rebase(): void {
    this.#reference = 0;
    this.#deviations = 0;
  }

  /**
   * To be called from time to time: probes, and decides again when memory has been slower or faster than at the
   * last decision for several looks. True when it did.
   */
  async look(nowMs: number): Promise<boolean> {
    if (this.#isDeciding || this.#decidedAtMs === Number.NEGATIVE_INFINITY) return false;
    const speed = this.#options.probe();
    if (this.#reference === 0) this.#reference = speed;
    const ratio = speed / this.#reference;
    const hasChanged = ratio >= PRESSURE_CHANGE || ratio <= 1 / PRESSURE_CHANGE;
    this.#deviations = hasChanged ? this.#deviations + 1 : 0;
    if (this.#deviations < PRESSURE_LOOKS || nowMs - this.#decidedAtMs < PRESSURE_PAUSE_MS) return false;
    await this.decide(nowMs);
    return true;
  }
}
