/**
 * What all transports have in common: the table of connections, input that is kept until it is whole,
 * back-pressure, idle and slow connections, closing.
 *
 * ```
 *   kernel ─▶ deliver ─▶ [carry] ─▶ handler.onData          lists worked off at the end of a turn:
 *   handler ─▶ connection.reserve / reference ─▶ dirty        dirty    output to be sent
 *   flush ─▶ startSend ─▶ kernel ─▶ sent ─▶ onRelease         inputs   paused, resumed or drained input
 *                                                             closing  connections to be closed
 * ```
 *
 * A handler is never called while it is running: what it asks for goes to the lists.
 */
import { DatapathError } from '../errors.ts';
import { LINGER_MS, POOLED_BUFFERS, SEND_BUFFER_BYTES, STOP_FLUSH_MS, SWEEP_INTERVAL_MS } from '../limits.ts';
import type { Arena } from '../memory/arena.ts';
import { BufferPool } from '../memory/buffer-pool.ts';
import { CarryBuffers } from './carry.ts';
import {
  Connection,
  type ConnectionHost,
  ConnectionState,
  GATE_CARRY,
  GATE_CONGESTED,
  GATE_ENDED,
  GATE_HELD,
  SEND_NONE,
} from './connection.ts';
import { ConnectionList } from './connection-list.ts';
import { resolveLimits, type ServeOptions, type TransportLimits, type TransportOptions } from './options.ts';
import type { ReleaseSink } from './scatter-gather.ts';
import {
  CloseReason,
  type ConnectAddress,
  type ListeningSocket,
  type Transport,
  type TransportHandler,
  type TransportKind,
  type TransportStatistics,
  type WakerHandle,
} from './transport.ts';

const GENERATION_MASK = 0xff_ffff;
/** Rounds of work at the end of a turn before the kernel is asked again. */
const ROUNDS_PER_TURN = 4;

export abstract class TransportBase<S> implements Transport<S>, ConnectionHost<S>, ReleaseSink {
  readonly sendsObjects: boolean = false;
  abstract readonly kind: TransportKind;
  abstract readonly waker: WakerHandle;
  readonly statistics: TransportStatistics = {
    connectionsOpened: 0,
    connectionsCurrent: 0,
    connectionsRefused: 0,
    connectionsClosedIdle: 0,
    connectionsClosedSlow: 0,
    acceptPauses: 0,
    acceptPausedMs: 0,
    bytesRead: 0,
    bytesWritten: 0,
    systemCalls: 0,
    zeroCopySends: 0,
    zeroCopyCopied: 0,
    datagramsReceived: 0,
    datagramsSent: 0,
    datagramsDropped: 0,
  };
  readonly arena: Arena;
  readonly sendPool: BufferPool;
  readonly outputBytesHigh: number;
  /** The clock's value in this turn. */
  nowMs: number;
  protected readonly options: TransportOptions<S>;
  protected readonly limits: TransportLimits;
  protected readonly handler: TransportHandler<S>;
  protected readonly slots: (Connection<S> | undefined)[] = [];
  protected isStopping = false;
  /** Connections that are blocked or lingering, and therefore looked at from time to time. */
  protected timedConnections = 0;
  readonly #carry: CarryBuffers;
  readonly #freeSlots: number[] = [];
  readonly #generations: number[] = [];
  #dirty = new ConnectionList<S>();
  #dirtySpare = new ConnectionList<S>();
  #inputs: Connection<S>[] = [];
  #closing: Connection<S>[] = [];
  #releases: number[] = [];
  /** Since when accepting waits; 0 when it does not. */
  #acceptPausedAt = 0;
  #sweptAt: number;
  #stopBy = 0;

  constructor(options: TransportOptions<S>) {
    this.options = options;
    this.arena = options.arena;
    this.handler = options.handler;
    this.limits = resolveLimits(options.limits);
    this.outputBytesHigh = this.limits.outputBytesHigh;
    this.sendPool = new BufferPool(options.allocator, SEND_BUFFER_BYTES, POOLED_BUFFERS);
    this.#carry = new CarryBuffers(options.arena, options.allocator, this.sendPool);
    this.nowMs = options.clock();
    this.#sweptAt = this.nowMs;
  }

  abstract serve(socket: ListeningSocket, options?: ServeOptions): void | Promise<void>;
  abstract unserve(socket: ListeningSocket): void;
  abstract connect(address: ConnectAddress): Connection<S>;
  abstract adopt(descriptor: number): void;
  abstract run(): void | Promise<void>;
  abstract addressOf(connection: Connection<S>, isPeer: boolean): string;

  /** Sends some or all of a connection's output; `sent` follows, now or later. */
  protected abstract startSend(connection: Connection<S>): void;
  protected abstract startReading(connection: Connection<S>): void;
  protected abstract stopReading(connection: Connection<S>): void;
  /** Tells the peer that no more output comes. */
  protected abstract finishWriting(connection: Connection<S>): void;
  /** Closes the socket; `freeSlot` follows when the kernel has nothing of it any more. */
  protected abstract closeSocket(connection: Connection<S>): void;
  /** Stops accepting everywhere. */
  protected abstract stopAccepting(): void;
  /** A connection went, so that there may be room for another. */
  protected abstract resumeAccepting(): void;

  *connections(): Iterable<Connection<S>> {
    for (const connection of this.slots) {
      if (connection !== undefined && connection.state < ConnectionState.closing) yield connection;
    }
  }

  stop(flushMs: number = STOP_FLUSH_MS): void {
    if (this.isStopping) return;
    this.isStopping = true;
    this.#stopBy = this.nowMs + flushMs;
    this.stopAccepting();
    for (const connection of this.connections()) {
      connection.closeReason = CloseReason.shutdown;
      if (connection.state === ConnectionState.open) connection.end();
      else if (connection.state !== ConnectionState.ending)
        this.requestClose(connection, CloseReason.shutdown);
    }
  }

  // ---- what connections ask for

  markDirty(connection: Connection<S>): void {
    if (connection.isDirty) return;
    connection.isDirty = true;
    this.#dirty.push(connection);
  }

  markInput(connection: Connection<S>): void {
    if (connection.isInputMarked) return;
    connection.isInputMarked = true;
    this.#inputs.push(connection);
  }

  requestClose(connection: Connection<S>, reason: CloseReason, error?: Error): void {
    if (connection.state >= ConnectionState.closing) return;
    connection.state = ConnectionState.closing;
    connection.gate |= GATE_ENDED;
    connection.limit = connection.cursor;
    connection.closeReason = reason;
    connection.closeError = error;
    this.#closing.push(connection);
  }

  deferRelease(owner: number): void {
    this.#releases.push(owner);
  }

  releaseOwner(owner: number): void {
    this.handler.onRelease(owner);
  }

  releaseBuffer(buffer: number): void {
    this.sendPool.give(buffer);
  }

  // ---- the table of connections

  /** The number of the next generation of a slot is known before the connection is made. */
  protected createConnection(
    descriptor: number,
    kind: 'tcp' | 'unix',
    state: ConnectionState,
  ): Connection<S> {
    const id = this.#freeSlots.pop() ?? this.slots.length;
    const generation = ((this.#generations[id] ?? 0) + 1) & GENERATION_MASK;
    this.#generations[id] = generation;
    const connection = new Connection<S>(this, id, generation, descriptor, kind, state, this.nowMs);
    this.slots[id] = connection;
    this.statistics.connectionsCurrent++;
    return connection;
  }

  /** A connected socket: tells the handler and starts to read. */
  protected openConnection(descriptor: number, kind: 'tcp' | 'unix'): Connection<S> {
    const connection = this.createConnection(descriptor, kind, ConnectionState.open);
    this.opened(connection);
    return connection;
  }

  protected opened(connection: Connection<S>): void {
    connection.state = ConnectionState.open;
    connection.lastActiveAt = this.nowMs;
    this.statistics.connectionsOpened++;
    try {
      this.handler.onConnect(connection);
    } catch (error) {
      this.handlerFailed(connection, error);
    }
    if (connection.state === ConnectionState.open && (connection.gate & GATE_HELD) === 0) {
      this.startReading(connection);
    }
    if (connection.queuedBytes > 0) this.markDirty(connection);
    if (this.isStopping || connection.isEndWanted) connection.end();
  }

  /** Whether `stop` waited long enough. */
  protected get isStopOverdue(): boolean {
    return this.isStopping && this.nowMs >= this.#stopBy;
  }

  protected get isFull(): boolean {
    return this.statistics.connectionsCurrent >= this.limits.connectionsMax;
  }

  /** Accepting waits from now on; counted once until `acceptingResumed`. */
  protected acceptingPaused(): void {
    if (this.#acceptPausedAt !== 0) return;
    this.#acceptPausedAt = this.nowMs || 1;
    this.statistics.acceptPauses++;
  }

  protected acceptingResumed(): void {
    if (this.#acceptPausedAt === 0) return;
    this.statistics.acceptPausedMs += this.nowMs - this.#acceptPausedAt;
    this.#acceptPausedAt = 0;
  }

  protected freeSlot(connection: Connection<S>): void {
    if (this.slots[connection.id] !== connection) return;
    connection.descriptor = -1;
    this.slots[connection.id] = undefined;
    this.#freeSlots.push(connection.id);
    this.statistics.connectionsCurrent--;
    if (!this.isStopping) this.resumeAccepting();
  }

  protected handlerFailed(connection: Connection<S>, error: unknown): void {
    this.requestClose(
      connection,
      CloseReason.error,
      error instanceof Error ? error : new DatapathError('ERROR', 'handler', String(error)),
    );
  }

  // ---- input

  /** Received bytes [start, end), which the transport takes back when this returns. */
  protected deliver(connection: Connection<S>, start: number, end: number): void {
    this.statistics.bytesRead += end - start;
    connection.lastActiveAt = this.nowMs;
    if (connection.gate !== 0) {
      this.#deliverGated(connection, start, end);
      return;
    }
    let consumed: number;
    try {
      consumed = this.handler.onData(connection, start, end);
    } catch (error) {
      this.handlerFailed(connection, error);
      return;
    }
    if (connection.queuedBytes > this.outputBytesHigh) this.#congest(connection);
    if (consumed !== end) this.#keepRest(connection, start, consumed, end);
  }

  /** The peer sends nothing more. */
  protected inputEnd(connection: Connection<S>): void {
    connection.inputEnded = true;
    connection.isFinishing = true;
    this.#finishIfDone(connection);
  }

  #deliverGated(connection: Connection<S>, start: number, end: number): void {
    if ((connection.gate & GATE_ENDED) !== 0) return;
    if (!this.#carry.append(connection, start, end)) {
      this.requestClose(connection, CloseReason.inputTooLong);
      return;
    }
    if ((connection.gate & GATE_HELD) === 0) this.#deliverCarry(connection);
    else if (connection.isReading) this.markInput(connection);
  }

  #keepRest(connection: Connection<S>, start: number, consumed: number, end: number): void {
    if (!(consumed >= start && consumed < end)) {
      this.handlerFailed(connection, new Error(`onData returned ${consumed}, not within [${start}, ${end}]`));
      return;
    }
    if ((connection.gate & GATE_ENDED) !== 0) return;
    const isTooLong = (connection.gate & GATE_HELD) === 0 && end - consumed > this.limits.inputBytesMax;
    if (isTooLong || !this.#carry.append(connection, consumed, end)) {
      this.requestClose(connection, CloseReason.inputTooLong);
    }
  }

  /** Gives the kept bytes to the handler. */
  #deliverCarry(connection: Connection<S>): void {
    const start = connection.carryStart;
    const end = connection.carryEnd;
    let consumed: number;
    try {
      consumed = this.handler.onData(connection, start, end);
    } catch (error) {
      this.handlerFailed(connection, error);
      return;
    }
    if (connection.queuedBytes > this.outputBytesHigh) this.#congest(connection);
    if (consumed === end) {
      this.#carry.drop(connection);
      return;
    }
    if (!(consumed >= start && consumed < end)) {
      this.handlerFailed(connection, new Error(`onData returned ${consumed}, not within [${start}, ${end}]`));
      return;
    }
    connection.carryStart = consumed;
    if ((connection.gate & GATE_HELD) === 0 && end - consumed > this.limits.inputBytesMax) {
      this.requestClose(connection, CloseReason.inputTooLong);
    }
  }

  #congest(connection: Connection<S>): void {
    connection.gate |= GATE_CONGESTED;
    connection.drainWanted = true;
  }

  // ---- output

  /** Bytes of a connection's output were taken by the kernel, and its send is over. */
  protected sent(connection: Connection<S>, bytes: number, sink: ReleaseSink): void {
    connection.sendMode = SEND_NONE;
    this.statistics.bytesWritten += bytes;
    connection.consumeOutput(bytes, sink);
    if (connection.waitingSince !== 0 && connection.state <= ConnectionState.ending) {
      connection.takenBytes += bytes;
      if (connection.queuedBytes === 0) this.#endWait(connection);
      else if (connection.takenBytes >= this.limits.slowReaderBytesMin) {
        connection.takenBytes = 0;
        connection.waitingSince = this.nowMs || 1;
      }
    }
    if (connection.gate !== 0) this.#checkCongestion(connection);
    if (connection.isFinishing) this.#finishIfDone(connection);
  }

  /** The kernel did not take all output now. */
  protected blocked(connection: Connection<S>): void {
    if (connection.waitingSince === 0) this.#beginWait(connection);
    if (connection.queuedBytes > this.outputBytesHigh && (connection.gate & GATE_CONGESTED) === 0) {
      this.#congest(connection);
    }
    if ((connection.gate & GATE_HELD) !== 0 && connection.isReading) this.stopReading(connection);
  }

  #checkCongestion(connection: Connection<S>): void {
    if ((connection.gate & GATE_CONGESTED) === 0) return;
    if (connection.queuedBytes > this.limits.outputBytesLow) return;
    connection.gate &= ~GATE_CONGESTED;
    this.markInput(connection);
  }

  #beginWait(connection: Connection<S>): void {
    connection.waitingSince = this.nowMs || 1;
    connection.takenBytes = 0;
    this.timedConnections++;
  }

  #endWait(connection: Connection<S>): void {
    if (connection.waitingSince === 0) return;
    connection.waitingSince = 0;
    this.timedConnections--;
  }

  /** Ends a connection whose input or output is to end, once nothing of it is left to do. */
  #finishIfDone(connection: Connection<S>): void {
    if (connection.state === ConnectionState.lingering) {
      if (connection.inputEnded) this.requestClose(connection, connection.closeReason);
      return;
    }
    if (connection.state > ConnectionState.ending) return;
    if (connection.sendMode !== SEND_NONE || connection.queuedBytes > 0) return;
    if (connection.state === ConnectionState.open) {
      const inputWaits = (connection.gate & GATE_HELD) !== 0 && (connection.gate & GATE_CARRY) !== 0;
      const isWaited = inputWaits || connection.isInputMarked || connection.isOwed;
      if (connection.inputEnded && !isWaited) {
        this.requestClose(connection, CloseReason.peer);
      }
      return;
    }
    if (connection.inputEnded || this.isStopping) {
      this.requestClose(connection, connection.closeReason);
      return;
    }
    connection.state = ConnectionState.lingering;
    this.#endWait(connection);
    this.#beginWait(connection);
    this.finishWriting(connection);
    if (!connection.isReading) this.startReading(connection);
  }

  // ---- the end of a turn

  protected get hasWork(): boolean {
    return (
      this.#dirty.count > 0 ||
      this.#inputs.length > 0 ||
      this.#closing.length > 0 ||
      this.#releases.length > 0
    );
  }

  /** Whether time has to be looked at though nothing happens. */
  protected get needsTicks(): boolean {
    return (
      this.timedConnections > 0 ||
      this.isStopping ||
      (this.limits.idleTimeoutMs > 0 && this.statistics.connectionsCurrent > 0)
    );
  }

  protected flushDirty(): void {
    const dirty = this.#dirty;
    if (dirty.count === 0) return;
    this.#dirty = this.#dirtySpare;
    for (let index = 0; index < dirty.count; index++) {
      const connection = dirty.take(index);
      connection.isDirty = false;
      if (connection.sendMode !== SEND_NONE || connection.state === ConnectionState.connecting) continue;
      if (connection.state > ConnectionState.ending) continue;
      if (connection.queuedBytes > 0) this.startSend(connection);
      else this.sent(connection, 0, this);
    }
    dirty.clear();
    this.#dirtySpare = dirty;
  }

  /** Works off the lists; what is left after a few rounds waits for the next turn (`hasWork`). */
  protected finishTurn(): void {
    if (this.nowMs - this.#sweptAt >= SWEEP_INTERVAL_MS) this.#sweep();
    for (let round = 0; round < ROUNDS_PER_TURN; round++) {
      this.flushDirty();
      if (this.#inputs.length > 0) this.#workInputs();
      if (this.#closing.length > 0) this.#workClosing();
      if (this.#releases.length > 0) this.#workReleases();
      if (!this.hasWork) break;
    }
  }

  #workInputs(): void {
    const inputs = this.#inputs;
    this.#inputs = [];
    for (const connection of inputs) {
      connection.isInputMarked = false;
      if (connection.state !== ConnectionState.open) continue;
      if ((connection.gate & GATE_HELD) !== 0) {
        if (connection.isReading) this.stopReading(connection);
        continue;
      }
      if (connection.drainWanted) this.#drained(connection);
      if ((connection.gate & GATE_CARRY) !== 0) this.#deliverCarry(connection);
      if (connection.inputEnded) this.#finishIfDone(connection);
      else if ((connection.gate & (GATE_HELD | GATE_ENDED)) === 0 && !connection.isReading) {
        this.startReading(connection);
      }
    }
  }

  #drained(connection: Connection<S>): void {
    connection.drainWanted = false;
    try {
      this.handler.onDrain?.(connection);
    } catch (error) {
      this.handlerFailed(connection, error);
    }
  }

  #workClosing(): void {
    const closing = this.#closing;
    this.#closing = [];
    for (const connection of closing) {
      connection.state = ConnectionState.closed;
      this.#endWait(connection);
      this.#carry.drop(connection);
      if (connection.closeReason === CloseReason.idle) this.statistics.connectionsClosedIdle++;
      if (connection.closeReason === CloseReason.slowReader) this.statistics.connectionsClosedSlow++;
      this.handler.onClose(connection, connection.closeReason, connection.closeError);
      this.closeSocket(connection);
    }
  }

  #workReleases(): void {
    const releases = this.#releases;
    this.#releases = [];
    for (const owner of releases) this.handler.onRelease(owner);
  }

  #sweep(): void {
    this.#sweptAt = this.nowMs;
    const idleMs = this.limits.idleTimeoutMs;
    if (this.timedConnections > 0 || idleMs > 0) {
      for (const connection of this.slots) {
        if (connection !== undefined) this.#sweepOne(connection, idleMs);
      }
    }
    if (this.isStopping) {
      if (this.nowMs >= this.#stopBy) {
        for (const connection of this.connections()) this.requestClose(connection, CloseReason.shutdown);
      }
    } else {
      this.resumeAccepting();
    }
  }

  #sweepOne(connection: Connection<S>, idleMs: number): void {
    if (connection.state >= ConnectionState.closing) return;
    const waited = connection.waitingSince === 0 ? 0 : this.nowMs - connection.waitingSince;
    if (connection.state === ConnectionState.lingering) {
      if (waited >= LINGER_MS || this.isStopping) this.requestClose(connection, connection.closeReason);
    } else if (waited >= this.limits.slowReaderMs && connection.waitingSince !== 0) {
      this.requestClose(connection, CloseReason.slowReader);
    } else if (
      idleMs > 0 &&
      connection.state === ConnectionState.open &&
      connection.sendMode === SEND_NONE &&
      this.nowMs - connection.lastActiveAt >= idleMs
    ) {
      this.requestClose(connection, CloseReason.idle);
    }
  }

  /** Gives unused buffers back; all connections are gone. */
  protected drainPools(): void {
    this.#workReleases();
    this.sendPool.drain();
  }
}
