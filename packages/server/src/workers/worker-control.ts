/**
 * What operators' commands change, seen from a worker. Only the main thread maintains the store, stops the
 * server and writes the log, so most of them are requests to it.
 */
import type { Store } from '@larder/cache';
import { CrawlResult, ReassignResult, type ServerControl } from '../session/server-control.ts';
import { Control } from './control.ts';
import type { MessageFromWorker } from './messages.ts';

const MIB = 1024 * 1024;
const VERBOSITY_MAX = 2;
const SLAB_CLASSES_MAX = 255;

export class WorkerControl implements ServerControl {
  readonly #control: Int32Array;
  readonly #store: Store;
  readonly #post: (message: MessageFromWorker) => void;

  constructor(control: Int32Array, store: Store, post: (message: MessageFromWorker) => void) {
    this.#control = control;
    this.#store = store;
    this.#post = post;
  }

  shutdown(graceful: boolean): void {
    this.#post({ type: 'shutdown', graceful });
  }

  setVerbosity(level: number): void {
    const known = Math.max(0, Math.min(VERBOSITY_MAX, level));
    Atomics.store(this.#control, Control.verbosity, known + 1);
    this.#post({ type: 'verbosity', level: known });
  }

  /** The arena is mapped once, so the limit cannot be above what the server was started with (`-m`). */
  setMemoryLimit(megabytes: number): boolean {
    return this.#store.setMemoryLimit(megabytes * MIB);
  }

  /** The crawler is part of the maintenance, which never stops. */
  setCrawler(): boolean {
    return false;
  }

  crawl(classes: string): CrawlResult {
    if (!areClasses(classes)) return CrawlResult.badClass;
    this.#post({ type: 'crawl' });
    return CrawlResult.ok;
  }

  mayDump(classes: string): CrawlResult {
    return areClasses(classes) ? CrawlResult.ok : CrawlResult.badClass;
  }

  /** The crawler works in slices of time, not of items. */
  setCrawlerSleep(): void {}

  setCrawlerItems(): void {}

  /** The segments' shares are fixed. */
  tuneLru(): boolean {
    return false;
  }

  setLruMode(segmented: boolean): boolean {
    return segmented;
  }

  setTemporaryTtl(): boolean {
    return false;
  }

  /** Moves one page; pages move by age on their own (papers/nsdi13 6.2), so this is for experiments. */
  reassignSlab(source: number, target: number): ReassignResult {
    const slabs = this.#store.slabStatistics();
    const from = slabs.find((slab) => slab.slabClass === source);
    if (!(target >= 1 && target <= SLAB_CLASSES_MAX)) return ReassignResult.badClass;
    if (source === target) return ReassignResult.same;
    if (source !== -1 && from === undefined) return ReassignResult.badClass;
    if (source !== -1 && from!.pages < 2) return ReassignResult.noSpare;
    this.#post({ type: 'reassign', source, target });
    return ReassignResult.ok;
  }

  setAutomove(level: number): void {
    this.#post({ type: 'automove', enabled: level > 0 });
  }

  setAutomoveRatio(): void {}
}

/** `all`, `hash`, or numbers of slab classes with commas. */
function areClasses(text: string): boolean {
  return text === 'all' || text === 'hash' || /^\d{1,3}(,\d{1,3})*$/.test(text);
}
