/**
 * Errors of the erasure package: one class with a stable `code`, and one
 * subclass that names the symbols which cannot be solved.
 */

export type ErasureErrorCode =
  | 'ILLEGAL_PARAMETERS'
  | 'ILLEGAL_ARGUMENT'
  | 'UNDECODABLE'
  | 'LIMIT_EXCEEDED'
  | 'INTERNAL';

export class ErasureError extends Error {
  override readonly name: string = 'ErasureError';
  readonly code: ErasureErrorCode;

  constructor(code: ErasureErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Wraps anything that was thrown, so that callers handle one class. */
  static from(thrown: unknown): ErasureError {
    if (thrown instanceof ErasureError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new ErasureError('INTERNAL', message, { cause: thrown });
  }
}

/** Names at most this many symbols in the message; `symbols` always has all. */
const NAMED_SYMBOLS_MAX = 12;

/** Thrown when the lost symbols cannot all be rebuilt from what is left. */
export class UndecodableError extends ErasureError {
  override readonly name: string = 'UndecodableError';
  /** The lost symbols that cannot be solved, as [node, row] pairs. */
  readonly symbols: readonly (readonly [number, number])[];

  constructor(codeId: string, symbols: readonly (readonly [number, number])[]) {
    const named = symbols
      .slice(0, NAMED_SYMBOLS_MAX)
      .map(([node, row]) => `node ${node} row ${row}`)
      .join(', ');
    const more = symbols.length > NAMED_SYMBOLS_MAX ? ` and ${symbols.length - NAMED_SYMBOLS_MAX} more` : '';
    super('UNDECODABLE', `${codeId}: ${symbols.length} lost symbols cannot be rebuilt: ${named}${more}`);
    this.symbols = symbols;
  }
}

export function illegalParameters(message: string): ErasureError {
  return new ErasureError('ILLEGAL_PARAMETERS', message);
}

export function illegalArgument(message: string): ErasureError {
  return new ErasureError('ILLEGAL_ARGUMENT', message);
}
