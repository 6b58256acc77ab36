/**
 * Requests with a data block: set, add, replace, append, prepend, cas, lease-set and ms.
 *
 * A block that has arrived with its line is forwarded with it from where it lies. A block that is still arriving
 * waits in the transport's buffer; a long one is collected in a buffer of its own, behind a copy of its line.
 * `noreply` is taken off the line and the reply dropped here, so that errors cannot come when nobody expects them;
 * so is the `q` of a meta set.
 */
import {
  Command,
  LeaseSetRequest,
  MetaSetRequest,
  ReplyShape,
  RequestStatus,
  STATUS_TEXTS,
  StoreRequest,
} from '@larder/protocol';
import { type Destination, Dialect, Operation, Request } from '@larder/routing';
import { PENDING_SILENT, PENDING_WRITE } from '../forwarding/client.ts';
import { ReplyMode } from '../forwarding/forwarder.ts';
import type { WireKey } from '../general/compose-reply.ts';
import { CARRIED_BYTES_MAX, COLLECTED_BYTES_FIRST } from '../limits.ts';
import { CMD_LEASE, CMD_META, CMD_SET, FORWARDED } from '../statistics/counters.ts';
import type { ClientSession } from './client-session.ts';
import { SCRATCH_BYTES, type SessionContext } from './context.ts';
import { decodeMetaKey, wireKeyOf, withoutFlag } from './meta-line.ts';

const TERMINATOR_BYTES = 2;
const CR = 13;
const LF = 10;
const TOO_LARGE = 'SERVER_ERROR object too large for cache';
const BAD_DATA = 'CLIENT_ERROR bad data chunk';
const NOT_IN_DATAGRAM = 'SERVER_ERROR a request must fit its datagram';
const NOREPLY_SUFFIX = ' noreply';

/** A request whose block is long: the line without what is not forwarded, the block, and its end. */
export interface CollectedStore {
  /** Grows with what arrives: nobody is believed about the length of what has not. */
  buffer: Buffer;
  readonly totalBytes: number;
  readonly lineBytes: number;
  filled: number;
  readonly facts: StoreFacts;
}

/** What has to be known of a storage request when its block is there. */
export interface StoreFacts {
  readonly operation: Operation;
  /** Undefined when it goes through the route handles. */
  readonly destination: Destination | undefined;
  /** For the route handles: everything but the value. */
  readonly request: Request | undefined;
  readonly shape: ReplyShape;
  readonly mode: ReplyMode;
  readonly isSilent: boolean;
  /** Of a meta set that goes through the route handles. */
  readonly wireKey: WireKey | undefined;
}

const OPERATIONS: Readonly<Partial<Record<Command, Operation>>> = {
  [Command.set]: Operation.set,
  [Command.add]: Operation.add,
  [Command.replace]: Operation.replace,
  [Command.append]: Operation.append,
  [Command.prepend]: Operation.prepend,
  [Command.cas]: Operation.cas,
};

export class Storage {
  readonly #context: SessionContext;
  readonly #u8: Uint8Array;
  readonly #request: StoreRequest;
  readonly #lease: LeaseSetRequest;
  readonly #meta: MetaSetRequest;
  /** Of the request being read: the key as it is hashed, and whether no reply is wanted. */
  #keyStart = 0;
  #keyEnd = 0;
  #valueBytes = 0;
  #isSilent = false;
  #mode: ReplyMode = ReplyMode.whole;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#u8 = context.u8;
    this.#request = new StoreRequest(context.arena);
    this.#lease = new LeaseSetRequest(context.arena);
    this.#meta = new MetaSetRequest(context.arena);
  }

  /**
   * Runs a plain set whose line [at, …) is written as usual and is known to end before `end`; `behind` is the place
   * behind its name. Returns 0 when it is not that; nothing has happened then. Otherwise as `store`.
   */
  set(session: ClientSession, at: number, behind: number, end: number): number {
    const request = this.#request;
    const next = request.parseUsual(behind);
    if (next === 0) return 0;
    this.#take(request.keyOffset, request.keyOffset + request.keyBytes, request.valueBytes, request.noreply);
    return this.#begin(session, Operation.set, at, next, end, CMD_SET);
  }

  /**
   * Runs the storage command in the context's tokens, whose line is [at, next). Returns where the next request
   * begins, `at` when bytes are missing or it has to wait, `end` when the block goes on.
   */
  store(session: ClientSession, command: Command, at: number, next: number, end: number): number {
    const request = this.#request;
    const status = request.parse(this.#context.tokens, command === Command.cas);
    if (status !== RequestStatus.ok) return this.#malformed(session, status, request.noreply, next);
    this.#take(request.keyOffset, request.keyOffset + request.keyBytes, request.valueBytes, request.noreply);
    return this.#begin(session, OPERATIONS[command]!, at, next, end, CMD_SET);
  }

  leaseSet(session: ClientSession, at: number, next: number, end: number): number {
    const request = this.#lease;
    const status = request.parse(this.#context.tokens);
    if (status !== RequestStatus.ok) return this.#malformed(session, status, request.noreply, next);
    this.#take(request.keyOffset, request.keyOffset + request.keyBytes, request.valueBytes, request.noreply);
    return this.#begin(session, Operation.leaseSet, at, next, end, CMD_LEASE);
  }

  metaSet(session: ClientSession, at: number, next: number, end: number): number {
    const context = this.#context;
    const { tokens } = context;
    // The key is decoded elsewhere: the line has to stay as it is.
    const key = decodeMetaKey(context, tokens, 3);
    const request = this.#meta;
    const status = key.isBinary ? RequestStatus.ok : request.parse(tokens);
    if (key.isBinary) this.#readMetaBytes();
    if (status !== RequestStatus.ok || key.end < 0 || request.valueBytes < 0) {
      return this.#malformedMeta(session, key.end < 0 ? RequestStatus.badKeyEncoding : status, next, end);
    }
    const isQuiet = key.isQuiet;
    this.#take(key.start, key.end, request.valueBytes, false);
    this.#mode = isQuiet ? ReplyMode.quietDone : ReplyMode.whole;
    return this.#begin(session, Operation.metaSet, at, next, end, CMD_META);
  }

  /** More bytes of a block that is collected; returns the first byte behind it, or `end`. */
  more(session: ClientSession, at: number, end: number): number {
    const collected = session.collecting!;
    const { totalBytes, filled } = collected;
    const count = Math.min(totalBytes - filled, end - at);
    if (filled + count > collected.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(totalBytes, Math.max(filled + count, filled * 2)));
      collected.buffer.copy(larger, 0, 0, filled);
      collected.buffer = larger;
    }
    collected.buffer.set(this.#u8.subarray(at, at + count), filled);
    collected.filled += count;
    if (collected.filled === totalBytes) {
      session.collecting = undefined;
      this.#complete(session, collected.facts, collected.buffer, 0, collected.lineBytes, totalBytes);
    }
    return at + count;
  }

  /** Throws away the rest of a refused data block. */
  swallow(session: ClientSession, at: number, end: number): number {
    const taken = Math.min(session.swallowBytes, end - at);
    session.swallowBytes -= taken;
    return at + taken;
  }

  #take(keyStart: number, keyEnd: number, valueBytes: number, isSilent: boolean): void {
    this.#keyStart = keyStart;
    this.#keyEnd = keyEnd;
    this.#valueBytes = valueBytes;
    this.#isSilent = isSilent;
    this.#mode = ReplyMode.whole;
  }

  /** The line is [at, next); the block begins behind it. */
  #begin(
    session: ClientSession,
    operation: Operation,
    at: number,
    next: number,
    end: number,
    counter: number,
  ): number {
    const context = this.#context;
    const bytes = this.#valueBytes;
    const blockEnd = next + bytes + TERMINATOR_BYTES;
    const isWhole = blockEnd <= end;
    if (bytes > context.options.valueBytesMax) return this.#tooLarge(session, next, end);
    if (!isWhole && bytes <= CARRIED_BYTES_MAX) return at;
    const { client } = session;
    const server = context.destinationOf(client, operation, this.#keyStart, this.#keyEnd);
    const isRaw =
      server !== undefined && (operation !== Operation.leaseSet || server.dialect === Dialect.larder);
    const destination = isRaw && !this.#isBound(operation) ? server : undefined;
    const mayGo =
      destination === undefined ? context.mayRoute(client, true) : context.mayForward(client, true);
    if (!mayGo) return at;
    context.counters[counter]! += 1;
    if (isWhole && (this.#u8[blockEnd - 2] !== CR || this.#u8[blockEnd - 1] !== LF)) {
      // The bytes behind the block are read as a command, as memcached does.
      if (!this.#isSilent) context.refuse(client, BAD_DATA);
      return blockEnd;
    }
    if (destination !== undefined && isWhole && !this.#isSilent && this.#mode === ReplyMode.whole) {
      // As it came: the usual case.
      const sequence = client.begin(1, PENDING_WRITE);
      const shape = operation === Operation.metaSet ? ReplyShape.meta : ReplyShape.line;
      const { forwarder } = context.options;
      context.counters[FORWARDED]! += 1;
      forwarder.forward(destination, context.node, at, blockEnd, shape, client, sequence, ReplyMode.whole);
      return blockEnd;
    }
    return this.#compose(session, operation, destination, at, next, end, blockEnd);
  }

  /** Requests that are not forwarded as they came, or whose block is still arriving. */
  #compose(
    session: ClientSession,
    operation: Operation,
    destination: Destination | undefined,
    at: number,
    next: number,
    end: number,
    blockEnd: number,
  ): number {
    const line = this.#lineToSend(at, next);
    const facts: StoreFacts = {
      operation,
      destination,
      request: destination === undefined ? this.#build(session, operation, line) : undefined,
      shape: operation === Operation.metaSet ? ReplyShape.meta : ReplyShape.line,
      mode: this.#mode,
      isSilent: this.#isSilent,
      wireKey: operation === Operation.metaSet ? wireKeyOf(this.#context) : undefined,
    };
    const bytes = line.length + blockEnd - next;
    if (blockEnd > end) {
      if (session.isDatagram) {
        this.#context.refuse(session.client, NOT_IN_DATAGRAM);
        return end;
      }
      const buffer = Buffer.allocUnsafeSlow(Math.min(bytes, line.length + COLLECTED_BYTES_FIRST));
      buffer.set(line, 0);
      const filled = line.length;
      session.collecting = { buffer, totalBytes: bytes, lineBytes: filled, filled, facts };
      return this.more(session, next, end);
    }
    const { scratchOffset } = this.#context.options;
    if (bytes > SCRATCH_BYTES || destination === undefined) {
      const buffer = Buffer.allocUnsafeSlow(bytes);
      buffer.set(line, 0);
      buffer.set(this.#u8.subarray(next, blockEnd), line.length);
      this.#complete(session, facts, buffer, 0, line.length, bytes);
      return blockEnd;
    }
    this.#u8.set(line, scratchOffset);
    this.#u8.copyWithin(scratchOffset + line.length, next, blockEnd);
    const { node } = this.#context;
    this.#complete(session, facts, node, scratchOffset, scratchOffset + line.length, scratchOffset + bytes);
    return blockEnd;
  }

  /** A request is whole: [start, dataStart) is its line, [dataStart, end) its block with the end of it. */
  #complete(
    session: ClientSession,
    facts: StoreFacts,
    bytes: Buffer,
    start: number,
    dataStart: number,
    end: number,
  ): void {
    const { client } = session;
    const context = this.#context;
    if (bytes[end - 2] !== CR || bytes[end - 1] !== LF) {
      if (!facts.isSilent) context.refuse(client, BAD_DATA);
      return;
    }
    const bits = PENDING_WRITE | (facts.isSilent ? PENDING_SILENT : 0);
    if (facts.destination !== undefined) {
      context.counters[FORWARDED]! += 1;
      const sequence = client.begin(1, bits);
      const { forwarder } = context.options;
      forwarder.forward(facts.destination, bytes, start, end, facts.shape, client, sequence, facts.mode);
      return;
    }
    const request = facts.request!;
    request.value = bytes.subarray(dataStart, end - TERMINATOR_BYTES);
    context.options.general.change(client, request, facts.mode, bits, facts.wireKey);
  }

  /** The line without `noreply` or `q`, as bytes of its own. */
  #lineToSend(at: number, next: number): Buffer {
    const text = this.#context.node.toString('latin1', at, next).trimEnd();
    if (this.#mode === ReplyMode.quietDone) return Buffer.from(`${withoutFlag(text, 'q')}\r\n`, 'latin1');
    const kept = this.#isSilent ? text.slice(0, text.lastIndexOf(NOREPLY_SUFFIX)) : text;
    return Buffer.from(`${kept.trimEnd()}\r\n`, 'latin1');
  }

  #build(session: ClientSession, operation: Operation, line: Buffer): Request {
    const { node } = this.#context;
    const key = Buffer.from(node.subarray(this.#keyStart, this.#keyEnd));
    const request = new Request(operation, key, 0, key.length);
    request.clientId = session.client.clientId;
    request.noreply = this.#isSilent;
    if (operation === Operation.metaSet) {
      const words = line.toString('latin1', 0, line.length - 2).split(/ +/);
      const flags = words.filter((word) => word !== '').slice(3);
      request.metaFlags = Buffer.from(flags.filter((flag) => flag !== 'b').join(' '), 'latin1');
      return request;
    }
    if (operation === Operation.leaseSet) {
      request.flags = this.#lease.flags;
      request.exptime = this.#lease.exptime;
      request.token = (BigInt(this.#lease.tokenHigh) << 32n) | BigInt(this.#lease.tokenLow);
      return request;
    }
    request.flags = this.#request.flags;
    request.exptime = this.#request.exptime;
    if (operation === Operation.cas) {
      request.cas = (BigInt(this.#request.casHigh) << 32n) | BigInt(this.#request.casLow);
    }
    return request;
  }

  /** Whether a lease-set brings a token that was given out for another server than the key's own. */
  #isBound(operation: Operation): boolean {
    if (operation !== Operation.leaseSet) return false;
    return this.#context.options.general.isBoundToken(this.#lease.tokenHigh);
  }

  /** A binary key's length is read here; its flags are the server's to judge. */
  #readMetaBytes(): void {
    const { tokens } = this.#context;
    const bytes = tokens.count > 2 ? Number(tokens.text(2)) : -1;
    this.#meta.valueBytes = Number.isInteger(bytes) && bytes >= 0 ? bytes : -1;
  }

  #malformed(session: ClientSession, status: RequestStatus, noreply: boolean, next: number): number {
    if (!noreply) this.#context.refuse(session.client, STATUS_TEXTS[status]!);
    return next;
  }

  /** A meta set that cannot be run has a block all the same, when its length can be read. */
  #malformedMeta(session: ClientSession, status: RequestStatus, next: number, end: number): number {
    const known = status === RequestStatus.ok ? RequestStatus.badFormat : status;
    this.#context.refuse(session.client, STATUS_TEXTS[known]!);
    if (this.#meta.valueBytes < 0) return next;
    session.swallowBytes = this.#meta.valueBytes + TERMINATOR_BYTES;
    return this.swallow(session, next, end);
  }

  #tooLarge(session: ClientSession, next: number, end: number): number {
    if (!this.#isSilent) this.#context.refuse(session.client, TOO_LARGE);
    session.swallowBytes = this.#valueBytes + TERMINATOR_BYTES;
    return this.swallow(session, next, end);
  }
}
