/**
 * Gets over UDP (papers/nsdi13 3.1): no connection, no repetition.
 *
 * ```
 *   gets of one turn ─▶ one datagram: id 7 │ seq 0 │ total 1 │ 0 │ get a b c\r\n
 *   reply           ◀─ id 7 │ 0 │ 2 │ 0 │ VALUE a …      id 7 │ 1 │ 2 │ 0 │ … END\r\n
 * ```
 *
 * A datagram that is missing fails its gets as timed out; one that comes out of order fails them at once. Neither
 * says that the server is dead, so that neither counts towards TKO; but after several losses in a row gets go over
 * TCP for a while, which finds out. A reply that is too large for UDP is asked for again over TCP.
 *
 * Plain memcached (1.6) answers every key of a datagram with a reply of its own, all of them alike numbered, and
 * sends an empty datagram after some: it gets one key a datagram, and what has no total is dropped.
 */
import { createSocket, type Socket } from 'node:dgram';
import {
  addKey,
  DATAGRAM_BYTES,
  DATAGRAM_HEADER_BYTES,
  putLineEnd,
  REASSEMBLY_DATAGRAMS_MAX,
  RETRIEVAL_KEY_BYTES_MAX,
  ReplyItem,
  ReplyReader,
} from '@larder/protocol';
import { UDP_KEYS_MAX, UDP_OUTSTANDING_MAX, UDP_PAUSE_MS } from '../limits.ts';
import { Reply, Result } from '../reply.ts';
import { Operation, type Request } from '../request.ts';
import type { Destination, DestinationStatistics, ReplySink } from './destination.ts';
import { type DestinationOptions, Dialect, timeoutOf } from './destination-options.ts';
import { readError, readValue } from './read-reply.ts';
import type { Expiring, Ticker } from './ticker.ts';

/** A get and who waits for it. */
export interface DatagramGet {
  readonly request: Request;
  readonly resolve: ((reply: Reply) => void) | undefined;
  readonly sink: ReplySink | undefined;
  readonly tag: number;
}

export interface DatagramGetsOptions {
  readonly host: string;
  readonly destination: Destination;
  readonly options: DestinationOptions;
  readonly statistics: DestinationStatistics;
  readonly ticker: Ticker;
  readonly clockNow: () => number;
  /** Sends a get over TCP instead. */
  readonly sendByStream: (get: DatagramGet) => void;
}

/** The gets of one datagram. */
interface Batch {
  readonly gets: DatagramGet[];
  readonly deadline: number;
  /** The datagrams of the reply so far, and how many there will be. */
  readonly payloads: Buffer[];
  total: number;
}

const WORDS: readonly string[] = ['get', 'gets'];
const ID_SPAN = 0x1_0000;
const WORD_BYTES_MAX = 4;

export class DatagramGets implements Expiring {
  readonly #options: DatagramGetsOptions;
  readonly #reader: ReplyReader = new ReplyReader();
  /** In the order of their deadlines, as all have the same time. */
  readonly #awaited: Map<number, Batch> = new Map();
  #socket: Socket | undefined = undefined;
  #isConnected: boolean = false;
  /** Datagrams that wait for the socket to be connected. */
  #unsent: Buffer[] = [];
  #waiting: DatagramGet[] = [];
  #waitingBytes: number = 0;
  #nextId: number;
  #lossesInRow: number = 0;
  #pausedUntil: number = 0;

  constructor(options: DatagramGetsOptions, random: () => number) {
    this.#options = options;
    this.#nextId = Math.floor(random() * ID_SPAN);
  }

  /** Whether gets should be sent here just now. */
  accepts(request: Request): boolean {
    const { operation } = request;
    if (operation !== Operation.get && operation !== Operation.gets) return false;
    // More at a time would overflow a socket's buffer somewhere; what is too much goes over TCP.
    if (this.#awaited.size >= UDP_OUTSTANDING_MAX) return false;
    return this.#pausedUntil === 0 || this.#options.clockNow() >= this.#pausedUntil;
  }

  send(get: DatagramGet): void {
    const first = this.#waiting[0];
    const bytes = RETRIEVAL_KEY_BYTES_MAX;
    const isFull =
      this.#waiting.length >= this.#keysMax ||
      DATAGRAM_HEADER_BYTES + WORD_BYTES_MAX + this.#waitingBytes + bytes > DATAGRAM_BYTES;
    if (first !== undefined && (isFull || first.request.operation !== get.request.operation)) this.#flush();
    if (this.#waiting.length === 0) setImmediate(() => this.#flush());
    this.#waiting.push(get);
    this.#waitingBytes += get.request.keyEnd - get.request.prefixStart + 1;
  }

  /** Fails the gets whose reply is late. */
  expire(now: number): boolean {
    for (const [id, batch] of this.#awaited) {
      if (batch.deadline > now) break;
      this.#awaited.delete(id);
      this.#options.statistics.timeouts += batch.gets.length;
      this.#lose(batch, Result.timeout, 'a datagram was lost');
    }
    return this.#awaited.size > 0;
  }

  close(result: Result): void {
    this.#socket?.close();
    this.#socket = undefined;
    const batches = [...this.#awaited.values()];
    this.#awaited.clear();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const batch of batches) this.#fail(batch.gets, result, 'closed');
    this.#fail(waiting, result, 'closed');
  }

  get #keysMax(): number {
    return this.#options.destination.dialect === Dialect.larder ? UDP_KEYS_MAX : 1;
  }

  #flush(): void {
    const gets = this.#waiting;
    if (gets.length === 0) return;
    this.#waiting = [];
    this.#waitingBytes = 0;
    const id = this.#freeId();
    const datagram = Buffer.allocUnsafe(DATAGRAM_BYTES);
    datagram.writeUInt16BE(id, 0);
    datagram.writeUInt16BE(0, 2);
    datagram.writeUInt16BE(1, 4);
    datagram.writeUInt16BE(0, 6);
    let at = DATAGRAM_HEADER_BYTES;
    at += datagram.write(WORDS[gets[0]!.request.operation]!, at, 'latin1');
    const sent: DatagramGet[] = [];
    for (const get of gets) {
      const { keySource, keyEnd } = get.request;
      const next = addKey(datagram, at, keySource, this.#keyStart(get.request), keyEnd);
      if (next < 0) this.#fail([get], Result.clientError, 'the key cannot be sent');
      else {
        at = next;
        sent.push(get);
      }
    }
    if (sent.length === 0) return;
    const end = putLineEnd(datagram, at);
    const { ticker, options, statistics } = this.#options;
    this.#awaited.set(id, {
      gets: sent,
      deadline: ticker.now + timeoutOf(options, Operation.get),
      payloads: [],
      total: 0,
    });
    statistics.outstanding += sent.length;
    statistics.bytesWritten += end;
    ticker.watch(this);
    const socket = this.#open();
    if (this.#isConnected) socket.send(datagram, 0, end, ignore);
    else this.#unsent.push(datagram.subarray(0, end));
  }

  #open(): Socket {
    if (this.#socket !== undefined) return this.#socket;
    const { host, options } = this.#options;
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
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
    socket.connect(options.udpPort, host);
    return socket;
  }

  /** Nobody listens on the port, or the network is unreachable: nothing sent so far will be answered. */
  #broken(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#unsent = [];
    socket.close();
    this.#pause();
    const batches = [...this.#awaited.values()];
    this.#awaited.clear();
    for (const batch of batches) {
      this.#options.statistics.outstanding -= batch.gets.length;
      for (const get of batch.gets) this.#options.sendByStream(get);
    }
  }

  #receive(datagram: Buffer): void {
    if (datagram.length < DATAGRAM_HEADER_BYTES) return;
    const id = datagram.readUInt16BE(0);
    const batch = this.#awaited.get(id);
    const total = datagram.readUInt16BE(4);
    // Too late, or twice, or empty.
    if (batch === undefined || total === 0) return;
    this.#options.statistics.bytesRead += datagram.length;
    const sequence = datagram.readUInt16BE(2);
    if (sequence !== batch.payloads.length || (batch.total !== 0 && total !== batch.total)) {
      this.#awaited.delete(id);
      this.#lose(batch, Result.aborted, 'datagrams came out of order');
      return;
    }
    if (total > REASSEMBLY_DATAGRAMS_MAX) {
      this.#awaited.delete(id);
      this.#lose(batch, Result.aborted, `a reply of ${total} datagrams (REASSEMBLY_DATAGRAMS_MAX)`);
      return;
    }
    batch.total = total;
    batch.payloads.push(datagram.subarray(DATAGRAM_HEADER_BYTES));
    if (batch.payloads.length < total) return;
    this.#awaited.delete(id);
    this.#lossesInRow = 0;
    this.#options.statistics.outstanding -= batch.gets.length;
    this.#answer(batch, total === 1 ? batch.payloads[0]! : Buffer.concat(batch.payloads));
  }

  /** Reads a whole reply: values in the order of the keys, those of missing keys left out. */
  #answer(batch: Batch, bytes: Buffer): void {
    const reader = this.#reader;
    let index = 0;
    for (let at = 0; at < bytes.length; ) {
      const consumed = reader.read(bytes, at, bytes.length);
      if (consumed <= 0) break;
      at += consumed;
      if (reader.kind === ReplyItem.end) {
        this.#miss(batch.gets.slice(index));
        return;
      }
      if (reader.kind === ReplyItem.serverError) {
        for (const get of batch.gets.slice(index)) this.#options.sendByStream(get);
        return;
      }
      if (reader.kind === ReplyItem.error || reader.kind === ReplyItem.clientError) {
        const error = readError(reader, bytes);
        for (const get of batch.gets.slice(index)) this.#deliver(get, error);
        return;
      }
      const found = reader.kind === ReplyItem.value ? this.#find(batch.gets, index, bytes) : -1;
      if (found < 0) break;
      this.#miss(batch.gets.slice(index, found));
      index = found + 1;
      const get = batch.gets[found]!;
      // An empty value may be the stub of a lease, which only a connection can tell.
      if (reader.valueEnd === reader.valueStart && reader.flags === 0) this.#options.sendByStream(get);
      else this.#deliver(get, readValue(reader, bytes));
    }
    this.#options.statistics.malformed++;
    this.#fail(batch.gets.slice(index), Result.aborted, 'a datagram that is no reply');
  }

  #find(gets: readonly DatagramGet[], from: number, bytes: Buffer): number {
    const { keyStart, keyEnd } = this.#reader;
    for (let index = from; index < gets.length; index++) {
      const { request } = gets[index]!;
      const start = this.#keyStart(request);
      const isSameLength = request.keyEnd - start === keyEnd - keyStart;
      if (isSameLength && bytes.compare(request.keySource, start, request.keyEnd, keyStart, keyEnd) === 0) {
        return index;
      }
    }
    return -1;
  }

  #miss(gets: readonly DatagramGet[]): void {
    for (const get of gets) this.#deliver(get, new Reply(Result.miss));
  }

  #lose(batch: Batch, result: Result, text: string): void {
    this.#options.statistics.outstanding -= batch.gets.length;
    this.#lossesInRow++;
    if (this.#lossesInRow >= this.#options.options.failuresUntilTko) this.#pause();
    this.#fail(batch.gets, result, text);
  }

  #pause(): void {
    this.#lossesInRow = 0;
    this.#pausedUntil = this.#options.clockNow() + UDP_PAUSE_MS;
  }

  #fail(gets: readonly DatagramGet[], result: Result, text: string): void {
    this.#options.statistics.failures += gets.length;
    for (const get of gets) this.#deliver(get, Reply.of(result, text));
  }

  #deliver({ resolve, sink, tag }: DatagramGet, reply: Reply): void {
    reply.destination = this.#options.destination;
    if (resolve !== undefined) resolve(reply);
    else sink?.onReply(tag, reply);
  }

  #keyStart(request: Request): number {
    return this.#options.options.keepRoutingPrefix ? request.prefixStart : request.keyStart;
  }

  #freeId(): number {
    do this.#nextId = (this.#nextId + 1) % ID_SPAN;
    while (this.#awaited.has(this.#nextId));
    return this.#nextId;
  }
}

/** A datagram that could not be sent is one that is lost. */
function ignore(): void {}
