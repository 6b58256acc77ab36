/**
 * What is remembered of one client: the requests whose replies it still waits for, in order, as a ring of numbers.
 *
 * ```
 *   sequence   first ─────────────▶ next
 *   parts      [ 1 ][ 0 ][ 4 ][ 1 ]            replies still awaited: one per server of a split get
 *   held       [ – ][ # ][ # ][ – ]            bytes that came before their turn (a chunk chain)
 * ```
 *
 * Replies may come in any order from several servers; a client gets them in the order of its requests. What belongs
 * to the first one goes straight to the output; everything else is held until its turn has come.
 */
import {
  CLIENT_PENDING_MAX,
  CLIENT_PENDING_MIN,
  CLIENT_REPLY_BYTES_MAX,
  REPLY_BYTES_GUESS,
} from '../limits.ts';
import type { ChunkChains } from './chunk-chain.ts';
import type { PeerOutput } from './peer-output.ts';

const RING_FIRST = 8;
const SMOOTHING_BITS = 2;

/** Bits that say what a pending request is. */
export const PENDING_SPLIT: number = 1;
/** No reply is wanted. */
export const PENDING_SILENT: number = 2;
/** It changes something, so that what follows on another path must wait. */
export const PENDING_WRITE: number = 4;
/** It goes through the route handles. */
export const PENDING_GENERAL: number = 8;

const END: Uint8Array = Buffer.from('END\r\n', 'latin1');

export class Client {
  /** Sequence numbers of the oldest request that is not answered whole, and of the next one. */
  first = 0;
  next = 0;
  /** Pending requests that go through the route handles, and pending ones that change something. */
  generalPending = 0;
  writesPending = 0;
  /** Pending ones that are both. */
  generalWritesPending = 0;
  isClosed = false;
  /** Bytes of replies whose turn has not come. */
  heldBytes = 0;
  /** Nothing more is read until everything that is pending has been answered. */
  isBlocked = false;
  /** The connection ends when everything pending is answered. */
  isEnding = false;
  readonly output: PeerOutput;
  readonly #chains: ChunkChains;
  readonly #onDrained: () => void;
  readonly #name: () => string;
  #clientId = '';
  #mask = RING_FIRST - 1;
  #parts: Int32Array = new Int32Array(RING_FIRST);
  #bits: Int32Array = new Int32Array(RING_FIRST);
  #heldFirst: Float64Array = new Float64Array(RING_FIRST);
  #heldLast: Float64Array = new Float64Array(RING_FIRST);
  /** The length of a reply, smoothed. */
  #replyBytes: number = REPLY_BYTES_GUESS;
  /** Error lines of requests that failed, by sequence; rare. */
  #errors: Map<number, string> | undefined;

  /**
   * `name` gives the client's address, asked for when it is first needed; `onDrained` is called whenever nothing
   * is pending any more and the client is blocked or ending.
   */
  constructor(output: PeerOutput, chains: ChunkChains, name: () => string, onDrained: () => void) {
    this.output = output;
    this.#chains = chains;
    this.#name = name;
    this.#onDrained = onDrained;
  }

  /** The client's address, for handles that choose by it. */
  get clientId(): string {
    if (this.#clientId === '') this.#clientId = this.#name();
    return this.#clientId;
  }

  get pending(): number {
    return (this.next - this.first) | 0;
  }

  /** Whether no more requests should be taken: too many wait for replies, or for too many bytes of them. */
  get isFull(): boolean {
    const { pending } = this;
    if (pending < CLIENT_PENDING_MIN) return false;
    return pending >= CLIENT_PENDING_MAX || pending * this.#replyBytes > CLIENT_REPLY_BYTES_MAX;
  }

  /** Nothing is pending: who waits for that is told. */
  drained(): void {
    this.#onDrained();
  }

  /** Notes a request of which `parts` replies will come; returns its sequence number. */
  begin(parts: number, bits: number): number {
    const sequence = this.next;
    if (sequence === this.first) this.output.owe(true);
    if (this.pending > this.#mask) this.#grow();
    const slot = sequence & this.#mask;
    this.#parts[slot] = parts;
    this.#bits[slot] = bits;
    this.#heldFirst[slot] = 0;
    if ((bits & (PENDING_WRITE | PENDING_GENERAL)) !== 0) this.#count(bits, 1);
    this.next = (sequence + 1) | 0;
    return sequence;
  }

  /** Bytes of the reply to a request; whole lines and values only, because parts of a split get are mixed. */
  write(sequence: number, offset: number, bytes: number): void {
    const slot = sequence & this.#mask;
    if (this.isClosed || (this.#bits[slot]! & PENDING_SILENT) !== 0) return;
    this.#replyBytes += (bytes - this.#replyBytes) >> SMOOTHING_BITS;
    if (!this.#isNow(sequence, slot)) this.#hold(sequence, slot, offset, bytes);
    else {
      if (this.#heldFirst[slot] !== 0) this.#release(slot);
      this.output.copy(offset, bytes);
    }
  }

  /** As `write`, for bytes outside the arena. */
  writeOutside(sequence: number, bytes: Uint8Array): void {
    const slot = sequence & this.#mask;
    if (this.isClosed || (this.#bits[slot]! & PENDING_SILENT) !== 0) return;
    this.#replyBytes += (bytes.length - this.#replyBytes) >> SMOOTHING_BITS;
    if (!this.#isNow(sequence, slot)) this.#holdOutside(sequence, slot, bytes);
    else {
      if (this.#heldFirst[slot] !== 0) this.#release(slot);
      this.output.writeBytes(bytes);
    }
  }

  /** One of the replies to a request is complete. */
  finish(sequence: number): void {
    const slot = sequence & this.#mask;
    this.#parts[slot]!--;
    if (this.#parts[slot] === 0 && sequence === this.first) this.#advance();
  }

  /** One of the replies is an error line (without its end); of several the first one counts. */
  fail(sequence: number, line: string): void {
    if ((this.#bits[sequence & this.#mask]! & PENDING_SILENT) === 0) {
      this.#errors ??= new Map();
      if (!this.#errors.has(sequence)) this.#errors.set(sequence, line);
    }
    this.finish(sequence);
  }

  /** A reply that is known as text: an answer of the router itself. */
  reply(sequence: number, text: string): void {
    this.replyBytes(sequence, Buffer.from(text, 'latin1'));
  }

  /** A reply that is known as bytes outside the arena. */
  replyBytes(sequence: number, bytes: Uint8Array): void {
    this.writeOutside(sequence, bytes);
    this.finish(sequence);
  }

  /** The connection is gone: replies that still come are dropped. */
  close(): void {
    this.isClosed = true;
    this.#errors = undefined;
    for (let sequence = this.first; sequence !== this.next; sequence = (sequence + 1) | 0) {
      const slot = sequence & this.#mask;
      if (this.#heldFirst[slot] !== 0) this.#chains.release(this.#heldFirst[slot]!);
      this.#heldFirst[slot] = 0;
    }
    this.heldBytes = 0;
  }

  /** Whether bytes of a reply may leave now: in its turn, and of a split get only with its last part. */
  #isNow(sequence: number, slot: number): boolean {
    if (sequence !== this.first) return false;
    return this.#parts[slot] === 1 || (this.#bits[slot]! & PENDING_SPLIT) === 0;
  }

  /** The first request is answered whole: it leaves, and with it all behind it that were answered before. */
  #advance(): void {
    do {
      const slot = this.first & this.#mask;
      const bits = this.#bits[slot]!;
      if (!this.isClosed && (bits & PENDING_SILENT) === 0) this.#end(slot, bits);
      if ((bits & (PENDING_WRITE | PENDING_GENERAL)) !== 0) this.#count(bits, -1);
      this.first = (this.first + 1) | 0;
      if (this.first === this.next) {
        this.heldBytes = 0;
        this.output.owe(false);
        if (this.isBlocked || this.isEnding) this.#onDrained();
        return;
      }
      this.#become(this.first & this.#mask);
    } while (this.#parts[this.first & this.#mask] === 0);
  }

  /** What comes behind the values: nothing, END, or an error in place of it. */
  #end(slot: number, bits: number): void {
    if (this.#heldFirst[slot] !== 0) this.#release(slot);
    const error = this.#errors?.get(this.first);
    if (error !== undefined) {
      this.#errors!.delete(this.first);
      this.output.writeLatin1(`${error}\r\n`);
    } else if ((bits & PENDING_SPLIT) !== 0) this.output.writeBytes(END);
  }

  /** A request has become the first: what was held of its reply leaves, but of a split get only all of it. */
  #become(slot: number): void {
    if (this.#heldFirst[slot] === 0) return;
    if (this.#parts[slot] === 0 || (this.#bits[slot]! & PENDING_SPLIT) === 0) this.#release(slot);
  }

  #release(slot: number): void {
    const chain = this.#heldFirst[slot]!;
    this.#heldFirst[slot] = 0;
    this.heldBytes -= this.#chains.send(chain, this.output);
  }

  #hold(sequence: number, slot: number, offset: number, bytes: number): void {
    const chains = this.#chains;
    if (this.#heldFirst[slot] === 0) {
      const chunk = chains.begin(bytes);
      this.#heldFirst[slot] = chunk;
      this.#heldLast[slot] = chunk;
    }
    const last = this.#heldFirst[slot] === 0 ? -1 : chains.append(this.#heldLast[slot]!, offset, bytes);
    if (last > 0) {
      this.#heldLast[slot] = last;
      this.heldBytes += bytes;
    } else this.#outOfMemory(sequence, slot);
  }

  #holdOutside(sequence: number, slot: number, bytes: Uint8Array): void {
    const chains = this.#chains;
    const chain = chains.beginWith(bytes);
    if (chain === 0) {
      this.#outOfMemory(sequence, slot);
      return;
    }
    if (this.#heldFirst[slot] === 0) this.#heldFirst[slot] = chain;
    else chains.link(this.#heldLast[slot]!, chain);
    this.heldBytes += bytes.length;
    this.#heldLast[slot] = chains.lastOf(chain);
  }

  #outOfMemory(sequence: number, slot: number): void {
    if (this.#heldFirst[slot] !== 0) this.heldBytes -= this.#chains.release(this.#heldFirst[slot]!);
    this.#heldFirst[slot] = 0;
    this.#errors ??= new Map();
    this.#errors.set(sequence, 'SERVER_ERROR out of memory holding a reply');
  }

  #count(bits: number, by: number): void {
    if ((bits & PENDING_GENERAL) !== 0) this.generalPending += by;
    if ((bits & PENDING_WRITE) === 0) return;
    this.writesPending += by;
    if ((bits & PENDING_GENERAL) !== 0) this.generalWritesPending += by;
  }

  #grow(): void {
    const before = this.#mask + 1;
    const parts = new Int32Array(before * 2);
    const bits = new Int32Array(before * 2);
    const heldFirst = new Float64Array(before * 2);
    const heldLast = new Float64Array(before * 2);
    const mask = before * 2 - 1;
    for (let sequence = this.first; sequence !== this.next; sequence = (sequence + 1) | 0) {
      const from = sequence & this.#mask;
      const to = sequence & mask;
      parts[to] = this.#parts[from]!;
      bits[to] = this.#bits[from]!;
      heldFirst[to] = this.#heldFirst[from]!;
      heldLast[to] = this.#heldLast[from]!;
    }
    this.#mask = mask;
    this.#parts = parts;
    this.#bits = bits;
    this.#heldFirst = heldFirst;
    this.#heldLast = heldLast;
  }
}
