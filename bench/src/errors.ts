/** The one error class of the benchmarks. `code` is stable; `cause` holds what was underneath. */
export class BenchError extends Error {
  override readonly name: string = 'BenchError';
  /** `USAGE`, `MISSING` (a tool is not installed), `SERVER`, `LOAD`, `REPLY` (wrong bytes), `INTERRUPTED`. */
  readonly code: string;

  constructor(code: string, text: string, options?: { cause?: unknown }) {
    super(text, options);
    this.code = code;
  }

  static from(error: unknown): BenchError {
    if (error instanceof BenchError) return error;
    return new BenchError('LOAD', error instanceof Error ? error.message : String(error), { cause: error });
  }
}
