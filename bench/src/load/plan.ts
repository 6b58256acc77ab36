/**
 * What the load generator is told to do and what it reports: plain data that crosses a process boundary.
 */
import type { ArrivalProcess } from '../random/arrivals.ts';
import type { KeyDistribution } from '../random/key-distribution.ts';
import type { SizeDistribution } from '../random/size-distribution.ts';

/** Which keys exist and what their values are: everything follows from these numbers. */
export interface KeySpacePlan {
  readonly seed: number;
  readonly keys: number;
  readonly keyBytes: number;
  readonly sizes: SizeDistribution;
}

export type LoadAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'udp'; readonly host: string; readonly port: number };

/** Closed: the next request follows a reply. Open: requests are due at times that do not wait for replies. */
export type LoopPlan =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly arrivals: ArrivalProcess; readonly ratePerSecond: number };

/** Requests of one sort on their own connections. */
export interface StreamPlan {
  readonly name: string;
  readonly connections: number;
  /** Requests in flight per connection of a closed loop; they are written together. */
  readonly depth: number;
  readonly keysPerGet: number;
  /** The share of gets, 0 to 1; the rest are sets. */
  readonly getRatio: number;
  readonly distribution: KeyDistribution;
  readonly loop: LoopPlan;
  /** Whether `END` without a value is an answer; otherwise it fails the run. */
  readonly missesAllowed: boolean;
  /** Whether the values of one get may come in any order, as from a proxy that splits it over servers. */
  readonly anyOrder?: boolean;
  /** Keys of the key space that this stream uses: [firstKey, firstKey + keys). */
  readonly firstKey: number;
  readonly keys: number;
  /** Ends the run when this many requests were answered (filling); 0 means that time ends it. */
  readonly requests: number;
}

export interface RunPlan {
  readonly address: LoadAddress;
  readonly streams: readonly StreamPlan[];
  readonly rampSeconds: number;
  readonly seconds: number;
  /** Processes whose CPU time is read at both ends of the measured time. */
  readonly serverPids: readonly number[];
}

/** Percentile and latency in microseconds. */
export type LatencyPoint = readonly [percentile: number, latencyUs: number];

export interface StreamResult {
  readonly name: string;
  readonly requests: number;
  /** Keys asked for or stored. */
  readonly keys: number;
  readonly misses: number;
  /** Datagrams that were never answered. */
  readonly lost: number;
  /** Timed requests of an open loop during which the load generator itself was away. */
  readonly disturbed: number;
  readonly meanUs: number;
  readonly maxUs: number;
  readonly latency: readonly LatencyPoint[];
}

export interface RunResult {
  readonly seconds: number;
  readonly serverCpuSeconds: number;
  /** Time in which threads of the servers were ready but something else had their CPU. */
  readonly serverWaitedSeconds: number;
  /** The same of the load generator. */
  readonly loadWaitedSeconds: number;
  readonly loadCpuSeconds: number;
  /** The longest time in which the load generator itself did not get to look at its sockets. */
  readonly stallMs: number;
  readonly streams: readonly StreamResult[];
}

export type LoadCommand =
  | { readonly kind: 'prepare'; readonly space: KeySpacePlan; readonly transport?: string }
  | { readonly kind: 'run'; readonly plan: RunPlan };

export type LoadReply =
  | { readonly kind: 'ready'; readonly transport: string }
  | { readonly kind: 'result'; readonly result: RunResult }
  | { readonly kind: 'failed'; readonly code: string; readonly text: string };
