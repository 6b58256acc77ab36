/**
 * What is remembered of one connection between two deliveries of bytes: the storage command whose data block
 * is still arriving, what must be swallowed, how far the search for a line's end got.
 *
 * ```
 *   line ──storage command──▶ data ──last byte──▶ line        value streamed into an unlinked item
 *     │                         └─bad chunk─────▶ line
 *     ├──refused storage──────▶ swallow ────────▶ line        data block thrown away
 *     ├──unauthenticated set──▶ credentials ────▶ line
 *     ├──watch, quit, error───▶ closed                        input ignored from now on
 *     └──first byte 0x80──────▶ binary, binaryData, binarySwallow
 * ```
 */
import type { RpcConnection } from '../rpc/rpc-connection.ts';
import type { PendingMeta } from './meta-reply.ts';

export const SessionState: {
  readonly line: 0;
  readonly data: 1;
  readonly swallow: 2;
  readonly credentials: 3;
  readonly watch: 4;
  readonly closed: 5;
  /** The same three of a connection that speaks the binary protocol. */
  readonly binary: 6;
  readonly binaryData: 7;
  readonly binarySwallow: 8;
} = {
  line: 0,
  data: 1,
  swallow: 2,
  credentials: 3,
  watch: 4,
  closed: 5,
  binary: 6,
  binaryData: 7,
  binarySwallow: 8,
};
export type SessionState = (typeof SessionState)[keyof typeof SessionState];

export class Session {
  state: SessionState = SessionState.line;
  /** Bytes of the unfinished line that are known to hold no newline. */
  searchedBytes: number = 0;
  /** In `data`: the unlinked item (0: none), its length, and how much of it has been filled. */
  item: number = 0;
  valueBytes: number = 0;
  position: number = 0;
  /** In `data`: how the item is to be linked. */
  mode: number = 0;
  casLow: number = 0;
  casHigh: number = 0;
  noreply: boolean = false;
  /** In `data`: the seconds to live as the client gave them, for `watch mutations`. */
  exptime: number = 0;
  /** In `data`: a meta set whose line is gone by the time its data is complete; made when first needed. */
  meta: PendingMeta | null = null;
  isMeta: boolean = false;
  isLease: boolean = false;
  /** In `binaryData`: what the response repeats of its request. */
  opcode: number = 0;
  opaque: number = 0;
  /** Something was received: from the first byte it is known which protocol the connection speaks. */
  isStarted: boolean = false;
  /** In `swallow`: bytes still to throw away. In `credentials`: the length of the data block. */
  restBytes: number = 0;
  /** A connection of the typed protocol; the other fields are not used then. */
  rpc: RpcConnection | null = null;
  authenticated: boolean;
  /** Requests come in datagrams: commands that keep a connection busy are refused. */
  readonly datagram: boolean;
  /** The categories this connection watches. */
  watching: number = 0;
  /** How far a metadump got whose line is not consumed before it is complete; 0 when none runs. */
  dumpCursor: number = 0;

  constructor(authenticated: boolean, datagram: boolean) {
    this.authenticated = authenticated;
    this.datagram = datagram;
  }
}
