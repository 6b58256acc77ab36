/**
 * The raw path: a request's bytes go to its destination, the reply's bytes come back to the client, and no object
 * is made on the way. A tag, which is a slot of this table, says whose reply it is.
 *
 * ```
 *   client ──request bytes──▶ destination.forward(…, tag)            tag ─▶ [client][sequence][mode][destination]
 *          ◀─reply bytes, in the client's order── onBytes(tag, …)
 * ```
 */
import type { Arena } from '@larder/datapath';
import type { ReplyShape } from '@larder/protocol';
import type { Destination, ForwardSink, Result } from '@larder/routing';
import type { Client } from './client.ts';
import { failureLine, isFailedRetrievalMissed } from './failure-line.ts';

/** What of a reply the client gets. */
export const ReplyMode: {
  /** All of it. */
  readonly whole: 0;
  /** The values only: other servers answer the rest of the get. */
  readonly part: 1;
  /** Nothing when it begins with EN, as mg with q. */
  readonly quietMiss: 2;
  /** Nothing when it begins with HD, as ms and md with q. */
  readonly quietDone: 3;
  /** Nothing when it begins with HD or VA, as ma with q. */
  readonly quietNumber: 4;
  /** All of it; a failure is a miss where the router is told so. */
  readonly values: 5;
} = { whole: 0, part: 1, quietMiss: 2, quietDone: 3, quietNumber: 4, values: 5 };
export type ReplyMode = (typeof ReplyMode)[keyof typeof ReplyMode];

const SLOTS_FIRST = 1024;
const END_BYTES = 5;
const LETTER_A = 65;
const LETTER_D = 68;
const LETTER_E = 69;
const LETTER_H = 72;
const LETTER_N = 78;
const LETTER_V = 86;

/** What the forwarder counts and is told. */
export interface ForwarderOptions {
  /** A get that failed is answered as a miss, as mcrouter does by default. */
  readonly missOnGetErrors: boolean;
  /** A request failed; for counters. */
  readonly onFailed: (result: Result) => void;
}

export class Forwarder implements ForwardSink {
  readonly #node: Buffer;
  readonly #options: ForwarderOptions;
  #clients: (Client | undefined)[] = new Array<Client | undefined>(SLOTS_FIRST).fill(undefined);
  #destinations: (Destination | undefined)[] = new Array<Destination | undefined>(SLOTS_FIRST).fill(
    undefined,
  );
  #sequences: Int32Array = new Int32Array(SLOTS_FIRST);
  #modes: Uint8Array = new Uint8Array(SLOTS_FIRST);
  /** A stack of slots that are not in use. */
  #free: Int32Array = Int32Array.from({ length: SLOTS_FIRST }, (_, index) => index);
  #freeCount: number = SLOTS_FIRST;

  constructor(arena: Arena, options: ForwarderOptions) {
    this.#node = arena.node;
    this.#options = options;
  }

  /** Forwarded requests that are not answered yet. */
  get outstanding(): number {
    return this.#modes.length - this.#freeCount;
  }

  /** Sends one complete request; the client's request `sequence` gets one reply, be it a failure. */
  forward(
    destination: Destination,
    bytes: Buffer,
    start: number,
    end: number,
    shape: ReplyShape,
    client: Client,
    sequence: number,
    mode: ReplyMode,
  ): void {
    if (this.#freeCount === 0) this.#grow();
    const tag = this.#free[--this.#freeCount]!;
    this.#clients[tag] = client;
    this.#destinations[tag] = destination;
    this.#sequences[tag] = sequence;
    this.#modes[tag] = mode;
    const refusal = destination.forward(bytes, start, end, shape, this, tag);
    if (refusal !== undefined) this.onFailure(tag, refusal);
  }

  onBytes(tag: number, bytes: Buffer, start: number, end: number): void {
    const client = this.#clients[tag]!;
    const sequence = this.#sequences[tag]!;
    const mode = this.#modes[tag]!;
    this.#free[this.#freeCount++] = tag;
    if (mode === ReplyMode.whole || mode === ReplyMode.values)
      this.#give(client, sequence, bytes, start, end);
    else if (mode === ReplyMode.part) {
      this.#part(client, sequence, bytes, start, end);
      return;
    } else if (!isHidden(bytes, start, mode)) this.#give(client, sequence, bytes, start, end);
    client.finish(sequence);
  }

  onFailure(tag: number, result: Result): void {
    const client = this.#clients[tag]!;
    const sequence = this.#sequences[tag]!;
    const mode = this.#modes[tag]!;
    const destination = this.#destinations[tag]!;
    this.#free[this.#freeCount++] = tag;
    this.#options.onFailed(result);
    if (mode === ReplyMode.part || mode === ReplyMode.values) {
      if (this.#options.missOnGetErrors && isFailedRetrievalMissed(result)) {
        if (mode === ReplyMode.part) client.finish(sequence);
        else client.reply(sequence, 'END\r\n');
        return;
      }
    }
    client.fail(sequence, failureLine(result, destination));
  }

  /** Values without their END; an error line takes the place of END for the whole get. */
  #part(client: Client, sequence: number, bytes: Buffer, start: number, end: number): void {
    const first = bytes[start]!;
    if (first === LETTER_V) this.#give(client, sequence, bytes, start, end - END_BYTES);
    else if (first !== LETTER_E || bytes[start + 1] !== LETTER_N) {
      client.fail(sequence, bytes.toString('latin1', start, end - 2));
      return;
    }
    client.finish(sequence);
  }

  #give(client: Client, sequence: number, bytes: Buffer, start: number, end: number): void {
    if (bytes === this.#node) client.write(sequence, start, end - start);
    else client.writeOutside(sequence, bytes.subarray(start, end));
  }

  #grow(): void {
    const before = this.#modes.length;
    const after = before * 2;
    const sequences = new Int32Array(after);
    sequences.set(this.#sequences);
    const modes = new Uint8Array(after);
    modes.set(this.#modes);
    this.#sequences = sequences;
    this.#modes = modes;
    this.#free = new Int32Array(after);
    for (let slot = before; slot < after; slot++) {
      this.#clients.push(undefined);
      this.#destinations.push(undefined);
      this.#free[this.#freeCount++] = slot;
    }
  }
}

/** Whether a quiet request's reply is one that is not sent. */
function isHidden(bytes: Buffer, start: number, mode: number): boolean {
  const first = bytes[start]!;
  const second = bytes[start + 1]!;
  if (mode === ReplyMode.quietMiss) return first === LETTER_E && second === LETTER_N;
  if (first === LETTER_H && second === LETTER_D) return true;
  return mode === ReplyMode.quietNumber && first === LETTER_V && second === LETTER_A;
}
