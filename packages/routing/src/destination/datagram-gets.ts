/**
 * Gets of objects over UDP: those of one turn share datagrams, as they share lines on a connection.
 *
 * ```
 *   gets of one turn ─▶ get a b c ─▶ DatagramExchange ─▶ VALUE a … VALUE c … END ─▶ a reply for each
 * ```
 */
import { addKey, putLineEnd, RETRIEVAL_KEY_BYTES_MAX, ReplyItem, ReplyReader } from '@larder/protocol';
import { UDP_KEYS_MAX, UDP_LINE_BYTES_MAX } from '../limits.ts';
import { Reply, Result } from '../reply.ts';
import { Operation, type Request } from '../request.ts';
import type { DatagramExchange } from './datagram-exchange.ts';
import type { Destination, ForwardSink, ReplySink } from './destination.ts';
import { readError, readValue } from './read-reply.ts';

/** A get and who waits for it. */
export interface DatagramGet {
  readonly request: Request;
  readonly resolve: ((reply: Reply) => void) | undefined;
  readonly sink: ReplySink | undefined;
  readonly tag: number;
}

const WORDS: readonly string[] = ['get', 'gets'];
/** What a line has beside its keys. */
const REST_BYTES_MAX = 6;
const TEXTS: { readonly [result: number]: string } = {
  [Result.timeout]: 'a datagram was lost',
  [Result.aborted]: 'datagrams were lost, out of order, or no reply',
};

export class DatagramGets {
  readonly #exchange: DatagramExchange;
  readonly #destination: Destination;
  readonly #sendByStream: (get: DatagramGet) => void;
  readonly #line: Buffer = Buffer.allocUnsafe(UDP_LINE_BYTES_MAX);
  #waiting: DatagramGet[] = [];
  #waitingBytes: number = 0;

  constructor(
    exchange: DatagramExchange,
    destination: Destination,
    sendByStream: (get: DatagramGet) => void,
  ) {
    this.#exchange = exchange;
    this.#destination = destination;
    this.#sendByStream = sendByStream;
  }

  /** Whether the request should be sent here just now. */
  accepts(request: Request): boolean {
    const { operation } = request;
    return (operation === Operation.get || operation === Operation.gets) && this.#exchange.isOpen;
  }

  send(get: DatagramGet): void {
    const { request } = get;
    const bytes = Math.min(RETRIEVAL_KEY_BYTES_MAX, request.keyEnd - request.prefixStart) + 1;
    const isFull =
      this.#waiting.length >= UDP_KEYS_MAX ||
      REST_BYTES_MAX + this.#waitingBytes + bytes > UDP_LINE_BYTES_MAX;
    const isOther = this.#waiting[0]?.request.operation !== request.operation;
    if (this.#waiting.length > 0 && (isFull || isOther)) this.#flush();
    if (this.#waiting.length === 0) setImmediate(() => this.#flush());
    this.#waiting.push(get);
    this.#waitingBytes += bytes;
  }

  close(result: Result): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const get of waiting) this.#deliver(get, Reply.of(result, 'closed'));
  }

  #flush(): void {
    const gets = this.#waiting;
    if (gets.length === 0) return;
    this.#waiting = [];
    this.#waitingBytes = 0;
    const line = this.#line;
    let at = line.write(WORDS[gets[0]!.request.operation]!, 0, 'latin1');
    const asked: DatagramGet[] = [];
    for (const get of gets) {
      const { request } = get;
      const next = addKey(line, at, request.keySource, this.#keyStart(request), request.keyEnd);
      if (next < 0) this.#deliver(get, Reply.of(Result.clientError, 'the key cannot be sent'));
      else {
        at = next;
        asked.push(get);
      }
    }
    if (asked.length === 0) return;
    const sink: ForwardSink = {
      onBytes: (_tag, bytes, start, end) => this.#answer(asked, bytes, start, end),
      onFailure: (_tag, result) => {
        for (const get of asked) this.#deliver(get, Reply.of(result, TEXTS[result]));
      },
    };
    if (this.#exchange.send(line, 0, putLineEnd(line, at), asked.length, sink, 0)) return;
    for (const get of asked) this.#sendByStream(get);
  }

  /** Reads a whole reply, of which the bytes may be used again: what it has of values is kept in a copy. */
  #answer(gets: readonly DatagramGet[], source: Buffer, start: number, end: number): void {
    const bytes = Buffer.from(source.subarray(start, end));
    const reader = new ReplyReader();
    const open: (DatagramGet | undefined)[] = [...gets];
    let rest = Reply.of(Result.aborted, TEXTS[Result.aborted]);
    let index = 0;
    for (let at = 0; at < bytes.length; ) {
      const consumed = reader.read(bytes, at, bytes.length);
      if (consumed <= 0) break;
      at += consumed;
      if (reader.kind !== ReplyItem.value) {
        rest = reader.kind === ReplyItem.end ? new Reply(Result.miss) : readError(reader, bytes);
        break;
      }
      index = this.#find(open, index, reader, bytes);
      if (index < 0) break;
      const get = open[index]!;
      open[index] = undefined;
      this.#deliver(get, readValue(reader, bytes));
    }
    for (const get of open) {
      if (get !== undefined) this.#deliver(get, rest.as(rest.result));
    }
  }

  /** Whose key this is: servers answer in the order of the line, so that the next one is mostly right. */
  #find(
    gets: readonly (DatagramGet | undefined)[],
    from: number,
    reader: ReplyReader,
    bytes: Buffer,
  ): number {
    const { keyStart, keyEnd } = reader;
    for (let step = 0; step < gets.length; step++) {
      const index = (from + step) % gets.length;
      const request = gets[index]?.request;
      if (request === undefined) continue;
      const start = this.#keyStart(request);
      const isSameLength = request.keyEnd - start === keyEnd - keyStart;
      if (isSameLength && bytes.compare(request.keySource, start, request.keyEnd, keyStart, keyEnd) === 0) {
        return index;
      }
    }
    return -1;
  }

  #deliver({ resolve, sink, tag }: DatagramGet, reply: Reply): void {
    reply.destination = this.#destination;
    if (resolve !== undefined) resolve(reply);
    else sink?.onReply(tag, reply);
  }

  #keyStart(request: Request): number {
    return this.#destination.options.keepRoutingPrefix ? request.prefixStart : request.keyStart;
  }
}
