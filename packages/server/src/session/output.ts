/**
 * Where a session writes its answers: a connection, or the buffer in which the datagrams of a UDP reply are
 * gathered. The shape is that of a connection, so that the same code serves both.
 *
 * Hot code reads `cursor` and `limit`, writes behind `cursor`, and moves it; that is the commit.
 */
import type { ScatterGatherTarget } from '@larder/datapath';

export interface SessionOutput extends ScatterGatherTarget {
  /** Shown as `cfd` in the event log. */
  readonly id: number;
  /** The arena offset of the next byte, and the end of the room that begins there. */
  cursor: number;
  limit: number;
  /** So much output waits that no more requests should be answered for now. */
  readonly isCongested: boolean;
  /** The offset of at least `bytes` writable bytes (then the caller moves `cursor`); 0 when there is no memory. */
  reserve(bytes: number): number;
  writeBytes(bytes: Uint8Array): void;
  writeLatin1(text: string): void;
  /** Closes when everything written has left. */
  end(): void;
}
