/**
 * Gets issued in one turn of the event loop become one multiget per server (papers/nsdi13 3.1).
 *
 * ```
 *   get a ─┐                                        ┌─ get a c\r\n ─▶ server 1 ─▶ VALUE a … END
 *   get b ─┼─▶ collected until all that is ready ─▶─┤
 *   get c ─┘   to run has run                       └─ get b\r\n ───▶ server 2 ─▶ END
 * ```
 *
 * Keys whose route purely selects a server are sent raw and their replies are read in one pass (reply-values.ts).
 * The others (failover, replicas, routing prefixes, …) go through the route handles one by one, which batch again
 * at their destinations. Every key takes its place in the flow-control window before it is sent.
 */
import { type Destination, Operation, Request, type RouteHandle } from '@larder/routing';
import { type FlowWindow, WindowOutcome } from '../flow/window.ts';
import { KEYS_PER_MULTIGET_MAX } from '../limits.ts';
import { windowOutcome } from '../send/trouble.ts';
import type { CacheStatistics } from '../statistics.ts';
import type { GetSettler } from './get-settler.ts';
import { composeMultiget, Multiget } from './multiget.ts';
import type { PendingGet } from './pending-get.ts';

export interface GetBatcherParts {
  /** The routes as they are now; a reload replaces them. */
  readonly root: () => RouteHandle;
  readonly window: FlowWindow;
  readonly settler: GetSettler;
  readonly statistics: CacheStatistics;
  /** 0 for the destinations' own. */
  readonly timeoutMs: number;
  /** A line of more bytes would not fit a datagram; Infinity where gets go over connections. */
  readonly lineBytesMax: number;
}

const RESOLVED: Promise<void> = Promise.resolve();
const SLASH = 0x2f;
/** `get` and the line's end. */
const LINE_BYTES = 5;

export class GetBatcher {
  readonly #parts: GetBatcherParts;
  readonly #scratch: Request = new Request(Operation.get, Buffer.alloc(0), 0, 0);
  #collected: PendingGet[] = [];

  constructor(parts: GetBatcherParts) {
    this.#parts = parts;
  }

  add(get: PendingGet): void {
    // A tick that is asked for by a microtask comes after all microtasks: what they ask for is in the batch too.
    if (this.#collected.push(get) === 1) RESOLVED.then(this.#soon);
  }

  readonly #soon = (): void => process.nextTick(this.#flush);

  readonly #flush = (): void => {
    const gets = this.#collected;
    this.#collected = [];
    const root = this.#parts.root();
    const request = composeMultiget(gets);
    const first = this.#directOf(root, gets[0]!, request);
    let isSame =
      first !== undefined &&
      gets.length <= KEYS_PER_MULTIGET_MAX &&
      request.length <= this.#parts.lineBytesMax;
    for (let index = 1; isSame && index < gets.length; index++) {
      isSame = this.#directOf(root, gets[index]!, request) === first;
    }
    if (isSame && this.#parts.window.tryEnter(gets.length)) this.#send(first!, gets, request);
    else this.#sendGroups(root, gets, request);
  };

  /** The server that a key's route purely selects, or undefined. */
  #directOf(root: RouteHandle, get: PendingGet, request: Buffer): Destination | undefined {
    if (root.direct === undefined || request[get.start] === SLASH) return undefined;
    this.#scratch.setKey(request, get.start, get.start + get.wireKey.length);
    return root.direct(this.#scratch);
  }

  #send(destination: Destination, gets: readonly PendingGet[], request: Buffer): void {
    this.#parts.statistics.multigets += 1;
    const { window, settler, timeoutMs } = this.#parts;
    new Multiget(gets, request, window, settler, timeoutMs).send(destination);
  }

  #sendGroups(root: RouteHandle, gets: readonly PendingGet[], request: Buffer): void {
    const groups = new Map<Destination, PendingGet[]>();
    for (const get of gets) {
      const destination = this.#directOf(root, get, request);
      if (destination === undefined) {
        this.#route(get);
        continue;
      }
      const group = groups.get(destination);
      if (group === undefined) groups.set(destination, [get]);
      else group.push(get);
    }
    for (const [destination, group] of groups) this.#sendGroup(destination, group);
  }

  /** In pieces that fit a line and the window; each piece waits for room. */
  #sendGroup(destination: Destination, group: readonly PendingGet[]): void {
    const { window } = this.#parts;
    let at = 0;
    while (at < group.length) {
      const count = this.#pieceCount(group, at, Math.min(KEYS_PER_MULTIGET_MAX, window.batchMax));
      const piece = group.slice(at, at + count);
      at += count;
      const start = (): void => this.#send(destination, piece, composeMultiget(piece));
      if (window.tryEnter(count)) start();
      else window.enqueue(count, start);
    }
  }

  /** How many gets from `at` on go into one request. */
  #pieceCount(group: readonly PendingGet[], at: number, countMax: number): number {
    const { lineBytesMax } = this.#parts;
    const rest = Math.min(countMax, group.length - at);
    if (lineBytesMax === Infinity) return rest;
    let bytes = LINE_BYTES;
    let count = 0;
    while (count < rest && bytes <= lineBytesMax) {
      bytes += group[at + count]!.wireKey.length + 1;
      if (bytes <= lineBytesMax || count === 0) count += 1;
    }
    return count;
  }

  /** Through the route handles. */
  #route(get: PendingGet): void {
    const { window } = this.#parts;
    const start = (): void => void this.#routeNow(get);
    if (window.tryEnter(1)) start();
    else window.enqueue(1, start);
  }

  async #routeNow(get: PendingGet): Promise<void> {
    const { window, root, settler, timeoutMs } = this.#parts;
    const mark = window.mark;
    const key = Buffer.from(get.wireKey, 'latin1');
    const request = new Request(Operation.get, key, 0, key.length);
    request.timeoutMs = timeoutMs;
    try {
      const reply = await root().route(request);
      window.leave(1, windowOutcome(reply.result), mark);
      settler.onReply(get, reply);
    } catch (thrown) {
      // Only routes that could not be opened reject: a bad configuration, or closed meanwhile.
      window.leave(1, WindowOutcome.refused, mark);
      get.resolve(Promise.reject(thrown));
    }
  }
}
