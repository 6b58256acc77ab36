/** The one error class of this package. `code` is stable; `cause` holds what was underneath. */
export class DatapathError extends Error {
  override readonly name: string = 'DatapathError';
  /** An errno name such as `EADDRINUSE`, or one of this package's own: `UNAVAILABLE`, `LIMIT`, `ARGUMENT`. */
  readonly code: string;
  /** The system call or operation that failed. */
  readonly operation: string;

  constructor(code: string, operation: string, context: string, options?: { cause?: unknown }) {
    super(`${operation}: ${code}${context === '' ? '' : ` (${context})`}`, options);
    this.code = code;
    this.operation = operation;
  }

  static from(error: unknown, operation: string): DatapathError {
    if (error instanceof DatapathError) return error;
    const code =
      error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'ERROR';
    const text = error instanceof Error ? error.message : String(error);
    return new DatapathError(code, operation, text, { cause: error });
  }
}
