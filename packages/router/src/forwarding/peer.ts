/** What a datapath connection of the router belongs to: a client, or a link to a server. */
export interface Peer {
  opened(): void;
  /** Bytes [start, end) of the arena; returns the offset up to which they were consumed. */
  received(start: number, end: number): number;
  drained(): void;
  closed(error: Error | undefined): void;
}
