/**
 * Reads the whole reply to a multiget, `VALUE <key> <flags> <bytes>\r\n<data>\r\n … END\r\n`, against the keys
 * that were asked for. Servers answer in the order of the request and leave out what is missing, so that the next
 * key is mostly the right one: no map, no string per key. Routers may answer in another order, which costs a search.
 */
import type { PendingGet } from './pending-get.ts';

const SPACE = 0x20;
const NEWLINE = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;
/** `VALUE ` */
const VALUE_WORD_BYTES = 6;
const LETTER_V = 0x56;
const LETTER_E = 0x45;
const LETTER_N = 0x4e;

export interface ValuesSink {
  /** The value of `get` is [start, end) of the reply. */
  onHit(get: PendingGet, reply: Buffer, start: number, end: number, flags: number): void;
  onMiss(get: PendingGet): void;
  /** There is no answer for this key; `message` is what the server said instead, or '' for nonsense. */
  onBroken(get: PendingGet, message: string): void;
}

export class ReplyValues {
  /** Of the number that was read last. */
  #next: number = 0;

  /** `request` holds the keys at `get.start`, each followed by a space or the line's end. */
  read(
    gets: readonly PendingGet[],
    request: Buffer,
    reply: Buffer,
    start: number,
    end: number,
    sink: ValuesSink,
  ): void {
    let index = 0;
    let at = start;
    while (at < end) {
      if (reply[at] !== LETTER_V) {
        finish(gets, reply, at, end, sink);
        return;
      }
      const keyAt = at + VALUE_WORD_BYTES;
      const found = findKey(gets, index, request, reply, keyAt);
      if (found < 0) break;
      const get = gets[found]!;
      const flags = this.#number(reply, keyAt + get.wireKey.length + 1);
      const bytes = this.#number(reply, this.#next + 1);
      if (flags < 0 || bytes < 0) break;
      let dataAt = this.#next;
      while (dataAt < end && reply[dataAt] !== NEWLINE) dataAt++;
      dataAt += 1;
      if (dataAt + bytes + 2 > end) break;
      index = found + 1;
      get.isAnswered = true;
      sink.onHit(get, reply, dataAt, dataAt + bytes, flags);
      at = dataAt + bytes + 2;
    }
    for (const get of gets) if (!get.isAnswered) sink.onBroken(get, '');
  }

  /** Decimal digits; where they end is `#next`. -1 when there are none. */
  #number(bytes: Buffer, at: number): number {
    let value = 0;
    let next = at;
    let digit = bytes[next]!;
    if (!(digit >= ZERO && digit <= NINE)) return -1;
    while (digit >= ZERO && digit <= NINE) {
      value = value * 10 + (digit - ZERO);
      digit = bytes[++next]!;
    }
    this.#next = next;
    return value;
  }
}

/** Which unanswered get the key at `keyAt` belongs to: looked for from `index` on, then from the start; or -1. */
function findKey(
  gets: readonly PendingGet[],
  index: number,
  request: Buffer,
  reply: Buffer,
  keyAt: number,
): number {
  const count = gets.length;
  for (let step = 0, at = index; step < count; step++, at++) {
    if (at >= count) at = 0;
    const get = gets[at]!;
    if (!get.isAnswered && isKey(get, request, reply, keyAt)) return at;
  }
  return -1;
}

/** `END`, which makes misses of what is left, or an error line. */
function finish(gets: readonly PendingGet[], reply: Buffer, at: number, end: number, sink: ValuesSink): void {
  const isEnd = reply[at] === LETTER_E && reply[at + 1] === LETTER_N;
  const message = isEnd ? '' : reply.toString('utf8', at, end).trim();
  for (const get of gets) {
    if (get.isAnswered) continue;
    if (isEnd) sink.onMiss(get);
    else sink.onBroken(get, message);
  }
}

function isKey(get: PendingGet, request: Buffer, reply: Buffer, keyAt: number): boolean {
  const length = get.wireKey.length;
  if (reply[keyAt + length] !== SPACE) return false;
  const start = get.start;
  // From behind: keys of one family differ in their last bytes.
  for (let index = length - 1; index >= 0; index--) {
    if (reply[keyAt + index] !== request[start + index]) return false;
  }
  return true;
}
