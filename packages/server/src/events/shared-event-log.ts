/**
 * `watch` across worker threads. Each worker writes the events of its own connections into its own ring; a
 * worker that has watching connections reads the rings of all workers and writes the lines out.
 *
 * ```
 *   worker 0 ──ring 0──┐                    ┌─▶ watcher (fetchers)
 *   worker 1 ──ring 1──┼──▶ worker 2's reader
 *   worker 2 ──ring 2──┘    (woken once)    └─▶ watcher (mutations)
 * ```
 *
 * One shared word says which categories anybody watches: as long as it is 0, nothing is composed or written.
 */
import { type Connection, type WakerHandle, wake } from '@larder/datapath';
import { WATCHER_OUTPUT_BYTES_MAX, WATCHERS_MAX } from '../limits.ts';
import { type EventCategory, type EventLog, WatchResult } from '../session/event-log.ts';
import type { Session } from '../session/session.ts';
import { Control } from '../workers/control.ts';
import type { SharedState } from '../workers/shared-state.ts';
import { EventReader, EventWriter } from './event-ring.ts';

const CATEGORIES = 5;

interface Watcher {
  readonly mask: number;
  /** Lines that did not fit since the last one that did. */
  skipped: number;
}

/** What `stats` tells about the log of one worker. */
export interface EventLogCounts {
  written: number;
  sent: number;
  skipped: number;
}

export class SharedEventLog implements EventLog {
  readonly counts: EventLogCounts = { written: 0, sent: 0, skipped: 0 };
  readonly #control: Int32Array;
  readonly #worker: number;
  readonly #workers: number;
  readonly #writer: EventWriter;
  readonly #readers: EventReader[];
  readonly #watchers: Map<Connection<Session>, Watcher> = new Map();
  #wakers: readonly WakerHandle[] = [];

  constructor(shared: SharedState, worker: number) {
    this.#control = shared.control;
    this.#worker = worker;
    this.#workers = shared.workers;
    this.#writer = new EventWriter(shared.plan.buffer, shared.eventRingOffset(worker));
    this.#readers = Array.from(
      { length: shared.workers },
      (_, index) => new EventReader(shared.plan.buffer, shared.eventRingOffset(index)),
    );
  }

  /** The wakers of all workers, known only once all of them have a transport. */
  connectWakers(wakers: readonly WakerHandle[]): void {
    this.#wakers = wakers;
  }

  /** Watching connections of this worker. */
  get watchers(): number {
    return this.#watchers.size;
  }

  wanted(): number {
    return this.#control[Control.watched]!;
  }

  write(category: EventCategory, line: string): void {
    const id = Atomics.add(this.#control, Control.nextEvent, 1) >>> 0;
    this.#writer.write(category, `ts=${timestamp()} gid=${id} ${line}`);
    this.counts.written++;
    this.#wakeReaders();
  }

  watch(connection: Connection<Session>, mask: number): WatchResult {
    if (this.#watchers.has(connection)) this.unwatch(connection);
    if (this.#watchers.size >= WATCHERS_MAX) return WatchResult.tooMany;
    if (this.#watchers.size === 0) {
      for (const reader of this.#readers) reader.skipAll();
    }
    this.#watchers.set(connection, { mask, skipped: 0 });
    this.#count(mask, 1);
    return WatchResult.ok;
  }

  unwatch(connection: Connection<Session>): void {
    const watcher = this.#watchers.get(connection);
    if (watcher === undefined) return;
    this.#watchers.delete(connection);
    this.#count(watcher.mask, -1);
  }

  /** Writes what was logged since the last call to the watching connections; called when the worker is woken. */
  deliver(): void {
    Atomics.store(this.#control, Control.eventsPending + this.#worker, 0);
    if (this.#watchers.size === 0) return;
    for (const reader of this.#readers) {
      const lost = reader.read((category, text) => this.#give(category, text));
      if (lost) this.#markSkipped();
    }
  }

  #give(category: number, text: string): void {
    for (const [connection, watcher] of this.#watchers) {
      if ((watcher.mask & category) === 0) continue;
      if (connection.queuedBytes > WATCHER_OUTPUT_BYTES_MAX) {
        watcher.skipped++;
        this.counts.skipped++;
        continue;
      }
      if (watcher.skipped > 0) {
        connection.writeLatin1(`skipped=${watcher.skipped}\n`);
        watcher.skipped = 0;
      }
      connection.writeLatin1(`${text}\n`);
      this.counts.sent++;
    }
  }

  /** The ring does not know how many records it lost: at least one, told with the next line. */
  #markSkipped(): void {
    for (const watcher of this.#watchers.values()) watcher.skipped++;
    this.counts.skipped++;
  }

  /** Wakes every worker with watchers that is not about to read anyway. */
  #wakeReaders(): void {
    for (let worker = 0; worker < this.#workers; worker++) {
      if (Atomics.load(this.#control, Control.watchersOfWorker + worker) === 0) continue;
      if (Atomics.exchange(this.#control, Control.eventsPending + worker, 1) === 1) continue;
      const waker = this.#wakers[worker];
      if (waker !== undefined) wake(waker);
    }
  }

  #count(mask: number, change: number): void {
    const control = this.#control;
    Atomics.add(control, Control.watchersOfWorker + this.#worker, change);
    // The mask follows from the counts; computing and storing it are one step for other threads.
    while (Atomics.compareExchange(control, Control.watchedLock, 0, 1) !== 0);
    let watched = 0;
    for (let bit = 0; bit < CATEGORIES; bit++) {
      if ((mask & (1 << bit)) !== 0) Atomics.add(control, Control.watchersByCategory + bit, change);
      if (Atomics.load(control, Control.watchersByCategory + bit) > 0) watched |= 1 << bit;
    }
    Atomics.store(control, Control.watched, watched);
    Atomics.store(control, Control.watchedLock, 0);
  }
}

/** Unix time with microseconds, as `1795159276.186563`. */
function timestamp(): string {
  return ((performance.timeOrigin + performance.now()) / 1000).toFixed(6);
}
