/**
 * The portable transport: Node's own sockets, on any system, on any kind of arena; the only one that
 * terminates TLS.
 *
 * ```
 *   socket 'data' ─▶ copied to the receive buffer ─▶ onData
 *   dirty ─▶ cork · write(Buffer over the arena) per part · uncork ─▶ one writev ─▶ callback ─▶ onRelease
 * ```
 *
 * Parts are not copied: the Buffers that Node gets are views of the arena, and their memory is given back
 * when Node calls back, or when the socket is closed.
 */
import { chmodSync } from 'node:fs';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { DatapathError } from '../errors.ts';
import {
  LISTEN_BACKLOG,
  NODE_WRITE_BYTES,
  RECEIVE_CALL_BYTES,
  SCATTER_GATHER_ENTRIES_MAX,
  SWEEP_INTERVAL_MS,
} from '../limits.ts';
import { BUFFER_HEADER_BYTES } from '../memory/buffer-pool.ts';
import { type Connection, ConnectionState, SEND_NONE, SEND_WAITING } from './connection.ts';
import { NodeDatagrams } from './node-datagram.ts';
import { AcceptWhenFull, type ServeOptions, type TransportOptions } from './options.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import {
  CloseReason,
  type ConnectAddress,
  type ListeningSocket,
  type TransportHandler,
  TransportKind,
  type WakerHandle,
} from './transport.ts';
import { TransportBase } from './transport-base.ts';
import { SharedWaker } from './waker.ts';

interface Served {
  readonly socket: ListeningSocket;
  readonly server: net.Server | NodeDatagrams<unknown>;
}

export class NodeTransport<S> extends TransportBase<S> {
  readonly kind: TransportKind = TransportKind.node;
  override readonly sendsObjects: boolean = true;
  readonly waker: WakerHandle;
  readonly #waker: SharedWaker;
  readonly #receiveBuffer: ReceiveBuffer;
  readonly #datagramBuffer: ReceiveBuffer;
  readonly #sockets: (net.Socket | undefined)[] = [];
  readonly #ticker: NodeJS.Timeout;
  #served: Served[] = [];
  /** Servers that are closing. */
  #closingServers = 0;
  #parked: { socket: net.Socket; kind: 'tcp' | 'unix' }[] = [];
  #isScheduled = false;
  #isInTurn = false;
  #isFinished = false;
  #finished: () => void = () => {};
  readonly #running: Promise<void>;

  constructor(options: TransportOptions<S>) {
    super(options);
    this.#receiveBuffer = new ReceiveBuffer(options.allocator, RECEIVE_CALL_BYTES);
    this.#datagramBuffer = new ReceiveBuffer(options.allocator, RECEIVE_CALL_BYTES);
    this.#waker = new SharedWaker(() => this.#turn(() => this.handler.onWake?.()));
    this.waker = this.#waker.handle;
    this.#running = new Promise((resolve) => {
      this.#finished = resolve;
    });
    this.#ticker = setInterval(() => this.#turn(() => {}), SWEEP_INTERVAL_MS).unref();
  }

  run(): Promise<void> {
    this.#ticker.ref();
    return this.#running;
  }

  override stop(flushMs?: number): void {
    super.stop(flushMs);
    this.#ticker.ref();
    this.#schedule();
  }

  // ---- turns: every event of Node is one

  /** Runs something that may call the handler, then works off what came of it. */
  #turn(work: () => void): void {
    this.nowMs = this.options.clock();
    this.#isInTurn = true;
    try {
      work();
      this.finishTurn();
    } finally {
      this.#isInTurn = false;
    }
    if (this.hasWork) this.#schedule();
    this.#finishIfStopped();
  }

  #schedule(): void {
    if (this.#isInTurn || this.#isScheduled || this.#isFinished) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#turn(() => {});
    });
  }

  override markDirty(connection: Connection<S>): void {
    super.markDirty(connection);
    this.#schedule();
  }

  override markInput(connection: Connection<S>): void {
    super.markInput(connection);
    this.#schedule();
  }

  override requestClose(connection: Connection<S>, reason: CloseReason, error?: Error): void {
    super.requestClose(connection, reason, error);
    this.#schedule();
  }

  override deferRelease(owner: number): void {
    super.deferRelease(owner);
    this.#schedule();
  }

  #finishIfStopped(): void {
    if (!this.isStopping || this.#isFinished || this.hasWork) return;
    if (this.statistics.connectionsCurrent > 0 || this.#closingServers > 0) return;
    this.#isFinished = true;
    clearInterval(this.#ticker);
    this.#waker.close();
    this.#receiveBuffer.close();
    this.#datagramBuffer.close();
    this.drainPools();
    this.#finished();
  }

  // ---- one socket

  #attach(socket: net.Socket, connection: Connection<S>): void {
    this.#sockets[connection.id] = socket;
    socket.on('data', (chunk: Buffer) => this.#turn(() => this.#receive(connection, chunk)));
    socket.on('end', () => this.#turn(() => this.inputEnd(connection)));
    socket.on('error', (error) => this.#turn(() => this.#socketFailed(connection, error)));
    socket.on('close', () => this.#turn(() => this.#socketClosed(connection)));
  }

  #receive(connection: Connection<S>, chunk: Buffer): void {
    const buffer = this.#receiveBuffer;
    for (let done = 0; done < chunk.length; done += RECEIVE_CALL_BYTES) {
      if (connection.state >= ConnectionState.closing) return;
      if (!buffer.prepare()) {
        const error = new DatapathError('ENOMEM', 'receive', 'no memory to receive into');
        this.requestClose(connection, CloseReason.error, error);
        return;
      }
      const part = chunk.subarray(done, done + RECEIVE_CALL_BYTES);
      this.arena.u8.set(part, buffer.offset);
      this.deliver(connection, buffer.offset, buffer.offset + part.length);
    }
  }

  #socketFailed(connection: Connection<S>, error: Error): void {
    const code = 'code' in error ? error.code : '';
    const isPeer = code === 'ECONNRESET' || code === 'EPIPE';
    this.requestClose(
      connection,
      isPeer ? CloseReason.peer : CloseReason.error,
      DatapathError.from(error, 'socket'),
    );
  }

  /** Node and the kernel are through with this socket and with all memory that was given to it. */
  #socketClosed(connection: Connection<S>): void {
    connection.sendMode = SEND_NONE;
    this.requestClose(connection, CloseReason.peer);
    if (connection.state === ConnectionState.closed) this.#release(connection);
  }

  /** Happens once: the slot may be another connection's when the socket's own end is heard of. */
  #release(connection: Connection<S>): void {
    if (this.slots[connection.id] !== connection) return;
    connection.dropOutput(this);
    this.#sockets[connection.id] = undefined;
    this.freeSlot(connection);
  }

  protected startReading(connection: Connection<S>): void {
    connection.isReading = true;
    this.#sockets[connection.id]?.resume();
  }

  protected stopReading(connection: Connection<S>): void {
    connection.isReading = false;
    this.#sockets[connection.id]?.pause();
  }

  protected startSend(connection: Connection<S>): void {
    const socket = this.#sockets[connection.id]!;
    connection.sealSegment();
    const queue = connection.queue!;
    const parts: Buffer[] = [];
    let bytes = 0;
    const last = Math.min(queue.count, SCATTER_GATHER_ENTRIES_MAX);
    for (let part = 0; part < last && bytes < NODE_WRITE_BYTES; part++) {
      const offset = queue.offsetAt(part);
      // A part may be longer than one write; the rest of it is the next write's first part.
      const length = Math.min(queue.bytesAt(part), NODE_WRITE_BYTES - bytes);
      if (length === 0) continue;
      const object = queue.objectAt(part);
      parts.push(
        object === undefined
          ? this.arena.node.subarray(offset, offset + length)
          : Buffer.from(object.buffer, object.byteOffset + offset, length),
      );
      bytes += length;
    }
    connection.sendMode = SEND_WAITING;
    this.statistics.systemCalls++;
    socket.cork();
    for (let index = 0; index < parts.length - 1; index++) socket.write(parts[index]!);
    socket.write(parts[parts.length - 1]!, (error) => {
      if (error === null || error === undefined) this.#turn(() => this.#written(connection, bytes));
    });
    socket.uncork();
    if (socket.writableLength > 0) this.blocked(connection);
  }

  #written(connection: Connection<S>, bytes: number): void {
    if (connection.state === ConnectionState.closed && connection.descriptor === -1) {
      // Closed by this side; the rest of its output goes with the socket.
      connection.sendMode = SEND_NONE;
      return;
    }
    this.sent(connection, bytes, this);
    if (connection.queuedBytes > 0) this.markDirty(connection);
  }

  protected finishWriting(connection: Connection<S>): void {
    this.#sockets[connection.id]?.end();
  }

  protected closeSocket(connection: Connection<S>): void {
    const socket = this.#sockets[connection.id];
    if (socket === undefined || socket.closed) this.#release(connection);
    else socket.destroy();
  }

  addressOf(connection: Connection<S>, isPeer: boolean): string {
    const socket = this.#sockets[connection.id];
    if (socket === undefined || this.slots[connection.id] !== connection) return '';
    if (connection.kind === 'unix') return 'unix:';
    const host = isPeer ? socket.remoteAddress : socket.localAddress;
    const port = isPeer ? socket.remotePort : socket.localPort;
    if (host === undefined) return '';
    return net.isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
  }

  // ---- listening and connecting

  async serve(socket: ListeningSocket, options: ServeOptions = {}): Promise<void> {
    const { address } = socket;
    if (address.kind === 'udp') {
      const datagrams = new NodeDatagrams<unknown>(
        this.arena,
        this.#datagramBuffer.offset,
        this.handler as TransportHandler<unknown>,
        this.statistics,
        (work) => this.#turn(work),
        () => this.#takeReplyBuffer(),
        (offset) => this.options.allocator.release(offset - BUFFER_HEADER_BYTES),
      );
      await datagrams.bind(address, socket.reusePort === true);
      this.#served.push({ socket, server: datagrams });
      return;
    }
    const kind = address.kind;
    const accept = (accepted: net.Socket): void => this.#turn(() => this.#accepted(accepted, kind));
    const settings = {
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      pauseOnConnect: options.tls === undefined,
    };
    const server =
      options.tls === undefined
        ? net.createServer(settings, accept)
        : tls.createServer({ ...options.tls, ...settings }, accept);
    await listen(server, address, socket.reusePort === true);
    // A connection that fails while it is accepted concerns nobody else.
    server.on('error', () => {});
    if (address.kind === 'unix' && address.mode !== undefined) chmodSync(address.path, address.mode);
    if (this.isStopping) server.close();
    else this.#served.push({ socket, server });
  }

  #takeReplyBuffer(): number {
    const { allocator } = this.options;
    const chunk = allocator.allocate(allocator.classFor(RECEIVE_CALL_BYTES + BUFFER_HEADER_BYTES));
    return chunk === 0 ? 0 : chunk + BUFFER_HEADER_BYTES;
  }

  unserve(socket: ListeningSocket): void {
    for (const served of this.#served) {
      if (served.socket.address !== socket.address && !isSame(served.socket, socket)) continue;
      this.#closeServer(served);
    }
  }

  #closeServer(served: Served): void {
    this.#served = this.#served.filter((other) => other !== served);
    this.#closingServers++;
    const closed = (): void => {
      this.#closingServers--;
      this.#finishIfStopped();
    };
    // A server's own callback waits for its connections, which are closed separately.
    if (served.server instanceof net.Server) served.server.close();
    else {
      served.server.close(closed);
      return;
    }
    setImmediate(closed);
  }

  #accepted(socket: net.Socket, kind: 'tcp' | 'unix'): void {
    if (this.isStopping) {
      socket.destroy();
    } else if (!this.isFull) {
      this.#open(socket, kind);
    } else if (this.options.acceptWhenFull === AcceptWhenFull.wait) {
      this.#parked.push({ socket, kind });
      this.acceptingPaused();
      socket.on('error', () => {});
    } else {
      this.statistics.connectionsRefused++;
      socket.on('error', () => {});
      const text = this.handler.onRefuse?.();
      socket.end(text === undefined ? '' : Buffer.from(text), () => socket.destroy());
    }
  }

  #open(socket: net.Socket, kind: 'tcp' | 'unix'): void {
    const connection = this.createConnection(-1, kind, ConnectionState.open);
    this.#attach(socket, connection);
    socket.pause();
    this.opened(connection);
  }

  protected stopAccepting(): void {
    for (const { socket } of this.#parked) socket.destroy();
    this.#parked = [];
    for (const served of this.#served) this.#closeServer(served);
  }

  protected resumeAccepting(): void {
    while (this.#parked.length > 0 && !this.isFull) {
      const { socket, kind } = this.#parked.shift()!;
      if (!socket.destroyed) this.#open(socket, kind);
    }
    if (this.#parked.length === 0) this.acceptingResumed();
  }

  connect(address: ConnectAddress): Connection<S> {
    const connection = this.createConnection(-1, address.kind, ConnectionState.connecting);
    const target =
      address.kind === 'unix'
        ? { path: address.path }
        : { host: address.host, port: address.port, noDelay: true };
    const socket = net.connect({ ...target, allowHalfOpen: true });
    this.#attach(socket, connection);
    socket.pause();
    socket.once('connect', () =>
      this.#turn(() => {
        if (connection.state === ConnectionState.connecting) this.opened(connection);
      }),
    );
    return connection;
  }

  adopt(descriptor: number): void {
    const socket = new net.Socket({ fd: descriptor, readable: true, writable: true, allowHalfOpen: true });
    this.#turn(() => this.#accepted(socket, 'tcp'));
  }
}

function isSame(one: ListeningSocket, other: ListeningSocket): boolean {
  const [a, b] = [one.address, other.address];
  if (a.kind !== b.kind) return false;
  if (a.kind === 'unix' || b.kind === 'unix')
    return a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
  return one.port === other.port && a.host === b.host;
}

/** Several workers share a port where the system can do that; elsewhere the first has it. */
async function listen(
  server: net.Server,
  address: Exclude<ListeningSocket['address'], { kind: 'udp' }>,
  reusePort: boolean,
): Promise<void> {
  const backlog = address.backlog ?? LISTEN_BACKLOG;
  const target =
    address.kind === 'unix'
      ? { path: address.path, backlog }
      : { host: address.host, port: address.port, backlog, exclusive: true, reusePort };
  try {
    await listening(server, target);
  } catch (error) {
    const isUnsupported = error instanceof Error && 'code' in error && error.code === 'ENOTSUP';
    if (!isUnsupported || !reusePort) throw DatapathError.from(error, 'listen');
    await listening(server, { ...target, reusePort: false });
  }
}

function listening(server: net.Server, target: net.ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(target, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
