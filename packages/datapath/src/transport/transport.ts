/**
 * The seam between bytes and protocols.
 *
 * A transport delivers received bytes as (connection, start, end) offsets into the arena and takes back
 * copied bytes and references. It knows no protocol and has no clock of its own: whoever owns it calls
 * `wake()` (from any thread) when time has passed or when there is a message.
 *
 * ```
 *   kernel ──bytes──▶ transport ──onData(connection, start, end)──▶ handler
 *                        ▲                                             │
 *                        └── reserve/commit (copied), reference() ◀────┘
 *   kernel ──completion──▶ transport ──onRelease(owner)──▶ handler
 * ```
 *
 * What a handler writes during one call is sent when the call returns: one submission for all that was
 * written, in order, however many copied and referenced parts it has.
 */
import type { Connection } from './connection.ts';
import type { ServeOptions } from './options.ts';

export const TransportKind: { readonly uring: 'uring'; readonly epoll: 'epoll'; readonly node: 'node' } = {
  uring: 'uring',
  epoll: 'epoll',
  node: 'node',
};
export type TransportKind = (typeof TransportKind)[keyof typeof TransportKind];

/** Why a connection ended; given to `onClose`. */
export const CloseReason: {
  readonly peer: 'peer';
  readonly local: 'local';
  readonly error: 'error';
  readonly idle: 'idle';
  readonly slowReader: 'slow-reader';
  readonly inputTooLong: 'input-too-long';
  readonly shutdown: 'shutdown';
} = {
  peer: 'peer',
  local: 'local',
  error: 'error',
  idle: 'idle',
  slowReader: 'slow-reader',
  inputTooLong: 'input-too-long',
  shutdown: 'shutdown',
};
export type CloseReason = (typeof CloseReason)[keyof typeof CloseReason];

/** The socket address of a datagram's sender, valid during `onDatagram` only. */
export interface DatagramSource {
  /** 4 or 6. */
  readonly family: number;
  /** Offset in the arena of the 4 or 16 address bytes (network order). */
  readonly addressOffset: number;
  readonly port: number;
  /** The port of the socket that it came to. */
  readonly localPort: number;
  /** Its descriptor, from which a reply can be sent later on; -1 on the portable transport. */
  readonly localDescriptor: number;
}

/**
 * Receives what a transport delivers. `S` is the handler's own state per connection
 * (`connection.session`). All calls come from the thread that runs the transport, never re-entrantly.
 */
export interface TransportHandler<S> {
  /** A connection was accepted, adopted or connected; set `connection.session` here. */
  onConnect(connection: Connection<S>): void;
  /**
   * Bytes [start, end) of the stream, contiguous in the arena, valid until the call returns. Returns the
   * offset up to which they were consumed; the rest is kept and given again, contiguous with what follows,
   * when more has arrived. A rest longer than `limits.inputBytesMax` closes the connection.
   */
  onData(connection: Connection<S>, start: number, end: number): number;
  /**
   * The last call for this connection; its session can be dropped. References that the kernel still holds
   * are released after it.
   */
  onClose(connection: Connection<S>, reason: CloseReason, error?: Error): void;
  /** A referenced part was sent (or its connection is gone): the kernel no longer reads from it. */
  onRelease(owner: number): void;
  /**
   * A connection that was congested (`connection.isCongested`) has little output left. What `onData` left
   * unconsumed is then given again; this is for handlers that produce output of their own accord.
   */
  onDrain?(connection: Connection<S>): void;
  /**
   * One datagram [start, end). Replies are written with `replies.begin(bytes)` / `replies.end(bytes)`, each
   * one datagram to the sender of this one; they leave in batches.
   */
  onDatagram?(replies: DatagramReplies, source: DatagramSource, start: number, end: number): void;
  /** `wake()` was called, once or several times. */
  onWake?(): void;
  /** What to write to a connection beyond `connectionsMax` before it is closed. */
  onRefuse?(): Uint8Array | undefined;
}

/** Where `onDatagram` puts its replies. */
export interface DatagramReplies {
  /** Returns the offset of `bytes` (≤ limits.datagramBytesMax) writable bytes for one datagram. */
  begin(bytes: number): number;
  /**
   * Lets arena bytes follow what is copied into the datagram begun last, without copying them, in the order of
   * the calls. The caller retained their owner; `onRelease(owner)` is called exactly once, after the handler
   * returned, when they were sent or dropped.
   */
  reference(offset: number, bytes: number, owner: number): void;
  /** Queues the datagram begun last, with the real length of its copied part. */
  end(bytes: number): void;
}

export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly backlog?: number }
  | { readonly kind: 'unix'; readonly path: string; readonly mode?: number; readonly backlog?: number }
  | { readonly kind: 'udp'; readonly host: string; readonly port: number };

export type ConnectAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Counters that every transport keeps; read by `stats` and metrics. */
export interface TransportStatistics {
  connectionsOpened: number;
  connectionsCurrent: number;
  connectionsRefused: number;
  connectionsClosedIdle: number;
  connectionsClosedSlow: number;
  /** How often, and how long, accepting waited for room (`acceptWhenFull: 'wait'`) or for descriptors. */
  acceptPauses: number;
  acceptPausedMs: number;
  bytesRead: number;
  bytesWritten: number;
  /** System calls (or their equivalent on the portable transport: socket writes). */
  systemCalls: number;
  /** Zero-copy sends, and how many of them the kernel copied after all. */
  zeroCopySends: number;
  zeroCopyCopied: number;
  datagramsReceived: number;
  datagramsSent: number;
  datagramsDropped: number;
}

export interface Transport<S> {
  readonly kind: TransportKind;
  readonly statistics: TransportStatistics;
  /** Connections now open; for `stats conns` and for closing them. */
  connections(): Iterable<Connection<S>>;
  /**
   * Starts to accept on a socket from `openListener`, or to serve datagrams on one from `openDatagram`. The
   * portable transport binds only now and returns a promise.
   */
  serve(socket: ListeningSocket, options?: ServeOptions): void | Promise<void>;
  /** Stops accepting on it; existing connections go on. */
  unserve(socket: ListeningSocket): void;
  /**
   * Opens a connection to a literal address (see `resolveAddress`); `onConnect` or (on failure) `onClose`
   * follows. Output written meanwhile waits.
   */
  connect(address: ConnectAddress): Connection<S>;
  /**
   * Takes over a connected socket's descriptor (Linux transports; accepted by another thread).
   */
  adopt(descriptor: number): void;
  /**
   * Runs until `stop()`; the Linux transports block the thread inside the kernel, so they run in a worker
   * thread. The portable transport returns a promise and lives on Node's event loop.
   */
  run(): void | Promise<void>;
  /**
   * Ends `run()`: no more accepts, pending output is flushed for at most `flushMs`, all connections
   * closed, all buffers and descriptors given back. Call it on the transport's own thread (from a handler).
   */
  stop(flushMs?: number): void;
  /** Something that can be sent to another thread and there wakes this transport: see `wake` in `waker.ts`. */
  readonly waker: WakerHandle;
}

/** A transport whose thread is its own: `run` blocks, and `turn` runs one turn of the same loop. */
export interface LoopTransport<S> extends Transport<S> {
  run(): void;
  /**
   * Sends what is to be sent, waits at most `timeoutMs` (-1: for ever, 0: not at all) for something to
   * happen, and handles it. False when the transport has stopped.
   */
  turn(timeoutMs: number): boolean;
  /**
   * From now on a turn that waits does so up to `microseconds` for `events` things to have happened, so that their
   * work is done together; after that one is enough. One event is the rule. Only io_uring on Linux 6.12 and later
   * can do that; elsewhere this changes nothing.
   */
  gather(events: number, microseconds: number): void;
}

/** A handle that survives `postMessage`; `wake(handle)` in any thread makes the transport call `onWake`. */
export type WakerHandle =
  | { readonly kind: 'eventfd'; readonly descriptor: number; readonly state: SharedArrayBuffer }
  | { readonly kind: 'shared'; readonly state: SharedArrayBuffer };

/** A bound socket, made once by the main thread; descriptors may be used by several workers. */
export interface ListeningSocket {
  readonly address: ListenAddress;
  /** The port really bound (for port 0), 0 for Unix sockets. */
  readonly port: number;
  /** -1 on the portable transport, which binds in `serve`. */
  readonly descriptor: number;
  /** Portable transport: several workers bind the port. */
  readonly reusePort?: boolean;
}
