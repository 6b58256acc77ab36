/**
 * What goes wrong, as one class with stable codes. Trouble with the cache is only thrown when the caller
 * asked for it (`throwOnTrouble`); wrong use of the API is always thrown.
 */

/** The stable codes of `CacheError`. */
export const CacheErrorCode: {
  /** The signal given by the caller fired. */
  readonly aborted: 'ABORTED';
  /** The cache was closed. */
  readonly closed: 'CLOSED';
  /** No connection, or it was lost. Trouble. */
  readonly connection: 'CONNECTION';
  /** A stored value cannot be read: damaged, of another schema, or of a dictionary that is not known. Trouble. */
  readonly decode: 'DECODE';
  /** The list of servers cannot be found out. */
  readonly discovery: 'DISCOVERY';
  /** An option or the route configuration makes no sense. */
  readonly invalidConfig: 'INVALID_CONFIG';
  /** A duration that is none, such as `'30 parsecs'`. */
  readonly invalidDuration: 'INVALID_DURATION';
  /** A key that is not a string, or empty. */
  readonly invalidKey: 'INVALID_KEY';
  /** A value that cannot be stored: undefined, a function, not what the schema says. */
  readonly invalidValue: 'INVALID_VALUE';
  /** incr or decr of a value that is not a whole number. */
  readonly notNumber: 'NOT_NUMBER';
  /** The server refused: its own words are in the message. Trouble. */
  readonly server: 'SERVER';
  /** No answer in time. Trouble. */
  readonly timeout: 'TIMEOUT';
  /** The server is known to be down, so nothing was sent. Trouble. */
  readonly unavailable: 'UNAVAILABLE';
  /** The server, mostly a router, has no such command: the message says what to do instead. */
  readonly unsupported: 'UNSUPPORTED';
  /** Larger than the limit, split or not. */
  readonly valueTooLarge: 'VALUE_TOO_LARGE';
} = {
  aborted: 'ABORTED',
  closed: 'CLOSED',
  connection: 'CONNECTION',
  decode: 'DECODE',
  discovery: 'DISCOVERY',
  invalidConfig: 'INVALID_CONFIG',
  invalidDuration: 'INVALID_DURATION',
  invalidKey: 'INVALID_KEY',
  invalidValue: 'INVALID_VALUE',
  notNumber: 'NOT_NUMBER',
  server: 'SERVER',
  timeout: 'TIMEOUT',
  unavailable: 'UNAVAILABLE',
  unsupported: 'UNSUPPORTED',
  valueTooLarge: 'VALUE_TOO_LARGE',
};
export type CacheErrorCode = (typeof CacheErrorCode)[keyof typeof CacheErrorCode];

/** Codes of trouble with the cache, as opposed to wrong use of it. */
const TROUBLE: ReadonlySet<CacheErrorCode> = new Set([
  CacheErrorCode.connection,
  CacheErrorCode.decode,
  CacheErrorCode.server,
  CacheErrorCode.timeout,
  CacheErrorCode.unavailable,
]);

export interface CacheErrorOptions {
  readonly cause?: unknown;
  /** The caller's key, where one is concerned. */
  readonly key?: string;
  /** `host:port` or path of the server that is concerned. */
  readonly server?: string;
}

export class CacheError extends Error {
  override readonly name: string = 'CacheError';
  readonly code: CacheErrorCode;
  readonly key: string | undefined;
  readonly server: string | undefined;

  constructor(code: CacheErrorCode, message: string, options: CacheErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.key = options.key;
    this.server = options.server;
  }

  /** Whether this is trouble with the cache, which callers who did not ask for it never see. */
  get isTrouble(): boolean {
    return TROUBLE.has(this.code);
  }

  /** What was thrown, as a CacheError: itself if it is one. */
  static from(thrown: unknown, code: CacheErrorCode = CacheErrorCode.connection): CacheError {
    if (thrown instanceof CacheError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new CacheError(code, message, { cause: thrown });
  }
}
