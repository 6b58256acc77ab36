/** A request that is answered with a failure instead of a reply. */

/** Stable codes; docs/protocol/rpc.md lists them. */
export type RpcRefusalCode = 'BAD_KEY' | 'BAD_REQUEST' | 'TOO_LARGE' | 'UNKNOWN_METHOD';

export class RpcRefusal extends Error {
  readonly code: RpcRefusalCode;

  constructor(code: RpcRefusalCode, text: string) {
    super(text);
    this.code = code;
  }
}
