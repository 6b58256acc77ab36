/**
 * The loop of a worker on a Linux transport, which waits inside the kernel: between two turns of the transport it
 * runs timers and gives Node's event loop a turn, so that promises, files and messages make progress.
 *
 * ```
 *   ┌▶ transport.turn(≤ next timer) ─▶ timers ─▶ event loop, if something may wait for it ─┐
 *   └──────────────────────────────────────────────────────────────────────────────────────┘
 * ```
 *
 * Requests that are simply forwarded need none of that: then a turn is a turn of the transport and nothing else,
 * but for one of Node's every EVENT_LOOP_MS.
 */
import type { LoopTransport } from '@larder/datapath';
import type { Peer } from '../forwarding/peer.ts';
import { EVENT_LOOP_MS } from '../limits.ts';
import type { TimerQueue } from './timer-queue.ts';

/** How long an idle loop waits at most; a wake-up a second is what statistics need. */
const IDLE_MS = 1000;
/** How long it waits while files or sockets of Node's own are under way. */
const BUSY_MS = 1;

export class WorkerLoop {
  readonly #transport: LoopTransport<Peer>;
  readonly #timers: TimerQueue;
  /** Requests on their way through promises. */
  readonly #pending: () => number;
  #isWanted = true;
  /** Node's event loop has something of its own under way. */
  #isNodeBusy = false;

  constructor(transport: LoopTransport<Peer>, timers: TimerQueue, pending: () => number) {
    this.#transport = transport;
    this.#timers = timers;
    this.#pending = pending;
  }

  /** Node's event loop gets a turn before the next wait. */
  wantEventLoop(): void {
    this.#isWanted = true;
  }

  /** Runs until the transport has stopped. */
  async run(): Promise<void> {
    const timers = this.#timers;
    let nowMs = performance.now();
    let yieldedMs = nowMs;
    while (this.#transport.turn(this.#waitMs(nowMs))) {
      nowMs = performance.now();
      if (timers.nextMs <= nowMs && timers.run(nowMs)) this.#isWanted = true;
      if (this.#isWanted || this.#pending() > 0 || this.#isNodeBusy || nowMs - yieldedMs >= EVENT_LOOP_MS) {
        this.#isWanted = false;
        await new Promise((resolve) => setImmediate(resolve));
        nowMs = performance.now();
        yieldedMs = nowMs;
        this.#isNodeBusy = isNodeBusy();
      }
    }
  }

  #waitMs(nowMs: number): number {
    if (this.#isWanted) return 0;
    const most = this.#isNodeBusy ? BUSY_MS : IDLE_MS;
    return Math.ceil(Math.max(0, Math.min(most, this.#timers.nextMs - nowMs)));
  }
}

/** Whether files, names or sockets of Node's own are under way. */
function isNodeBusy(): boolean {
  for (const resource of process.getActiveResourcesInfo()) {
    if (resource !== 'MessagePort' && resource !== 'Timeout' && resource !== 'Immediate') return true;
  }
  return false;
}
