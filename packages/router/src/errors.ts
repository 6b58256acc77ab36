/** The one error class of this package. `code` is stable: `OPTION`, `CONFIG`, `WORKER`, or an errno name such as `EADDRINUSE`. */
export interface RouterErrorOptions {
  /** The option that is at fault, as it is written on a command line. */
  readonly option?: string;
  readonly cause?: unknown;
}

export class RouterError extends Error {
  override readonly name: string = 'RouterError';
  readonly code: string;
  readonly option: string | undefined;

  constructor(code: string, message: string, options: RouterErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.option = options.option;
  }

  /** Keeps the code of errors that have one. */
  static from(error: unknown): RouterError {
    if (error instanceof RouterError) return error;
    const code =
      error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'ERROR';
    return new RouterError(code, error instanceof Error ? error.message : String(error), { cause: error });
  }
}
