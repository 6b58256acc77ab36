/**
 * One connection to a server: requests go out as they come, replies come back in the same order.
 *
 * ```
 *   send(request) ─┬─ get, gets, lease-get ─▶ one more key of the line that was begun this turn ─┐
 *   forward(bytes) ┴─ everything else ──────▶ its own line ──────────────────────────────────────┴─▶ link
 *                          PendingQueue: one entry per key or request, oldest first
 *   reply ◀── head of the queue ◀── ReplyReader (objects) or ReplyScanner (bytes) ◀── Carry ◀────── link
 * ```
 *
 * A request that times out is answered at once, and its entry stays, so that its reply can be recognised and
 * dropped when it comes after all. What is no reply ends the connection, and nothing else.
 */
import {
  addKey,
  beginRetrieval,
  isInPlace,
  putLineEnd,
  RETRIEVAL_KEY_BYTES_MAX,
  ReplyFault,
  ReplyItem,
  ReplyReader,
  ReplyScanner,
  ReplyShape,
  wordBytes,
} from '@larder/protocol';
import { RoutingError } from '../errors.ts';
import { GET_KEYS_MAX } from '../limits.ts';
import { Reply, Result } from '../reply.ts';
import { Operation, type Request } from '../request.ts';
import { Carry } from './carry.ts';
import type { Destination, DestinationStatistics, ForwardSink, ReplySink } from './destination.ts';
import { type DestinationOptions, Dialect, timeoutOf } from './destination-options.ts';
import type { Link, LinkHandler } from './link.ts';
import { type Pending, PendingKind, PendingQueue } from './pending.ts';
import { readError, readLease, readMappedLease, readSingle, readStubCheck, readValue } from './read-reply.ts';
import { filterStubs } from './stub-filter.ts';
import { MALFORMED_REQUEST, writeRequest, writeStubCheck } from './write-request.ts';

/** What a pipeline tells the destination that it belongs to. */
export interface PipelineOwner {
  /** What replies name as the one who answered. */
  readonly destination: Destination;
  readonly options: DestinationOptions;
  readonly dialect: Dialect;
  readonly statistics: DestinationStatistics;
  /** How long forwarded requests may take, by the shape of their replies. */
  readonly timeoutsOfShapes: readonly number[];
  /** Ticker time, and wall milliseconds for latencies. */
  tickerNow(): number;
  clockNow(): number;
  /** Something is waited for from now on. */
  watch(pipeline: Pipeline): void;
  onOpen(pipeline: Pipeline): void;
  onVersion(pipeline: Pipeline, version: string): void;
  /** A reply has come. */
  onSuccess(): void;
  /** Replies did not come in time. */
  onTimeout(pipeline: Pipeline): void;
  /** The connection is gone; with an error unless it was closed from here. `lost` requests were not answered. */
  onClosed(pipeline: Pipeline, error: Error | undefined, lost: number): void;
}

const GET = wordBytes('get');
const GETS = wordBytes('gets');
const LEASE_GET = wordBytes('lease-get');
const GAT = wordBytes('gat');
const GATS = wordBytes('gats');
const LINE_END_BYTES = 2;
const LATENCY_SMOOTHING = 0.125;

export class Pipeline implements LinkHandler {
  isOpen: boolean = false;
  readonly queue: PendingQueue = new PendingQueue();
  readonly #owner: PipelineOwner;
  #link: Link | undefined = undefined;
  readonly #reader: ReplyReader = new ReplyReader();
  readonly #scanner: ReplyScanner = new ReplyScanner();
  readonly #carry: Carry = new Carry();
  /** The line that may still get another key: its operation and its keys. -1 for none. */
  #lineOperation: number = -1;
  #lineKeys: number = 0;
  /** All keys of the line being answered have been; its END has not come. */
  #isEndAwaited: boolean = false;
  #earliestDeadline: number = Number.POSITIVE_INFINITY;
  #openDeadline: number;
  #latencySample: Pending | undefined = undefined;
  #hasFailed: boolean = false;
  /** Memory of the current input that values may point into: the input itself or a copy. */
  #stable: Buffer | undefined = undefined;
  #isInputOwned: boolean = false;
  /** Why the server says it will not talk to us, when it says so before anything was asked. */
  #greeting: string = '';

  constructor(owner: PipelineOwner) {
    this.#owner = owner;
    this.#openDeadline = owner.tickerNow() + owner.options.connectTimeoutMs;
  }

  /** Gives it its link; the connection's own requests are the first ones on it. */
  start(link: Link): void {
    this.#link = link;
    const { credentials, dialect } = this.#owner.options;
    if (credentials !== undefined) {
      const data = `${credentials.user} ${credentials.password}`;
      const bytes = Buffer.from(`set auth 0 0 ${Buffer.byteLength(data)}\r\n${data}\r\n`);
      link.write(bytes, 0, bytes.length);
      this.#push(PendingKind.authentication, this.#owner.options.connectTimeoutMs);
    }
    if (dialect === Dialect.auto) this.askVersion();
    this.#owner.watch(this);
  }

  get outstanding(): number {
    return this.queue.count;
  }

  get queuedBytes(): number {
    return this.#link?.queuedBytes ?? 0;
  }

  /** Asks for the server's version: which leases it speaks, and whether it is alive. */
  askVersion(): void {
    const bytes = wordBytes('version\r\n');
    this.#lineOperation = -1;
    this.#link?.write(bytes, 0, bytes.length);
    this.#push(PendingKind.version, this.#owner.options.timeoutMs);
  }

  /** Sends a request; the answer goes to `resolve` or to `sink`. False: malformed, nothing was sent. */
  send(
    request: Request,
    resolve: ((reply: Reply) => void) | undefined,
    sink: ReplySink | undefined,
    tag: number,
  ): boolean {
    const link = this.#link;
    if (link === undefined) return false;
    const { operation } = request;
    const owner = this.#owner;
    let kind: PendingKind;
    if (
      operation <= Operation.gats ||
      (operation === Operation.leaseGet && owner.dialect === Dialect.larder)
    ) {
      if (!this.#sendRetrieval(link, request)) return false;
      kind = operation === Operation.leaseGet ? PendingKind.lease : PendingKind.retrieval;
    } else {
      this.#lineOperation = -1;
      const written = writeRequest(link, request, owner.dialect, owner.options.keepRoutingPrefix);
      if (written === MALFORMED_REQUEST) return false;
      owner.statistics.bytesWritten += written;
      kind = PendingKind.single;
      if (operation === Operation.leaseGet) kind = PendingKind.mappedLease;
      else if (operation === Operation.stats) kind = PendingKind.statistics;
    }
    const pending = this.#push(
      kind,
      request.timeoutMs > 0 ? request.timeoutMs : timeoutOf(owner.options, operation),
    );
    pending.request = request;
    pending.resolve = resolve;
    pending.sink = sink;
    pending.tag = tag;
    return true;
  }

  /** Sends bytes that ask for one reply of that shape. */
  forward(
    bytes: Buffer,
    start: number,
    end: number,
    shape: ReplyShape,
    sink: ForwardSink,
    tag: number,
    timeoutMs: number,
  ): void {
    this.#lineOperation = -1;
    this.#link?.write(bytes, start, end);
    this.#owner.statistics.bytesWritten += end - start;
    const pending = this.#push(
      PendingKind.forward,
      timeoutMs > 0 ? timeoutMs : this.#owner.timeoutsOfShapes[shape]!,
    );
    pending.shape = shape;
    pending.forwardSink = sink;
    pending.tag = tag;
  }

  /** Fails what is over. False when nothing is waited for. */
  expire(now: number): boolean {
    if (this.#link === undefined) return false;
    if (!this.isOpen && now >= this.#openDeadline) {
      this.fail(
        new RoutingError('ETIMEDOUT', 'the connection was not established in time'),
        Result.connectTimeout,
      );
      return false;
    }
    if (now >= this.#earliestDeadline && !this.#expireRequests(now)) return false;
    return this.queue.count > 0 || !this.isOpen;
  }

  /** Ends the connection; what waits is answered with `result`. */
  fail(error: Error, result: Result): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const lost = this.queue.count;
    this.#end(result, error.message);
    this.#owner.onClosed(this, error, lost);
  }

  /** Ends the connection from here: it has done its duty. */
  close(result: Result): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#end(result, '');
    this.#owner.onClosed(this, undefined, 0);
  }

  onOpen(): void {
    if (this.#hasFailed) return;
    this.isOpen = true;
    this.#owner.onOpen(this);
  }

  onDrain(): void {}

  onClose(error: Error | undefined): void {
    this.#link = undefined;
    const result = this.isOpen ? Result.aborted : Result.connectError;
    const text = this.#greeting === '' ? 'the server closed the connection' : this.#greeting;
    this.fail(error ?? new RoutingError('ECONNRESET', text), result);
  }

  onData(bytes: Buffer, start: number, end: number, isOwned: boolean): void {
    if (this.#link === undefined) return;
    this.#owner.statistics.bytesRead += end - start;
    const carry = this.#carry;
    let at = start;
    while (carry.bytes > 0 && at < end) {
      at += carry.take(bytes, at, end);
      if (carry.bytes < carry.needed) return;
      const consumed = this.#parse(carry.buffer, 0, carry.bytes, true);
      if (consumed < 0) return;
      const keepBuffer = this.#stable === undefined;
      const needed = this.#needed;
      carry.drop(consumed, keepBuffer);
      carry.needed = carry.bytes > 0 ? needed : 0;
    }
    if (at === end) return;
    const consumed = this.#parse(bytes, at, end, isOwned);
    if (consumed < 0 || at + consumed === end) return;
    at += consumed;
    // All that is left belongs to one reply: it is taken whole, whatever that reply needs.
    carry.needed = end - at;
    carry.take(bytes, at, end);
    carry.needed = this.#needed;
  }

  /** What the reply that `#parse` stopped at needs in all; 0 when that is not known. */
  #needed: number = 0;

  /** Answers what is answered by [start, end). Returns the bytes consumed, or -1 when the connection has ended. */
  #parse(bytes: Buffer, start: number, end: number, isOwned: boolean): number {
    this.#stable = undefined;
    this.#isInputOwned = isOwned;
    let at = start;
    while (at < end) {
      const head = this.queue.head;
      let consumed: number;
      if (head !== undefined && head.kind === PendingKind.forward && !this.#isEndAwaited) {
        consumed = this.#passOn(head, bytes, at, end);
      } else {
        consumed = this.#reader.read(bytes, at, end);
        if (consumed === 0) this.#needed = this.#reader.needed;
        else if (consumed < 0) this.#malformed(this.#reader.fault, bytes, at, end);
        else if (!this.#answer(head, bytes, start, end))
          this.#malformed(ReplyFault.outOfPlace, bytes, at, end);
      }
      if (this.#link === undefined) return -1;
      if (consumed === 0) break;
      at += consumed;
    }
    return at - start;
  }

  /** The head's reply as bytes. */
  #passOn(head: Pending, bytes: Buffer, at: number, end: number): number {
    const scanner = this.#scanner;
    const consumed = scanner.scan(bytes, at, end, head.shape);
    if (consumed === 0) this.#needed = scanner.needed;
    else if (consumed < 0) this.#malformed(scanner.fault, bytes, at, end);
    else {
      const pending = this.#shift();
      const sink = pending.isDone ? undefined : pending.forwardSink;
      const { tag } = pending;
      this.queue.recycle(pending);
      if (scanner.hasEmptyValue && this.#owner.dialect !== Dialect.larder && sink !== undefined) {
        filterStubs(bytes, at, at + consumed, sink, tag, (request, resolve) =>
          this.#askStub(request, resolve),
        );
      } else sink?.onBytes(tag, bytes, at, at + consumed);
    }
    return consumed;
  }

  /** Gives the item that was read to whom it belongs; false when it belongs to nobody. */
  #answer(head: Pending | undefined, bytes: Buffer, start: number, end: number): boolean {
    const reader = this.#reader;
    const { kind } = reader;
    if (this.#isEndAwaited) {
      // A server that runs out of memory half way through a line ends it with an error.
      this.#isEndAwaited = false;
      return kind === ReplyItem.end || isErrorItem(kind);
    }
    if (head === undefined) return this.#greet(bytes);
    switch (head.kind) {
      case PendingKind.retrieval:
      case PendingKind.lease:
        return this.#answerLine(head, bytes, start, end);
      case PendingKind.mappedLease:
        if (!isInPlace(ReplyShape.meta, kind)) return false;
        this.#complete(this.#shift(), readMappedLease(reader, this.#keep(bytes, start, end)));
        return true;
      case PendingKind.stubCheck: {
        if (!isInPlace(ReplyShape.meta, kind)) return false;
        const withCas = head.request?.operation === Operation.gets;
        this.#complete(this.#shift(), readStubCheck(reader, this.#keep(bytes, start, end), withCas));
        return true;
      }
      case PendingKind.statistics:
        return this.#answerStatistics(head, bytes);
      case PendingKind.version:
      case PendingKind.authentication:
        return this.#answerOwn(head, bytes);
      default:
        return this.#answerSingle(head, bytes, start, end);
    }
  }

  #answerSingle(head: Pending, bytes: Buffer, start: number, end: number): boolean {
    const reader = this.#reader;
    const request = head.request!;
    const isMetaReply = reader.kind >= ReplyItem.metaValue;
    const isMetaRequest =
      request.operation >= Operation.metaGet && request.operation <= Operation.metaArithmetic;
    if (!isInPlace(isMetaReply ? ReplyShape.meta : ReplyShape.line, reader.kind)) return false;
    if (isMetaRequest && !isMetaReply && !isErrorItem(reader.kind)) return false;
    // Leases and deletes may have been sent as meta commands.
    if (
      isMetaReply &&
      !isMetaRequest &&
      request.operation !== Operation.leaseSet &&
      request.operation !== Operation.delete
    ) {
      return false;
    }
    const hasValue = reader.kind === ReplyItem.metaValue;
    const memory = hasValue ? this.#keep(bytes, start, end) : bytes;
    this.#complete(this.#shift(), readSingle(reader, memory, request));
    return true;
  }

  /** One item of the reply to a line of keys. */
  #answerLine(head: Pending, bytes: Buffer, start: number, end: number): boolean {
    const reader = this.#reader;
    const { kind } = reader;
    const isLease = head.kind === PendingKind.lease;
    if (kind === ReplyItem.end || isErrorItem(kind)) {
      this.#endLine(kind === ReplyItem.end ? undefined : readError(reader, bytes));
      return true;
    }
    if (
      isLease &&
      (kind === ReplyItem.leaseValue || kind === ReplyItem.leaseHot || kind === ReplyItem.value)
    ) {
      // Every key is answered, in order.
      if (kind !== ReplyItem.leaseHot && !this.#isKeyOf(head, bytes)) return false;
      this.#isEndAwaited = head.isLast;
      this.#complete(this.#shift(), readLease(reader, this.#keep(bytes, start, end)));
      return true;
    }
    if (kind !== ReplyItem.value) return false;
    const pending = this.#isKeyOf(head, bytes) ? head : this.#findInLine(bytes);
    if (pending === undefined) return false;
    this.#isEndAwaited = pending.isLast;
    this.#shift();
    const isEmpty = reader.valueEnd === reader.valueStart;
    if (isEmpty && reader.flags === 0 && this.#owner.dialect === Dialect.memcached && !pending.isDone) {
      this.#checkStub(pending);
      return true;
    }
    this.#complete(pending, readValue(reader, this.#keep(bytes, start, end)));
    return true;
  }

  /**
   * The key of the line that was read, brought to the head; undefined when the line has no such key. Servers answer
   * in the order of the line, leaving out what they do not have; proxies in the order in which they hear from
   * theirs. So what is missing is known at END.
   */
  #findInLine(bytes: Buffer): Pending | undefined {
    const { queue } = this;
    for (let index = 0; !queue.at(index).isLast; ) {
      index++;
      if (!this.#isKeyOf(queue.at(index), bytes)) continue;
      queue.bringToHead(index);
      return queue.head;
    }
    return undefined;
  }

  /** The reply to a line is over: the keys that were not answered are missing, or share the error. */
  #endLine(error: Reply | undefined): void {
    for (let isLast = false; !isLast; ) {
      const pending = this.#shift();
      isLast = pending.isLast;
      this.#complete(pending, error ?? new Reply(Result.miss));
    }
  }

  /** Asks whether an empty value is the stub of a lease; the answer is the one to the get. */
  #checkStub(pending: Pending): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#lineOperation = -1;
    writeStubCheck(link, pending.request!, this.#owner.options.keepRoutingPrefix);
    pending.kind = PendingKind.stubCheck;
    pending.isLast = true;
    this.queue.push(pending);
    this.#owner.statistics.outstanding++;
    this.#owner.watch(this);
  }

  /** The same for a value that was passed on. */
  #askStub(request: Request, resolve: (reply: Reply) => void): void {
    const link = this.#link;
    if (link === undefined) {
      resolve(Reply.of(Result.aborted));
      return;
    }
    this.#lineOperation = -1;
    // The key is as the server sent it, so that a prefix is in it already.
    writeStubCheck(link, request, false);
    const pending = this.#push(PendingKind.stubCheck, timeoutOf(this.#owner.options, Operation.get));
    pending.request = request;
    pending.resolve = resolve;
  }

  #answerStatistics(head: Pending, bytes: Buffer): boolean {
    const reader = this.#reader;
    if (!isInPlace(ReplyShape.statistics, reader.kind)) return false;
    if (reader.kind === ReplyItem.statistic) {
      const line = bytes.toString('latin1', reader.textStart, reader.textEnd);
      this.#statistics += `${line}\n`;
      return true;
    }
    const text = this.#statistics;
    this.#statistics = '';
    const isError = isErrorItem(reader.kind);
    this.#shift();
    this.#complete(head, isError ? readError(reader, bytes) : Reply.of(Result.ok, text));
    return true;
  }

  #statistics: string = '';

  #answerOwn(head: Pending, bytes: Buffer): boolean {
    const reader = this.#reader;
    const isVersion = head.kind === PendingKind.version;
    this.queue.recycle(this.#shift());
    const text = bytes.toString('latin1', reader.textStart, reader.textEnd);
    if (isVersion && reader.kind === ReplyItem.version) {
      this.#owner.onSuccess();
      this.#owner.onVersion(this, text);
      return true;
    }
    if (!isVersion && reader.kind === ReplyItem.stored) return true;
    if (!isErrorItem(reader.kind)) return false;
    const asked = isVersion ? 'version' : 'authentication';
    this.fail(new RoutingError('PROTOCOL', `the server answered ${asked} with "${text}"`), Result.aborted);
    return true;
  }

  /** Something that nobody asked for: only an error before the server closes makes sense. */
  #greet(bytes: Buffer): boolean {
    if (!isErrorItem(this.#reader.kind)) return false;
    this.#greeting = bytes.toString('latin1', this.#reader.textStart, this.#reader.textEnd);
    return true;
  }

  #isKeyOf(pending: Pending, bytes: Buffer): boolean {
    const request = pending.request!;
    const start = this.#owner.options.keepRoutingPrefix ? request.prefixStart : request.keyStart;
    const source = request.keySource;
    const { keyStart } = this.#reader;
    const length = this.#reader.keyEnd - keyStart;
    if (length !== request.keyEnd - start) return false;
    // Keys of a family begin alike: differences are found sooner from the end.
    for (let index = length - 1; index >= 0; index--) {
      if (source[start + index] !== bytes[keyStart + index]) return false;
    }
    return true;
  }

  #sendRetrieval(link: Link, request: Request): boolean {
    const { operation, keySource, keyEnd } = request;
    const start = this.#owner.options.keepRoutingPrefix ? request.prefixStart : request.keyStart;
    const room = RETRIEVAL_KEY_BYTES_MAX + 32;
    let at = -1;
    let isMore = false;
    // gat is not joined: its keys would have to share the time.
    const { tail } = this.queue;
    // A server may have answered what has not been sent: then there is no line to go on with.
    const isJoining =
      operation === this.#lineOperation && this.#lineKeys < GET_KEYS_MAX && tail !== undefined;
    if (isJoining && link.retract(LINE_END_BYTES)) {
      isMore = true;
      at = link.reserve(room);
    } else {
      at = link.reserve(room);
    }
    // A link that is closing: its end will answer this request too.
    if (at < 0) return true;
    const target = link.output;
    let next = at;
    if (!isMore) {
      const isTouching = operation === Operation.gat || operation === Operation.gats;
      next = beginRetrieval(target, at, WORDS[operation]!, isTouching ? request.exptime : undefined);
    }
    next = addKey(target, next, keySource, start, keyEnd);
    if (next < 0) {
      // The line that was taken back has to end all the same.
      if (isMore) link.commit(putLineEnd(target, at) - at);
      return false;
    }
    const bytes = putLineEnd(target, next) - at;
    link.commit(bytes);
    this.#owner.statistics.bytesWritten += isMore ? bytes - LINE_END_BYTES : bytes;
    if (isMore) {
      this.#lineKeys++;
      tail!.isLast = false;
    } else {
      this.#lineOperation = operation === Operation.gat || operation === Operation.gats ? -1 : operation;
      this.#lineKeys = 1;
    }
    return true;
  }

  #push(kind: PendingKind, timeoutMs: number): Pending {
    const owner = this.#owner;
    const pending = this.queue.make();
    pending.kind = kind;
    const deadline = owner.tickerNow() + timeoutMs;
    pending.deadline = deadline;
    if (deadline < this.#earliestDeadline) this.#earliestDeadline = deadline;
    if (this.#latencySample === undefined) {
      this.#latencySample = pending;
      pending.sentAt = owner.clockNow();
    }
    if (this.queue.count === 0) owner.watch(this);
    this.queue.push(pending);
    owner.statistics.outstanding++;
    return pending;
  }

  #shift(): Pending {
    const pending = this.queue.shift();
    const { statistics } = this.#owner;
    statistics.outstanding--;
    if (pending === this.#latencySample) {
      this.#latencySample = undefined;
      const took = this.#owner.clockNow() - pending.sentAt;
      const share = statistics.latencyMs === 0 ? 1 : LATENCY_SMOOTHING;
      statistics.latencyMs += (took - statistics.latencyMs) * share;
    }
    if (!pending.isDone) this.#owner.onSuccess();
    return pending;
  }

  #complete(pending: Pending, reply: Reply): void {
    const { resolve, sink, tag, isDone } = pending;
    this.queue.recycle(pending);
    if (isDone) return;
    const { destination } = this.#owner;
    reply.destination = destination;
    reply.life = destination.life;
    if (resolve !== undefined) resolve(reply);
    else sink?.onReply(tag, reply);
  }

  /** The current input in memory that stays; the reader's offsets are into that then. */
  #keep(bytes: Buffer, start: number, end: number): Buffer {
    if (this.#isInputOwned) {
      this.#stable = bytes;
      return bytes;
    }
    // One copy serves all values that arrived together.
    if (this.#stable === undefined) {
      this.#stable = Buffer.allocUnsafeSlow(end - start);
      bytes.copy(this.#stable, 0, start, end);
    }
    if (start !== 0) this.#reader.move(-start);
    return this.#stable;
  }

  /** Answers the requests whose time is over; returns false when the connection has ended meanwhile. */
  #expireRequests(now: number): boolean {
    let earliest = Number.POSITIVE_INFINITY;
    const expired: Pending[] = [];
    for (let index = 0; index < this.queue.count; index++) {
      const pending = this.queue.at(index);
      if (pending.isDone) continue;
      if (pending.deadline > now) {
        if (pending.deadline < earliest) earliest = pending.deadline;
        continue;
      }
      pending.isDone = true;
      expired.push(pending);
    }
    this.#earliestDeadline = earliest;
    this.#owner.statistics.timeouts += expired.length;
    this.#owner.statistics.failures += expired.length;
    for (const pending of expired) {
      const { resolve, sink, forwardSink, tag } = pending;
      pending.resolve = undefined;
      pending.sink = undefined;
      pending.forwardSink = undefined;
      if (forwardSink !== undefined) forwardSink.onFailure(tag, Result.timeout);
      else answer(resolve, sink, tag, Reply.of(Result.timeout, 'no reply in time', this.#owner.destination));
      this.#owner.onTimeout(this);
    }
    return this.#link !== undefined;
  }

  #malformed(fault: ReplyFault, bytes: Buffer, at: number, end: number): void {
    this.#owner.statistics.malformed++;
    const sample = JSON.stringify(bytes.toString('latin1', at, Math.min(end, at + 40)));
    this.fail(new RoutingError('PROTOCOL', `the server sent ${fault}: ${sample}`), Result.aborted);
  }

  #end(result: Result, reason: string): void {
    const link = this.#link;
    this.#link = undefined;
    link?.close();
    const { statistics } = this.#owner;
    const text = `${RESULT_TEXTS[result] ?? 'failed'}${reason === '' ? '' : `: ${reason}`}`;
    while (this.queue.count > 0) {
      const { resolve, sink, forwardSink, tag, isDone, kind } = this.queue.shift();
      statistics.outstanding--;
      if (isDone || kind >= PendingKind.version) continue;
      statistics.failures++;
      if (forwardSink !== undefined) forwardSink.onFailure(tag, result);
      else answer(resolve, sink, tag, Reply.of(result, text, this.#owner.destination));
    }
  }
}

const WORDS: readonly (Buffer | undefined)[] = [GET, GETS, GAT, GATS, LEASE_GET];
const RESULT_TEXTS: { readonly [result: number]: string } = {
  [Result.aborted]: 'the connection ended',
  [Result.connectError]: 'could not connect',
  [Result.connectTimeout]: 'could not connect in time',
  [Result.tko]: 'the server is given up for now',
  [Result.shutdown]: 'shut down',
};

function answer(
  resolve: ((reply: Reply) => void) | undefined,
  sink: ReplySink | undefined,
  tag: number,
  reply: Reply,
): void {
  if (resolve !== undefined) resolve(reply);
  else sink?.onReply(tag, reply);
}

function isErrorItem(kind: ReplyItem): boolean {
  return kind === ReplyItem.error || kind === ReplyItem.clientError || kind === ReplyItem.serverError;
}
