/**
 * Gives back what loading and compiling left behind. A thread that serves allocates so little that V8 would
 * not collect for a long time, and one that is blocked inside the kernel is never idle in V8's eyes: without
 * this each thread keeps some 4 MB that it never uses again (measured).
 */

/** Does something only when Node.js was started with --expose-gc, as the `larder` command does. */
export function settleHeap(): void {
  void globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
