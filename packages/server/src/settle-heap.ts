/**
 * Gives back what loading and compiling left behind. A thread that serves allocates so little that V8 would
 * not collect for a long time, and one that is blocked inside the kernel is never idle in V8's eyes: without
 * this each thread keeps some 4 MB that it never uses again (measured).
 */

/** Does something only when Node.js was started with --expose-gc, as the `larder` command does. */
export function settleHeap(): void {
  void globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** Ticks without traffic after which a thread counts as idle. */
const IDLE_TICKS = 5;

/**
 * Settles a worker's heap once after every busy time: what optimizing its hot functions left behind is some
 * 3 MB a thread. Waits for quiet, because a collection takes some milliseconds.
 */
export class IdleSettler {
  #bytes = 0;
  #quietTicks = IDLE_TICKS;

  /** Once a second, with the bytes that the thread has received so far. */
  tick(bytes: number): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#quietTicks = 0;
      return;
    }
    this.#quietTicks++;
    if (this.#quietTicks === IDLE_TICKS) settleHeap();
  }
}
