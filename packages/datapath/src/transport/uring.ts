/**
 * The io_uring transport: one io_uring_enter per loop turn gives the kernel everything there is to do and
 * brings back everything that happened.
 *
 * ```
 *   enter ─▶ completions:  recv (multishot, into provided buffers) ─▶ onData ─▶ dirty connections
 *     ▲                    accept (multishot) · waker · datagrams · sends that did not go through
 *     └── submissions:  SEND or SENDMSG per dirty connection · receives to be armed · closes
 * ```
 *
 * Sends do not wait (MSG_DONTWAIT) and report only failure (CQE_SKIP_SUCCESS): a send of which no completion
 * is there after the `enter` that submitted it is through, so ordinary replies cost no completion and no
 * second turn. What a socket does not take at once is sent again by a waiting send, which reports progress.
 *
 * The user data of a submission is (slot or index, kind | generation << 8). A slot is given to another
 * connection only when the kernel has nothing of the last one.
 */
import { COMPLETION_ENTRIES, MESSAGE_SCRATCH_BYTES, SUBMISSION_ENTRIES } from '../limits.ts';
import { Errno, systemError } from '../sys/errno.ts';
import { EVENT_FD_BYTES } from '../sys/event-fd.ts';
import { IoUring } from '../sys/io-uring.ts';
import * as io from '../sys/io-uring-constants.ts';
import * as sockets from '../sys/sockets.ts';
import {
  type Connection,
  ConnectionState,
  GATE_CONGESTED,
  SEND_INLINE,
  SEND_NONE,
  SEND_WAITING,
} from './connection.ts';
import { ConnectionList } from './connection-list.ts';
import { LinuxTransport, type Listener } from './linux-base.ts';
import { resolveZeroCopyBytesMin, type TransportOptions } from './options.ts';
import { ProvidedBuffers } from './provided-buffers.ts';
import type { ScatterGatherQueue } from './scatter-gather.ts';
import { CloseReason, TransportKind } from './transport.ts';
import { UringMessages } from './uring-messages.ts';
import { ZeroCopyHolds } from './zero-copy-holds.ts';

const KIND_IGNORE = 0;
const KIND_RECEIVE = 1;
const KIND_SEND_INLINE = 2;
const KIND_SEND_WAITING = 3;
const KIND_SEND_ZERO_COPY = 4;
const KIND_ACCEPT = 5;
const KIND_DATAGRAM = 6;
const KIND_WAKER = 7;
const KIND_CONNECT = 8;

const HEAD_RECEIVE: number =
  io.IORING_OP_RECV | (io.IOSQE_BUFFER_SELECT << 8) | (io.IORING_RECV_MULTISHOT << 16);
const HEAD_SEND_INLINE: number = io.IORING_OP_SEND | (io.IOSQE_CQE_SKIP_SUCCESS << 8);
const HEAD_SENDMSG_INLINE: number = io.IORING_OP_SENDMSG | (io.IOSQE_CQE_SKIP_SUCCESS << 8);
const HEAD_ZERO_COPY: number = io.IORING_OP_SENDMSG_ZC | (io.IORING_SEND_ZC_REPORT_USAGE << 16);
const HEAD_ACCEPT: number = io.IORING_OP_ACCEPT | (io.IORING_ACCEPT_MULTISHOT << 16);
const HEAD_CLOSE: number = io.IORING_OP_CLOSE | (io.IOSQE_CQE_SKIP_SUCCESS << 8);

const INLINE_FLAGS: number = sockets.MSG_DONTWAIT | sockets.MSG_WAITALL | sockets.MSG_NOSIGNAL;
const SOCK_CLOEXEC = 0o2000000;
const POLLIN = 1;
/** Not a result of any send: the kernel has not reported one. */
const NO_RESULT = 1;
const BUFFER_GROUP = 1;
const BUFFER_GROUP_WORD = 10;
const OFFSET_WORD = 2;

export class UringTransport<S> extends LinuxTransport<S> {
  readonly kind: TransportKind = TransportKind.uring;
  readonly #ring: IoUring;
  readonly #buffers: ProvidedBuffers;
  readonly #messages: UringMessages;
  readonly #holds: ZeroCopyHolds<S>;
  readonly #zeroCopyBytesMin: number;
  /** Connections with an inline send that was prepared since the last settled submission. */
  readonly #inline = new ConnectionList<S>();
  /** Places for sockets in the ring's own table, by slot: spares the kernel a counted look-up per operation. */
  readonly #filePlaces: number;
  /** More parts than one message has entries wait behind an inline send, which reports nothing when it is through. */
  #isUnfinished = false;
  #isWakerArmed = false;
  #isShortOfBuffers = false;
  #enterCalls = 0;

  constructor(options: TransportOptions<S>) {
    super(options, MESSAGE_SCRATCH_BYTES);
    this.#ring = new IoUring(SUBMISSION_ENTRIES, COMPLETION_ENTRIES);
    this.#buffers = new ProvidedBuffers(
      this.#ring,
      this.arena,
      options.allocator,
      this.limits.receiveBuffers,
      BUFFER_GROUP,
    );
    this.#messages = new UringMessages(this.scratchWords, this.scratch.address, this.arena.address);
    this.#holds = new ZeroCopyHolds<S>(this);
    const canZeroCopy = options.zeroCopy === true && this.#ring.supports(io.IORING_OP_SENDMSG_ZC);
    this.#zeroCopyBytesMin = canZeroCopy ? resolveZeroCopyBytesMin(options.zeroCopyBytesMin) : Infinity;
    const places = this.limits.connectionsMax;
    this.#filePlaces = this.#ring.registerFiles(places) ? places : 0;
    this.#armWaker();
  }

  protected override opened(connection: Connection<S>): void {
    const isPlaced =
      connection.id < this.#filePlaces && this.#ring.updateFile(connection.id, connection.descriptor);
    connection.file = isPlaced ? connection.id : connection.descriptor;
    connection.fileFlag = isPlaced ? io.IOSQE_FIXED_FILE << 8 : 0;
    super.opened(connection);
  }

  override gather(events: number, microseconds: number): void {
    this.#ring.gather(events, microseconds);
  }

  /** What is left of a long list is sent in the next turn, whatever else happens. */
  protected override get hasWork(): boolean {
    return this.#isUnfinished || super.hasWork;
  }

  protected get isBusy(): boolean {
    if (this.#ring.pending > 0 || this.listeners.some((listener) => listener !== undefined)) return true;
    return this.#holds.count > 0 && !this.isStopOverdue;
  }

  protected poll(timeoutMs: number): void {
    const ring = this.#ring;
    ring.enter(1, timeoutMs);
    this.statistics.systemCalls += ring.systemCalls - this.#enterCalls;
    this.#enterCalls = ring.systemCalls;
    this.readClock();
    const head = ring.completionHead();
    const tail = ring.completionTail();
    if (ring.isSubmitted) {
      this.#messages.reset();
      this.#isUnfinished = this.#isUnfinished && ring.isOverflown;
      if (this.#inline.count > 0 && !ring.isOverflown) this.#settleInline(head, tail);
    }
    const words = ring.words;
    for (let number = head; number !== tail; number = (number + 1) | 0) {
      const index = ring.completion(number);
      const high = words[index + 1]!;
      const low = words[index]!;
      const result = words[index + 2]!;
      const flags = words[index + 3]!;
      if ((high & 0xff) === KIND_RECEIVE) this.#received(this.slots[low]!, result, flags);
      else this.#completed(high & 0xff, low, high >>> 8, result, flags);
    }
    ring.setCompletionHead(tail);
    if (this.#isShortOfBuffers) {
      this.#isShortOfBuffers = false;
      this.#buffers.grow();
    }
  }

  /** Completions that are less frequent than receives. */
  #completed(kind: number, low: number, generation: number, result: number, flags: number): void {
    if (kind === KIND_SEND_ZERO_COPY) {
      this.#zeroCopyCompleted(low, result, flags);
    } else if (kind === KIND_ACCEPT) {
      this.#acceptCompleted(this.listeners[low]!, result, flags);
    } else if (kind === KIND_DATAGRAM) {
      this.#datagramCompleted(this.listeners[low]!, result, flags);
    } else if (kind === KIND_WAKER) {
      this.#wakerCompleted(result);
    } else if (kind !== KIND_IGNORE) {
      const connection = this.slots[low];
      if (connection === undefined || connection.generation !== generation) return;
      if (kind === KIND_SEND_INLINE) this.#inlineReported(connection, result);
      else if (kind === KIND_SEND_WAITING) this.#waitingSendCompleted(connection, result);
      else this.#connectCompleted(connection, result);
    }
  }

  // ---- receiving

  #received(connection: Connection<S>, result: number, flags: number): void {
    const hasMore = (flags & io.IORING_CQE_F_MORE) !== 0;
    if (!hasMore) connection.isReading = false;
    if (result > 0) {
      const number = flags >>> io.IORING_CQE_BUFFER_SHIFT;
      const start = this.#buffers.offset(number);
      this.deliver(connection, start, start + result);
      this.#buffers.give(number);
      if (!hasMore) this.#receiveEnded(connection);
      return;
    }
    if ((flags & io.IORING_CQE_F_BUFFER) !== 0) this.#buffers.give(flags >>> io.IORING_CQE_BUFFER_SHIFT);
    if (hasMore) return;
    if (result === 0) {
      if (connection.state < ConnectionState.closing) this.inputEnd(connection);
    } else if (result === -Errno.ENOBUFS) {
      this.#isShortOfBuffers = true;
    } else if (result !== -Errno.ECANCELED && result !== -Errno.EINTR) {
      this.#failed(connection, -result, 'recv');
    }
    this.#receiveEnded(connection);
  }

  /** The multishot receive is over: arms it again, or goes on closing. */
  #receiveEnded(connection: Connection<S>): void {
    if (connection.state >= ConnectionState.closed) this.#closeIfIdle(connection);
    else if (!connection.inputEnded && connection.state < ConnectionState.closing) this.markInput(connection);
    if (connection.state === ConnectionState.lingering || connection.state === ConnectionState.ending) {
      if (!connection.inputEnded) this.startReading(connection);
    }
  }

  protected startReading(connection: Connection<S>): void {
    const head = HEAD_RECEIVE | connection.fileFlag;
    const index = this.#prepare(head, connection.file, 0, 0, 0, connection, KIND_RECEIVE);
    this.#ring.submissions[index + BUFFER_GROUP_WORD] = BUFFER_GROUP;
    connection.isReading = true;
    connection.isReadCancelled = false;
  }

  /** Cancels the receive; what it brings until then is kept. */
  protected stopReading(connection: Connection<S>): void {
    if (connection.isReadCancelled) return;
    connection.isReadCancelled = true;
    this.#room();
    const target = this.#ring.prepare(io.IORING_OP_ASYNC_CANCEL, -1, 0, 0, 0, 0, KIND_IGNORE);
    const submissions = this.#ring.submissions;
    submissions[target + 4] = connection.id;
    submissions[target + 5] = KIND_RECEIVE | (connection.generation << 8);
  }

  // ---- sending

  protected startSend(connection: Connection<S>): void {
    if (connection.waitingSince !== 0) {
      this.#startWaitingSend(connection);
      return;
    }
    const queue = connection.queue;
    if (queue === null || queue.count === 0) {
      const bytes = connection.cursor - connection.segmentStart;
      const address = this.arena.address + connection.segmentStart;
      connection.sendBytes = bytes;
      this.#prepare(
        HEAD_SEND_INLINE | connection.fileFlag,
        connection.file,
        address,
        bytes,
        INLINE_FLAGS,
        connection,
        KIND_SEND_INLINE,
      );
    } else {
      connection.sealSegment();
      if (this.#isForZeroCopy(queue)) {
        this.#startZeroCopySend(connection);
        return;
      }
      const header = this.#fillMessage(connection);
      connection.sendBytes = this.#messages.bytes;
      if (connection.sendBytes < connection.queuedBytes) this.#isUnfinished = true;
      this.#prepare(
        HEAD_SENDMSG_INLINE | connection.fileFlag,
        connection.file,
        header,
        1,
        INLINE_FLAGS,
        connection,
        KIND_SEND_INLINE,
      );
    }
    // Nothing reports a send that took everything: what waits for its end must not wait for other events too.
    if (connection.isFinishing || (connection.gate & GATE_CONGESTED) !== 0) this.#isUnfinished = true;
    connection.sendMode = SEND_INLINE;
    connection.sendResult = NO_RESULT;
    this.#inline.push(connection);
  }

  #isForZeroCopy(queue: ScatterGatherQueue): boolean {
    if (this.#zeroCopyBytesMin === Infinity) return false;
    return queue.longestReference(UringMessages.ENTRIES) >= this.#zeroCopyBytesMin;
  }

  /** A send that waits for the socket to take something, and says how much. */
  #startWaitingSend(connection: Connection<S>): void {
    connection.sendMode = SEND_WAITING;
    const queue = connection.queue;
    if (queue === null || queue.count === 0) {
      const bytes = connection.cursor - connection.segmentStart;
      const address = this.arena.address + connection.segmentStart;
      const flags = sockets.MSG_NOSIGNAL;
      this.#prepare(
        io.IORING_OP_SEND,
        connection.descriptor,
        address,
        bytes,
        flags,
        connection,
        KIND_SEND_WAITING,
      );
      return;
    }
    connection.sealSegment();
    if (this.#isForZeroCopy(queue)) {
      this.#startZeroCopySend(connection);
      return;
    }
    const header = this.#fillMessage(connection);
    const flags = sockets.MSG_NOSIGNAL;
    this.#prepare(
      io.IORING_OP_SENDMSG,
      connection.descriptor,
      header,
      1,
      flags,
      connection,
      KIND_SEND_WAITING,
    );
  }

  /** Writes a message header; the address is valid until the submission. */
  #fillMessage(connection: Connection<S>): number {
    if (!this.#messages.hasRoom) this.#submit();
    return this.#messages.write(connection.queue!);
  }

  /**
   * After a submission: completions are there only for inline sends that did not take everything. Marks
   * those, then all others are through.
   */
  #settleInline(head: number, tail: number): void {
    const ring = this.#ring;
    const words = ring.words;
    for (let number = head; number !== tail; number = (number + 1) | 0) {
      const index = ring.completion(number);
      if ((words[index + 1]! & 0xff) !== KIND_SEND_INLINE) continue;
      const connection = this.slots[words[index]!];
      if (connection?.generation === words[index + 1]! >>> 8) {
        this.#inlineReported(connection, words[index + 2]!);
      }
    }
    const inline = this.#inline;
    for (let position = 0; position < inline.count; position++) {
      const connection = inline.take(position);
      if (connection.sendResult === NO_RESULT) this.#sendOver(connection, connection.sendBytes);
      else this.#inlineFailed(connection, connection.sendResult);
    }
    inline.clear();
  }

  #inlineReported(connection: Connection<S>, result: number): void {
    if (connection.sendMode !== SEND_INLINE) return;
    // A short send of one byte must not look like no result.
    connection.sendResult = result > 0 ? result + NO_RESULT : result;
  }

  #inlineFailed(connection: Connection<S>, reported: number): void {
    const result = reported > 0 ? reported - NO_RESULT : reported;
    if (result < 0 && result !== -Errno.EAGAIN && result !== -Errno.EINTR) {
      connection.sendMode = SEND_NONE;
      this.#failed(connection, -result, 'send');
      this.#closeIfIdle(connection);
      return;
    }
    connection.sendMode = SEND_NONE;
    if (connection.state < ConnectionState.closing) this.blocked(connection);
    this.#sendOver(connection, Math.max(result, 0));
  }

  #waitingSendCompleted(connection: Connection<S>, result: number): void {
    if (result < 0 && result !== -Errno.EAGAIN && result !== -Errno.EINTR) {
      connection.sendMode = SEND_NONE;
      this.#failed(connection, -result, 'send');
      this.#closeIfIdle(connection);
      return;
    }
    this.#sendOver(connection, Math.max(result, 0));
  }

  /** A send took some or all; what is left or was written meanwhile is sent at the end of the turn. */
  #sendOver(connection: Connection<S>, bytes: number): void {
    this.sent(connection, bytes, this.#holds.sinkOf(connection));
    if (connection.queuedBytes > 0) this.markDirty(connection);
    if (connection.state >= ConnectionState.closed) this.#closeIfIdle(connection);
  }

  // ---- zero-copy sends

  #startZeroCopySend(connection: Connection<S>): void {
    const header = this.#fillMessage(connection);
    connection.sendBytes = this.#messages.bytes;
    const hold = this.#holds.open(connection);
    this.statistics.zeroCopySends++;
    this.#room();
    this.#ring.prepare(
      HEAD_ZERO_COPY,
      connection.descriptor,
      header,
      1,
      sockets.MSG_NOSIGNAL,
      hold,
      KIND_SEND_ZERO_COPY,
    );
    connection.sendMode = SEND_WAITING;
  }

  /** First the result of the send; then, when the kernel reads the memory no more, a notification. */
  #zeroCopyCompleted(hold: number, result: number, flags: number): void {
    const connection = this.#holds.connection(hold);
    if ((flags & io.IORING_CQE_F_NOTIF) !== 0) {
      if ((result & io.IORING_NOTIF_USAGE_ZC_COPIED) !== 0) this.statistics.zeroCopyCopied++;
      this.#holds.notified(hold);
    } else {
      const hasFailed = result < 0 && result !== -Errno.EAGAIN && result !== -Errno.EINTR;
      connection.sendMode = SEND_NONE;
      if (hasFailed) this.#failed(connection, -result, 'send');
      else this.#zeroCopySent(connection, Math.max(result, 0));
      if ((flags & io.IORING_CQE_F_MORE) === 0) this.#holds.notified(hold);
    }
    if (connection.state >= ConnectionState.closed) this.#closeIfIdle(connection);
  }

  #zeroCopySent(connection: Connection<S>, bytes: number): void {
    const isShort = bytes < connection.sendBytes;
    if (isShort && connection.state < ConnectionState.closing) this.blocked(connection);
    this.#sendOver(connection, bytes);
  }

  // ---- closing

  #failed(connection: Connection<S>, value: number, call: string): void {
    const isPeer = value === Errno.ECONNRESET || value === Errno.EPIPE;
    this.requestClose(
      connection,
      isPeer ? CloseReason.peer : CloseReason.error,
      systemError(value, call, `connection ${connection.id}`),
    );
  }

  protected finishWriting(connection: Connection<S>): void {
    const head = io.IORING_OP_SHUTDOWN;
    this.#prepare(head, connection.descriptor, 0, sockets.SHUT_WR, 0, connection, KIND_IGNORE);
  }

  protected closeSocket(connection: Connection<S>): void {
    if (connection.isReading || connection.sendMode === SEND_WAITING) {
      this.#prepare(
        io.IORING_OP_ASYNC_CANCEL,
        connection.descriptor,
        0,
        0,
        io.IORING_ASYNC_CANCEL_FD | io.IORING_ASYNC_CANCEL_ALL,
        connection,
        KIND_IGNORE,
      );
    }
    this.#closeIfIdle(connection);
  }

  /** Closes when the kernel does nothing for this connection any more. */
  #closeIfIdle(connection: Connection<S>): void {
    if (connection.state !== ConnectionState.closed || connection.descriptor < 0) return;
    if (connection.isReading || connection.sendMode !== SEND_NONE) return;
    connection.dropOutput(this.#holds.sinkOf(connection));
    if (connection.fileFlag !== 0) this.#ring.updateFile(connection.id, -1);
    this.#prepare(HEAD_CLOSE, connection.descriptor, 0, 0, 0, connection, KIND_IGNORE);
    this.freeSlot(connection);
  }

  // ---- accepting, connecting, waking

  #acceptCompleted(listener: Listener, result: number, flags: number): void {
    if ((flags & io.IORING_CQE_F_MORE) === 0) listener.isArmed = false;
    if (result >= 0) {
      this.acceptedFrom(listener, result);
    } else if (
      result === -Errno.EMFILE ||
      result === -Errno.ENFILE ||
      result === -Errno.ENOBUFS ||
      result === -Errno.ENOMEM
    ) {
      this.acceptFailed();
    } else if (result === -Errno.EINVAL || result === -Errno.EBADF) {
      throw systemError(-result, 'accept', `descriptor ${listener.socket.descriptor}`);
    }
    if (!listener.isArmed) this.#listenerEnded(listener);
  }

  #listenerEnded(listener: Listener): void {
    if (listener.isRemoved) this.listeners[listener.index] = undefined;
    else if (!this.isAcceptPaused || listener.kind === 'udp') this.armListener(listener);
  }

  #datagramCompleted(listener: Listener, result: number, flags: number): void {
    if ((flags & io.IORING_CQE_F_MORE) === 0) listener.isArmed = false;
    if (result > 0 && !listener.isRemoved) this.datagramsReady(listener);
    if (!listener.isArmed) this.#listenerEnded(listener);
  }

  protected armListener(listener: Listener): void {
    this.#room();
    const descriptor = listener.socket.descriptor;
    if (listener.kind === 'udp') {
      const index = this.#ring.prepare(
        io.IORING_OP_POLL_ADD,
        descriptor,
        0,
        io.IORING_POLL_ADD_MULTI,
        POLLIN,
        listener.index,
        KIND_DATAGRAM,
      );
      this.#ring.submissions[index + OFFSET_WORD] = 0;
    } else {
      this.#ring.prepare(HEAD_ACCEPT, descriptor, 0, 0, SOCK_CLOEXEC, listener.index, KIND_ACCEPT);
    }
    listener.isArmed = true;
  }

  protected disarmListener(listener: Listener): void {
    this.#room();
    const flags = io.IORING_ASYNC_CANCEL_FD | io.IORING_ASYNC_CANCEL_ALL;
    const { descriptor } = listener.socket;
    this.#ring.prepare(io.IORING_OP_ASYNC_CANCEL, descriptor, 0, 0, flags, 0, KIND_IGNORE);
  }

  protected startConnect(connection: Connection<S>, address: Uint8Array): void {
    if (!this.#messages.hasRoom) this.#submit();
    const location = this.#messages.writeBytes(address);
    const index = this.#prepare(
      io.IORING_OP_CONNECT,
      connection.descriptor,
      location,
      0,
      0,
      connection,
      KIND_CONNECT,
    );
    this.#ring.submissions[index + OFFSET_WORD] = address.length;
    connection.sendMode = SEND_WAITING;
  }

  #connectCompleted(connection: Connection<S>, result: number): void {
    connection.sendMode = SEND_NONE;
    if (connection.state === ConnectionState.connecting) {
      if (result === 0) this.opened(connection);
      else this.requestClose(connection, CloseReason.error, systemError(-result, 'connect', ''));
    }
    this.#closeIfIdle(connection);
  }

  #armWaker(): void {
    this.#room();
    this.#ring.prepare(
      io.IORING_OP_READ,
      this.eventFd.descriptor,
      this.#messages.eventAddress,
      EVENT_FD_BYTES,
      0,
      0,
      KIND_WAKER,
    );
    this.#isWakerArmed = true;
  }

  #wakerCompleted(result: number): void {
    this.#isWakerArmed = false;
    if (result === -Errno.ECANCELED) return;
    if (result > 0) this.eventFd.accept();
    this.#armWaker();
    if (result > 0) this.handler.onWake?.();
  }

  // ---- submissions

  #prepare(
    head: number,
    descriptor: number,
    address: number,
    length: number,
    flags: number,
    connection: Connection<S>,
    kind: number,
  ): number {
    this.#room();
    const high = kind | (connection.generation << 8);
    return this.#ring.prepare(head, descriptor, address, length, flags, connection.id, high);
  }

  /** Makes sure that there is room for one more submission. */
  #room(): void {
    if (this.#ring.room === 0) this.#submit();
  }

  /** Submits in the middle of a turn, because the ring or the memory for messages is full. */
  #submit(): void {
    this.#ring.enter(0, 0);
    if (this.#ring.pending > 0) throw systemError(Errno.EBUSY, 'io_uring_enter', 'the kernel takes no more');
    this.#messages.reset();
  }

  /** Cancels what the transport itself waits for, so that the kernel writes to none of its memory later. */
  protected dispose(): void {
    const ring = this.#ring;
    this.#cancelWaker();
    while (this.#isWakerArmed) {
      ring.enter(1, -1);
      const tail = ring.completionTail();
      for (let number = ring.completionHead(); number !== tail; number = (number + 1) | 0) {
        const index = ring.completion(number);
        if ((ring.words[index + 1]! & 0xff) !== KIND_WAKER) continue;
        this.#isWakerArmed = false;
        if (ring.words[index + 2]! > 0) this.eventFd.accept();
      }
      ring.setCompletionHead(tail);
    }
    this.#holds.close();
    this.#buffers.close();
    ring.close();
  }

  #cancelWaker(): void {
    const index = this.#ring.prepare(io.IORING_OP_ASYNC_CANCEL, -1, 0, 0, 0, 0, KIND_IGNORE);
    this.#ring.submissions[index + 4] = 0;
    this.#ring.submissions[index + 5] = KIND_WAKER;
  }
}
