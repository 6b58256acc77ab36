/**
 * Gets over UDP (papers/nsdi13 3.1): no connection, less latency. A datagram that is lost, late, or out of order is
 * an error of the get, which callers see as a miss; nothing is sent again. Sets and deletes never come this way.
 *
 * ```
 *   datagram   0      2      4      6      8
 *              │ id   │ seq  │ total│  0   │ get k1 k2 …\r\n   (request: seq 0, total 1; u16 each, big-endian)
 *   reply      the same id, seq 0 … total − 1, the payloads in that order are what a connection would have carried
 * ```
 *
 * memcached since 1.6 numbers the datagrams of each value by itself, as a message of its own, instead of those of the
 * whole reply; so a reply is complete when its text is. There a value whose datagrams are all lost cannot be told from
 * one that is missing.
 *
 * A server that has lost several requests in a row is asked over TCP for a while, where its health is known.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { type Clock, type Destination, type ForwardSink, Result, type TimerHandle } from '@larder/routing';
import { isWholeReply } from '../gets/reply-values.ts';
import type { CacheStatistics } from '../statistics.ts';

export interface UdpGetsOptions {
  /** 0: the same number as the TCP port. */
  readonly port: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly statistics: CacheStatistics;
}

const HEADER_BYTES = 8;
/** A request has to fit one datagram, and a datagram one Ethernet frame. */
export const UDP_REQUEST_BYTES_MAX: number = 1392;
const IDS = 0x1_0000;
/** Losses in a row after which a server is asked over TCP, and for how long. */
const LOSSES_MAX = 3;
const TCP_INSTEAD_MS = 5000;
const PENDING_MAX = 32_768;
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

interface PendingReply {
  readonly sink: ForwardSink;
  readonly deadline: number;
  /** Payloads so far; those from `messageStart` on belong to the message that is arriving. */
  readonly parts: Buffer[];
  messageStart: number;
  total: number;
}

/** The socket to one server, and what is awaited on it. */
class UdpPeer {
  readonly #options: UdpGetsOptions;
  readonly #socket: Socket;
  /** In the order of their deadlines: the time-out is the same for all. */
  readonly #pending: Map<number, PendingReply> = new Map();
  #queued: Buffer[] | undefined = [];
  #nextId: number;
  #timer: TimerHandle | undefined;
  #lossesInRow: number = 0;
  #tcpUntil: number = 0;

  constructor(host: string, port: number, options: UdpGetsOptions) {
    this.#options = options;
    // Not the same ids after a restart: an old reply must not be taken for a new one.
    this.#nextId = Math.floor(Math.random() * IDS);
    this.#socket = createSocket({
      type: isIPv6(host) ? 'udp6' : 'udp4',
      recvBufferSize: RECEIVE_BUFFER_BYTES,
    });
    this.#socket.unref();
    this.#socket.on('message', (datagram) => this.#onDatagram(datagram));
    // A port that nobody listens on is told by an error; the requests time out.
    this.#socket.on('error', () => {});
    this.#socket.connect(port, host, () => {
      const queued = this.#queued ?? [];
      this.#queued = undefined;
      for (const datagram of queued) this.#transmit(datagram);
    });
  }

  send(request: Buffer, sink: ForwardSink): boolean {
    const { clock, timeoutMs, statistics } = this.#options;
    const now = clock.now();
    const isTcpTime = now < this.#tcpUntil;
    if (isTcpTime || this.#pending.size >= PENDING_MAX || request.length > UDP_REQUEST_BYTES_MAX)
      return false;
    const id = this.#freeId();
    const datagram = Buffer.allocUnsafe(HEADER_BYTES + request.length);
    datagram.writeUInt16BE(id, 0);
    datagram.writeUInt16BE(0, 2);
    datagram.writeUInt16BE(1, 4);
    datagram.writeUInt16BE(0, 6);
    request.copy(datagram, HEADER_BYTES);
    this.#pending.set(id, { sink, deadline: now + timeoutMs, parts: [], messageStart: 0, total: 0 });
    statistics.udpGets += 1;
    if (this.#queued === undefined) this.#transmit(datagram);
    else this.#queued.push(datagram);
    this.#timer ??= clock.setTimer(timeoutMs, () => this.#expire());
    return true;
  }

  close(): void {
    this.#timer?.cancel();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#socket.close();
    for (const { sink } of pending) sink.onFailure(0, Result.shutdown);
  }

  #transmit(datagram: Buffer): void {
    // What cannot be sent is a loss like any other.
    this.#socket.send(datagram, () => {});
  }

  #freeId(): number {
    while (this.#pending.has(this.#nextId)) this.#nextId = (this.#nextId + 1) % IDS;
    const id = this.#nextId;
    this.#nextId = (id + 1) % IDS;
    return id;
  }

  #onDatagram(datagram: Buffer): void {
    if (datagram.length < HEADER_BYTES) return;
    const id = datagram.readUInt16BE(0);
    const pending = this.#pending.get(id);
    // Late, or never asked for.
    if (pending === undefined) return;
    const sequence = datagram.readUInt16BE(2);
    const total = datagram.readUInt16BE(4);
    if (pending.total === 0) pending.total = total;
    const expected = pending.parts.length - pending.messageStart;
    if (sequence !== expected || total !== pending.total || total === 0) {
      this.#lose(id, pending);
      return;
    }
    pending.parts.push(datagram.subarray(HEADER_BYTES));
    if (expected + 1 < total) return;
    const reply = pending.parts.length === 1 ? pending.parts[0]! : Buffer.concat(pending.parts);
    if (!isWholeReply(reply)) {
      pending.messageStart = pending.parts.length;
      pending.total = 0;
      return;
    }
    this.#pending.delete(id);
    this.#lossesInRow = 0;
    pending.sink.onBytes(0, reply, 0, reply.length);
  }

  #expire(): void {
    const { clock } = this.#options;
    const now = clock.now();
    this.#timer = undefined;
    for (const [id, pending] of this.#pending) {
      if (pending.deadline > now) {
        this.#timer = clock.setTimer(pending.deadline - now, () => this.#expire());
        return;
      }
      this.#lose(id, pending);
    }
  }

  #lose(id: number, pending: PendingReply): void {
    const { statistics, clock } = this.#options;
    this.#pending.delete(id);
    statistics.udpLost += 1;
    this.#lossesInRow += 1;
    if (this.#lossesInRow >= LOSSES_MAX) {
      this.#lossesInRow = 0;
      this.#tcpUntil = clock.now() + TCP_INSTEAD_MS;
    }
    pending.sink.onFailure(0, Result.timeout);
  }
}

export class UdpGets {
  readonly #options: UdpGetsOptions;
  readonly #peers: Map<Destination, UdpPeer> = new Map();

  constructor(options: UdpGetsOptions) {
    this.#options = options;
  }

  /** Sends a whole `get` line; false when it has to go over TCP. */
  send(destination: Destination, request: Buffer, sink: ForwardSink): boolean {
    const peer = this.#peer(destination);
    return peer?.send(request, sink) ?? false;
  }

  /** Ends the sockets to servers that are no longer used. */
  retain(destinations: Iterable<Destination>): void {
    const kept = new Set(destinations);
    for (const [destination, peer] of this.#peers) {
      if (kept.has(destination)) continue;
      this.#peers.delete(destination);
      peer.close();
    }
  }

  close(): void {
    this.retain([]);
  }

  #peer(destination: Destination): UdpPeer | undefined {
    const known = this.#peers.get(destination);
    if (known !== undefined) return known;
    const { address } = destination;
    // Neither a Unix socket nor an encrypted connection has a datagram port beside it.
    if (address.kind !== 'tcp' || destination.options.tls !== undefined) return undefined;
    const port = this.#options.port === 0 ? address.port : this.#options.port;
    const peer = new UdpPeer(address.host, port, this.#options);
    this.#peers.set(destination, peer);
    return peer;
  }
}
