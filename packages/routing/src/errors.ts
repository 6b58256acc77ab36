/**
 * The error class of this package. `code` is stable:
 * `CONFIG` a configuration makes no sense (`path` says where); `CONFIG_SOURCE` it could not be read or fetched;
 * `ADDRESS` an address is none; `LIMIT` a named limit was met; `PROTOCOL` a server sent what is no reply;
 * `CLOSED` used after close; or an errno name such as `ECONNREFUSED`.
 */
export class RoutingError extends Error {
  override readonly name: string = 'RoutingError';
  readonly code: string;
  /** CONFIG: the place in the document, `pools.A.servers[1]`; otherwise ''. */
  readonly path: string;

  constructor(code: string, message: string, details: { path?: string; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.path = details.path ?? '';
  }

  static from(error: unknown): RoutingError {
    if (error instanceof RoutingError) return error;
    const code =
      error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'ERROR';
    return new RoutingError(code, error instanceof Error ? error.message : String(error), { cause: error });
  }
}
