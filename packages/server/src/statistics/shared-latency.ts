/** Records latencies into one worker's histograms in shared memory, and sums those of all workers. */
import { COMMAND_KIND_NAMES, type CommandKind, type LatencyRecorder } from '../session/latency.ts';
import type { SharedState } from '../workers/shared-state.ts';
import { LATENCY_BUCKETS, LATENCY_WORDS, type LatencySummary, latencyBucket } from './latency-histogram.ts';

export class SharedLatency implements LatencyRecorder {
  readonly #words: Float64Array;

  constructor(shared: SharedState, worker: number) {
    this.#words = shared.latency(worker);
  }

  now(): number {
    return performance.now() * 1e6;
  }

  record(kind: CommandKind, nanoseconds: number): void {
    const base = kind * LATENCY_WORDS;
    this.#words[base + latencyBucket(nanoseconds)]!++;
    this.#words[base + LATENCY_BUCKETS]! += nanoseconds;
  }
}

/** The histograms of all workers by kind of command; kinds without requests are left out. */
export function latencyByCommand(shared: SharedState): Map<string, LatencySummary> {
  const workers = Array.from({ length: shared.workers }, (_, worker) => shared.latency(worker));
  const result = new Map<string, LatencySummary>();
  for (const [kind, name] of COMMAND_KIND_NAMES.entries()) {
    const counts = new Float64Array(LATENCY_BUCKETS);
    let sumNanoseconds = 0;
    for (const words of workers) {
      const base = kind * LATENCY_WORDS;
      for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) counts[bucket]! += words[base + bucket]!;
      sumNanoseconds += words[base + LATENCY_BUCKETS]!;
    }
    const count = counts.reduce((sum, value) => sum + value, 0);
    if (count > 0) result.set(name, { count, sumNanoseconds, counts });
  }
  return result;
}
