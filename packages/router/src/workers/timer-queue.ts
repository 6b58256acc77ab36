/**
 * Timers that the worker's own loop runs, because Node's do not run while the thread waits inside the kernel: a
 * binary heap by due time, whose first entry says how long the loop may wait.
 */
import type { Clock, TimerHandle } from '@larder/routing';

interface Entry extends TimerHandle {
  readonly dueMs: number;
  callback: (() => void) | undefined;
}

export class TimerQueue implements Clock {
  readonly #heap: Entry[] = [];
  readonly #onSet: () => void;

  /** `onSet` is called when a timer may be due before what the loop knew of. */
  constructor(onSet: () => void = () => {}) {
    this.#onSet = onSet;
  }

  now(): number {
    return performance.now();
  }

  wallNow(): number {
    return Date.now();
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const entry: Entry = {
      dueMs: performance.now() + Math.max(0, delayMs),
      callback,
      cancel() {
        entry.callback = undefined;
      },
    };
    this.#push(entry);
    this.#onSet();
    return entry;
  }

  /** When the first timer is due; Infinity without one. */
  get nextMs(): number {
    this.#dropCancelled();
    return this.#heap[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  /** Runs what is due; returns whether anything was. */
  run(nowMs: number): boolean {
    let ran = false;
    for (this.#dropCancelled(); (this.#heap[0]?.dueMs ?? Infinity) <= nowMs; this.#dropCancelled()) {
      const { callback } = this.#pop();
      ran = true;
      callback?.();
    }
    return ran;
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0]!.callback === undefined) this.#pop();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent]!.dueMs <= entry.dueMs) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): Entry {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let index = 0;
    for (let child = 1; child < heap.length; child = index * 2 + 1) {
      if (child + 1 < heap.length && heap[child + 1]!.dueMs < heap[child]!.dueMs) child++;
      if (heap[child]!.dueMs >= last.dueMs) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}
