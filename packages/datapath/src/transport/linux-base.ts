/**
 * What the two Linux transports share: listening sockets, accepting within the limit, connecting, datagram
 * sockets, the waker, and the loop.
 */
import { DatapathError } from '../errors.ts';
import { DATAGRAM_BATCHES_PER_TURN, SWEEP_INTERVAL_MS } from '../limits.ts';
import { libc } from '../sys/libc.ts';
import { type MappedMemory, mapAnonymous, unmap } from '../sys/memory-map.ts';
import {
  AF_UNIX,
  encodeInternetAddress,
  encodeUnixAddress,
  familyOf,
  formatSocketAddress,
} from '../sys/socket-address.ts';
import * as sockets from '../sys/sockets.ts';
import { type Connection, ConnectionState } from './connection.ts';
import { DatagramBatch } from './datagram.ts';
import { AcceptWhenFull, type ServeOptions, type TransportOptions } from './options.ts';
import type { ConnectAddress, ListeningSocket, LoopTransport, WakerHandle } from './transport.ts';
import { TransportBase } from './transport-base.ts';
import { EventFdWaker } from './waker.ts';

/** What one served socket is doing. */
export interface Listener {
  readonly socket: ListeningSocket;
  readonly index: number;
  readonly kind: 'tcp' | 'unix' | 'udp';
  /** Whether the kernel has been asked to report connections or datagrams. */
  isArmed: boolean;
  /** `unserve` was called. */
  isRemoved: boolean;
}

export abstract class LinuxTransport<S> extends TransportBase<S> implements LoopTransport<S> {
  readonly waker: WakerHandle;
  protected readonly eventFd: EventFdWaker;
  protected readonly listeners: (Listener | undefined)[] = [];
  /** Small memory for what the kernel reads or writes during a call: see the transports. */
  protected readonly scratch: MappedMemory;
  protected readonly scratchWords: Int32Array;
  /** Accepting waits for room, or for the system to have descriptors again. */
  protected isAcceptPaused = false;
  #isRunning = true;
  #datagrams: DatagramBatch<S> | undefined;
  #readyDatagrams: Listener[] = [];
  /** Descriptors accepted beyond the limit, until there is room. */
  #parked: { descriptor: number; kind: 'tcp' | 'unix' }[] = [];

  constructor(options: TransportOptions<S>, scratchBytes: number) {
    super(options);
    if (options.arena.address === 0) {
      throw new DatapathError('ARGUMENT', 'transport', 'a Linux transport needs a mapped arena');
    }
    this.scratch = mapAnonymous(scratchBytes);
    this.scratchWords = new Int32Array(this.scratch.buffer);
    this.eventFd = new EventFdWaker();
    this.waker = this.eventFd.handle;
  }

  /** Asks the kernel to report connections (or datagrams) of a listener. */
  protected abstract armListener(listener: Listener): void;
  protected abstract disarmListener(listener: Listener): void;
  /** Starts to connect a socket; `connected` or `connectFailed` follows. */
  protected abstract startConnect(connection: Connection<S>, address: Uint8Array): void;
  /** Waits at most that long, and handles what happened. */
  protected abstract poll(timeoutMs: number): void;
  /** Whether the kernel still works for this transport (after all connections are gone). */
  protected abstract get isBusy(): boolean;
  /** Gives back what the transport itself holds. */
  protected abstract dispose(): void;

  serve(socket: ListeningSocket, options: ServeOptions = {}): void {
    if (options.tls !== undefined) {
      throw new DatapathError('ARGUMENT', 'serve', 'TLS is served by the portable transport only');
    }
    if (socket.descriptor < 0) {
      throw new DatapathError('ARGUMENT', 'serve', 'the socket was opened for the portable transport');
    }
    if (socket.address.kind === 'udp') {
      this.#datagrams ??= new DatagramBatch(
        this.arena,
        this.options.allocator,
        this.handler,
        this.statistics,
      );
    }
    const free = this.listeners.indexOf(undefined);
    const listener: Listener = {
      socket,
      index: free < 0 ? this.listeners.length : free,
      kind: socket.address.kind,
      isArmed: false,
      isRemoved: false,
    };
    this.listeners[listener.index] = listener;
    this.armListener(listener);
  }

  unserve(socket: ListeningSocket): void {
    for (const listener of this.listeners) {
      if (listener?.socket.descriptor === socket.descriptor && !listener.isRemoved) {
        listener.isRemoved = true;
        if (listener.isArmed) this.disarmListener(listener);
        if (!listener.isArmed) this.listeners[listener.index] = undefined;
      }
    }
  }

  connect(address: ConnectAddress): Connection<S> {
    const isUnix = address.kind === 'unix';
    const encoded = isUnix
      ? encodeUnixAddress(address.path)
      : encodeInternetAddress(address.host, address.port);
    const family = isUnix ? AF_UNIX : familyOf(address.host);
    const descriptor = sockets.openSocket(family, sockets.SOCK_STREAM | this.connectSocketFlags);
    if (!isUnix) sockets.setSocketOption(descriptor, sockets.SocketOptions.noDelay, 1);
    const connection = this.createConnection(descriptor, address.kind, ConnectionState.connecting);
    this.startConnect(connection, encoded);
    return connection;
  }

  adopt(descriptor: number): void {
    const name = sockets.socketName(descriptor);
    this.accepted(descriptor, name?.family === 'unix' ? 'unix' : 'tcp');
  }

  run(): void {
    while (this.turn(-1));
  }

  turn(timeoutMs: number): boolean {
    if (!this.#isRunning) return false;
    this.flushDirty();
    let wait = timeoutMs;
    if (this.hasWork || this.#readyDatagrams.length > 0) wait = 0;
    else if (this.needsTicks || this.isAcceptPaused) {
      const interval = this.isStopping && this.statistics.connectionsCurrent === 0 ? 1 : SWEEP_INTERVAL_MS;
      wait = timeoutMs < 0 ? interval : Math.min(timeoutMs, interval);
    }
    this.poll(wait);
    if (this.#readyDatagrams.length > 0) this.#workDatagrams();
    this.finishTurn();
    if (this.isStopping && this.statistics.connectionsCurrent === 0 && !this.hasWork && !this.isBusy) {
      this.#finish();
    }
    return this.#isRunning;
  }

  gather(_events: number, _microseconds: number): void {
    // Readiness cannot be waited for in numbers.
  }

  addressOf(connection: Connection<S>, isPeer: boolean): string {
    if (connection.descriptor < 0) return '';
    return formatSocketAddress(
      isPeer ? sockets.peerName(connection.descriptor) : sockets.socketName(connection.descriptor),
    );
  }

  /** Extra type flags of a socket that is to be connected. */
  protected get connectSocketFlags(): number {
    return 0;
  }

  /** The time of this turn; call once after waiting. */
  protected readClock(): void {
    this.nowMs = this.options.clock();
  }

  /** A descriptor was accepted or handed over. */
  protected accepted(descriptor: number, kind: 'tcp' | 'unix'): void {
    if (this.isStopping) {
      sockets.closeDescriptor(descriptor);
    } else if (this.isFull) {
      if (this.options.acceptWhenFull === AcceptWhenFull.wait) {
        this.#parked.push({ descriptor, kind });
        this.#pauseAccepting();
      } else {
        this.#refuse(descriptor);
      }
    } else {
      this.openConnection(descriptor, kind);
      if (this.isFull && this.options.acceptWhenFull === AcceptWhenFull.wait) this.#pauseAccepting();
    }
  }

  /** A listener reported a new connection. */
  protected acceptedFrom(listener: Listener, descriptor: number): void {
    if (this.options.acceptTo?.(descriptor) === true) return;
    this.accepted(descriptor, listener.kind === 'unix' ? 'unix' : 'tcp');
  }

  /** The system has no descriptors or memory: tries again when a connection went, or a little later. */
  protected acceptFailed(): void {
    this.isAcceptPaused = true;
    this.acceptingPaused();
  }

  protected stopAccepting(): void {
    for (const { descriptor } of this.#parked) sockets.closeDescriptor(descriptor);
    this.#parked = [];
    this.isAcceptPaused = false;
    for (const listener of this.listeners) {
      if (listener !== undefined) this.unserve(listener.socket);
    }
  }

  protected resumeAccepting(): void {
    if (!this.isAcceptPaused || this.isFull) return;
    while (this.#parked.length > 0 && !this.isFull) {
      const { descriptor, kind } = this.#parked.shift()!;
      this.openConnection(descriptor, kind);
    }
    if (this.isFull && this.options.acceptWhenFull === AcceptWhenFull.wait) return;
    this.isAcceptPaused = false;
    this.acceptingResumed();
    for (const listener of this.listeners) {
      if (listener !== undefined && !listener.isArmed && !listener.isRemoved) this.armListener(listener);
    }
  }

  #pauseAccepting(): void {
    if (this.isAcceptPaused) return;
    this.isAcceptPaused = true;
    this.acceptingPaused();
    for (const listener of this.listeners) {
      if (listener?.isArmed === true && listener.kind !== 'udp') this.disarmListener(listener);
    }
  }

  /** Says why, as far as the socket takes it at once, and closes. */
  #refuse(descriptor: number): void {
    this.statistics.connectionsRefused++;
    const text = this.handler.onRefuse?.();
    if (text !== undefined) {
      const offset = this.sendPool.take();
      if (offset !== 0) {
        const bytes = text.subarray(0, this.sendPool.bytes);
        this.arena.u8.set(bytes, offset);
        const flags = sockets.MSG_DONTWAIT | sockets.MSG_NOSIGNAL;
        libc().send(descriptor, this.arena.address + offset, bytes.length, flags);
        this.sendPool.give(offset);
      }
    }
    sockets.closeDescriptor(descriptor);
  }

  /** A datagram socket is readable: its batches are worked off before the turn ends. */
  protected datagramsReady(listener: Listener): void {
    if (!this.#readyDatagrams.includes(listener)) this.#readyDatagrams.push(listener);
  }

  #workDatagrams(): void {
    const ready = this.#readyDatagrams;
    this.#readyDatagrams = [];
    for (const listener of ready) {
      let left = DATAGRAM_BATCHES_PER_TURN;
      let hasMore = true;
      while (hasMore && left-- > 0 && !listener.isRemoved) {
        hasMore = this.#datagrams!.receive(listener.socket.descriptor, listener.socket.port);
      }
      if (hasMore && !listener.isRemoved) this.#readyDatagrams.push(listener);
    }
  }

  #finish(): void {
    this.#isRunning = false;
    this.dispose();
    this.eventFd.close(this.scratch.address);
    this.#datagrams?.close();
    this.drainPools();
    unmap(this.scratch);
  }
}
