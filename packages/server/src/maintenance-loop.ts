/**
 * The main thread's clockwork: maintenance of the store in short slices, and a tick a second that moves the
 * server's clock on and wakes the workers.
 */
import type { Store } from '@larder/cache';
import { releaseFreedMemory } from '@larder/datapath';
import { MAINTENANCE_PAUSE_MS, MAINTENANCE_SLICE_MS, TICK_MS, TRIM_SECONDS } from './limits.ts';
import { Control } from './workers/control.ts';

export class MaintenanceLoop {
  readonly #store: Store;
  readonly #control: Int32Array;
  readonly #wakeWorkers: () => void;
  readonly #startedAt: number = performance.now();
  #slice: NodeJS.Timeout | undefined;
  #tick: NodeJS.Timeout | undefined;

  constructor(store: Store, control: Int32Array, wakeWorkers: () => void) {
    this.#store = store;
    this.#control = control;
    this.#wakeWorkers = wakeWorkers;
  }

  start(): void {
    this.#maintain();
    this.#tick = setInterval(() => {
      const seconds = Math.round((performance.now() - this.#startedAt) / 1000);
      Atomics.store(this.#control, Control.uptimeSeconds, seconds);
      this.#wakeWorkers();
      if (seconds % TRIM_SECONDS === 0) releaseFreedMemory();
    }, TICK_MS);
  }

  stop(): void {
    clearTimeout(this.#slice);
    clearInterval(this.#tick);
  }

  /** `lru_crawler crawl` */
  requestCrawl(): void {
    this.#store.maintenance.requestCrawl();
  }

  /** `slabs reassign`: one page, from any class that can spare one when `source` is -1. */
  reassign(source: number, target: number): void {
    const { balancer } = this.#store.maintenance;
    if (balancer.isMoving) return;
    const donor = source === -1 ? this.#largestClass(target) : source;
    if (donor === -1) return;
    const page = balancer.pageOf(donor);
    if (page !== -1) balancer.move(page, target);
  }

  /** `slabs automove` */
  setAutomove(enabled: boolean): void {
    this.#store.maintenance.balancer.enabled = enabled;
  }

  #largestClass(except: number): number {
    const candidates = this.#store
      .slabStatistics()
      .filter((slab) => slab.slabClass !== except && slab.pages > 1);
    return candidates.sort((a, b) => b.pages - a.pages)[0]?.slabClass ?? -1;
  }

  #maintain(): void {
    const dueMs = this.#store.maintain(MAINTENANCE_SLICE_MS);
    const { maintenance } = this.#store;
    Atomics.add(this.#control, Control.maintenanceSlices, 1);
    Atomics.store(this.#control, Control.isCrawling, maintenance.isCrawling ? 1 : 0);
    Atomics.store(this.#control, Control.isMovingPage, maintenance.balancer.isMoving ? 1 : 0);
    const pauseMs = Math.max(1, Math.min(MAINTENANCE_PAUSE_MS, dueMs));
    this.#slice = setTimeout(() => this.#maintain(), pauseMs);
  }
}
