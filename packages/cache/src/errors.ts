/** The one error class of this package. `code` is stable. */
export class CacheError extends Error {
  override readonly name: string = 'CacheError';
  /** `ARGUMENT`, or `RESTART_REFUSED` when a memory file cannot be used. */
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  static from(error: unknown): CacheError {
    if (error instanceof CacheError) return error;
    return new CacheError('ERROR', error instanceof Error ? error.message : String(error), { cause: error });
  }
}
