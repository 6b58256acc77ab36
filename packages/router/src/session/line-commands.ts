/**
 * Requests that are one line with one key: delete, incr, decr, touch, mg, md, ma and me. They are read as the
 * servers read them, so that what a server would refuse is refused here, and forwarded without `noreply` or `q`.
 */
import {
  ArithmeticRequest,
  Command,
  DeleteRequest,
  MetaArithmeticRequest,
  MetaDeleteRequest,
  MetaGetRequest,
  ReplyShape,
  RequestStatus,
  STATUS_TEXTS,
  TouchRequest,
} from '@larder/protocol';
import { Dialect, isMeta, Operation, Request } from '@larder/routing';
import { PENDING_SILENT, PENDING_WRITE } from '../forwarding/client.ts';
import { ReplyMode } from '../forwarding/forwarder.ts';
import { CMD_ARITHMETIC, CMD_DELETE, CMD_META, CMD_TOUCH, FORWARDED } from '../statistics/counters.ts';
import type { ClientSession } from './client-session.ts';
import { SCRATCH_BYTES, type SessionContext } from './context.ts';
import { decodeMetaKey, wireKeyOf, withoutFlag } from './meta-line.ts';

const NOREPLY_SUFFIX = ' noreply';

/** One request as it was read. */
interface LineRequest {
  readonly operation: Operation;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly noreply: boolean;
  readonly isWrite: boolean;
  readonly shape: ReplyShape;
  readonly mode: ReplyMode;
  readonly counter: number;
  /** False when the server has to be Larder to understand it as it is. */
  readonly isPlain: boolean;
}

export class LineCommands {
  readonly #context: SessionContext;
  readonly #delete: DeleteRequest;
  readonly #arithmetic: ArithmeticRequest;
  readonly #touch: TouchRequest;
  readonly #metaGet: MetaGetRequest;
  readonly #metaDelete: MetaDeleteRequest;
  readonly #metaArithmetic: MetaArithmeticRequest;

  constructor(context: SessionContext) {
    const { arena } = context;
    this.#context = context;
    this.#delete = new DeleteRequest(arena);
    this.#arithmetic = new ArithmeticRequest(arena);
    this.#touch = new TouchRequest(arena);
    this.#metaGet = new MetaGetRequest(arena);
    this.#metaDelete = new MetaDeleteRequest(arena);
    this.#metaArithmetic = new MetaArithmeticRequest(arena);
  }

  /** Runs the command in the context's tokens, whose line is [at, next). Returns `next`, or `at` to wait. */
  run(session: ClientSession, command: Command, at: number, next: number): number {
    const request = this.#read(session, command);
    if (request === undefined) return next;
    const { client } = session;
    const context = this.#context;
    const server = context.destinationOf(client, request.operation, request.keyStart, request.keyEnd);
    const isRaw = server !== undefined && (request.isPlain || server.dialect === Dialect.larder);
    if (!isRaw && command === Command.metaDebug) {
      context.refuse(client, 'CLIENT_ERROR me needs a key that lies on one server');
      return next;
    }
    const mayGo = isRaw
      ? context.mayForward(client, request.isWrite)
      : context.mayRoute(client, request.isWrite);
    if (!mayGo) return at;
    context.counters[request.counter]! += 1;
    const bits = (request.isWrite ? PENDING_WRITE : 0) | (request.noreply ? PENDING_SILENT : 0);
    if (!isRaw) {
      context.options.general.change(
        client,
        this.#build(session, request),
        request.mode,
        bits,
        isMeta(request.operation) ? wireKeyOf(context) : undefined,
      );
      return next;
    }
    context.counters[FORWARDED]! += 1;
    const { forwarder } = context.options;
    const sequence = client.begin(1, bits);
    let start = at;
    let end = next;
    if (request.noreply || isQuiet(request.mode)) {
      const line = this.#lineToSend(request, at, next);
      start = context.options.scratchOffset;
      end = start + Math.min(SCRATCH_BYTES, line.length);
      context.u8.set(line, start);
    }
    forwarder.forward(server, context.node, start, end, request.shape, client, sequence, request.mode);
    return next;
  }

  /** Undefined when the line was answered with an error. */
  #read(session: ClientSession, command: Command): LineRequest | undefined {
    switch (command) {
      case Command.delete:
        return this.#readDelete(session);
      case Command.incr:
      case Command.decr:
        return this.#readArithmetic(session, command);
      case Command.touch:
        return this.#readTouch(session);
      case Command.metaGet:
        return this.#readMeta(session, Operation.metaGet);
      case Command.metaDelete:
        return this.#readMeta(session, Operation.metaDelete);
      case Command.metaArithmetic:
        return this.#readMeta(session, Operation.metaArithmetic);
      default:
        return this.#readDebug(session);
    }
  }

  #readDelete(session: ClientSession): LineRequest | undefined {
    const request = this.#delete;
    const status = request.parse(this.#context.tokens);
    if (status !== RequestStatus.ok) return this.#refused(session, status, request.noreply);
    return {
      ...this.#classic(Operation.delete, request.keyOffset, request.keyBytes, request.noreply, CMD_DELETE),
      isPlain: request.holdoffSeconds === 0,
    };
  }

  #readArithmetic(session: ClientSession, command: Command): LineRequest | undefined {
    const request = this.#arithmetic;
    const status = request.parse(this.#context.tokens);
    if (status !== RequestStatus.ok) return this.#refused(session, status, request.noreply);
    const operation = command === Command.incr ? Operation.incr : Operation.decr;
    return this.#classic(operation, request.keyOffset, request.keyBytes, request.noreply, CMD_ARITHMETIC);
  }

  #readTouch(session: ClientSession): LineRequest | undefined {
    const request = this.#touch;
    const status = request.parse(this.#context.tokens);
    if (status !== RequestStatus.ok) return this.#refused(session, status, request.noreply);
    return this.#classic(Operation.touch, request.keyOffset, request.keyBytes, request.noreply, CMD_TOUCH);
  }

  #classic(
    operation: Operation,
    keyOffset: number,
    keyBytes: number,
    noreply: boolean,
    counter: number,
  ): LineRequest {
    return {
      operation,
      keyStart: keyOffset,
      keyEnd: keyOffset + keyBytes,
      noreply,
      isWrite: true,
      shape: ReplyShape.line,
      mode: ReplyMode.whole,
      counter,
      isPlain: true,
    };
  }

  #readMeta(session: ClientSession, operation: Operation): LineRequest | undefined {
    const context = this.#context;
    const key = decodeMetaKey(context, context.tokens, 2);
    const { start: keyStart, end: keyEnd, isQuiet: quiet } = key;
    const status = this.#checkMeta(operation, key.isBinary, keyEnd);
    if (status !== RequestStatus.ok) return this.#refused(session, status, false);
    let mode: ReplyMode = ReplyMode.whole;
    if (quiet && operation === Operation.metaGet) mode = ReplyMode.quietMiss;
    else if (quiet) mode = operation === Operation.metaDelete ? ReplyMode.quietDone : ReplyMode.quietNumber;
    return {
      operation,
      keyStart,
      keyEnd,
      noreply: false,
      isWrite: operation !== Operation.metaGet,
      shape: ReplyShape.meta,
      mode,
      counter: CMD_META,
      isPlain: true,
    };
  }

  /** A line with a binary key is the server's to judge: reading it would decode the key in place. */
  #checkMeta(operation: Operation, isBinary: boolean, keyEnd: number): RequestStatus {
    const { tokens } = this.#context;
    if (isBinary) return keyEnd < 0 ? RequestStatus.badKeyEncoding : RequestStatus.ok;
    if (operation === Operation.metaGet) return this.#metaGet.parse(tokens);
    if (operation === Operation.metaDelete) return this.#metaDelete.parse(tokens);
    return this.#metaArithmetic.parse(tokens);
  }

  #readDebug(session: ClientSession): LineRequest | undefined {
    const { tokens } = this.#context;
    if (tokens.count < 2) return this.#refused(session, RequestStatus.error, false);
    const key = decodeMetaKey(this.#context, tokens, 2);
    if (key.end < 0) return this.#refused(session, RequestStatus.badKeyEncoding, false);
    return {
      operation: Operation.metaGet,
      keyStart: key.start,
      keyEnd: key.end,
      noreply: false,
      isWrite: false,
      shape: ReplyShape.meta,
      mode: ReplyMode.whole,
      counter: CMD_META,
      isPlain: true,
    };
  }

  #refused(session: ClientSession, status: RequestStatus, noreply: boolean): undefined {
    if (!noreply) this.#context.refuse(session.client, STATUS_TEXTS[status]!);
    return undefined;
  }

  /** The line without `noreply` or `q`. */
  #lineToSend(request: LineRequest, at: number, next: number): Buffer {
    const text = this.#context.node.toString('latin1', at, next).trimEnd();
    if (!request.noreply) return Buffer.from(`${withoutFlag(text, 'q')}\r\n`, 'latin1');
    return Buffer.from(`${text.slice(0, text.lastIndexOf(NOREPLY_SUFFIX)).trimEnd()}\r\n`, 'latin1');
  }

  #build(session: ClientSession, line: LineRequest): Request {
    const { node, tokens } = this.#context;
    const key = Buffer.from(node.subarray(line.keyStart, line.keyEnd));
    const request = new Request(line.operation, key, 0, key.length);
    request.clientId = session.client.clientId;
    request.noreply = line.noreply;
    switch (line.operation) {
      case Operation.delete:
        request.holdOffSeconds = this.#delete.holdoffSeconds;
        break;
      case Operation.incr:
      case Operation.decr:
        request.delta = this.#arithmetic.delta.toBigInt();
        break;
      case Operation.touch:
        request.exptime = this.#touch.exptime;
        break;
      default: {
        const flags: string[] = [];
        for (let index = 2; index < tokens.count; index++) flags.push(tokens.text(index));
        const kept = flags.filter((flag) => flag !== 'q' && flag !== 'b');
        request.metaFlags = Buffer.from(kept.join(' '), 'latin1');
      }
    }
    return request;
  }
}

function isQuiet(mode: ReplyMode): boolean {
  return mode === ReplyMode.quietMiss || mode === ReplyMode.quietDone || mode === ReplyMode.quietNumber;
}
