/**
 * Messages out of datagrams. A message that fits one is read where it lies; of a longer one the fragments are
 * put together, in whatever order they come.
 *
 * ```
 *   datagram   [u32 id][u32 type][u32 bytes of the message][u16 index][u16 count][ a part of the message ]
 * ```
 *
 * All parts but the last are equally long, so each says where it belongs. What contradicts itself or others is
 * dropped and counted, as the network might have dropped it. Unfinished messages are forgotten after a time, and
 * the oldest when there are too many.
 */
import { Memory } from '../decode/memory.ts';
import { Message } from '../decode/message.ts';
import {
  FRAGMENT_HEADER_BYTES,
  REASSEMBLY_BYTES_MAX,
  REASSEMBLY_MESSAGE_BYTES_MAX,
  REASSEMBLY_MESSAGES_MAX,
  REASSEMBLY_TIMEOUT_MS,
} from '../limits.ts';
import type { ReceiveHolds } from './receive-holds.ts';

export interface ReassemblerOptions {
  /** Milliseconds; only differences matter. */
  readonly clock: () => number;
  readonly messageBytesMax?: number;
  /** Of all unfinished messages. */
  readonly bytesMax?: number;
  readonly messagesMax?: number;
  readonly timeoutMs?: number;
  /** For datagrams in an arena: lets retained messages stay in the receive buffer. */
  readonly holds?: ReceiveHolds;
}

/** Gets one message, which is valid until this returns unless it is retained. */
export type DatagramHandler<S> = (message: Message, type: number, id: number, source: S) => void;

interface Unfinished {
  readonly type: number;
  readonly bytes: number;
  readonly count: number;
  readonly partBytes: number;
  readonly u8: Uint8Array<ArrayBuffer>;
  readonly arrived: Uint8Array;
  readonly since: number;
  missing: number;
}

export class Reassembler<S extends string | number> {
  /** Datagrams that were no fragment, or contradicted others; and messages that were given up. */
  datagramsDropped = 0;
  messagesDropped = 0;
  readonly #onMessage: DatagramHandler<S>;
  readonly #clock: () => number;
  readonly #messageBytesMax: number;
  readonly #bytesMax: number;
  readonly #messagesMax: number;
  readonly #timeoutMs: number;
  readonly #holds: ReceiveHolds | null;
  /** By source and id, the oldest first. */
  readonly #unfinished: Map<string, Unfinished> = new Map();
  #bytes = 0;
  #message: Message = new Message();

  constructor(onMessage: DatagramHandler<S>, options: ReassemblerOptions) {
    this.#onMessage = onMessage;
    this.#clock = options.clock;
    this.#messageBytesMax = options.messageBytesMax ?? REASSEMBLY_MESSAGE_BYTES_MAX;
    this.#bytesMax = options.bytesMax ?? REASSEMBLY_BYTES_MAX;
    this.#messagesMax = options.messagesMax ?? REASSEMBLY_MESSAGES_MAX;
    this.#timeoutMs = options.timeoutMs ?? REASSEMBLY_TIMEOUT_MS;
    this.#holds = options.holds ?? null;
  }

  /** Messages that have not come whole, and the memory they take. */
  get unfinished(): number {
    return this.#unfinished.size;
  }

  get unfinishedBytes(): number {
    return this.#bytes;
  }

  /** Reads the datagram [start, end) of a memory from `source`. The memory may be used again afterwards. */
  push(memory: Memory, start: number, end: number, source: S): void {
    const partBytes = end - start - FRAGMENT_HEADER_BYTES;
    if (partBytes < 0) {
      this.datagramsDropped++;
      return;
    }
    const { view } = memory;
    const id = view.getUint32(start, true);
    const type = view.getUint32(start + 4, true);
    const bytes = view.getUint32(start + 8, true);
    const index = view.getUint16(start + 12, true);
    const count = view.getUint16(start + 14, true);
    if (count === 1 && index === 0 && bytes === partBytes) {
      const message = this.#message.borrow(memory, start + FRAGMENT_HEADER_BYTES, end, this.#holds);
      this.#deliver(message, type, id, source);
      return;
    }
    const part = memory.u8.subarray(start + FRAGMENT_HEADER_BYTES, end);
    if (!this.#take(part, `${id} ${source}`, type, bytes, index, count)) {
      this.datagramsDropped++;
      return;
    }
    const whole = this.#unfinished.get(`${id} ${source}`)!;
    if (whole.missing > 0) return;
    this.#forget(`${id} ${source}`, whole);
    const message = new Message().over(new Memory(whole.u8.buffer), 0, whole.bytes);
    this.#onMessage(message, type, id, source);
  }

  #deliver(message: Message, type: number, id: number, source: S): void {
    try {
      this.#onMessage(message, type, id, source);
    } finally {
      if (message.isRetained) this.#message = new Message();
      else message.invalidate();
    }
  }

  #take(part: Uint8Array, key: string, type: number, bytes: number, index: number, count: number): boolean {
    const partBytes = partBytesOf(part.length, bytes, index, count);
    if (partBytes === 0 || bytes > this.#messageBytesMax) return false;
    let whole = this.#unfinished.get(key);
    if (whole === undefined) whole = this.#begin(key, type, bytes, count, partBytes);
    else if (whole.type !== type || whole.bytes !== bytes) return false;
    if (whole.count !== count || whole.partBytes !== partBytes) return false;
    if (whole.arrived[index] === 1) return true;
    whole.arrived[index] = 1;
    whole.missing--;
    whole.u8.set(part, index * partBytes);
    return true;
  }

  #begin(key: string, type: number, bytes: number, count: number, partBytes: number): Unfinished {
    const since = this.#clock();
    for (const [oldKey, old] of this.#unfinished) {
      const isFull = this.#unfinished.size >= this.#messagesMax || this.#bytes + bytes > this.#bytesMax;
      if (!isFull && since - old.since < this.#timeoutMs) break;
      this.#forget(oldKey, old);
      this.messagesDropped++;
    }
    const u8 = new Uint8Array(bytes);
    const arrived = new Uint8Array(count);
    const whole: Unfinished = { type, bytes, count, partBytes, u8, arrived, since, missing: count };
    this.#unfinished.set(key, whole);
    this.#bytes += bytes;
    return whole;
  }

  #forget(key: string, whole: Unfinished): void {
    this.#unfinished.delete(key);
    this.#bytes -= whole.bytes;
  }
}

/** The length of all parts but the last, as one part shows it; 0 when it contradicts itself. */
function partBytesOf(length: number, bytes: number, index: number, count: number): number {
  if (count < 2 || index >= count || length === 0) return 0;
  if (index < count - 1) return length * (count - 1) < bytes && bytes <= length * count ? length : 0;
  const partBytes = (bytes - length) / (count - 1);
  return Number.isInteger(partBytes) && partBytes >= length ? partBytes : 0;
}
