/** Where replies go: a connection, or the datagrams that answer a datagram. */
import type { DatagramReplies, ScatterGatherTarget } from '@larder/datapath';
import type { WireObject } from '@larder/wire';

export interface RpcOutput {
  /** Shown as `cfd` in the event log: the connection, -1 for datagrams. */
  readonly id: number;
  /** Replies of at most so many bytes; infinite on a connection. */
  readonly replyBytesMax: number;
  /** Sends a reply, which is empty afterwards. */
  send(reply: WireObject, type: number, id: number): void;
  /** The connection, for replies that are written without an encoder; null for datagrams. */
  readonly stream: RpcStream | null;
  /** The datagrams that answer a datagram, likewise; null for connections. */
  readonly replies: DatagramReplies | null;
}

/** A connection as far as replies without an encoder are concerned. */
export interface RpcStream extends ScatterGatherTarget {
  cursor: number;
  /** The end of the room that begins at `cursor`. */
  limit: number;
  reserve(bytes: number): number;
}
