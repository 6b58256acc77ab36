/**
 * From what size on replies are referenced instead of copied. One word in the store's memory holds it, which every
 * worker reads at the beginning of a batch, for the text protocols and for the typed one alike; so a decision holds
 * at once, and everywhere.
 *
 * ```
 *   COPY_BYTES_MAX[transport] ─▶ the word ◀─ --calibrate: measured before serving, and again when memory has become
 *                                             slower or faster
 * ```
 */
import type { Store } from '@larder/cache';
import {
  type Arena,
  BandwidthProbe,
  CopyThreshold,
  type CopyThresholdResult,
  calibrateCopyThreshold,
  PAGE_BYTES,
  type TransportKind,
} from '@larder/datapath';
import type { Logger } from '@larder/host';
import { Control } from './workers/control.ts';

/**
 * Where nothing is measured. `npm run bench -- threshold` (docs/evaluation/threshold.json) finds 754 bytes over io_uring
 * and 3087 over epoll for a store that one thread owns. This one has several: a reference costs them an atomic addition
 * in memory that no cache holds, and with that `--calibrate` finds about 4 KB over both. Node's own sockets were not
 * measured.
 */
export const COPY_BYTES_MAX: Readonly<Record<TransportKind, number>> = {
  uring: 4096,
  epoll: 4096,
  node: 8192,
};

/** Less time when the server is serving: the main thread is away for that long. */
const FIRST_BUDGET_MS = 250;
const AGAIN_BUDGET_MS = 60;

export interface CopyCalibrationParts {
  readonly store: Store;
  /** The words through which all threads tell what they do (workers/control.ts). */
  readonly control: Int32Array;
  readonly log: Logger;
  /** Measures for about so many milliseconds. */
  readonly measure: (budgetMs: number) => Promise<CopyThresholdResult>;
  /** Nanoseconds per KiB of copying items. */
  readonly probe: () => number;
  /** Milliseconds; only differences matter. */
  readonly clock: () => number;
}

export class CopyCalibration {
  readonly #parts: CopyCalibrationParts;
  readonly #threshold: CopyThreshold;
  #result: CopyThresholdResult | undefined;
  /** Pages of items when the probe was last held against. */
  #pages = 0;

  constructor(parts: CopyCalibrationParts) {
    this.#parts = parts;
    this.#threshold = new CopyThreshold({
      bytes: parts.store.copyBytesMax,
      calibrate: async () => {
        this.#result = await parts.measure(this.#result === undefined ? FIRST_BUDGET_MS : AGAIN_BUDGET_MS);
        return this.#result.bytes;
      },
      probe: parts.probe,
      onChange: (bytes) => this.#decided(bytes),
    });
  }

  /** Before the first request. A machine on which it cannot be measured keeps the default. */
  async start(): Promise<void> {
    try {
      await this.#threshold.decide(this.#parts.clock());
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'the copy threshold could not be measured');
    }
  }

  /** Every second. */
  async look(): Promise<void> {
    const pages = this.#parts.store.itemPagesUsed;
    // Few items lie in the caches, and more of them do not: that is no pressure on memory.
    if (pages >= 2 * this.#pages) {
      this.#pages = pages;
      this.#threshold.rebase();
    }
    try {
      await this.#threshold.look(this.#parts.clock());
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'the copy threshold could not be measured again');
    }
  }

  #decided(bytes: number): void {
    const { store, control, log } = this.#parts;
    const { elapsedMs, rounds, samples } = this.#result!;
    const before = store.copyBytesMax;
    store.copyBytesMax = bytes;
    Atomics.add(control, Control.copyCalibrations, 1);
    Atomics.store(control, Control.copyCalibrationMicroseconds, Math.round(elapsedMs * 1000));
    const nanoseconds = Object.fromEntries(
      samples.map((each) => [each.bytes, [Math.round(each.copyNs), Math.round(each.referenceNs)]]),
    );
    log.info(
      { copyBytesMax: bytes, before, elapsedMs: Math.round(elapsedMs), rounds, nanoseconds },
      'replies above this are referenced',
    );
  }
}

/** For the transports whose threads are their own; on the portable one there is nothing to decide. */
export function copyCalibration(
  isWanted: boolean,
  store: Store,
  arena: Arena,
  kind: TransportKind,
  control: Int32Array,
  log: Logger,
): CopyCalibration | undefined {
  if (!isWanted || kind === 'node') return undefined;
  const start = store.layout.firstPage * PAGE_BYTES;
  const probe = new BandwidthProbe(arena, start, () => start + store.itemPagesUsed * PAGE_BYTES);
  return new CopyCalibration({
    store,
    control,
    log,
    measure: (budgetMs) => calibrateCopyThreshold(kind, { budgetMs }),
    probe: () => probe.measure(),
    clock: () => performance.now(),
  });
}
