/**
 * A session handler over a real store in an ordinary ArrayBuffer, with connections that are strings and a
 * clock that tests set.
 */
import { planStore, Store, type StoreOptions } from '@larder/cache';
import { Arena, BufferPool, type Connection } from '@larder/datapath';
import { REQUESTS_PER_EVENT_MAX } from '../../limits.ts';
import { TokenAuthenticator } from '../authenticator.ts';
import type { SessionOptions } from '../context.ts';
import { COUNTER_COUNT, COUNTER_NAMES } from '../counters.ts';
import { type EventCategory, type EventLog, WatchResult } from '../event-log.ts';
import type { CommandKind, LatencyRecorder } from '../latency.ts';
import { PrefixDetail } from '../prefix-detail.ts';
import { CrawlResult, ReassignResult, type ServerControl } from '../server-control.ts';
import type { Session } from '../session.ts';
import { SessionHandler } from '../session-handler.ts';
import type { StatisticsRow, StatisticsSource } from '../statistics-source.ts';
import { MemoryConnection } from './memory-connection.ts';

const RECEIVE_BYTES = 16_000;

export class TestEvents implements EventLog {
  mask: number = 0;
  lines: string[] = [];
  watching: number[] = [];
  result: WatchResult = WatchResult.ok;

  wanted(): number {
    return this.mask;
  }
  write(category: EventCategory, line: string): void {
    if ((this.mask & category) !== 0) this.lines.push(line);
  }
  watch(_connection: Connection<Session>, mask: number): WatchResult {
    if (this.result === WatchResult.ok) this.watching.push(mask);
    return this.result;
  }
  unwatch(): void {
    this.watching.pop();
  }
}

export class TestControl implements ServerControl {
  calls: string[] = [];
  shutdown(graceful: boolean): void {
    this.calls.push(`shutdown ${graceful}`);
  }
  setVerbosity(level: number): void {
    this.calls.push(`verbosity ${level}`);
  }
  setMemoryLimit(megabytes: number): boolean {
    return megabytes <= 1000;
  }
  setCrawler(enabled: boolean): boolean {
    return !enabled;
  }
  crawl(classes: string): CrawlResult {
    return classes === 'x' ? CrawlResult.badClass : CrawlResult.ok;
  }
  mayDump(classes: string): CrawlResult {
    return classes === 'x' ? CrawlResult.badClass : CrawlResult.ok;
  }
  setCrawlerSleep(microseconds: number): void {
    this.calls.push(`sleep ${microseconds}`);
  }
  setCrawlerItems(items: number): void {
    this.calls.push(`tocrawl ${items}`);
  }
  tuneLru(hot: number, warm: number, hotFactor: number, warmFactor: number): boolean {
    this.calls.push(`tune ${hot} ${warm} ${hotFactor} ${warmFactor}`);
    return true;
  }
  setLruMode(segmented: boolean): boolean {
    return segmented;
  }
  setTemporaryTtl(): boolean {
    return true;
  }
  reassignSlab(source: number, target: number): ReassignResult {
    return source === target ? ReassignResult.same : ReassignResult.ok;
  }
  setAutomove(level: number): void {
    this.calls.push(`automove ${level}`);
  }
  setAutomoveRatio(ratio: number): void {
    this.calls.push(`ratio ${ratio}`);
  }
}

class TestStatistics implements StatisticsSource {
  readonly detail: PrefixDetail = new PrefixDetail();
  resets: number = 0;
  general(): StatisticsRow[] {
    return [
      ['pid', 1],
      ['bytes', 12n],
    ];
  }
  items(): StatisticsRow[] {
    return [['items:1:number', 1]];
  }
  slabs(): StatisticsRow[] {
    return [['active_slabs', 1]];
  }
  sizes(): StatisticsRow[] {
    return [['96', 1]];
  }
  settings(): StatisticsRow[] {
    return [['maxbytes', 1]];
  }
  conns(): StatisticsRow[] {
    return [['1:addr', 'tcp:127.0.0.1:1']];
  }
  reset(): void {
    this.resets++;
  }
}

class TestLatency implements LatencyRecorder {
  records: [CommandKind, number][] = [];
  #now: number = 0;
  now(): number {
    this.#now += 100;
    return this.#now;
  }
  record(kind: CommandKind, nanoseconds: number): void {
    this.records.push([kind, nanoseconds]);
  }
}

export interface HarnessOptions {
  readonly store?: Partial<StoreOptions>;
  readonly session?: Partial<SessionOptions>;
  readonly users?: readonly string[];
  readonly sendBufferBytes?: number;
  readonly networkPages?: number;
  /** Memory that a real transport can use; an ordinary ArrayBuffer without. */
  readonly arena?: (bytes: number) => Arena;
}

export class SessionHarness {
  readonly arena: Arena;
  readonly store: Store;
  readonly handler: SessionHandler;
  readonly counters: Float64Array = new Float64Array(COUNTER_COUNT);
  readonly events: TestEvents = new TestEvents();
  readonly control: TestControl = new TestControl();
  readonly statistics: TestStatistics = new TestStatistics();
  readonly latency: TestLatency = new TestLatency();
  readonly pool: BufferPool;
  seconds: number = 1_700_000_000;
  readonly #receive: number;
  readonly #sendBufferBytes: number;

  constructor(options: HarnessOptions = {}) {
    const layout = planStore(
      { memoryBytes: 64 << 20, hashSeed: [1, 2], casBase: [0, 1], ...options.store },
      { networkPages: options.networkPages ?? 4 },
    );
    this.arena = (options.arena ?? Arena.portable)(layout.arenaBytes);
    this.store = Store.create(this.arena, layout, () => this.seconds);
    this.pool = new BufferPool(this.store.networkAllocator(), 16_384, 4);
    this.#receive = this.pool.take();
    this.#sendBufferBytes = options.sendBufferBytes ?? 2048;
    this.handler = new SessionHandler({
      arena: this.arena,
      store: this.store,
      counters: this.counters,
      statistics: this.statistics,
      events: this.events,
      latency: this.latency,
      control: this.control,
      shutdownEnabled: true,
      flushEnabled: true,
      requestsPerEvent: REQUESTS_PER_EVENT_MAX,
      dumpEnabled: true,
      watchEnabled: true,
      version: '0.0.0',
      ...(options.users === undefined ? {} : { authenticator: new TokenAuthenticator(options.users) }),
      ...options.session,
    });
  }

  connect(): TestClient {
    return new TestClient(this, new MemoryConnection(this.arena, this.pool.take(), this.#sendBufferBytes));
  }

  /** One request on a connection of its own. */
  ask(text: string): string {
    const client = this.connect();
    const reply = client.ask(text);
    client.close();
    return reply;
  }

  /** Advances the clock. */
  advance(seconds: number): void {
    this.seconds += seconds;
    for (let slices = 0; slices < 10_000 && this.store.maintain(50) < 50; slices++);
  }

  counter(name: string): number {
    return this.counters[COUNTER_NAMES.indexOf(name)]!;
  }

  /** Puts bytes where a transport would; the buffer is used again by the next call. */
  receive(bytes: Buffer): number {
    if (bytes.length > RECEIVE_BYTES) throw new Error('more than the receive buffer holds');
    // What an earlier delivery left behind must not be needed.
    this.arena.u8.fill(0xee, this.#receive, this.#receive + 16_384);
    bytes.copy(this.arena.node, this.#receive);
    return this.#receive;
  }
}

export class TestClient {
  readonly connection: MemoryConnection;
  readonly #harness: SessionHarness;
  #rest: Buffer = Buffer.alloc(0);

  constructor(harness: SessionHarness, connection: MemoryConnection) {
    this.#harness = harness;
    this.connection = connection;
    harness.handler.onConnect(this.asConnection());
  }

  /** Bytes that the session has not consumed. */
  get restBytes(): number {
    return this.#rest.length;
  }

  asConnection(): Connection<Session> {
    return this.connection as unknown as Connection<Session>;
  }

  /** Delivers text (Latin-1) in one piece, or cut at the given lengths; returns what was answered. */
  ask(text: string, cuts: readonly number[] = []): string {
    const bytes = Buffer.from(text, 'latin1');
    let at = 0;
    for (const cut of cuts) {
      if (at >= bytes.length) break;
      const end = Math.min(bytes.length, at + Math.max(1, cut));
      this.#deliver(bytes.subarray(at, end));
      at = end;
    }
    for (; at < bytes.length; at += 12_000) this.#deliver(bytes.subarray(at, at + 12_000));
    return this.connection.take();
  }

  /** Gives the rest again, as a transport does when output has drained. */
  again(): string {
    this.#deliver(Buffer.alloc(0));
    return this.connection.take();
  }

  close(): void {
    this.#harness.handler.onClose(this.asConnection(), 'peer');
    for (const owner of this.connection.owners.splice(0)) this.#harness.handler.onRelease(owner);
    this.#harness.pool.give(this.connection.buffer);
  }

  #deliver(bytes: Buffer): void {
    let whole = Buffer.concat([this.#rest, bytes]);
    do {
      this.connection.isResumed = false;
      const start = this.#harness.receive(whole);
      const consumed = this.#harness.handler.onData(this.asConnection(), start, start + whole.length);
      whole = whole.subarray(consumed - start);
    } while (this.connection.isResumed && !this.connection.isCongested);
    this.#rest = whole;
  }
}
