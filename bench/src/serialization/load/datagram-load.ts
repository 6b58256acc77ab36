/**
 * Requests over UDP: several sockets, `depth` requests in flight on each, received and sent in batches by one
 * system call each. A request is sent from where it was made; one without an answer is given up and counted.
 */
import type { SlabAllocator } from '@larder/datapath';
import { type Libc, libc } from '@larder/datapath/internal';
import { BenchError } from '../../errors.ts';
import { DATAGRAM_TIMEOUT_MS } from '../../limits.ts';
import { MessageBatch } from '../../load/message-batch.ts';
import type { PremadeRequests } from '../requests/premade.ts';
import type { Pace } from './closed-or-open.ts';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SO_RCVBUF = 8;
const MSG_DONTWAIT = 0x40;
const RECEIVE_QUEUE_BYTES = 4 * 1024 * 1024;
const BATCH = 32;
const DATAGRAM_BYTES = 16 * 1024;

class Socket {
  descriptor = -1;
  readonly incoming: MessageBatch;
  readonly outgoing: MessageBatch;
  readonly input: number;
  /** Requests in flight, in their order; answered ones are taken off when they are the oldest. */
  readonly flight: number[] = [];
  oldest = 0;
  inFlight = 0;
  queued = 0;

  constructor(allocator: SlabAllocator) {
    const { arena } = allocator;
    const bytes = 2 * MessageBatch.bytes(BATCH) + BATCH * DATAGRAM_BYTES;
    const chunk = allocator.allocate(allocator.classFor(bytes + 64));
    if (chunk === 0) throw new BenchError('LOAD', 'no memory for datagrams');
    const offset = chunk + 64;
    arena.u8.fill(0, offset, offset + bytes);
    this.incoming = new MessageBatch(arena, offset, BATCH);
    this.outgoing = new MessageBatch(arena, offset + MessageBatch.bytes(BATCH), BATCH);
    this.input = offset + 2 * MessageBatch.bytes(BATCH);
    for (let index = 0; index < BATCH; index++) {
      this.incoming.set(index, this.input + index * DATAGRAM_BYTES, DATAGRAM_BYTES);
    }
  }

  /** Makes it as new, with the same memory. */
  forget(): void {
    this.flight.length = 0;
    this.oldest = 0;
    this.inFlight = 0;
    this.queued = 0;
  }
}

export class DatagramLoad {
  readonly #allocator: SlabAllocator;
  readonly #view: DataView;
  readonly #libc: Libc;
  readonly #sockets: Socket[] = [];
  readonly #spare: Socket[] = [];
  #requests: PremadeRequests | undefined;
  #pace: Pace | undefined;
  /** When each request was due; 0 when it is not in flight. */
  #due: Float64Array = new Float64Array(0);
  #depth = 0;
  #next = 0;
  #turn = 0;
  #isStopped = true;

  constructor(allocator: SlabAllocator) {
    this.#allocator = allocator;
    this.#view = allocator.arena.view;
    this.#libc = libc();
  }

  open(port: number, sockets: number, requests: PremadeRequests): void {
    this.#requests = requests;
    this.#due = new Float64Array(requests.count);
    while (this.#sockets.length < sockets) {
      const socket = this.#spare.pop() ?? new Socket(this.#allocator);
      socket.descriptor = openSocket(this.#libc, port);
      this.#sockets.push(socket);
    }
  }

  start(pace: Pace, depth: number, nowMs: number): void {
    this.#pace = pace;
    this.#depth = depth;
    this.#isStopped = false;
    pace.start(nowMs);
  }

  turn(nowMs: number): void {
    const pace = this.#pace!;
    for (const socket of this.#sockets) {
      this.#receive(socket);
      this.#giveUpLost(socket, nowMs);
      if (this.#isStopped || pace.isOpenLoop) continue;
      // All together, so that every server gets the same batches however fast it is.
      if (socket.inFlight > 0) continue;
      for (let count = 0; count < this.#depth; count++) this.#send(socket, nowMs);
      this.#flush(socket);
    }
    if (this.#isStopped || !pace.isOpenLoop) return;
    for (let due = pace.takeDue(nowMs); due >= 0; due = pace.takeDue(nowMs)) {
      this.#send(this.#sockets[this.#turn]!, due);
      this.#turn = (this.#turn + 1) % this.#sockets.length;
    }
    for (const socket of this.#sockets) this.#flush(socket);
  }

  close(): void {
    this.#isStopped = true;
    const giveUpAt = performance.now() + 2 * DATAGRAM_TIMEOUT_MS;
    while (this.#sockets.some((socket) => socket.inFlight > 0) && performance.now() < giveUpAt) {
      this.turn(performance.now());
    }
    for (const socket of this.#sockets) {
      this.#libc.close(socket.descriptor);
      socket.forget();
      this.#spare.push(socket);
    }
    this.#sockets.length = 0;
  }

  #receive(socket: Socket): void {
    const { descriptor, incoming } = socket;
    const count = this.#libc.recvmmsg(descriptor, incoming.address, BATCH, MSG_DONTWAIT, 0);
    if (count <= 0) return;
    const nowMs = performance.now();
    for (let index = 0; index < count; index++) {
      const request = this.#view.getUint32(socket.input + index * DATAGRAM_BYTES, true);
      const due = this.#due[request];
      if (due === undefined || due === 0) continue;
      this.#due[request] = 0;
      socket.inFlight--;
      this.#pace!.done(due, nowMs);
    }
  }

  #send(socket: Socket, dueMs: number): void {
    const requests = this.#requests!;
    const request = this.#next;
    this.#next = request + 1 === requests.count ? 0 : request + 1;
    socket.outgoing.set(socket.queued++, requests.offsetOf(request), requests.bytesOf(request));
    this.#due[request] = dueMs;
    socket.flight.push(request);
    socket.inFlight++;
    if (socket.queued === BATCH) this.#flush(socket);
  }

  #flush(socket: Socket): void {
    if (socket.queued === 0) return;
    this.#libc.sendmmsg(socket.descriptor, socket.outgoing.address, socket.queued, 0);
    socket.queued = 0;
  }

  #giveUpLost(socket: Socket, nowMs: number): void {
    const { flight } = socket;
    while (socket.oldest < flight.length) {
      const request = flight[socket.oldest]!;
      const due = this.#due[request]!;
      if (due !== 0) {
        if (nowMs - due < DATAGRAM_TIMEOUT_MS) break;
        this.#due[request] = 0;
        socket.inFlight--;
        this.#pace!.lost++;
      }
      socket.oldest++;
    }
    if (socket.oldest > 4096) {
      flight.splice(0, socket.oldest);
      socket.oldest = 0;
    }
  }
}

function openSocket(calls: Libc, port: number): number {
  const descriptor = calls.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const queue = Buffer.alloc(4);
  queue.writeInt32LE(RECEIVE_QUEUE_BYTES);
  // Beyond the system's limit where that is allowed, else up to it.
  if (calls.setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, queue, queue.length) < 0) {
    calls.setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, queue, queue.length);
  }
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  address.writeUInt16BE(port, 2);
  address.set([127, 0, 0, 1], 4);
  if (descriptor < 0 || calls.connect(descriptor, address, address.length) < 0) {
    throw new BenchError('LOAD', `cannot send UDP to port ${port}`);
  }
  return descriptor;
}
