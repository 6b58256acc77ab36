/**
 * What became of a request: an outcome, never an exception. A value is a piece of a received buffer
 * (`valueSource`, from `valueStart` to `valueEnd`); the buffer belongs to the replies that point into it, is never
 * written again, and is as large as what arrived together. Who keeps a small value for long copies it.
 */
import type { Destination, LeaseIssuer } from './destination/destination.ts';
import { NO_BYTES } from './request.ts';

export const Result: {
  /** Retrieval: here is the value (mg without v: it exists). */
  readonly hit: 0;
  /** Not found. leaseGet: `token` may fill (0n: go without the cache), and there may be a stale value. */
  readonly miss: 1;
  /** leaseGet: another one fills; wait, or take the stale value if there is one. */
  readonly hotMiss: 2;
  readonly stored: 3;
  readonly notStored: 4;
  readonly exists: 5;
  /** leaseSet: the token was void; the value is kept as stale. */
  readonly staleStored: 6;
  readonly deleted: 7;
  readonly touched: 8;
  /** incr, decr, ma with a number. */
  readonly number: 9;
  /** flush_all, version, stats. */
  readonly ok: 10;
  /** From here on: errors. The request was refused as malformed, by the server or before it was sent. */
  readonly clientError: 11;
  /** From here on: failovers are worth a try. The server answered SERVER_ERROR. */
  readonly serverError: 12;
  readonly timeout: 13;
  readonly connectError: 14;
  readonly connectTimeout: 15;
  /** The destination is known to be dead: failed at once. */
  readonly tko: 16;
  /** A limit on outstanding requests, rate or queued bytes was met. */
  readonly busy: 17;
  /** The connection ended while the reply was awaited, or what came was no reply. */
  readonly aborted: 18;
  /** The destination or the routing was shut down. */
  readonly shutdown: 19;
  /** Something in this process is wrong, for example no route for this prefix. */
  readonly localError: 20;
} = {
  hit: 0,
  miss: 1,
  hotMiss: 2,
  stored: 3,
  notStored: 4,
  exists: 5,
  staleStored: 6,
  deleted: 7,
  touched: 8,
  number: 9,
  ok: 10,
  clientError: 11,
  serverError: 12,
  timeout: 13,
  connectError: 14,
  connectTimeout: 15,
  tko: 16,
  busy: 17,
  aborted: 18,
  shutdown: 19,
  localError: 20,
};
export type Result = (typeof Result)[keyof typeof Result];

/** Names for logs, metrics and configuration, by number. */
export const RESULT_NAMES: readonly string[] = [
  'hit',
  'miss',
  'hot_miss',
  'stored',
  'not_stored',
  'exists',
  'stale_stored',
  'deleted',
  'touched',
  'number',
  'ok',
  'client_error',
  'server_error',
  'timeout',
  'connect_error',
  'connect_timeout',
  'tko',
  'busy',
  'aborted',
  'shutdown',
  'local_error',
];

/** Whether the request failed. */
export function isError(result: Result): boolean {
  return result >= Result.clientError;
}

/** Whether another destination might do better: every error but a malformed request. */
export function isFailover(result: Result): boolean {
  return result >= Result.serverError;
}

export class Reply {
  readonly result: Result;
  /** The value: [valueStart, valueEnd) of `valueSource`. Nothing where there is none. */
  valueSource: Buffer = NO_BYTES;
  valueStart: number = 0;
  valueEnd: number = 0;
  /** There is a data block, be it empty (a meta get without `v` has none). */
  hasValue: boolean = false;
  /** leaseGet, metaGet: the value is stale. */
  isStale: boolean = false;
  /** Client flags. */
  flags: number = 0;
  /** gets, gats. */
  cas: bigint = 0n;
  /** leaseGet with result miss; 0n when there is none. */
  token: bigint = 0n;
  /** incr, decr. */
  number: bigint = 0n;
  /** Return flags of a meta command, as they stood on the line. */
  metaFlags: Buffer = NO_BYTES;
  /** The text of an error, of `version`, or the lines of `stats`. */
  message: string = '';
  /** Who answered, or failed to. */
  destination: Destination | undefined = undefined;
  /** Which life of the destination that was. */
  life: number = 0;

  constructor(result: Result) {
    this.result = result;
  }

  /** A reply without data. */
  static of(result: Result, message: string = '', destination?: Destination): Reply {
    const reply = new Reply(result);
    reply.message = message;
    reply.destination = destination;
    return reply;
  }

  /** A hit with this value, for handles that answer by themselves. */
  static hit(value: Buffer, flags: number = 0): Reply {
    const reply = new Reply(Result.hit);
    reply.setValue(value, 0, value.length);
    reply.flags = flags;
    return reply;
  }

  setValue(source: Buffer, start: number, end: number): void {
    this.valueSource = source;
    this.valueStart = start;
    this.valueEnd = end;
    this.hasValue = true;
  }

  get valueBytes(): number {
    return this.valueEnd - this.valueStart;
  }

  /** A view of the value. */
  get value(): Buffer {
    return this.valueSource.subarray(this.valueStart, this.valueEnd);
  }

  /** Who gave the token or the CAS value in it, for `Request.issuer`; undefined when no server did. */
  get issuer(): LeaseIssuer | undefined {
    const { destination, life } = this;
    return destination === undefined ? undefined : { destination, life };
  }

  get isError(): boolean {
    return this.result >= Result.clientError;
  }

  get isFailover(): boolean {
    return this.result >= Result.serverError;
  }

  /** The same reply with another result, for handles that turn one outcome into another. */
  as(result: Result): Reply {
    const reply = new Reply(result);
    reply.valueSource = this.valueSource;
    reply.valueStart = this.valueStart;
    reply.valueEnd = this.valueEnd;
    reply.hasValue = this.hasValue;
    reply.isStale = this.isStale;
    reply.flags = this.flags;
    reply.cas = this.cas;
    reply.token = this.token;
    reply.number = this.number;
    reply.metaFlags = this.metaFlags;
    reply.message = this.message;
    reply.destination = this.destination;
    reply.life = this.life;
    return reply;
  }
}
