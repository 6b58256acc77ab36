/**
 * Puts the datagrams of replies together, whatever their order: the client's half of UDP.
 *
 * ```
 *   expect(id) ─▶ waiting ──add()──▶ partial ──last datagram──▶ complete: payloads joined, in order
 *                    └──────────────────┴──── timeoutMs without completion ──▶ expired: given up
 * ```
 *
 * Memory is bounded three ways: at most `repliesMax` replies are awaited, each of at most `datagramsMax`
 * datagrams, and all of them together hold at most `bytesMax` bytes; a reply that would exceed a bound is
 * given up. Datagrams that nobody awaits, duplicates, and ones that contradict the first of their reply
 * (another total) are dropped and counted. Payloads are copied out of the arena, because its receive buffer
 * is used again. Time comes from the caller's clock.
 */
import type { Arena } from '@larder/datapath';
import { DATAGRAM_HEADER_BYTES, REASSEMBLY_DATAGRAMS_MAX, REASSEMBLY_REPLIES_MAX } from '../limits.ts';
import { FrameHeader } from './frame.ts';

export interface ReassemblyOptions {
  /** Milliseconds, from any monotonic origin. */
  readonly clock: () => number;
  /** A reply that is not complete after this long is given up. */
  readonly timeoutMs: number;
  readonly repliesMax?: number;
  readonly datagramsMax?: number;
  readonly bytesMax: number;
}

/** What became of a datagram. */
export const ReassemblyOutcome: {
  readonly dropped: 'dropped';
  readonly partial: 'partial';
  readonly complete: 'complete';
  readonly abandoned: 'abandoned';
} = { dropped: 'dropped', partial: 'partial', complete: 'complete', abandoned: 'abandoned' };
export type ReassemblyOutcome = (typeof ReassemblyOutcome)[keyof typeof ReassemblyOutcome];

interface Assembly {
  readonly deadline: number;
  total: number;
  received: number;
  bytes: number;
  payloads: (Uint8Array | undefined)[];
}

export class Reassembly {
  /** After `complete`: the id of the reply and its bytes, owned by the caller. */
  completedId: number = 0;
  completed: Uint8Array = new Uint8Array(0);
  /** Datagrams that were not used. */
  droppedDatagrams: number = 0;
  readonly #options: Required<ReassemblyOptions>;
  readonly #u8: Uint8Array;
  readonly #frame: FrameHeader;
  /** In the order of their deadlines, because the time-out is the same for all. */
  readonly #assemblies: Map<number, Assembly> = new Map();
  #bytes: number = 0;

  constructor(arena: Arena, options: ReassemblyOptions) {
    this.#options = {
      repliesMax: REASSEMBLY_REPLIES_MAX,
      datagramsMax: REASSEMBLY_DATAGRAMS_MAX,
      ...options,
    };
    this.#u8 = arena.u8;
    this.#frame = new FrameHeader(arena);
  }

  /** Replies being waited for. */
  get awaited(): number {
    return this.#assemblies.size;
  }

  /** Bytes held for replies that are not complete. */
  get heldBytes(): number {
    return this.#bytes;
  }

  /** Awaits a reply with this id; false when too many are awaited or this id already is. */
  expect(requestId: number): boolean {
    if (this.#assemblies.size >= this.#options.repliesMax || this.#assemblies.has(requestId)) return false;
    const deadline = this.#options.clock() + this.#options.timeoutMs;
    this.#assemblies.set(requestId, { deadline, total: 0, received: 0, bytes: 0, payloads: [] });
    return true;
  }

  /** No longer awaits this reply. */
  forget(requestId: number): void {
    const assembly = this.#assemblies.get(requestId);
    if (assembly === undefined) return;
    this.#bytes -= assembly.bytes;
    this.#assemblies.delete(requestId);
  }

  /** Takes the datagram [start, end) of the arena. */
  add(start: number, end: number): ReassemblyOutcome {
    const frame = this.#frame;
    if (!frame.read(start, end)) return this.#drop();
    const assembly = this.#assemblies.get(frame.requestId);
    if (assembly === undefined) return this.#drop();
    if (assembly.total === 0) {
      if (frame.total > this.#options.datagramsMax) return this.#abandon(frame.requestId);
      assembly.total = frame.total;
    } else if (frame.total !== assembly.total || assembly.payloads[frame.sequence] !== undefined) {
      return this.#drop();
    }
    const bytes = end - start - DATAGRAM_HEADER_BYTES;
    if (this.#bytes + bytes > this.#options.bytesMax) return this.#abandon(frame.requestId);
    assembly.payloads[frame.sequence] = this.#u8.slice(start + DATAGRAM_HEADER_BYTES, end);
    assembly.received++;
    assembly.bytes += bytes;
    this.#bytes += bytes;
    if (assembly.received < assembly.total) return ReassemblyOutcome.partial;
    this.completedId = frame.requestId;
    this.completed = join(assembly);
    this.forget(frame.requestId);
    return ReassemblyOutcome.complete;
  }

  /** Gives up what has waited too long; calls `onExpired` with each id. Returns ms to the next deadline, or -1. */
  expire(onExpired: (requestId: number) => void): number {
    const now = this.#options.clock();
    for (const [requestId, assembly] of this.#assemblies) {
      if (assembly.deadline > now) return assembly.deadline - now;
      this.forget(requestId);
      onExpired(requestId);
    }
    return -1;
  }

  #drop(): ReassemblyOutcome {
    this.droppedDatagrams++;
    return ReassemblyOutcome.dropped;
  }

  #abandon(requestId: number): ReassemblyOutcome {
    this.completedId = requestId;
    this.forget(requestId);
    return ReassemblyOutcome.abandoned;
  }
}

function join(assembly: Assembly): Uint8Array {
  const joined = new Uint8Array(assembly.bytes);
  let at = 0;
  for (let sequence = 0; sequence < assembly.total; sequence++) {
    const payload = assembly.payloads[sequence];
    if (payload === undefined) continue;
    joined.set(payload, at);
    at += payload.length;
  }
  return joined;
}
