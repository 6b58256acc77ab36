/**
 * One server, the leaf of every tree of route handles: pipelined connections, time-outs, health. What does it is
 * `server-destination.ts`; this is what others may rely on.
 *
 * Three ways in, from the simple to the fast:
 * - `route(request)`: a promise of a reply.
 * - `submit(request, sink, tag)`: the same without a promise. `sink.onReply(tag, reply)` is called once, later.
 * - `forward(bytes, …)`: a request in the server's own words; `sink.onBytes` gets the reply's bytes as they came.
 *
 * Requests of one turn leave together; gets that follow each other become one multiget. All three share the
 * connections, the time-outs, the limits and the health. With `udpPort` gets of all three go over UDP; forwarded ones
 * only where links share Node's event loop.
 */
import type { ReplyShape } from '@larder/protocol';
import type { Reply, Result } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import type { Address } from './address.ts';
import type { DestinationOptions, Dialect } from './destination-options.ts';

export const DestinationState: {
  /** Nothing was asked yet. */
  readonly new: 'new';
  readonly up: 'up';
  /** Given up: every request fails at once, probes are sent. */
  readonly tko: 'tko';
  readonly closed: 'closed';
} = { new: 'new', up: 'up', tko: 'tko', closed: 'closed' };
export type DestinationState = (typeof DestinationState)[keyof typeof DestinationState];

/** Takes replies of `submit`. Called at most once per tag, never from within `submit`. */
export interface ReplySink {
  onReply(tag: number, reply: Reply): void;
}

/** Takes replies of `forward`. One of the two is called exactly once per accepted forward, in any order of tags. */
export interface ForwardSink {
  /** The whole reply is [start, end) of `bytes`, valid until the call returns. */
  onBytes(tag: number, bytes: Buffer, start: number, end: number): void;
  /** There will be none: an error of `Result`. */
  onFailure(tag: number, result: Result): void;
}

export interface DestinationStatistics {
  /** Requests accepted, by any way in, and those that failed. */
  requests: number;
  failures: number;
  timeouts: number;
  /** Refused without being sent: TKO, busy. */
  refused: number;
  connects: number;
  connectFailures: number;
  /** Times it became TKO, and probes sent. */
  tkos: number;
  probes: number;
  /** Replies that were none; each ends its connection. */
  malformed: number;
  /** Lines of gets sent over UDP, and those whose reply was lost, late or out of order. */
  datagrams: number;
  datagramsLost: number;
  /** Requests that wait for a reply now. */
  outstanding: number;
  bytesRead: number;
  bytesWritten: number;
  /** Milliseconds from sending to reply, smoothed. */
  latencyMs: number;
}

/**
 * Who gave a lease's token or a CAS value: a server in one of its lives, as far as its connections tell. The same
 * number means something else to another server, and to this one after a restart.
 */
export interface LeaseIssuer {
  readonly destination: Destination;
  readonly life: number;
}

export interface Destination extends RouteHandle {
  /** What it is known by: address and options. Stable; equal ones are the same object within one Destinations. */
  readonly key: string;
  /** `host:port`, for people and metrics. */
  readonly label: string;
  readonly address: Address;
  readonly options: DestinationOptions;
  readonly state: DestinationState;
  /** Whether a request would be sent rather than refused. */
  readonly isUp: boolean;
  /** Changes whenever a connection has ended: from then on the server may be another process. */
  readonly life: number;
  /** Which leases it speaks, `auto` while that is not known. */
  readonly dialect: Dialect;
  readonly statistics: Readonly<DestinationStatistics>;
  /** The error that made it TKO, or its last one. */
  readonly lastError: Error | undefined;
  route(request: Request): Promise<Reply>;
  direct(request: Request): Destination;
  submit(request: Request, sink: ReplySink, tag: number): void;
  /**
   * Sends [start, end) of `bytes`: one complete request with its line ends, which asks for exactly one reply of
   * that shape (so no noreply, no q). Copied before the call returns. Answers undefined, or why it was refused
   * (then the sink is not called). `timeoutMs` instead of the destination's own time-out, 0 for that one; what goes over
   * UDP has its own in any case.
   */
  forward(
    bytes: Buffer,
    start: number,
    end: number,
    shape: ReplyShape,
    sink: ForwardSink,
    tag: number,
    timeoutMs?: number,
  ): Result | undefined;
  /** Calls back at every change of state; returns what ends that. */
  onState(listener: (state: DestinationState, destination: Destination) => void): () => void;
}
