/**
 * Lines of gets over UDP (papers/nsdi13 3.1): no connection, no repetition, and nothing but bytes. What is lost, late
 * or out of order is a failure of the line, which callers take for misses; sets and deletes never come this way.
 *
 * ```
 *   datagram   0      2      4      6      8
 *              │ id   │ seq  │ total│  0   │ get k1 k2 …\r\n   (request: seq 0, total 1; u16 each, big-endian)
 *   Larder     the same id, seq 0 … total − 1: the payloads are what a connection would have carried
 *   memcached  the same, but for each value it has, numbered from 0 again; END comes with the last one or by itself,
 *   1.6        and first keys that are missing cost a datagram without payload (total 0). So it is the text that says
 *              when a reply is whole, and a value that is lost as a whole looks like one that is missing.
 * ```
 *
 * Parts of two values, the rest of both lost, would look like one value there. So a reply of memcached that has a value
 * of several datagrams is believed only when one key was asked for; with several the connection is asked instead, for
 * a while without trying first.
 *
 * A loss does not say that the server is dead, so that it does not count towards TKO; but after several in a row gets
 * go over the connection for a while, which finds out. So does what is too large for datagrams, and everything that
 * is on its way when the port turns out to be closed.
 */
import { createSocket, type Socket } from 'node:dgram';
import {
  DATAGRAM_HEADER_BYTES,
  REASSEMBLY_DATAGRAMS_MAX,
  ReplyItem,
  ReplyScanner,
  ReplyShape,
} from '@larder/protocol';
import {
  UDP_LINE_BYTES_MAX,
  UDP_OUTSTANDING_MAX,
  UDP_PAUSE_MS,
  UDP_RECEIVE_BUFFER_BYTES,
} from '../limits.ts';
import type { Reply } from '../reply.ts';
import { Result } from '../reply.ts';
import type { Request } from '../request.ts';
import type { DestinationStatistics, ForwardSink } from './destination.ts';
import { type DestinationOptions, Dialect } from './destination-options.ts';
import { filterStubs } from './stub-filter.ts';
import type { Expiring, Ticker } from './ticker.ts';

/** What the exchange needs of the destination that it belongs to. */
export interface DatagramOwner {
  readonly dialect: Dialect;
  readonly options: DestinationOptions;
  readonly statistics: DestinationStatistics;
  /** Sends a line over the connection instead. */
  forwardByStream(bytes: Buffer, start: number, end: number, sink: ForwardSink, tag: number): void;
  /** Asks for one key over the connection. */
  askByStream(request: Request, resolve: (reply: Reply) => void): void;
}

/** Over all servers, also those that have left. */
export interface DatagramTotals {
  /** Lines sent, and those whose reply was lost, late or out of order. */
  sent: number;
  lost: number;
}

export interface DatagramExchangeOptions {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly owner: DatagramOwner;
  readonly totals: DatagramTotals;
  readonly ticker: Ticker;
  readonly clockNow: () => number;
  readonly random: () => number;
}

/** A line that was sent, and its reply so far. */
interface Awaited {
  /** Header and line, in case it has to be sent by the connection. */
  readonly datagram: Buffer;
  /** As how many requests it counts. */
  readonly weight: number;
  readonly sink: ForwardSink;
  readonly tag: number;
  readonly sentAt: number;
  readonly deadline: number;
  readonly payloads: Buffer[];
  /** Where in `payloads` the message begins that is arriving, and of how many datagrams it is. */
  messageStart: number;
  total: number;
}

const ID_SPAN = 0x1_0000;
const SPACE = 0x20;
const LETTER_V = 0x56;
const NEWLINE = 0x0a;
const LATENCY_SMOOTHING = 0.125;
const END_LINE: Buffer = Buffer.from('END\r\n');

export class DatagramExchange implements Expiring {
  readonly #options: DatagramExchangeOptions;
  readonly #owner: DatagramOwner;
  readonly #scanner: ReplyScanner = new ReplyScanner();
  /** In the order of their deadlines, as all have the same time. */
  readonly #awaited: Map<number, Awaited> = new Map();
  #socket: Socket | undefined = undefined;
  #isConnected: boolean = false;
  /** Datagrams that wait for the socket to be connected. */
  #unsent: Buffer[] = [];
  #nextId: number;
  #lossesInRow: number = 0;
  #pausedUntil: number = 0;
  /** Until then lines of several keys go over the connection: values are too long for a datagram. */
  #severalPausedUntil: number = 0;

  constructor(options: DatagramExchangeOptions) {
    this.#options = options;
    this.#owner = options.owner;
    // Not the same ids after a restart: an old reply must not be taken for a new one.
    this.#nextId = Math.floor(options.random() * ID_SPAN);
  }

  /** Whether lines should be sent here just now. */
  get isOpen(): boolean {
    // More at a time would overflow a socket's buffer somewhere; what is too much goes over the connection.
    if (this.#awaited.size >= UDP_OUTSTANDING_MAX) return false;
    return this.#pausedUntil === 0 || this.#options.clockNow() >= this.#pausedUntil;
  }

  /**
   * Sends [start, end) of `bytes`, a whole line of get or gets that counts as `weight` requests; `sink` is called
   * once, later. False when it has to go over the connection.
   */
  send(bytes: Buffer, start: number, end: number, weight: number, sink: ForwardSink, tag: number): boolean {
    if (end - start > UDP_LINE_BYTES_MAX || !this.isOpen || this.#isPausedFor(bytes, start, end))
      return false;
    const id = this.#freeId();
    const datagram = Buffer.allocUnsafe(DATAGRAM_HEADER_BYTES + end - start);
    datagram.writeUInt32BE(id * ID_SPAN, 0);
    datagram.writeUInt32BE(ID_SPAN, 4);
    bytes.copy(datagram, DATAGRAM_HEADER_BYTES, start, end);
    const { ticker, timeoutMs, clockNow, totals } = this.#options;
    this.#awaited.set(id, {
      datagram,
      weight,
      sink,
      tag,
      sentAt: clockNow(),
      deadline: ticker.now + timeoutMs,
      payloads: [],
      messageStart: 0,
      total: 0,
    });
    const { statistics } = this.#owner;
    statistics.outstanding += weight;
    statistics.datagrams++;
    totals.sent++;
    statistics.bytesWritten += datagram.length;
    const socket = this.#open();
    if (this.#awaited.size === 1) {
      ticker.watch(this);
      socket.ref();
    }
    if (this.#isConnected) socket.send(datagram, ignore);
    else this.#unsent.push(datagram);
    return true;
  }

  /** Fails the lines whose reply is late. */
  expire(now: number): boolean {
    for (const [id, awaited] of this.#awaited) {
      if (awaited.deadline > now) break;
      this.#owner.statistics.timeouts += awaited.weight;
      this.#lose(id, awaited, Result.timeout);
    }
    return this.#awaited.size > 0;
  }

  close(result: Result): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#options.ticker.forget(this);
    for (const [id, awaited] of this.#awaited) this.#fail(id, awaited, result);
  }

  #open(): Socket {
    if (this.#socket !== undefined) return this.#socket;
    const { host, port } = this.#options;
    const type = host.includes(':') ? 'udp6' : 'udp4';
    const socket = createSocket({ type, recvBufferSize: UDP_RECEIVE_BUFFER_BYTES });
    this.#socket = socket;
    this.#isConnected = false;
    // Connected: datagrams of anybody else are not delivered.
    socket.once('connect', () => {
      this.#isConnected = true;
      for (const datagram of this.#unsent) socket.send(datagram, ignore);
      this.#unsent = [];
    });
    socket.on('message', (datagram) => this.#receive(datagram));
    socket.on('error', () => this.#broken(socket));
    socket.connect(port, host);
    return socket;
  }

  /** Nobody listens on the port, or the network is unreachable: nothing sent so far will be answered. */
  #broken(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#unsent = [];
    socket.close();
    this.#pause();
    for (const [id, awaited] of this.#awaited) this.#sendByStream(id, awaited);
  }

  #receive(datagram: Buffer): void {
    if (datagram.length < DATAGRAM_HEADER_BYTES) return;
    const id = datagram.readUInt16BE(0);
    const sequence = datagram.readUInt16BE(2);
    const total = datagram.readUInt16BE(4);
    const awaited = this.#awaited.get(id);
    // Too late, twice, never asked for, or empty.
    if (awaited === undefined || total === 0) return;
    this.#owner.statistics.bytesRead += datagram.length;
    const { payloads } = awaited;
    const expected = payloads.length - awaited.messageStart;
    const isInOrder = sequence === expected && (expected === 0 || total === awaited.total);
    if (!isInOrder || awaited.messageStart + total > REASSEMBLY_DATAGRAMS_MAX) {
      this.#lose(id, awaited, Result.aborted);
      return;
    }
    if (total > 1 && this.#isDoubtful(awaited.datagram)) {
      this.#sendByStream(id, awaited);
      return;
    }
    awaited.total = total;
    payloads.push(datagram.subarray(DATAGRAM_HEADER_BYTES));
    if (expected + 1 === total) this.#finish(id, awaited);
  }

  /** Whether a value of several datagrams cannot be believed: with memcached, if there may be others. */
  #isDoubtful(line: Buffer): boolean {
    const { dialect } = this.#owner;
    if (dialect === Dialect.larder || !hasSeveralKeys(line, DATAGRAM_HEADER_BYTES, line.length)) return false;
    if (dialect === Dialect.memcached) this.#severalPausedUntil = this.#options.clockNow() + UDP_PAUSE_MS;
    return true;
  }

  /** A message is whole: the reply may be. */
  #finish(id: number, awaited: Awaited): void {
    const { payloads } = awaited;
    const isLarder = this.#owner.dialect === Dialect.larder;
    let consumed = 0;
    let reply = payloads[0]!;
    if (isLarder || mayBeLast(payloads, awaited.messageStart)) {
      if (payloads.length > 1) reply = Buffer.concat(payloads);
      const scanner = this.#scanner;
      scanner.reset();
      consumed = scanner.scan(reply, 0, reply.length, ReplyShape.values);
    }
    if (consumed === 0 && !isLarder) {
      awaited.messageStart = payloads.length;
      awaited.total = 0;
      return;
    }
    if (consumed !== reply.length) {
      this.#owner.statistics.malformed++;
      this.#fail(id, awaited, Result.aborted);
      return;
    }
    this.#deliver(id, awaited, reply);
  }

  #deliver(id: number, awaited: Awaited, reply: Buffer): void {
    const { hasEmptyValue, last } = this.#scanner;
    const { sink, tag } = awaited;
    this.#lossesInRow = 0;
    if (last === ReplyItem.serverError) {
      this.#sendByStream(id, awaited);
      return;
    }
    this.#forget(id, awaited);
    const { statistics } = this.#owner;
    const took = this.#options.clockNow() - awaited.sentAt;
    const share = statistics.latencyMs === 0 ? 1 : LATENCY_SMOOTHING;
    statistics.latencyMs += (took - statistics.latencyMs) * share;
    // What may be the stub of a lease only the connection can tell.
    if (hasEmptyValue && this.#owner.dialect !== Dialect.larder) {
      filterStubs(reply, 0, reply.length, sink, tag, (request, resolve) =>
        this.#owner.askByStream(request, resolve),
      );
    } else sink.onBytes(tag, reply, 0, reply.length);
  }

  #sendByStream(id: number, awaited: Awaited): void {
    this.#forget(id, awaited);
    const { datagram, sink, tag } = awaited;
    this.#owner.forwardByStream(datagram, DATAGRAM_HEADER_BYTES, datagram.length, sink, tag);
  }

  #lose(id: number, awaited: Awaited, result: Result): void {
    this.#owner.statistics.datagramsLost++;
    this.#options.totals.lost++;
    this.#lossesInRow++;
    if (this.#lossesInRow >= this.#owner.options.failuresUntilTko) this.#pause();
    this.#fail(id, awaited, result);
  }

  #fail(id: number, awaited: Awaited, result: Result): void {
    this.#forget(id, awaited);
    this.#owner.statistics.failures += awaited.weight;
    awaited.sink.onFailure(awaited.tag, result);
  }

  #forget(id: number, { weight }: Awaited): void {
    this.#awaited.delete(id);
    this.#owner.statistics.outstanding -= weight;
    // Nothing is awaited: this socket is no reason for the process to live.
    if (this.#awaited.size === 0) this.#socket?.unref();
  }

  #isPausedFor(bytes: Buffer, start: number, end: number): boolean {
    if (this.#severalPausedUntil === 0) return false;
    if (this.#options.clockNow() < this.#severalPausedUntil) return hasSeveralKeys(bytes, start, end);
    this.#severalPausedUntil = 0;
    return false;
  }

  #pause(): void {
    this.#lossesInRow = 0;
    this.#pausedUntil = this.#options.clockNow() + UDP_PAUSE_MS;
  }

  #freeId(): number {
    do this.#nextId = (this.#nextId + 1) % ID_SPAN;
    while (this.#awaited.has(this.#nextId));
    return this.#nextId;
  }
}

function hasSeveralKeys(bytes: Buffer, start: number, end: number): boolean {
  let spaces = 0;
  for (let at = start; at < end; at++) if (bytes[at] === SPACE) spaces++;
  return spaces > 1;
}

/** Whether a message from `start` on can end a reply: END ends it, and so does what is no value. */
function mayBeLast(payloads: readonly Buffer[], start: number): boolean {
  if (payloads[start]![0] !== LETTER_V) return true;
  let bytes = payloads.at(-1)!;
  // END may have been torn in two.
  if (bytes.length < END_LINE.length) bytes = Buffer.concat(payloads.slice(-2));
  return bytes.at(-1) === NEWLINE && bytes.subarray(-END_LINE.length).equals(END_LINE);
}

/** A datagram that could not be sent is one that is lost. */
function ignore(): void {}
