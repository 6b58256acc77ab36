/**
 * One request on its way through the route handles.
 *
 * The key is a piece of a buffer (`keySource`, from `keyStart` to `keyEnd`), so that neither a string nor a view
 * is made of it on the way; `key` makes a view for whoever wants one. A request is not changed once it has been
 * routed, because several destinations may hold it at a time: a handle that wants another key, value or expiry
 * time takes a `copy()` and changes that.
 *
 * ```
 *   keySource   … / r e g i o n / c l u s t e r / u s e r : 7 | # | x …
 *                 ▲ prefixStart                   ▲ keyStart  ▲     ▲ keyEnd
 *                 └────── routing prefix ─────────┘           hashEnd: what follows |#| does not choose the server
 * ```
 */
import type { LeaseIssuer } from './destination/destination.ts';

/** What is asked for. Numbers, so that handles can look up tables by them. */
export const Operation: {
  readonly get: 0;
  readonly gets: 1;
  readonly gat: 2;
  readonly gats: 3;
  readonly leaseGet: 4;
  readonly leaseSet: 5;
  readonly set: 6;
  readonly add: 7;
  readonly replace: 8;
  readonly append: 9;
  readonly prepend: 10;
  readonly cas: 11;
  readonly touch: 12;
  readonly incr: 13;
  readonly decr: 14;
  readonly delete: 15;
  readonly metaGet: 16;
  readonly metaSet: 17;
  readonly metaDelete: 18;
  readonly metaArithmetic: 19;
  readonly flushAll: 20;
  readonly version: 21;
  readonly stats: 22;
} = {
  get: 0,
  gets: 1,
  gat: 2,
  gats: 3,
  leaseGet: 4,
  leaseSet: 5,
  set: 6,
  add: 7,
  replace: 8,
  append: 9,
  prepend: 10,
  cas: 11,
  touch: 12,
  incr: 13,
  decr: 14,
  delete: 15,
  metaGet: 16,
  metaSet: 17,
  metaDelete: 18,
  metaArithmetic: 19,
  flushAll: 20,
  version: 21,
  stats: 22,
};
export type Operation = (typeof Operation)[keyof typeof Operation];

/** The names of the operations on the wire, by their numbers; configuration uses them too. */
export const OPERATION_NAMES: readonly string[] = [
  'get',
  'gets',
  'gat',
  'gats',
  'lease-get',
  'lease-set',
  'set',
  'add',
  'replace',
  'append',
  'prepend',
  'cas',
  'touch',
  'incr',
  'decr',
  'delete',
  'mg',
  'ms',
  'md',
  'ma',
  'flush_all',
  'version',
  'stats',
];

/** The operation of that name, or undefined. */
export function operationOf(name: string): Operation | undefined {
  const index = OPERATION_NAMES.indexOf(name);
  return index < 0 ? undefined : (index as Operation);
}

const BIT_RETRIEVAL = 1;
const BIT_STORE = 2;
const BIT_DELETE = 4;
const BIT_ARITHMETIC = 8;
const BIT_META = 16;
/** What kind of operation each is, by its number. */
const KINDS: Uint8Array = new Uint8Array(OPERATION_NAMES.length);
for (const name of ['get', 'gets', 'gat', 'gats', 'lease-get', 'mg']) mark(name, BIT_RETRIEVAL);
for (const name of ['lease-set', 'set', 'add', 'replace', 'append', 'prepend', 'cas', 'ms']) {
  mark(name, BIT_STORE);
}
for (const name of ['delete', 'md']) mark(name, BIT_DELETE);
for (const name of ['incr', 'decr', 'ma']) mark(name, BIT_ARITHMETIC);
for (const name of ['mg', 'ms', 'md', 'ma']) mark(name, BIT_META);

function mark(name: string, bit: number): void {
  KINDS[OPERATION_NAMES.indexOf(name)]! |= bit;
}

/** get, gets, gat, gats, lease-get, mg. */
export function isRetrieval(operation: Operation): boolean {
  return (KINDS[operation]! & BIT_RETRIEVAL) !== 0;
}

/** set, add, replace, append, prepend, cas, lease-set, ms. */
export function isStore(operation: Operation): boolean {
  return (KINDS[operation]! & BIT_STORE) !== 0;
}

/** delete, md. */
export function isDelete(operation: Operation): boolean {
  return (KINDS[operation]! & BIT_DELETE) !== 0;
}

/** incr, decr, ma. */
export function isArithmetic(operation: Operation): boolean {
  return (KINDS[operation]! & BIT_ARITHMETIC) !== 0;
}

/** mg, ms, md, ma. */
export function isMeta(operation: Operation): boolean {
  return (KINDS[operation]! & BIT_META) !== 0;
}

export const NO_BYTES: Buffer = Buffer.alloc(0);
const BAR = 0x7c;
const HASH_SIGN = 0x23;

export class Request {
  operation: Operation;
  /** The key, without the routing prefix: [keyStart, keyEnd) of `keySource`. */
  keySource: Buffer;
  keyStart: number;
  keyEnd: number;
  /** Where the routing prefix begins in `keySource`; `keyStart` when there is none. */
  prefixStart: number;
  /** The data block. It must not be changed any more, not even after a time-out: it may still be on its way. */
  value: Buffer = NO_BYTES;
  /** Client flags, u32. */
  flags: number = 0;
  /** As on the wire: 0 never, up to 30 days in seconds, a Unix time above, negative already over. */
  exptime: number = 0;
  /** cas: what the item's CAS has to be. */
  cas: bigint = 0n;
  /** leaseSet: the token of the leaseGet. */
  token: bigint = 0n;
  /** incr, decr. */
  delta: bigint = 0n;
  /** delete: for so many seconds an add fails (Larder; plain memcached has nothing like it). */
  holdOffSeconds: number = 0;
  /** delete: to plain memcached, keep the value as stale for so long (`md I T`); Larder always does. 0: remove. */
  staleSeconds: number = 0;
  /** mg, ms, md, ma: the flags as they stand on the line, without key, length and q; words with spaces between. */
  metaFlags: Buffer = NO_BYTES;
  /** stats: its arguments as they stand on the line. */
  statsArguments: string = '';
  /** The asker does not want an answer. Destinations ask for one all the same; who speaks to the asker drops it. */
  noreply: boolean = false;
  /** Who asks, for ReplicaByClient: an address or any other stable name. '' for "this process". */
  clientId: string = '';
  /**
   * Who gave the token or the CAS value that this request brings back. No other server, and not that one after a
   * restart, takes it: they answer `exists` (`notStored` to leaseSet) without sending it. Undefined: whoever gets it.
   */
  issuer: LeaseIssuer | undefined = undefined;
  /** 0 for the destination's own time-out. */
  timeoutMs: number = 0;
  #hashEnd: number = -1;

  constructor(operation: Operation, keySource: Buffer, keyStart: number, keyEnd: number) {
    this.operation = operation;
    this.keySource = keySource;
    this.keyStart = keyStart;
    this.keyEnd = keyEnd;
    this.prefixStart = keyStart;
  }

  /** A request with this key; UTF-8. */
  static of(operation: Operation, key: string | Buffer): Request {
    const bytes = typeof key === 'string' ? Buffer.from(key, 'utf8') : key;
    return new Request(operation, bytes, 0, bytes.length);
  }

  /**
   * Another key, for who uses one request object again and again (never once it has been routed); `hashEnd` for who
   * knows it already.
   */
  setKey(source: Buffer, start: number, end: number, hashEnd: number = -1): void {
    this.keySource = source;
    this.keyStart = start;
    this.keyEnd = end;
    this.prefixStart = start;
    this.#hashEnd = hashEnd;
  }

  /** The key's first `bytes` bytes are a routing prefix (`/region/cluster/`). */
  takePrefix(bytes: number): void {
    this.keyStart = this.prefixStart + bytes;
    this.#hashEnd = -1;
  }

  get keyBytes(): number {
    return this.keyEnd - this.keyStart;
  }

  /** A view of the key. */
  get key(): Buffer {
    return this.keySource.subarray(this.keyStart, this.keyEnd);
  }

  /** The key as text, for people. */
  get keyText(): string {
    return this.keySource.toString('utf8', this.keyStart, this.keyEnd);
  }

  /** `/region/cluster/`, or '' when the key came without. */
  get routingPrefix(): string {
    return this.keySource.toString('latin1', this.prefixStart, this.keyStart);
  }

  /** Where the part of the key ends that chooses the server: at the first `|#|`, or the key's end. */
  get hashEnd(): number {
    if (this.#hashEnd < 0) this.#hashEnd = findHashStop(this.keySource, this.keyStart, this.keyEnd);
    return this.#hashEnd;
  }

  /** The same request, to be changed by the caller before it routes it. */
  copy(): Request {
    const copy = new Request(this.operation, this.keySource, this.keyStart, this.keyEnd);
    copy.prefixStart = this.prefixStart;
    copy.value = this.value;
    copy.flags = this.flags;
    copy.exptime = this.exptime;
    copy.cas = this.cas;
    copy.token = this.token;
    copy.delta = this.delta;
    copy.holdOffSeconds = this.holdOffSeconds;
    copy.staleSeconds = this.staleSeconds;
    copy.metaFlags = this.metaFlags;
    copy.statsArguments = this.statsArguments;
    copy.noreply = this.noreply;
    copy.clientId = this.clientId;
    copy.issuer = this.issuer;
    copy.timeoutMs = this.timeoutMs;
    copy.#hashEnd = this.#hashEnd;
    return copy;
  }
}

function findHashStop(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at + 2 < end; at++) {
    if (bytes[at] === BAR && bytes[at + 1] === HASH_SIGN && bytes[at + 2] === BAR) return at;
  }
  return end;
}
