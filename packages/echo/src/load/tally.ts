/** Counts and times answers, once the load has warmed up. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

const NS_PER_MS = 1e6;

/** Milliseconds. */
export interface EchoLatency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export class Tally {
  answered = 0;
  wrong = 0;
  lost = 0;
  /** Since the beginning: whether anything moves. */
  seen = 0;
  bytes = 0;
  readonly #histogram: RecordableHistogram = createHistogram();
  #isCounting = false;

  /** The measured time begins; wrong answers of before count all the same. */
  begin(): void {
    this.answered = 0;
    this.lost = 0;
    this.bytes = 0;
    this.#histogram.reset();
    this.#isCounting = true;
  }

  end(): void {
    this.#isCounting = false;
  }

  answer(isRight: boolean, bytes: number, ms: number): void {
    this.seen++;
    if (!isRight) this.wrong++;
    if (!this.#isCounting || !isRight) return;
    this.answered++;
    this.bytes += bytes;
    this.#histogram.record(Math.max(1, Math.round(ms * NS_PER_MS)));
  }

  lose(): void {
    if (this.#isCounting) this.lost++;
  }

  latency(): EchoLatency {
    const at = (percentile: number): number => this.#histogram.percentile(percentile) / NS_PER_MS;
    return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: this.#histogram.max / NS_PER_MS };
  }
}
