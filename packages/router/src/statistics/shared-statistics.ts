/**
 * The numbers of all threads in one piece of shared memory: each worker writes its own part, everybody reads all.
 *
 * ```
 *   [lease tokens][worker 0: counters | rows of servers][worker 1: …]
 * ```
 */

import { LEASE_TABLE_BYTES } from '../general/lease-tokens.ts';
import { DESTINATIONS_MAX } from '../limits.ts';
import { COUNTERS } from './counters.ts';

/** The columns of a server's row. */
export const DESTINATION_COLUMNS: readonly string[] = [
  'state',
  'requests',
  'failures',
  'timeouts',
  'refused',
  'connects',
  'connectFailures',
  'tkos',
  'probes',
  'malformed',
  'outstanding',
  'bytesRead',
  'bytesWritten',
  'latencyMs',
];
const ROW_NUMBERS: number = DESTINATION_COLUMNS.length;
const WORKER_NUMBERS: number = COUNTERS + DESTINATIONS_MAX * ROW_NUMBERS;
const WORKERS_AT: number = Math.ceil(LEASE_TABLE_BYTES / 64) * 64;

export class SharedStatistics {
  readonly buffer: SharedArrayBuffer;
  readonly workers: number;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.workers = Math.floor((buffer.byteLength - WORKERS_AT) / (WORKER_NUMBERS * 8));
  }

  static allocate(workers: number): SharedStatistics {
    return new SharedStatistics(new SharedArrayBuffer(WORKERS_AT + workers * WORKER_NUMBERS * 8));
  }

  counters(worker: number): Float64Array {
    return new Float64Array(this.buffer, WORKERS_AT + worker * WORKER_NUMBERS * 8, COUNTERS);
  }

  /** One server's row of a worker, in the order of DESTINATION_COLUMNS. */
  row(worker: number, index: number): Float64Array {
    const offset = WORKERS_AT + (worker * WORKER_NUMBERS + COUNTERS + index * ROW_NUMBERS) * 8;
    return new Float64Array(this.buffer, offset, ROW_NUMBERS);
  }

  /** The counters of all workers together. */
  sum(): Float64Array {
    const sum = new Float64Array(COUNTERS);
    for (let worker = 0; worker < this.workers; worker++) {
      const counters = this.counters(worker);
      for (let index = 0; index < COUNTERS; index++) sum[index]! += counters[index]!;
    }
    return sum;
  }
}
