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

/** How often the loop looks at how much happens. */
const GATHER_LOOK_MS = 2;
/** So many clients and pieces of input a millisecond make it worth to wait for several pieces, and how long. */
const GATHER_CLIENTS_LEAST = 32;
const GATHER_EVENTS_PER_MS = 30;
const GATHER_EVENTS_MAX = 64;
const GATHER_US = 45;
/** The same when most of what happens are parts of split gets, which wait for their slowest server anyhow. */
const GATHER_SPLIT_US = 100;
/** Pieces of input per split get, at most, for most of them to be its parts. */
const EVENTS_PER_SPLIT = 8;

export interface LoopParts {
  readonly transport: LoopTransport<Peer>;
  readonly timers: TimerQueue;
  /** Requests on their way through promises. */
  readonly pending: () => number;
  /** Pieces of input so far. */
  readonly events: () => number;
  /** Gets that were split over servers so far. */
  readonly splits: () => number;
  /** Clients on connections now. */
  readonly clients: () => number;
}

export class WorkerLoop {
  readonly #parts: LoopParts;
  #isWanted = true;
  /** Node's event loop has something of its own under way, or may have. */
  #isNodeBusy = false;
  #yieldedMs = 0;
  #lookedMs = 0;
  #lookedEvents = 0;
  #lookedSplits = 0;
  #gatherUs = 0;

  constructor(parts: LoopParts) {
    this.#parts = parts;
  }

  /** Node's event loop gets a turn before the next wait. */
  wantEventLoop(): void {
    this.#isWanted = true;
  }

  /** Runs until the transport has stopped. */
  async run(): Promise<void> {
    const { timers, transport, pending } = this.#parts;
    let nowMs = performance.now();
    while (transport.turn(this.#waitMs(nowMs))) {
      nowMs = performance.now();
      if (timers.nextMs <= nowMs && timers.run(nowMs)) this.#isWanted = true;
      if (nowMs - this.#lookedMs >= GATHER_LOOK_MS) this.#adapt(nowMs);
      if (this.#isWanted || this.#isNodeBusy || pending() > 0 || nowMs - this.#yieldedMs >= EVENT_LOOP_MS) {
        await this.#yield(nowMs);
        nowMs = performance.now();
      }
    }
  }

  async #yield(nowMs: number): Promise<void> {
    this.#isWanted = false;
    await new Promise((resolve) => setImmediate(resolve));
    // Asking is not cheap: in between it is taken for granted that there may be something.
    this.#isNodeBusy = nowMs - this.#yieldedMs < BUSY_MS || isNodeBusy();
    this.#yieldedMs = nowMs;
  }

  #waitMs(nowMs: number): number {
    if (this.#isWanted) return 0;
    const most = this.#isNodeBusy ? BUSY_MS : this.#parts.pending() > 0 ? EVENT_LOOP_MS : IDLE_MS;
    return Math.ceil(Math.max(0, Math.min(most, this.#parts.timers.nextMs - nowMs)));
  }

  /**
   * When much happens, a turn waits a little for several things: their sends to a server leave as one, and the
   * thread sleeps and wakes less often. With few clients nothing waits, because each wait would be theirs.
   */
  #adapt(nowMs: number): void {
    const { events, splits, clients, transport } = this.#parts;
    const happened = events() - this.#lookedEvents;
    const split = splits() - this.#lookedSplits;
    const isBusy =
      clients() >= GATHER_CLIENTS_LEAST && happened >= GATHER_EVENTS_PER_MS * (nowMs - this.#lookedMs);
    this.#lookedMs = nowMs;
    this.#lookedEvents += happened;
    this.#lookedSplits += split;
    const waitUs = !isBusy ? 0 : split * EVENTS_PER_SPLIT >= happened ? GATHER_SPLIT_US : GATHER_US;
    if (waitUs === this.#gatherUs) return;
    this.#gatherUs = waitUs;
    transport.gather(isBusy ? GATHER_EVENTS_MAX : 1, waitUs);
  }
}

/** Whether files, names or sockets of Node's own are under way. */
function isNodeBusy(): boolean {
  for (const resource of process.getActiveResourcesInfo()) {
    if (resource !== 'MessagePort' && resource !== 'Timeout' && resource !== 'Immediate') return true;
  }
  return false;
}
