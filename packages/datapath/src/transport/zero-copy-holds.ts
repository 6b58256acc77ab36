/**
 * What zero-copy sends still need. The kernel reads the memory of such a send until it notifies, which may be
 * after later sends of the same connection and even after its end; and a part may be spread over several
 * sends. So each send has a hold, a connection's holds stand in line, and what a hold collected is released
 * when it and all before it have been notified.
 *
 * ```
 *   connection ─▶ hold 1 (notified) ─▶ hold 2 (waiting) ─▶ hold 3 (notified)      releases of 2 and 3 wait
 * ```
 */
import type { Connection } from './connection.ts';
import type { ReleaseSink } from './scatter-gather.ts';

/** Collects releases until its send was notified. */
class Hold<S> implements ReleaseSink {
  readonly connection: Connection<S>;
  isNotified = false;
  /** Owners, and send buffers as -offset - 1. */
  readonly releases: number[] = [];

  constructor(connection: Connection<S>) {
    this.connection = connection;
  }

  releaseOwner(owner: number): void {
    this.releases.push(owner);
  }

  releaseBuffer(buffer: number): void {
    this.releases.push(-buffer - 1);
  }
}

export class ZeroCopyHolds<S> {
  readonly #sink: ReleaseSink;
  readonly #holds: (Hold<S> | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #lines: Map<Connection<S>, Hold<S>[]> = new Map();

  /** `sink` is where releases go in the end. */
  constructor(sink: ReleaseSink) {
    this.#sink = sink;
  }

  /** Sends that were not notified. */
  get count(): number {
    return this.#holds.length - this.#free.length;
  }

  /** A hold for a connection's next send: its number. */
  open(connection: Connection<S>): number {
    const hold = new Hold(connection);
    const number = this.#free.pop() ?? this.#holds.length;
    this.#holds[number] = hold;
    const line = this.#lines.get(connection);
    if (line === undefined) this.#lines.set(connection, [hold]);
    else line.push(hold);
    return number;
  }

  connection(number: number): Connection<S> {
    return this.#holds[number]!.connection;
  }

  /** Where a connection's releases go now: at once, or behind its last hold. */
  sinkOf(connection: Connection<S>): ReleaseSink {
    if (this.#lines.size === 0) return this.#sink;
    return this.#lines.get(connection)?.at(-1) ?? this.#sink;
  }

  /** The kernel needs a send's memory no more. */
  notified(number: number): void {
    const hold = this.#holds[number]!;
    hold.isNotified = true;
    this.#holds[number] = undefined;
    this.#free.push(number);
    const line = this.#lines.get(hold.connection)!;
    while (line[0]?.isNotified === true) this.#release(line.shift()!);
    if (line.length === 0) this.#lines.delete(hold.connection);
  }

  /** The end of the transport: releases everything. */
  close(): void {
    for (const line of this.#lines.values()) for (const hold of line) this.#release(hold);
    this.#lines.clear();
    this.#holds.length = 0;
    this.#free.length = 0;
  }

  #release(hold: Hold<S>): void {
    for (const release of hold.releases) {
      if (release >= 0) this.#sink.releaseOwner(release);
      else this.#sink.releaseBuffer(-release - 1);
    }
  }
}
