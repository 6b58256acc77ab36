/**
 * A network card that is not there: takes scatter-gather descriptors into a ring and completes them later,
 * without ever reading what they point to, as DMA would. What is left when a handler runs over it is what the
 * handler and its bookkeeping cost the CPU (the regime of papers/sosp23), with no kernel in between.
 *
 * ```
 *   receive(connection, start, end) ─▶ handler.onData ─▶ reserve / copy / reference
 *        │ one packet: [copied bytes, in a packet buffer][reference][reference] ...
 *        ▼
 *   descriptors   [address, low][address, high][bytes][last of its packet]   16 bytes each, a ring of words
 *   releases      owner of a reference, or packet buffer, in the order of posting
 *   packets       where the descriptors and the releases of each packet end
 *        │ `completionLag` packets later, in batches
 *        ▼
 *   handler.onRelease(owner) · packet buffer back to the pool
 * ```
 *
 * It is the part of the transport seam that sending and receiving needs: connections are the same class as
 * those of the other transports; there is no listening, and input is given by whoever drives it.
 */
import { DatapathError } from '../errors.ts';
import {
  NIC_COMPLETION_BATCH,
  NIC_COMPLETION_LAG,
  NIC_RING_DESCRIPTORS,
  POOLED_BUFFERS,
  SEND_BUFFER_BYTES,
} from '../limits.ts';
import type { Arena } from '../memory/arena.ts';
import { BufferPool } from '../memory/buffer-pool.ts';
import type { SlabAllocator } from '../memory/slab-allocator.ts';
import { putAddress } from '../sys/messages.ts';
import { Connection, type ConnectionHost, ConnectionState } from './connection.ts';
import type { ReleaseSink } from './scatter-gather.ts';
import { CloseReason, type TransportHandler } from './transport.ts';

const DESCRIPTOR_WORDS = 4;
const BYTES_WORD = 2;
const LAST_WORD = 3;
const MASK = NIC_RING_DESCRIPTORS - 1;

export interface SimulatedNicOptions<S> {
  readonly arena: Arena;
  /** Where packet buffers come from. */
  readonly allocator: SlabAllocator;
  readonly handler: TransportHandler<S>;
  /** Packets that are under way before the oldest are completed. */
  readonly completionLag?: number;
}

export class SimulatedNic<S> implements ConnectionHost<S>, ReleaseSink {
  readonly sendsObjects: boolean = false;
  readonly arena: Arena;
  readonly sendPool: BufferPool;
  /** The ring never pushes back: what does not fit completes the oldest packets. */
  readonly outputBytesHigh: number = Number.POSITIVE_INFINITY;
  /** Packets posted and completed since the beginning. */
  packetsPosted = 0;
  packetsCompleted = 0;
  descriptorsPosted = 0;
  /** Bytes posted, and those of them that the CPU had copied into packet buffers. */
  bytesPosted = 0;
  bytesCopied = 0;
  readonly #handler: TransportHandler<S>;
  readonly #completionLag: number;
  readonly #ring: Int32Array = new Int32Array(NIC_RING_DESCRIPTORS * DESCRIPTOR_WORDS);
  readonly #releases: Float64Array = new Float64Array(NIC_RING_DESCRIPTORS);
  readonly #packetReleases: Float64Array = new Float64Array(NIC_RING_DESCRIPTORS);
  readonly #packetDescriptors: Float64Array = new Float64Array(NIC_RING_DESCRIPTORS);
  readonly #connections: Connection<S>[] = [];
  #releasesPosted = 0;
  #releasesCompleted = 0;
  #descriptorsCompleted = 0;
  #deferred: number[] = [];
  /** Takes output that was never posted. */
  readonly #dropped: ReleaseSink = {
    releaseOwner: (owner) => this.deferRelease(owner),
    releaseBuffer: (buffer) => this.sendPool.give(buffer),
  };
  #isInHandler = false;

  constructor(options: SimulatedNicOptions<S>) {
    this.arena = options.arena;
    this.#handler = options.handler;
    this.#completionLag = options.completionLag ?? NIC_COMPLETION_LAG;
    if (!(this.#completionLag >= 0 && this.#completionLag <= NIC_RING_DESCRIPTORS / 2)) {
      throw new DatapathError(
        'ARGUMENT',
        'simulated NIC',
        `a completion lag of ${this.#completionLag} packets`,
      );
    }
    this.sendPool = new BufferPool(options.allocator, SEND_BUFFER_BYTES, POOLED_BUFFERS);
  }

  /** A connection, which is open at once. */
  connect(): Connection<S> {
    const id = this.#connections.length;
    const connection = new Connection<S>(this, id, 0, -1, 'tcp', ConnectionState.open, 0);
    this.#connections.push(connection);
    this.#handler.onConnect(connection);
    return connection;
  }

  /**
   * A packet [start, end) of the arena arrives; what the handler writes is posted as one packet. Returns how
   * much the handler consumed.
   */
  receive(connection: Connection<S>, start: number, end: number): number {
    this.#isInHandler = true;
    const consumed = this.#handler.onData(connection, start, end);
    this.#isInHandler = false;
    this.#post(connection);
    if (this.packetsPosted - this.packetsCompleted >= this.#completionLag + NIC_COMPLETION_BATCH) {
      this.complete(NIC_COMPLETION_BATCH);
    }
    if (this.#deferred.length > 0) this.#releaseDeferred();
    return consumed;
  }

  /** Completes up to `count` of the oldest packets. */
  complete(count: number): void {
    const last = Math.min(this.packetsPosted, this.packetsCompleted + count);
    if (last === this.packetsCompleted) return;
    const packet = (last - 1) & MASK;
    const releases = this.#packetReleases[packet]!;
    for (let number = this.#releasesCompleted; number < releases; number++) {
      const release = this.#releases[number & MASK]!;
      if (release >= 0) this.#handler.onRelease(release);
      else this.sendPool.give(-release - 1);
    }
    this.#releasesCompleted = releases;
    this.#descriptorsCompleted = this.#packetDescriptors[packet]!;
    this.packetsCompleted = last;
  }

  /** Completes everything, closes the connections and gives all buffers back. */
  close(): void {
    this.complete(this.packetsPosted - this.packetsCompleted);
    for (const connection of this.#connections) this.requestClose(connection, CloseReason.shutdown);
    this.#connections.length = 0;
    if (this.#deferred.length > 0) this.#releaseDeferred();
    this.sendPool.drain();
  }

  /**
   * The parts of a packet that is under way, as pairs of offset and bytes: for tests and for checks, which
   * read what the card does not. `number` counts packets from 0.
   */
  partsOf(number: number): { readonly offset: number; readonly bytes: number }[] {
    if (number < this.packetsCompleted || number >= this.packetsPosted) {
      throw new DatapathError('ARGUMENT', 'simulated NIC', `packet ${number} is not under way`);
    }
    const first =
      number === this.packetsCompleted
        ? this.#descriptorsCompleted
        : this.#packetDescriptors[(number - 1) & MASK]!;
    const parts: { offset: number; bytes: number }[] = [];
    for (let index = first; index < this.#packetDescriptors[number & MASK]!; index++) {
      const word = (index & MASK) * DESCRIPTOR_WORDS;
      const address = (this.#ring[word]! >>> 0) + this.#ring[word + 1]! * 4_294_967_296;
      parts.push({ offset: address - this.arena.address, bytes: this.#ring[word + BYTES_WORD]! });
    }
    return parts;
  }

  // ---- what connections ask for

  markDirty(): void {
    // What was written is posted when the handler returns.
  }

  markInput(): void {
    // Input comes from whoever drives the card, when it likes.
  }

  requestClose(connection: Connection<S>, reason: CloseReason, error?: Error): void {
    if (connection.state >= ConnectionState.closing) return;
    connection.state = ConnectionState.closed;
    connection.limit = connection.cursor;
    connection.dropOutput(this.#dropped);
    this.#handler.onClose(connection, reason, error);
  }

  deferRelease(owner: number): void {
    if (this.#isInHandler) this.#deferred.push(owner);
    else this.#handler.onRelease(owner);
  }

  addressOf(): string {
    return 'simulated';
  }

  // ---- posting

  /** Output parts that end a packet buffer or a reference: noted, and released when the packet completes. */
  releaseOwner(owner: number): void {
    this.#releases[this.#releasesPosted++ & MASK] = owner;
  }

  releaseBuffer(buffer: number): void {
    this.#releases[this.#releasesPosted++ & MASK] = -buffer - 1;
  }

  #post(connection: Connection<S>): void {
    const queue = connection.queue;
    let parts = 1;
    if (queue !== null && queue.count > 0) {
      connection.sealSegment();
      parts = queue.count;
    } else if (connection.cursor === connection.segmentStart) {
      return;
    }
    this.#makeRoom(parts);
    const bytes = connection.queuedBytes;
    if (parts === 1 && (queue === null || queue.count === 0)) {
      this.#describe(connection.segmentStart, bytes);
      this.bytesCopied += bytes;
    } else {
      for (let part = 0; part < parts; part++) {
        this.#describe(queue!.offsetAt(part), queue!.bytesAt(part));
        if (queue!.isCopied(part)) this.bytesCopied += queue!.bytesAt(part);
      }
    }
    this.#ring[((this.descriptorsPosted - 1) & MASK) * DESCRIPTOR_WORDS + LAST_WORD] = 1;
    this.bytesPosted += bytes;
    // This class is the sink: the releases are noted instead of being done.
    connection.consumeOutput(bytes, this);
    const packet = this.packetsPosted & MASK;
    this.#packetDescriptors[packet] = this.descriptorsPosted;
    this.#packetReleases[packet] = this.#releasesPosted;
    this.packetsPosted++;
  }

  #describe(offset: number, bytes: number): void {
    const word = (this.descriptorsPosted++ & MASK) * DESCRIPTOR_WORDS;
    const ring = this.#ring;
    putAddress(ring, word, this.arena.address + offset);
    ring[word + BYTES_WORD] = bytes;
    ring[word + LAST_WORD] = 0;
  }

  /** A packet has at most one release per part, and the current packet buffer. */
  #makeRoom(parts: number): void {
    if (parts >= NIC_RING_DESCRIPTORS) {
      throw new DatapathError('ARGUMENT', 'simulated NIC', `a packet of ${parts} parts`);
    }
    while (
      this.descriptorsPosted + parts - this.#descriptorsCompleted > NIC_RING_DESCRIPTORS ||
      this.#releasesPosted + parts + 1 - this.#releasesCompleted > NIC_RING_DESCRIPTORS
    ) {
      this.complete(NIC_COMPLETION_BATCH);
    }
  }

  #releaseDeferred(): void {
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const owner of deferred) this.#handler.onRelease(owner);
  }
}
