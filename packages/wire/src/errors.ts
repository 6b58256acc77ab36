/** The one error class of this package. */

/** Stable codes: what a program may look at. */
export const WireErrorCode: {
  /** Something reaches beyond the received bytes. */
  readonly BOUNDS: 'BOUNDS';
  /** The object was written by a format that this version does not know. */
  readonly VERSION: 'VERSION';
  /** Objects are nested more than 64 deep, or contain themselves. */
  readonly DEPTH: 'DEPTH';
  /** Reading would visit far more bytes than the message has. */
  readonly TRAVERSAL: 'TRAVERSAL';
  /** A string is not UTF-8. */
  readonly UTF8: 'UTF8';
  /** A number does not fit its field. */
  readonly RANGE: 'RANGE';
  /** A value is not of the field's type. */
  readonly TYPE: 'TYPE';
  /** A conversion would lose fields that the schema does not have. */
  readonly UNKNOWN: 'UNKNOWN';
  /** A message, frame, fragment or list is longer than its limit. */
  readonly TOO_LARGE: 'TOO_LARGE';
  /** A frame or fragment contradicts itself or its predecessors. */
  readonly FRAME: 'FRAME';
  /** A view, message or counted buffer is used after its release, or released twice. */
  readonly RELEASED: 'RELEASED';
  /** A builder is used after its encoder has begun another message. */
  readonly STALE: 'STALE';
  /** A builder is assigned to a field of another encoder's builder. */
  readonly FOREIGN: 'FOREIGN';
  /** The arena or the bump arena is full. */
  readonly NO_MEMORY: 'NO_MEMORY';
  /** A buffer was changed while it was being sent. */
  readonly CHANGED: 'CHANGED';
} = {
  BOUNDS: 'BOUNDS',
  VERSION: 'VERSION',
  DEPTH: 'DEPTH',
  TRAVERSAL: 'TRAVERSAL',
  UTF8: 'UTF8',
  RANGE: 'RANGE',
  TYPE: 'TYPE',
  UNKNOWN: 'UNKNOWN',
  TOO_LARGE: 'TOO_LARGE',
  FRAME: 'FRAME',
  RELEASED: 'RELEASED',
  STALE: 'STALE',
  FOREIGN: 'FOREIGN',
  NO_MEMORY: 'NO_MEMORY',
  CHANGED: 'CHANGED',
};
export type WireErrorCode = (typeof WireErrorCode)[keyof typeof WireErrorCode];

export class WireError extends Error {
  override readonly name: string = 'WireError';
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, text: string, options?: { cause?: unknown }) {
    super(`${code}: ${text}`, options);
    this.code = code;
  }

  static from(error: unknown): WireError {
    if (error instanceof WireError) return error;
    const text = error instanceof Error ? error.message : String(error);
    return new WireError('TYPE', text, { cause: error });
  }
}
