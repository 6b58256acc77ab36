/**
 * One stream of gets over UDP: memcache datagrams, received and sent in batches.
 *
 * A request in flight has a slot; the request id of its frame is the slot and a generation, so that an answer
 * that comes after its request was given up is recognised. Requests without an answer are counted as lost and
 * replaced.
 *
 * ```
 *   id   [generation 4 bits][slot 12 bits]
 * ```
 */
import type { Arena } from '@larder/datapath';
import { type Libc, libc } from '@larder/datapath/internal';
import { BenchError } from '../errors.ts';
import { DATAGRAM_TIMEOUT_MS, DATAGRAMS_OUTSTANDING_MAX, OPEN_LOOP_DEPTH } from '../limits.ts';
import { Arrivals } from '../random/arrivals.ts';
import { Random } from '../random/random.ts';
import { FRAME_BYTES, frameRequestId, frameSequence, frameTotal, writeFrame } from './datagram-frame.ts';
import type { KeySpace } from './key-space.ts';
import { MessageBatch } from './message-batch.ts';
import type { StreamPlan } from './plan.ts';
import { GET, ReplyReader } from './reply-reader.ts';
import { RequestSource } from './request-source.ts';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const MSG_DONTWAIT = 0x40;
const RECEIVE_QUEUE_BYTES = 4 << 20;
const SLOT_BITS = 12;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const GENERATION_MASK = 0xf;
/** Datagrams of one system call. */
const BATCH = 64;
/** Room for one datagram received; replies of more than one are put together in their slot. */
const DATAGRAM_BYTES = 2048;
const REPLY_BYTES_MAX = 64 * 1024;
const REQUEST_BYTES_MAX = 1400;

class Slot {
  readonly reader: ReplyReader;
  readonly assembly: number;
  generation = 0;
  sentMs = 0;
  /** Datagrams and bytes of a reply that arrived so far. */
  sequence = 0;
  bytes = 0;

  constructor(reader: ReplyReader, assembly: number) {
    this.reader = reader;
    this.assembly = assembly;
  }
}

export class DatagramStream {
  readonly source: RequestSource;
  readonly #plan: StreamPlan;
  readonly #space: KeySpace;
  readonly #view: DataView;
  readonly #libc: Libc;
  readonly #socket: number;
  readonly #incoming: MessageBatch;
  readonly #outgoing: MessageBatch;
  readonly #input: number;
  readonly #output: number;
  readonly #slots: Slot[] = [];
  readonly #idle: number[] = [];
  readonly #arrivals: Arrivals | undefined;
  #queued = 0;
  #checkedMs = 0;
  #isStopped = false;

  /** Bytes of the arena that such a stream takes. */
  static bytes(plan: StreamPlan): number {
    const outstanding = outstandingOf(plan);
    return (
      2 * MessageBatch.bytes(BATCH) +
      BATCH * (DATAGRAM_BYTES + REQUEST_BYTES_MAX) +
      outstanding * REPLY_BYTES_MAX
    );
  }

  constructor(space: KeySpace, plan: StreamPlan, seed: number, offset: number, host: string, port: number) {
    if (plan.getRatio !== 1) throw new BenchError('USAGE', 'UDP streams only get');
    if (FRAME_BYTES + space.getBytes(plan.keysPerGet) > REQUEST_BYTES_MAX) {
      throw new BenchError('USAGE', 'a UDP request must fit one datagram');
    }
    this.source = new RequestSource(space, plan, seed);
    this.#plan = plan;
    this.#space = space;
    const { arena } = space;
    this.#view = arena.view;
    this.#libc = libc();
    this.#incoming = new MessageBatch(arena, offset, BATCH);
    this.#outgoing = new MessageBatch(arena, offset + MessageBatch.bytes(BATCH), BATCH);
    this.#input = offset + 2 * MessageBatch.bytes(BATCH);
    this.#output = this.#input + BATCH * DATAGRAM_BYTES;
    const assembly = this.#output + BATCH * REQUEST_BYTES_MAX;
    for (let index = 0; index < BATCH; index++) {
      this.#incoming.set(index, this.#input + index * DATAGRAM_BYTES, DATAGRAM_BYTES);
    }
    for (let index = outstandingOf(plan) - 1; index >= 0; index--) {
      this.#slots[index] = new Slot(this.#makeReader(), assembly + index * REPLY_BYTES_MAX);
      this.#idle.push(index);
    }
    if (plan.loop.kind === 'open') {
      this.#arrivals = new Arrivals(plan.loop.arrivals, plan.loop.ratePerSecond, new Random(seed + 1));
    }
    this.#socket = openSocket(this.#libc, arena, host, port);
  }

  get outstanding(): number {
    return this.#slots.length - this.#idle.length;
  }

  get isFilled(): boolean {
    return this.#plan.requests > 0 && this.source.answeredTotal >= this.#plan.requests;
  }

  start(nowMs: number): void {
    this.#arrivals?.start(nowMs);
    this.#checkedMs = nowMs;
  }

  stop(): void {
    this.#isStopped = true;
  }

  close(): void {
    this.#libc.close(this.#socket);
  }

  /** Receives what is there, sends what is due, gives up what is lost. */
  turn(nowMs: number): void {
    const count = this.#libc.recvmmsg(this.#socket, this.#incoming.address, BATCH, MSG_DONTWAIT, 0);
    if (count > 0) {
      this.source.nowMs = performance.now();
      for (let index = 0; index < count; index++) {
        const at = this.#input + index * DATAGRAM_BYTES;
        this.#receive(at, at + this.#incoming.received(index));
      }
    }
    if (nowMs - this.#checkedMs > DATAGRAM_TIMEOUT_MS / 4) this.#giveUpLost(nowMs);
    if (this.#isStopped || this.isFilled) return;
    if (this.#arrivals === undefined) {
      while (this.#idle.length > 0) this.#send(nowMs, nowMs);
    } else {
      while (this.#idle.length > 0 && this.#arrivals.nextMs <= nowMs) {
        this.#send(this.#arrivals.nextMs, nowMs);
        this.#arrivals.advance();
      }
    }
    this.#flush();
  }

  #makeReader(): ReplyReader {
    return new ReplyReader(this.#space, this.source, 1, this.#plan.keysPerGet, this.#plan.missesAllowed);
  }

  #receive(start: number, end: number): void {
    if (end - start < FRAME_BYTES) throw new BenchError('REPLY', `a datagram of ${end - start} bytes`);
    const id = frameRequestId(this.#view, start);
    const index = id & SLOT_MASK;
    const slot = this.#slots[index];
    // An answer to a request that was given up, or a second one.
    if (slot === undefined || slot.reader.outstanding === 0 || slot.generation !== id >>> SLOT_BITS) return;
    const total = frameTotal(this.#view, start);
    if (total === 1) {
      this.#complete(slot, index, start + FRAME_BYTES, end);
      return;
    }
    const bytes = end - start - FRAME_BYTES;
    // Loopback keeps the order; a hole is a lost datagram, and the request will be given up.
    if (frameSequence(this.#view, start) !== slot.sequence || slot.bytes + bytes > REPLY_BYTES_MAX) return;
    this.#space.arena.u8.copyWithin(slot.assembly + slot.bytes, start + FRAME_BYTES, end);
    slot.bytes += bytes;
    slot.sequence++;
    if (slot.sequence === total) this.#complete(slot, index, slot.assembly, slot.assembly + slot.bytes);
  }

  #complete(slot: Slot, index: number, start: number, end: number): void {
    const done = slot.reader.read(start, end);
    if (done !== end || slot.reader.outstanding !== 0) {
      throw new BenchError('REPLY', `a reply by UDP ended after ${done - start} of its bytes`);
    }
    this.#idle.push(index);
  }

  #send(dueMs: number, nowMs: number): void {
    const index = this.#idle.pop()!;
    const slot = this.#slots[index]!;
    slot.generation = (slot.generation + 1) & GENERATION_MASK;
    slot.sentMs = nowMs;
    slot.sequence = 0;
    slot.bytes = 0;
    const { reader } = slot;
    const count = this.#plan.keysPerGet;
    const first = reader.keyNext;
    for (let key = 0; key < count; key++) reader.keys[(first + key) & reader.keyMask] = this.source.nextKey();
    const at = this.#output + this.#queued * REQUEST_BYTES_MAX;
    writeFrame(this.#view, at, (slot.generation << SLOT_BITS) | index);
    const end = this.#space.composeGet(at + FRAME_BYTES, reader.keys, first, reader.keyMask, count);
    reader.expect(GET, count, dueMs);
    this.#outgoing.set(this.#queued, at, end - at);
    this.#queued++;
    if (this.#queued === BATCH) this.#flush();
  }

  #flush(): void {
    if (this.#queued === 0) return;
    // What does not fit the server's queue is dropped there or here: either way it is lost, and found so later.
    this.#libc.sendmmsg(this.#socket, this.#outgoing.address, this.#queued, 0);
    this.#queued = 0;
  }

  #giveUpLost(nowMs: number): void {
    this.#checkedMs = nowMs;
    for (let index = 0; index < this.#slots.length; index++) {
      const slot = this.#slots[index]!;
      if (slot.reader.outstanding === 0 || nowMs - slot.sentMs < DATAGRAM_TIMEOUT_MS) continue;
      this.source.lost++;
      slot.reader.abandon();
      this.#idle.push(index);
    }
  }
}

function outstandingOf(plan: StreamPlan): number {
  const wanted = plan.loop.kind === 'open' ? OPEN_LOOP_DEPTH : plan.connections * plan.depth;
  return Math.min(wanted, DATAGRAMS_OUTSTANDING_MAX, SLOT_MASK + 1);
}

function openSocket(calls: Libc, arena: Arena, host: string, port: number): number {
  if (arena.address === 0) throw new BenchError('LOAD', 'UDP needs an arena that the kernel can address');
  const socket = calls.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const queue = Buffer.alloc(4);
  queue.writeInt32LE(RECEIVE_QUEUE_BYTES);
  calls.setsockopt(socket, SOL_SOCKET, SO_RCVBUF, queue, queue.length);
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  address.writeUInt16BE(port, 2);
  host.split('.').forEach((part, index) => {
    address[4 + index] = Number(part);
  });
  if (socket < 0 || calls.connect(socket, address, address.length) < 0) {
    throw new BenchError('LOAD', `cannot send UDP to ${host}:${port}`);
  }
  return socket;
}
