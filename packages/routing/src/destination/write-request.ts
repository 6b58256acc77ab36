/**
 * Requests in the server's words. Retrievals of single keys are in `pipeline.ts`, because several make one line.
 *
 * What plain memcached has no word for is said with meta flags (docs/protocol/leases.md):
 *
 * ```
 *   leaseGet                 mg <key> v c f N<LEASE_STUB_SECONDS>
 *   leaseSet                 ms <key> <bytes> C<token> F<flags> T<exptime>
 *   delete, staleSeconds     md <key> I T<staleSeconds>
 *   delete, holdOffSeconds   delete <key>            memcached cannot hold off
 * ```
 */
import {
  putArithmetic,
  putBytes,
  putDelete,
  putLeaseSet,
  putLineEnd,
  putMeta,
  putStore,
  putTouch,
  REQUEST_LINE_BYTES_MAX,
  wordBytes,
} from '@larder/protocol';
import { LEASE_STUB_SECONDS, LINK_RESERVE_BYTES_MAX, OWNED_VALUE_BYTES_MIN } from '../limits.ts';
import { Operation, type Request } from '../request.ts';
import { Dialect } from './destination-options.ts';
import type { Link } from './link.ts';

/** The request cannot be sent: its key or its flags would be read as something else. */
export const MALFORMED_REQUEST: number = -1;

const LINE_END = wordBytes('\r\n');
const MG = wordBytes('mg ');
const MS = wordBytes('ms ');
const MD = wordBytes('md ');
const MA = wordBytes('ma ');
const LEASE_FLAGS = wordBytes(`v c f N${LEASE_STUB_SECONDS}`);
const STUB_CHECK_FLAGS = wordBytes('v f c');
const INCR = wordBytes('incr ');
const DECR = wordBytes('decr ');
const STORE_WORDS: readonly (Buffer | undefined)[] = Object.entries(Operation).reduce<(Buffer | undefined)[]>(
  (words, [name, operation]) => {
    if (operation >= Operation.set && operation <= Operation.cas) words[operation] = wordBytes(`${name} `);
    return words;
  },
  [],
);
/** What a line takes beside its key and its meta flags. */
const LINE_REST_BYTES_MAX = 160;
const LETTER_Q = 0x71;
const SPACE = 0x20;

/** Whether what has to be sent depends on the kind of server. */
export function needsDialect(request: Request): boolean {
  switch (request.operation) {
    case Operation.leaseGet:
    case Operation.leaseSet:
      return true;
    case Operation.delete:
      return request.holdOffSeconds > 0 || request.staleSeconds > 0;
    default:
      return false;
  }
}

/**
 * Writes any request but get, gets and Larder's leaseGet. Returns the bytes written, or MALFORMED_REQUEST.
 */
export function writeRequest(
  link: Link,
  request: Request,
  dialect: Dialect,
  keepRoutingPrefix: boolean,
): number {
  const room =
    request.keyEnd -
    request.prefixStart +
    request.metaFlags.length +
    request.statsArguments.length +
    LINE_REST_BYTES_MAX;
  if (room > LINK_RESERVE_BYTES_MAX) return MALFORMED_REQUEST;
  const at = link.reserve(room);
  // A link that is closing: its end will answer this request too.
  if (at < 0) return 0;
  const keyStart = keepRoutingPrefix ? request.prefixStart : request.keyStart;
  const end = putRequest(link.output, at, request, keyStart, dialect);
  if (end < 0) return MALFORMED_REQUEST;
  const value = hasData(request.operation) ? request.value : undefined;
  if (value === undefined || value.length === 0) {
    // An empty data block is a line end of its own.
    const bytes = (value === undefined ? end : putLineEnd(link.output, end)) - at;
    link.commit(bytes);
    return bytes;
  }
  if (end - at + value.length + 2 <= room) {
    const bytes = putLineEnd(link.output, putBytes(link.output, end, value, 0, value.length)) - at;
    link.commit(bytes);
    return bytes;
  }
  link.commit(end - at);
  if (value.length >= OWNED_VALUE_BYTES_MIN) link.writeOwned(value);
  else link.write(value, 0, value.length);
  link.write(LINE_END, 0, LINE_END.length);
  return end - at + value.length + LINE_END.length;
}

/** Writes the question whether there is a value or the stub of a lease (plain memcached only). */
export function writeStubCheck(link: Link, request: Request, keepRoutingPrefix: boolean): void {
  const at = link.reserve(REQUEST_LINE_BYTES_MAX);
  if (at < 0) return;
  const start = keepRoutingPrefix ? request.prefixStart : request.keyStart;
  const end = putMeta(
    link.output,
    at,
    MG,
    request.keySource,
    start,
    request.keyEnd,
    undefined,
    STUB_CHECK_FLAGS,
  );
  if (end >= 0) link.commit(end - at);
}

function hasData(operation: Operation): boolean {
  return (operation >= Operation.leaseSet && operation <= Operation.cas) || operation === Operation.metaSet;
}

/** The line, without a data block; -1 when the request is malformed. */
function putRequest(target: Buffer, at: number, request: Request, start: number, dialect: Dialect): number {
  const { operation, keySource: source, keyEnd: end } = request;
  switch (operation) {
    case Operation.leaseGet:
      return putMeta(target, at, MG, source, start, end, undefined, LEASE_FLAGS);
    case Operation.leaseSet:
      return putLease(target, at, request, start, dialect);
    case Operation.touch:
      return putTouch(target, at, source, start, end, request.exptime);
    case Operation.incr:
      return putArithmetic(target, at, INCR, source, start, end, request.delta);
    case Operation.decr:
      return putArithmetic(target, at, DECR, source, start, end, request.delta);
    case Operation.delete:
      return putDeletion(target, at, request, start, dialect);
    case Operation.metaGet:
      return putMeta(target, at, MG, source, start, end, undefined, withoutQuiet(request.metaFlags));
    case Operation.metaSet:
      return putMeta(
        target,
        at,
        MS,
        source,
        start,
        end,
        request.value.length,
        withoutQuiet(request.metaFlags),
      );
    case Operation.metaDelete:
      return putMeta(target, at, MD, source, start, end, undefined, withoutQuiet(request.metaFlags));
    case Operation.metaArithmetic:
      return putMeta(target, at, MA, source, start, end, undefined, withoutQuiet(request.metaFlags));
    case Operation.flushAll:
      return putText(target, at, request.exptime > 0 ? `flush_all ${request.exptime}` : 'flush_all');
    case Operation.version:
      return putText(target, at, 'version');
    case Operation.stats:
      return putText(target, at, request.statsArguments === '' ? 'stats' : `stats ${request.statsArguments}`);
    default: {
      const word = STORE_WORDS[operation];
      if (word === undefined) return -1;
      const cas = operation === Operation.cas ? request.cas : undefined;
      const bytes = request.value.length;
      return putStore(target, at, word, source, start, end, request.flags, request.exptime, bytes, cas);
    }
  }
}

function putLease(target: Buffer, at: number, request: Request, start: number, dialect: Dialect): number {
  const { keySource: source, keyEnd: end, token, flags, exptime, value } = request;
  if (dialect === Dialect.larder) {
    return putLeaseSet(target, at, source, start, end, token, flags, exptime, value.length);
  }
  const metaFlags = wordBytes(`C${token} F${flags} T${exptime}`);
  return putMeta(target, at, MS, source, start, end, value.length, metaFlags);
}

function putDeletion(target: Buffer, at: number, request: Request, start: number, dialect: Dialect): number {
  const { keySource: source, keyEnd: end, staleSeconds } = request;
  if (dialect === Dialect.larder) return putDelete(target, at, source, start, end, request.holdOffSeconds);
  if (staleSeconds > 0) {
    return putMeta(target, at, MD, source, start, end, undefined, wordBytes(`I T${staleSeconds}`));
  }
  return putDelete(target, at, source, start, end, 0);
}

/** Text from this process; anything that would end the line early is malformed. */
function putText(target: Buffer, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < SPACE || code > 0x7e) return -1;
  }
  return putLineEnd(target, at + target.write(text, at, 'latin1'));
}

/** A quiet command might have no reply, and the pipeline would wait for it for ever: q is left out. */
function withoutQuiet(flags: Buffer): Buffer {
  for (let at = 0; at < flags.length; at++) {
    const isWord = flags[at] === LETTER_Q && (at === 0 || flags[at - 1] === SPACE);
    if (isWord && (at + 1 === flags.length || flags[at + 1] === SPACE)) {
      return wordBytes(
        flags
          .toString('latin1')
          .split(' ')
          .filter((word) => word !== 'q')
          .join(' '),
      );
    }
  }
  return flags;
}
