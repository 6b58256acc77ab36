/**
 * The one error class of this package. `code` is stable: an errno name such as `EADDRINUSE` when the system
 * refused something, or one of this package's own: `OPTION` (an option's value makes no sense), `UNAVAILABLE`
 * (the machine cannot do what was asked for), `WORKER` (a worker thread died).
 */
export class ServerError extends Error {
  override readonly name: string = 'ServerError';
  readonly code: string;
  /** The option at fault, as it is written on the command line, or ''. */
  readonly option: string;

  constructor(code: string, message: string, details: { option?: string; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.option = details.option ?? '';
  }

  static from(error: unknown): ServerError {
    if (error instanceof ServerError) return error;
    const code =
      error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'ERROR';
    return new ServerError(code, error instanceof Error ? error.message : String(error), { cause: error });
  }
}
