/** What takes the parts of an answer, in order: a connection, or a buffer that gathers datagrams. */
export interface ScatterGatherTarget {
  /** Copies arena bytes; they may change afterwards. */
  copy(offset: number, bytes: number): void;
  /**
   * Takes arena bytes by reference; `owner` was retained by the caller and is given to the transport's
   * `onRelease` exactly once, when nobody reads the bytes any more.
   */
  reference(offset: number, bytes: number, owner: number): void;
}
