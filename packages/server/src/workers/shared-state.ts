/**
 * The memory that all threads of one server share beside the store's arena: control words, and for each
 * worker its counters, latency histograms, mailbox, ring of events and table of connections. One
 * SharedArrayBuffer; each thread makes its own views from the same plan.
 *
 * ```
 *   [control words][baselines of stats reset][prefixes of stats detail][worker 0: counters|transport|latency|mailbox|events|connections][worker 1: …]
 * ```
 *
 * A worker writes only its own part, so counting needs no atomics; readers sum over all workers.
 */
import { EVENT_RING_TOTAL_BYTES } from '../events/event-ring.ts';
import { DETAIL_TABLE_BYTES } from '../statistics/detail-table.ts';
import { LATENCY_WORDS } from '../statistics/latency-histogram.ts';
import { PUBLISHED_COUNT } from '../statistics/published.ts';
import { ConnectionTable } from './connection-table.ts';
import { CONTROL_WORDS } from './control.ts';
import { MAILBOX_BYTES } from './mailbox.ts';

const CONTROL_BYTES = CONTROL_WORDS * 4;
const COUNTERS_MAX: number = 128;
const LATENCY_COMMANDS_MAX: number = 32;

export interface SharedPlan {
  readonly buffer: SharedArrayBuffer;
  readonly workers: number;
  /** Rows of one worker's connection table. */
  readonly connectionRows: number;
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 128) * 128;
}

const BASELINE_AT = aligned(CONTROL_BYTES);
const DETAIL_AT = aligned(BASELINE_AT + (COUNTERS_MAX + PUBLISHED_COUNT) * 8);
const WORKERS_AT = aligned(DETAIL_AT + DETAIL_TABLE_BYTES);

const COUNTERS_AT = 0;
const PUBLISHED_AT = COUNTERS_AT + COUNTERS_MAX * 8;
const LATENCY_AT = PUBLISHED_AT + PUBLISHED_COUNT * 8;
const MAILBOX_AT = aligned(LATENCY_AT + LATENCY_COMMANDS_MAX * LATENCY_WORDS * 8);
const EVENTS_AT = aligned(MAILBOX_AT + MAILBOX_BYTES);
const CONNECTIONS_AT = aligned(EVENTS_AT + EVENT_RING_TOTAL_BYTES);

function workerBytes(connectionRows: number): number {
  return aligned(CONNECTIONS_AT + ConnectionTable.bytes(connectionRows));
}

/** Allocates the memory; pages that nobody touches cost nothing. */
export function planSharedState(workers: number, connectionRows: number): SharedPlan {
  const bytes = WORKERS_AT + workers * workerBytes(connectionRows);
  return { buffer: new SharedArrayBuffer(bytes), workers, connectionRows };
}

export class SharedState {
  readonly plan: SharedPlan;
  readonly workers: number;
  readonly control: Int32Array;

  constructor(plan: SharedPlan) {
    this.plan = plan;
    this.workers = plan.workers;
    this.control = new Int32Array(plan.buffer, 0, CONTROL_BYTES / 4);
  }

  counters(worker: number): Float64Array {
    return new Float64Array(this.plan.buffer, this.#base(worker) + COUNTERS_AT, COUNTERS_MAX);
  }

  /** See statistics/published.ts. */
  published(worker: number): Float64Array {
    return new Float64Array(this.plan.buffer, this.#base(worker) + PUBLISHED_AT, PUBLISHED_COUNT);
  }

  latency(worker: number): Float64Array {
    return new Float64Array(
      this.plan.buffer,
      this.#base(worker) + LATENCY_AT,
      LATENCY_COMMANDS_MAX * LATENCY_WORDS,
    );
  }

  mailboxOffset(worker: number): number {
    return this.#base(worker) + MAILBOX_AT;
  }

  eventRingOffset(worker: number): number {
    return this.#base(worker) + EVENTS_AT;
  }

  connectionTable(worker: number): ConnectionTable {
    return new ConnectionTable(
      this.plan.buffer,
      this.#base(worker) + CONNECTIONS_AT,
      this.plan.connectionRows,
    );
  }

  /** What the counters summed up to at the last `stats reset`. */
  get counterBaseline(): Float64Array {
    return new Float64Array(this.plan.buffer, BASELINE_AT, COUNTERS_MAX);
  }

  get publishedBaseline(): Float64Array {
    return new Float64Array(this.plan.buffer, BASELINE_AT + COUNTERS_MAX * 8, PUBLISHED_COUNT);
  }

  get detailOffset(): number {
    return DETAIL_AT;
  }

  #base(worker: number): number {
    return WORKERS_AT + worker * workerBytes(this.plan.connectionRows);
  }
}
