/**
 * For tests of transports: an arena with a counting allocator, and a transport whose turns are run between
 * the events of this thread, so that a test's clients (node:net) live beside it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import { MIB, PAGE_BYTES } from '../../limits.ts';
import { Arena, pageAligned } from '../../memory/arena.ts';
import { mapArena } from '../../memory/mapped-arena.ts';
import { PageTable } from '../../memory/page-table.ts';
import { SlabAllocator } from '../../memory/slab-allocator.ts';
import { SlabClasses } from '../../memory/slab-classes.ts';
import type { Connection } from '../connection.ts';
import { closeListener, openDatagram, openListener } from '../listener.ts';
import type { ServeOptions, TransportOptions } from '../options.ts';
import { loadTransport } from '../select.ts';
import type {
  CloseReason,
  DatagramReplies,
  DatagramSource,
  ListenAddress,
  ListeningSocket,
  LoopTransport,
  Transport,
  TransportHandler,
  TransportKind,
} from '../transport.ts';

/** An arena with one allocator over all of it. */
export function makeMemory(kind: TransportKind, bytes: number = 64 * MIB): SlabAllocator {
  const size = pageAligned(bytes) + PAGE_BYTES;
  const arena = kind === 'node' ? Arena.portable(size) : mapArena(size).arena;
  const allocator = new SlabAllocator(new PageTable(arena, 64, 1), 64 * 1024, 1, new SlabClasses());
  allocator.setPageLimit(bytes / PAGE_BYTES);
  return allocator;
}

/** A handler with what a test needs to know; everything may be replaced. */
export class TestHandler<S = unknown> implements TransportHandler<S> {
  readonly opened: Connection<S>[] = [];
  readonly closed: { connection: Connection<S>; reason: CloseReason; error: Error | undefined }[] = [];
  readonly released: number[] = [];
  drained = 0;
  wakes = 0;
  refusal: Uint8Array | undefined;
  data: (connection: Connection<S>, start: number, end: number) => number = (_connection, _start, end) => end;
  datagram: (replies: DatagramReplies, source: DatagramSource, start: number, end: number) => void = () => {};

  onConnect(connection: Connection<S>): void {
    this.opened.push(connection);
  }

  onData(connection: Connection<S>, start: number, end: number): number {
    return this.data(connection, start, end);
  }

  onClose(connection: Connection<S>, reason: CloseReason, error?: Error): void {
    this.closed.push({ connection, reason, error });
  }

  onRelease(owner: number): void {
    this.released.push(owner);
  }

  onDrain(): void {
    this.drained++;
  }

  onWake(): void {
    this.wakes++;
  }

  onRefuse(): Uint8Array | undefined {
    return this.refusal;
  }

  onDatagram(replies: DatagramReplies, source: DatagramSource, start: number, end: number): void {
    this.datagram(replies, source, start, end);
  }
}

/** A transport under test. */
export class TestTransport {
  readonly kind: TransportKind;
  readonly handler: TestHandler = new TestHandler();
  readonly allocator: SlabAllocator;
  readonly transport: Transport<unknown>;
  /** The transport's clock: tests move it. */
  readonly clock: { now: number };
  readonly #sockets: ListeningSocket[] = [];
  readonly #running: Promise<void>;
  #isPumping = true;

  private constructor(
    kind: TransportKind,
    allocator: SlabAllocator,
    make: (handler: TestHandler, clock: { now: number }) => Transport<unknown>,
  ) {
    this.kind = kind;
    this.allocator = allocator;
    this.clock = { now: 1_000_000 };
    this.transport = make(this.handler, this.clock);
    this.#running = this.#run();
  }

  static async start(
    kind: TransportKind,
    options: Partial<TransportOptions<unknown>> & { readonly memoryBytes?: number } = {},
  ): Promise<TestTransport> {
    const { memoryBytes, ...rest } = options;
    const allocator = makeMemory(kind, memoryBytes);
    const make = await loadTransport<unknown>(kind);
    return new TestTransport(kind, allocator, (handler, clock) =>
      make({ arena: allocator.arena, allocator, handler, clock: () => clock.now, ...rest }),
    );
  }

  /** Opens a socket, serves it, and returns where clients connect to. */
  async listen(
    address: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 },
    options?: ServeOptions,
  ): Promise<ListeningSocket> {
    const socket =
      address.kind === 'udp'
        ? await openDatagram(this.kind, address)
        : await openListener(this.kind, address);
    this.#sockets.push(socket);
    await this.transport.serve(socket, options);
    return socket;
  }

  /** Lets everything happen until the condition holds. */
  async until(condition: () => boolean, what: string, timeoutMs = 5000): Promise<void> {
    const end = performance.now() + timeoutMs;
    while (!condition()) {
      if (performance.now() > end) throw new Error(`${this.kind}: waited in vain for ${what}`);
      await immediate();
    }
  }

  /** Moves the transport's clock. */
  advance(ms: number): void {
    this.clock.now += ms;
  }

  /** Lets `count` rounds of events pass. */
  async rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round++) await immediate();
  }

  async stop(flushMs?: number): Promise<void> {
    this.transport.stop(flushMs);
    const deadline = setInterval(() => this.advance(50), 50);
    await this.#running;
    clearInterval(deadline);
    for (const socket of this.#sockets) closeListener(socket);
  }

  /** Ends a pump without stopping the transport properly: for tests that failed. */
  abandon(): void {
    this.#isPumping = false;
  }

  async #run(): Promise<void> {
    if (this.kind === 'node') {
      await this.transport.run();
      return;
    }
    const loop = this.transport as LoopTransport<unknown>;
    while (this.#isPumping && loop.turn(0)) await immediate();
  }
}

/** A folder that is removed after the test. */
export function temporaryFolder(context: { after(fn: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'larder-transport-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
