/**
 * The error class of this package, which those of the server and the router extend. `code` is stable: an errno name
 * such as `EADDRINUSE` when the system refused something, `OPTION` (an option's value makes no sense), `UNAVAILABLE`
 * (the machine cannot do what was asked for), `WORKER` (a worker thread died or did not start).
 */
export interface HostErrorDetails {
  /** The option at fault, as it is written on a command line. */
  readonly option?: string;
  readonly cause?: unknown;
}

export class HostError extends Error {
  override readonly name: string = 'HostError';
  readonly code: string;
  /** The option at fault, or ''. */
  readonly option: string;

  constructor(code: string, message: string, details: HostErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.option = details.option ?? '';
  }

  /** Keeps the code and the option of errors that have one. */
  static from(error: unknown): HostError {
    return error instanceof HostError ? error : new HostError(...errorFacts(error));
  }
}

/** What an error class is made of to say the same as another error. */
export function errorFacts(error: unknown): [code: string, message: string, details: HostErrorDetails] {
  if (!(error instanceof Error)) return ['ERROR', String(error), { cause: error }];
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'ERROR';
  const option = error instanceof HostError ? error.option : '';
  return [code, error.message, { option, cause: error }];
}
