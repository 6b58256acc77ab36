/**
 * Answers `stats` and its arguments, in any thread, from shared memory: counters are summed over the workers
 * and the store's are summed by the store. `stats reset` does not touch what other threads count: it notes
 * what the sums were, and they are told from there.
 */
import type { Store } from '@larder/cache';
import type { TransportKind } from '@larder/datapath';
import type { ServerSettings } from '../options/server-options.ts';
import { COUNTER_NAMES, GATHERED_BYTES, RPC_COUNTERS } from '../session/counters.ts';
import { RPC_PREFIX } from '../session/latency.ts';
import type { StatisticsRow, StatisticsSource } from '../session/statistics-source.ts';
import { Control } from '../workers/control.ts';
import type { SharedState } from '../workers/shared-state.ts';
import { connectionRows } from './connection-rows.ts';
import { DetailTable } from './detail-table.ts';
import { generalRows } from './general-rows.ts';
import { type PublishedTotals, publishedTotals } from './published.ts';
import { settingsRows } from './settings-rows.ts';
import { itemRows, sizeRows, slabRows } from './store-rows.ts';

/** What does not change while the server runs. */
export interface ServerFacts {
  readonly version: string;
  readonly transport: TransportKind;
  readonly settings: ServerSettings;
  readonly startedAtMs: number;
  /** Worker threads of `-t`, without the one for TLS. */
  readonly threads: number;
}

/** Publishes what only the reading thread knows, so that its own part of an answer is never old. */
export interface OwnThread {
  publish(): void;
  publishConnections(): void;
}

const NOTHING_OF_ITS_OWN: OwnThread = { publish: () => {}, publishConnections: () => {} };

export class ServerStatistics implements StatisticsSource {
  readonly detail: DetailTable;
  readonly facts: ServerFacts;
  readonly shared: SharedState;
  readonly store: Store;
  readonly #counters: Float64Array[];
  readonly #published: Float64Array[];
  readonly #ownThread: OwnThread;

  constructor(
    facts: ServerFacts,
    shared: SharedState,
    store: Store,
    ownThread: OwnThread = NOTHING_OF_ITS_OWN,
  ) {
    this.facts = facts;
    this.shared = shared;
    this.store = store;
    this.#ownThread = ownThread;
    this.detail = new DetailTable(shared.plan.buffer, shared.detailOffset, shared.control);
    const workers = Array.from({ length: shared.workers }, (_, worker) => worker);
    this.#counters = workers.map((worker) => shared.counters(worker));
    this.#published = workers.map((worker) => shared.published(worker));
  }

  /** What was counted by name, of all protocols together, and behind RPC_PREFIX the typed protocol's part. */
  counters(): Map<string, number> {
    const baseline = this.shared.counterBaseline;
    const counters = new Map<string, number>();
    for (const [index, name] of COUNTER_NAMES.entries()) {
      const typed = this.#sum(RPC_COUNTERS + index) - baseline[RPC_COUNTERS + index]!;
      counters.set(name, this.#sum(index) - baseline[index]! + typed);
      counters.set(RPC_PREFIX + name, typed);
    }
    return counters;
  }

  published(): PublishedTotals {
    this.#ownThread.publish();
    return publishedTotals(this.#published, this.shared.publishedBaseline);
  }

  general(): Iterable<StatisticsRow> {
    return generalRows(this);
  }

  items(): Iterable<StatisticsRow> {
    return itemRows(this.store);
  }

  slabs(): Iterable<StatisticsRow> {
    return slabRows(this.store);
  }

  sizes(): Iterable<StatisticsRow> {
    return sizeRows(this.store);
  }

  settings(): Iterable<StatisticsRow> {
    return settingsRows(this);
  }

  conns(): Iterable<StatisticsRow> {
    this.#ownThread.publishConnections();
    return connectionRows(this.shared);
  }

  reset(): void {
    this.#ownThread.publish();
    const { counterBaseline, publishedBaseline } = this.shared;
    for (let index = 0; index < counterBaseline.length; index++) {
      // What goes up and down is told as it is.
      if (index % RPC_COUNTERS !== GATHERED_BYTES) counterBaseline[index] = this.#sum(index);
    }
    for (let index = 0; index < publishedBaseline.length; index++) {
      publishedBaseline[index] = this.#published.reduce((sum, words) => sum + words[index]!, 0);
    }
    this.store.resetCounters();
    this.detail.clear();
  }

  /** Seconds since the start. */
  uptimeSeconds(): number {
    return Atomics.load(this.shared.control, Control.uptimeSeconds);
  }

  #sum(index: number): number {
    let sum = 0;
    for (const words of this.#counters) sum += words[index]!;
    return sum;
  }
}
