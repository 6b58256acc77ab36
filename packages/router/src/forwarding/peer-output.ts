/**
 * Where bytes for a client go: a connection, or the memory in which the reply to a datagram is gathered. The shape
 * is that of a connection, so that the same code serves both.
 */
export interface PeerOutput {
  readonly isCongested: boolean;
  /** Replies are still to come, or no longer: until then the peer's end of input does not end the connection. */
  owe(isOwed: boolean): void;
  /** Copies arena bytes. */
  copy(offset: number, bytes: number): void;
  /** Arena bytes that are sent from where they lie; their owner, a slab chunk, is released when they have left. */
  reference(offset: number, bytes: number, owner: number): void;
  writeBytes(bytes: Uint8Array): void;
  writeLatin1(text: string): void;
}
