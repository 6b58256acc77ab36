/** What the items of a server's reply mean for the request that they answer. */
import { ReplyItem, type ReplyReader, readWide } from '@larder/protocol';
import { Reply, Result } from '../reply.ts';
import { Operation, type Request } from '../request.ts';

const SPACE = 0x20;
const LETTER_W = 0x57;
const LETTER_X = 0x58;
const LETTER_Z = 0x5a;
const LETTER_C = 0x63;
const LETTER_F = 0x66;

/** The answer to one key of a get, gets, gat or gats; `bytes` is memory that stays. */
export function readValue(reader: ReplyReader, bytes: Buffer): Reply {
  const reply = new Reply(Result.hit);
  reply.setValue(bytes, reader.valueStart, reader.valueEnd);
  reply.flags = reader.flags;
  if (reader.wideEnd > reader.wideStart) reply.cas = readWide(bytes, reader.wideStart, reader.wideEnd);
  return reply;
}

/** The answer to one key of Larder's lease-get. */
export function readLease(reader: ReplyReader, bytes: Buffer): Reply {
  if (reader.kind === ReplyItem.value) return readValue(reader, bytes);
  if (reader.kind === ReplyItem.leaseHot) return new Reply(Result.hotMiss);
  const token = readWide(bytes, reader.wideStart, reader.wideEnd);
  const isStale = reader.valueEnd > reader.valueStart;
  const reply = new Reply(token === 0n && isStale ? Result.hotMiss : Result.miss);
  reply.token = token;
  reply.flags = reader.flags;
  if (isStale) {
    reply.setValue(bytes, reader.valueStart, reader.valueEnd);
    reply.isStale = true;
  }
  return reply;
}

/** The answer of plain memcached to a lease-get that was sent as `mg k v c f N…`. */
export function readMappedLease(reader: ReplyReader, bytes: Buffer): Reply {
  if (reader.kind === ReplyItem.metaMiss) return new Reply(Result.miss);
  if (reader.kind !== ReplyItem.metaValue) return readError(reader, bytes);
  const flags = new MetaWords(reader, bytes);
  const isEmpty = reader.valueEnd === reader.valueStart;
  if (!flags.has(LETTER_W) && !flags.has(LETTER_Z) && !flags.has(LETTER_X)) {
    const hit = new Reply(Result.hit);
    hit.setValue(bytes, reader.valueStart, reader.valueEnd);
    hit.flags = Number(flags.number(LETTER_F));
    return hit;
  }
  const isWon = flags.has(LETTER_W);
  const reply = new Reply(isWon ? Result.miss : Result.hotMiss);
  if (isWon) reply.token = flags.number(LETTER_C);
  if (!isEmpty) {
    reply.setValue(bytes, reader.valueStart, reader.valueEnd);
    reply.flags = Number(flags.number(LETTER_F));
    reply.isStale = true;
  }
  return reply;
}

/** Whether an empty value is one: W, Z and X mark the stub of a lease, which is a miss to a plain get. */
export function readStubCheck(reader: ReplyReader, bytes: Buffer, withCas: boolean): Reply {
  if (reader.kind === ReplyItem.metaMiss) return new Reply(Result.miss);
  if (reader.kind !== ReplyItem.metaValue) return readError(reader, bytes);
  const flags = new MetaWords(reader, bytes);
  if (flags.has(LETTER_W) || flags.has(LETTER_Z) || flags.has(LETTER_X)) return new Reply(Result.miss);
  const reply = new Reply(Result.hit);
  reply.setValue(bytes, reader.valueStart, reader.valueEnd);
  reply.flags = Number(flags.number(LETTER_F));
  if (withCas) reply.cas = flags.number(LETTER_C);
  return reply;
}

/** Results of single lines, by item. */
const RESULTS: readonly (Result | undefined)[] = resultsOfLines();

function resultsOfLines(): (Result | undefined)[] {
  const results: (Result | undefined)[] = [];
  results[ReplyItem.stored] = Result.stored;
  results[ReplyItem.notStored] = Result.notStored;
  results[ReplyItem.exists] = Result.exists;
  results[ReplyItem.notFound] = Result.miss;
  results[ReplyItem.deleted] = Result.deleted;
  results[ReplyItem.touched] = Result.touched;
  results[ReplyItem.ok] = Result.ok;
  results[ReplyItem.reset] = Result.ok;
  results[ReplyItem.staleStored] = Result.staleStored;
  return results;
}

/** The answer to everything that is answered with one line (and a data block at most). */
export function readSingle(reader: ReplyReader, bytes: Buffer, request: Request): Reply {
  const { kind } = reader;
  if (kind >= ReplyItem.metaValue) return readMeta(reader, bytes, request);
  if (kind === ReplyItem.number) {
    const reply = new Reply(Result.number);
    reply.number = readWide(bytes, reader.wideStart, reader.wideEnd);
    return reply;
  }
  if (kind === ReplyItem.version) {
    return Reply.of(Result.ok, bytes.toString('latin1', reader.textStart, reader.textEnd));
  }
  const result = RESULTS[kind];
  return result === undefined ? readError(reader, bytes) : new Reply(result);
}

/** An error line, as a reply with its text. */
export function readError(reader: ReplyReader, bytes: Buffer): Reply {
  const text = bytes.toString('latin1', reader.textStart, reader.textEnd);
  if (reader.kind === ReplyItem.serverError) return Reply.of(Result.serverError, text);
  if (reader.kind === ReplyItem.clientError) return Reply.of(Result.clientError, text);
  return Reply.of(Result.clientError, text === '' ? 'unknown command' : text);
}

function readMeta(reader: ReplyReader, bytes: Buffer, request: Request): Reply {
  const reply = new Reply(metaResult(reader.kind, request.operation));
  if (reader.kind === ReplyItem.metaValue) {
    reply.setValue(bytes, reader.valueStart, reader.valueEnd);
    if (request.operation === Operation.metaArithmetic) {
      reply.number = readWide(bytes, reader.valueStart, reader.valueEnd);
    }
  }
  if (request.operation !== Operation.leaseSet && reader.textEnd > reader.textStart) {
    // Copied, so that few bytes of flags do not keep a large buffer alive.
    reply.metaFlags = Buffer.from(bytes.subarray(reader.textStart, reader.textEnd));
    reply.isStale = new MetaWords(reader, bytes).has(LETTER_X);
  }
  return reply;
}

function metaResult(kind: ReplyItem, operation: Operation): Result {
  switch (operation) {
    case Operation.leaseSet:
      return kind === ReplyItem.metaHit ? Result.stored : Result.notStored;
    case Operation.metaSet:
      if (kind === ReplyItem.metaHit) return Result.stored;
      break;
    case Operation.metaDelete:
    case Operation.delete:
      if (kind === ReplyItem.metaHit) return Result.deleted;
      break;
    case Operation.metaArithmetic:
      if (kind === ReplyItem.metaHit) return Result.ok;
      if (kind === ReplyItem.metaValue) return Result.number;
      break;
    default:
      if (kind === ReplyItem.metaHit || kind === ReplyItem.metaValue) return Result.hit;
  }
  if (kind === ReplyItem.metaNotStored) return Result.notStored;
  return kind === ReplyItem.metaExists ? Result.exists : Result.miss;
}

/** The flags behind a meta reply's code. */
class MetaWords {
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(reader: ReplyReader, bytes: Buffer) {
    this.#bytes = bytes;
    this.#start = reader.textStart;
    this.#end = reader.textEnd;
  }

  has(letter: number): boolean {
    return this.#find(letter) >= 0;
  }

  /** The number behind a letter, 0n when it is not there. */
  number(letter: number): bigint {
    const start = this.#find(letter) + 1;
    if (start === 0) return 0n;
    let end = start;
    while (end < this.#end && this.#bytes[end] !== SPACE) end++;
    return end === start ? 0n : readWide(this.#bytes, start, end);
  }

  #find(letter: number): number {
    for (let at = this.#start; at < this.#end; at++) {
      if (this.#bytes[at] === letter && (at === this.#start || this.#bytes[at - 1] === SPACE)) return at;
    }
    return -1;
  }
}
