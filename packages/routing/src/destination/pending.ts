/**
 * Requests that wait for their replies, in the order in which they were sent. Entries are used again and again:
 * nothing is allocated for a request that is forwarded.
 */
import type { ReplyShape } from '@larder/protocol';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { ForwardSink, ReplySink } from './destination.ts';

/** How a reply is read, and by whom. */
export const PendingKind: {
  /** Passed on as bytes. */
  readonly forward: 0;
  /** One key of a `get` or `gets` line; the line's reply ends with END. */
  readonly retrieval: 1;
  /** One key of a `lease-get` line. */
  readonly lease: 2;
  /** One item. */
  readonly single: 3;
  /** A lease-get sent to plain memcached as a meta get. */
  readonly mappedLease: 4;
  /** The question whether an empty value is one, or the stub of a lease. */
  readonly stubCheck: 5;
  readonly statistics: 6;
  /** The connection's own `version` and authentication. */
  readonly version: 7;
  readonly authentication: 8;
} = {
  forward: 0,
  retrieval: 1,
  lease: 2,
  single: 3,
  mappedLease: 4,
  stubCheck: 5,
  statistics: 6,
  version: 7,
  authentication: 8,
};
export type PendingKind = (typeof PendingKind)[keyof typeof PendingKind];

/** One request that was sent. */
export class Pending {
  kind: PendingKind = PendingKind.forward;
  shape: ReplyShape = 0;
  /** Ticker time at which it has failed. */
  deadline: number = 0;
  /** It was answered (timed out) already: its reply is dropped when it comes. */
  isDone: boolean = false;
  /** The last key of its line: with its END the line is over. */
  isLast: boolean = true;
  /** When it was sent, for the one in flight that the latency is measured by; 0 for the others. */
  sentAt: number = 0;
  tag: number = 0;
  request: Request | undefined = undefined;
  resolve: ((reply: Reply) => void) | undefined = undefined;
  sink: ReplySink | undefined = undefined;
  forwardSink: ForwardSink | undefined = undefined;
}

const CAPACITY_INITIAL = 16;
const FREE_MAX = 1024;

export class PendingQueue {
  #ring: (Pending | undefined)[] = new Array(CAPACITY_INITIAL).fill(undefined);
  #head: number = 0;
  #count: number = 0;
  /** Never made shorter: an array that shrinks and grows gives memory away and takes it again. */
  readonly #free: Pending[] = [];
  #freeCount: number = 0;

  get count(): number {
    return this.#count;
  }

  /** The oldest, or undefined. */
  get head(): Pending | undefined {
    return this.#count === 0 ? undefined : this.#ring[this.#head];
  }

  /** The youngest, or undefined. */
  get tail(): Pending | undefined {
    return this.#count === 0
      ? undefined
      : this.#ring[(this.#head + this.#count - 1) & (this.#ring.length - 1)];
  }

  at(index: number): Pending {
    return this.#ring[(this.#head + index) & (this.#ring.length - 1)]!;
  }

  /** Exchanges the oldest with another of its line; that one of them is the line's last is a matter of its place. */
  bringToHead(index: number): void {
    const place = (this.#head + index) & (this.#ring.length - 1);
    const head = this.#ring[this.#head]!;
    const other = this.#ring[place]!;
    const { isLast } = head;
    head.isLast = other.isLast;
    other.isLast = isLast;
    this.#ring[this.#head] = other;
    this.#ring[place] = head;
  }

  /** A fresh entry, which is not queued yet. */
  make(): Pending {
    return this.#freeCount === 0 ? new Pending() : this.#free[--this.#freeCount]!;
  }

  push(pending: Pending): void {
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#count) & (this.#ring.length - 1)] = pending;
    this.#count++;
  }

  /** Takes the oldest out. Give it back with `recycle` when it is answered. */
  shift(): Pending {
    const pending = this.#ring[this.#head]!;
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#count--;
    return pending;
  }

  recycle(pending: Pending): void {
    pending.isDone = false;
    pending.isLast = true;
    pending.sentAt = 0;
    pending.request = undefined;
    pending.resolve = undefined;
    pending.sink = undefined;
    pending.forwardSink = undefined;
    if (this.#freeCount < FREE_MAX) this.#free[this.#freeCount++] = pending;
  }

  #grow(): void {
    const capacity = this.#ring.length;
    const ring: (Pending | undefined)[] = new Array(capacity * 2).fill(undefined);
    for (let index = 0; index < this.#count; index++) ring[index] = this.at(index);
    this.#ring = ring;
    this.#head = 0;
  }
}
