/**
 * The epoll transport: waits for readiness, reads straight into one receive buffer, and sends at once what
 * the socket takes.
 *
 * ```
 *   epoll_wait ─▶ for each ready socket:  recv ─▶ onData ─▶ send (or sendmsg)     EPOLLOUT only while blocked
 * ```
 *
 * Events are level-triggered, and name a slot and its generation, so that an event of a connection that was
 * closed earlier in the same turn finds nobody.
 */
import { DatapathError } from '../errors.ts';
import {
  EPOLL_EVENTS,
  MESSAGE_SCRATCH_BYTES,
  RECEIVE_CALL_BYTES,
  SCATTER_GATHER_ENTRIES_MAX,
} from '../limits.ts';
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, Epoll } from '../sys/epoll.ts';
import { Errno, systemError } from '../sys/errno.ts';
import { errno, type Libc, libc } from '../sys/libc.ts';
import { MESSAGE_HEADER_BYTES, MESSAGE_HEADER_WORDS, putMessageHeader } from '../sys/messages.ts';
import * as sockets from '../sys/sockets.ts';
import { type Connection, ConnectionState, SEND_NONE, SEND_WAITING } from './connection.ts';
import { LinuxTransport, type Listener } from './linux-base.ts';
import type { TransportOptions } from './options.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { CloseReason, TransportKind } from './transport.ts';

/** What an event is about: the low byte of its high data word, below the generation. */
const TAG_CONNECTION = 1;
const TAG_LISTENER = 2;
const TAG_WAKER = 3;

const SEND_FLAGS: number = sockets.MSG_DONTWAIT | sockets.MSG_NOSIGNAL;
const FAILED: number = EPOLLERR | EPOLLHUP;
const SOCK_CLOEXEC = 0o2000000;

export class EpollTransport<S> extends LinuxTransport<S> {
  readonly kind: TransportKind = TransportKind.epoll;
  readonly #epoll: Epoll;
  readonly #libc: Libc;
  readonly #receiveBuffer: ReceiveBuffer;
  /** Events each connection's socket is watched for, by slot. */
  #interest: Uint8Array = new Uint8Array(64);

  constructor(options: TransportOptions<S>) {
    super(options, MESSAGE_SCRATCH_BYTES);
    this.#libc = libc();
    this.#epoll = new Epoll(EPOLL_EVENTS);
    this.#receiveBuffer = new ReceiveBuffer(options.allocator, RECEIVE_CALL_BYTES);
    this.#epoll.add(this.eventFd.descriptor, EPOLLIN, 0, TAG_WAKER);
  }

  protected override get connectSocketFlags(): number {
    return sockets.SOCK_NONBLOCK;
  }

  protected get isBusy(): boolean {
    return false;
  }

  protected poll(timeoutMs: number): void {
    const epoll = this.#epoll;
    this.statistics.systemCalls++;
    const count = epoll.wait(timeoutMs);
    this.readClock();
    for (let index = 0; index < count; index++) {
      const high = epoll.dataHigh(index);
      const low = epoll.dataLow(index);
      const tag = high & 0xff;
      if (tag === TAG_CONNECTION) {
        const connection = this.slots[low];
        if (connection !== undefined && connection.generation === high >>> 8) {
          this.#connectionEvent(connection, epoll.events(index));
        }
      } else if (tag === TAG_LISTENER) {
        const listener = this.listeners[low];
        if (listener !== undefined) this.#listenerEvent(listener);
      } else {
        this.eventFd.read(this.scratch.address);
        this.handler.onWake?.();
      }
      this.flushDirty();
    }
  }

  #connectionEvent(connection: Connection<S>, events: number): void {
    if (connection.state >= ConnectionState.closing) return;
    if (connection.state === ConnectionState.connecting) {
      this.#connectEvent(connection);
      return;
    }
    if ((events & EPOLLOUT) !== 0 && connection.sendMode === SEND_WAITING) {
      connection.sendMode = SEND_NONE;
      this.startSend(connection);
    }
    if (connection.isReading) {
      if ((events & ~EPOLLOUT) !== 0) this.#receive(connection);
    } else if ((events & FAILED) !== 0) {
      // Input is held back, so this is how a broken connection shows.
      this.requestClose(connection, CloseReason.peer);
    }
  }

  #receive(connection: Connection<S>): void {
    const buffer = this.#receiveBuffer;
    if (!buffer.prepare()) {
      const error = new DatapathError('ENOMEM', 'recv', 'no memory to receive into');
      this.requestClose(connection, CloseReason.error, error);
      return;
    }
    this.statistics.systemCalls++;
    const received = this.#libc.recv(
      connection.descriptor,
      this.arena.address + buffer.offset,
      RECEIVE_CALL_BYTES,
      sockets.MSG_DONTWAIT,
    );
    if (received > 0) {
      this.deliver(connection, buffer.offset, buffer.offset + received);
    } else if (received === 0) {
      this.stopReading(connection);
      this.inputEnd(connection);
    } else {
      const value = errno();
      if (value !== Errno.EAGAIN && value !== Errno.EINTR) this.#failed(connection, value, 'recv');
    }
  }

  #failed(connection: Connection<S>, value: number, call: string): void {
    const isPeer = value === Errno.ECONNRESET || value === Errno.EPIPE;
    this.requestClose(
      connection,
      isPeer ? CloseReason.peer : CloseReason.error,
      systemError(value, call, `connection ${connection.id}`),
    );
  }

  protected startSend(connection: Connection<S>): void {
    while (connection.queuedBytes > 0) {
      const queue = connection.queue;
      let wanted: number;
      let sent: number;
      this.statistics.systemCalls++;
      if (queue === null || queue.count === 0) {
        wanted = connection.cursor - connection.segmentStart;
        const address = this.arena.address + connection.segmentStart;
        sent = this.#libc.send(connection.descriptor, address, wanted, SEND_FLAGS);
      } else {
        connection.sealSegment();
        wanted = this.#fillMessage(connection);
        sent = this.#libc.sendmsg(connection.descriptor, this.scratch.address, SEND_FLAGS);
      }
      if (sent < 0) {
        const value = errno();
        if (value === Errno.EINTR) continue;
        if (value !== Errno.EAGAIN) {
          this.#failed(connection, value, 'send');
          return;
        }
        sent = 0;
      }
      this.sent(connection, sent, this);
      if (sent < wanted) {
        connection.sendMode = SEND_WAITING;
        this.#watch(connection);
        this.blocked(connection);
        return;
      }
    }
    if ((this.#interest[connection.id]! & EPOLLOUT) !== 0) this.#watch(connection);
  }

  /** Writes a message header with iovecs to the scratch memory; returns the bytes it stands for. */
  #fillMessage(connection: Connection<S>): number {
    const queue = connection.queue!;
    const iovecs = this.scratch.address + MESSAGE_HEADER_BYTES;
    const count = queue.fill(
      this.scratchWords,
      MESSAGE_HEADER_WORDS,
      this.arena.address,
      SCATTER_GATHER_ENTRIES_MAX,
    );
    putMessageHeader(this.scratchWords, 0, iovecs, count, 0, 0);
    return queue.filledBytes;
  }

  /** Tells epoll what this connection waits for, when that has changed. */
  #watch(connection: Connection<S>): void {
    if (connection.state >= ConnectionState.closed) return;
    const wanted =
      (connection.isReading ? EPOLLIN : 0) |
      (connection.sendMode === SEND_WAITING || connection.state === ConnectionState.connecting
        ? EPOLLOUT
        : 0);
    if (this.#interest[connection.id] === wanted) return;
    this.#interest[connection.id] = wanted;
    this.statistics.systemCalls++;
    this.#epoll.modify(
      connection.descriptor,
      wanted,
      connection.id,
      TAG_CONNECTION | (connection.generation << 8),
    );
  }

  /** Starts to watch a new connection's socket. */
  #register(connection: Connection<S>, events: number): void {
    if (connection.id >= this.#interest.length) {
      const grown = new Uint8Array(Math.max(this.#interest.length * 2, connection.id + 1));
      grown.set(this.#interest);
      this.#interest = grown;
    }
    this.#interest[connection.id] = events;
    this.#epoll.add(
      connection.descriptor,
      events,
      connection.id,
      TAG_CONNECTION | (connection.generation << 8),
    );
  }

  protected override openConnection(descriptor: number, kind: 'tcp' | 'unix'): Connection<S> {
    const connection = this.createConnection(descriptor, kind, ConnectionState.open);
    this.#register(connection, EPOLLIN);
    connection.isReading = true;
    this.opened(connection);
    if (connection.gate !== 0) this.markInput(connection);
    return connection;
  }

  protected startReading(connection: Connection<S>): void {
    connection.isReading = true;
    this.#watch(connection);
  }

  protected stopReading(connection: Connection<S>): void {
    connection.isReading = false;
    this.#watch(connection);
  }

  protected finishWriting(connection: Connection<S>): void {
    this.#libc.shutdown(connection.descriptor, sockets.SHUT_WR);
  }

  protected closeSocket(connection: Connection<S>): void {
    connection.dropOutput(this);
    sockets.closeDescriptor(connection.descriptor);
    this.freeSlot(connection);
  }

  // ---- accepting and connecting

  #listenerEvent(listener: Listener): void {
    if (listener.kind === 'udp') {
      this.datagramsReady(listener);
      return;
    }
    const descriptor = this.#libc.accept4(listener.socket.descriptor, 0, 0, SOCK_CLOEXEC);
    if (descriptor >= 0) {
      this.acceptedFrom(listener, descriptor);
      return;
    }
    const value = errno();
    if (
      value === Errno.EMFILE ||
      value === Errno.ENFILE ||
      value === Errno.ENOBUFS ||
      value === Errno.ENOMEM
    ) {
      this.acceptFailed();
      this.disarmListener(listener);
    } else if (value === Errno.EINVAL || value === Errno.EBADF) {
      throw systemError(value, 'accept4', `descriptor ${listener.socket.descriptor}`);
    }
    // Any other value concerns the one connection that went away before it was accepted.
  }

  protected armListener(listener: Listener): void {
    this.#epoll.add(listener.socket.descriptor, EPOLLIN, listener.index, TAG_LISTENER);
    listener.isArmed = true;
  }

  protected disarmListener(listener: Listener): void {
    this.#epoll.remove(listener.socket.descriptor);
    listener.isArmed = false;
  }

  protected startConnect(connection: Connection<S>, address: Uint8Array): void {
    const result = this.#libc.connect(connection.descriptor, address, address.length);
    const value = result < 0 ? errno() : 0;
    if (value !== 0 && value !== Errno.EINPROGRESS) {
      this.#register(connection, 0);
      this.requestClose(connection, CloseReason.error, systemError(value, 'connect', ''));
      return;
    }
    // A socket that is connected already is writable at once.
    this.#register(connection, EPOLLOUT);
  }

  #connectEvent(connection: Connection<S>): void {
    const value = sockets.getSocketOption(connection.descriptor, sockets.SocketOptions.error);
    if (value !== 0) {
      this.requestClose(connection, CloseReason.error, systemError(value, 'connect', ''));
      return;
    }
    this.opened(connection);
    this.#watch(connection);
  }

  protected dispose(): void {
    this.#receiveBuffer.close();
    this.#epoll.close();
  }
}
