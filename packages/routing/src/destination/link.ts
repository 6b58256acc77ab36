/**
 * A connection as a destination sees it: a stream of bytes, and nothing else. `node-link.ts` makes one of Node's
 * sockets; the router makes one of a datapath connection.
 *
 * ```
 *   destination ──reserve/commit, write──▶ link ──once a turn──▶ server
 *               ◀─onOpen, onData, onDrain, onClose── link ◀──────────
 * ```
 *
 * What is written in one turn leaves in one system call, as far as possible. A link calls its handler never
 * from within one of its own methods.
 */
import type { Address } from './address.ts';
import type { TlsSettings } from './destination-options.ts';

export interface LinkHandler {
  /** Connected (and through the TLS handshake). Bytes may be written before; they wait. */
  onOpen(): void;
  /**
   * Bytes [start, end) have arrived. All of them are taken. With `isOwned` the buffer is not written again, so
   * that values may stay where they lie; without, it is valid until the call returns.
   */
  onData(bytes: Buffer, start: number, end: number, isOwned: boolean): void;
  /** Less than LINK_QUEUED_BYTES_LOW wait, after more than LINK_QUEUED_BYTES_HIGH did. */
  onDrain(): void;
  /** The last call, exactly once, whether or not it ever opened; without an error after `close()`. */
  onClose(error: Error | undefined): void;
}

export interface Link {
  /** Bytes that the kernel has not taken. */
  readonly queuedBytes: number;
  /** The buffer that `reserve` returned an offset of; may be another one after each `reserve`. */
  readonly output: Buffer;
  /** The offset in `output` of `bytes` (≤ LINK_RESERVE_BYTES_MAX) writable bytes, or -1 when the link is closing. */
  reserve(bytes: number): number;
  /** That many of the reserved bytes are to be sent. */
  commit(bytes: number): void;
  /**
   * Takes back the last `bytes` committed bytes, when they are still in `output` where `commit` left them and the
   * next `reserve` will continue there; false when that cannot be (always false is a correct answer). This is how
   * a get that follows a get becomes one multiget.
   */
  retract(bytes: number): boolean;
  /** Sends [start, end) of `bytes`, which may be used again when the call returns. */
  write(bytes: Buffer, start: number, end: number): void;
  /** The same for bytes that will not change until they are sent: large ones need not be copied. */
  writeOwned(bytes: Buffer): void;
  /** Ends it now; what is queued is dropped. */
  close(): void;
}

/** Opens a link to an address; never throws: what fails is told by `onClose`. */
export interface LinkFactory {
  /**
   * Its links are driven by Node's event loop. Elsewhere what is forwarded stays on links, because a datagram,
   * which is Node's, would have to wait for a turn of that loop.
   */
  readonly isOnEventLoop?: boolean;
  open(address: Address, options: LinkOptions, handler: LinkHandler): Link;
}

export interface LinkOptions {
  /** TLS, or undefined for none. */
  readonly tls: TlsSettings | undefined;
  /** TCP keep-alive probes begin after so long; 0 for none. */
  readonly keepAliveMs: number;
}
