/**
 * The server's copy threshold (`--calibrate`): measured over its transport before it serves, and again when
 * memory has become slower or faster. All workers read it from the store, so that a decision holds at once.
 */
import type { Store } from '@larder/cache';
import {
  type Arena,
  BandwidthProbe,
  CopyThreshold,
  calibrateCopyThreshold,
  PAGE_BYTES,
  type TransportKind,
} from '@larder/datapath';
import type { Logger } from '@larder/host';

/** Less time when the server is serving: the main thread is away for that long. */
const AGAIN_BUDGET_MS = 60;
const FIRST_BUDGET_MS = 250;

export class CopyCalibration {
  readonly #threshold: CopyThreshold;
  readonly #log: Logger;

  constructor(store: Store, arena: Arena, kind: 'uring' | 'epoll', log: Logger) {
    this.#log = log;
    let isFirst = true;
    const start = store.layout.firstPage * PAGE_BYTES;
    const probe = new BandwidthProbe(arena, start, () => start + store.itemPagesUsed * PAGE_BYTES);
    this.#threshold = new CopyThreshold({
      bytes: store.copyBytesMax,
      calibrate: async () => {
        const budgetMs = isFirst ? FIRST_BUDGET_MS : AGAIN_BUDGET_MS;
        isFirst = false;
        return (await calibrateCopyThreshold(kind, { budgetMs })).bytes;
      },
      probe: () => probe.measure(),
      onChange: (bytes) => {
        store.copyBytesMax = bytes;
        log.info({ copyBytesMax: bytes }, 'replies above this are referenced');
      },
    });
  }

  /** Before the first request. A machine on which it cannot be measured keeps the default. */
  async start(): Promise<void> {
    try {
      await this.#threshold.decide(performance.now());
    } catch (error) {
      this.#log.warn({ err: error }, 'the copy threshold could not be measured');
    }
  }

  /** Every second. */
  look(): void {
    this.#threshold.look(performance.now()).catch((error: unknown) => {
      this.#log.warn({ err: error }, 'the copy threshold could not be measured again');
    });
  }
}

/** For the transports whose threads are their own; on the portable one there is nothing to decide. */
export function copyCalibration(
  isWanted: boolean,
  store: Store,
  arena: Arena,
  kind: TransportKind,
  log: Logger,
): CopyCalibration | undefined {
  return isWanted && kind !== 'node' ? new CopyCalibration(store, arena, kind, log) : undefined;
}
