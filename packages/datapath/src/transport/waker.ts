/**
 * Waking a transport from another thread.
 *
 * ```
 *   state word   0 idle ──wake──▶ 1 woken ──the transport saw it──▶ 0        2 closed, for ever
 * ```
 *
 * Only the change from idle to woken costs a system call, so many wakes before the transport looks are one.
 * A Linux transport waits for its eventfd inside the kernel; the portable one waits with Atomics.waitAsync.
 */
import { writeSync } from 'node:fs';
import { EVENT_FD_BYTES, openEventFd } from '../sys/event-fd.ts';
import { libc } from '../sys/libc.ts';
import { closeDescriptor } from '../sys/sockets.ts';
import type { WakerHandle } from './transport.ts';

const IDLE = 0;
const WOKEN = 1;
const CLOSED = 2;
const ONE: Uint8Array = new Uint8Array(BigUint64Array.of(1n).buffer);

/** Makes the transport call `onWake` soon; does nothing when it has stopped. Any thread may call it. */
export function wake(handle: WakerHandle): void {
  const state = new Int32Array(handle.state);
  if (Atomics.compareExchange(state, 0, IDLE, WOKEN) !== IDLE) return;
  if (handle.kind === 'eventfd') writeSync(handle.descriptor, ONE);
  else Atomics.notify(state, 0);
}

/** The transport's side of an eventfd waker. */
export class EventFdWaker {
  readonly handle: WakerHandle;
  readonly descriptor: number;
  readonly #state: Int32Array;

  constructor() {
    const state = new SharedArrayBuffer(4);
    this.descriptor = openEventFd();
    this.#state = new Int32Array(state);
    this.handle = { kind: 'eventfd', descriptor: this.descriptor, state };
  }

  /** Reads the eventfd, which has been written to, into 8 bytes at an address. */
  read(address: number): void {
    libc().read(this.descriptor, address, EVENT_FD_BYTES);
    this.accept();
  }

  /** The eventfd was read: the next wake is a new one. */
  accept(): void {
    Atomics.store(this.#state, 0, IDLE);
  }

  /** A waker that is just about to write is waited for, lest it write to another file of that number. */
  close(address: number): void {
    if (Atomics.exchange(this.#state, 0, CLOSED) === WOKEN) {
      libc().read(this.descriptor, address, EVENT_FD_BYTES);
    }
    closeDescriptor(this.descriptor);
  }
}

/** The portable transport's side. */
export class SharedWaker {
  readonly handle: WakerHandle;
  readonly #state: Int32Array;
  readonly #onWake: () => void;

  constructor(onWake: () => void) {
    const state = new SharedArrayBuffer(4);
    this.#state = new Int32Array(state);
    this.handle = { kind: 'shared', state };
    this.#onWake = onWake;
    void this.#wait();
  }

  close(): void {
    Atomics.store(this.#state, 0, CLOSED);
    Atomics.notify(this.#state, 0);
  }

  async #wait(): Promise<void> {
    for (;;) {
      const result = Atomics.waitAsync(this.#state, 0, IDLE);
      if (result.async) await result.value;
      if (Atomics.load(this.#state, 0) === CLOSED) return;
      if (Atomics.compareExchange(this.#state, 0, WOKEN, IDLE) === WOKEN) this.#onWake();
    }
  }
}
