/** A call that did not succeed: refused by the server, or lost with the connection. */

/** The type of frames that carry a `Failure` instead of a reply; no method has it. */
export const FAILURE_TYPE: number = 0;

export class RpcError extends Error {
  override readonly name: string = 'RpcError';
  /**
   * The server's word, or one of the channel's: `CLOSED` (the connection ended), `TIMEOUT`, `BAD_REPLY` (what
   * came is no reply to the request).
   */
  readonly code: string;

  constructor(code: string, text: string, options?: { cause?: unknown }) {
    super(`${code}: ${text}`, options);
    this.code = code;
  }
}
