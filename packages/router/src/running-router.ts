/** What `startRouter` returns: a router that answers, as its owner sees it. */
import type { TransportKind } from '@larder/datapath';
import type { BoundAddress } from '@larder/host';
import type { RouterSettings } from './options/router-options.ts';

/** One server behind the router, summed over all workers. */
export interface DestinationRow {
  readonly label: string;
  /** `new`, `up`, `tko` or `closed`; the worst of all workers. */
  readonly state: string;
  readonly requests: number;
  readonly failures: number;
  readonly timeouts: number;
  readonly refused: number;
  readonly connects: number;
  readonly connectFailures: number;
  readonly tkos: number;
  readonly probes: number;
  readonly malformed: number;
  readonly outstanding: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Smoothed, the largest of all workers. */
  readonly latencyMs: number;
}

/** A route that chooses among servers, with what these servers were asked by anyone: a shared server counts in each. */
export interface RouteRow {
  readonly name: string;
  readonly servers: number;
  readonly serversUp: number;
  readonly requests: number;
  readonly failures: number;
  /** Of its servers, by their requests. */
  readonly latencyMs: number;
}

export interface RunningRouter {
  readonly settings: RouterSettings;
  readonly transport: TransportKind;
  readonly workers: number;
  readonly addresses: readonly BoundAddress[];
  /** The first TCP port, 0 when there is none. */
  readonly port: number;
  /** What the operator should know: fallbacks, warnings. */
  readonly notes: readonly string[];
  /** The rows of `stats`, by name. */
  statistics(): ReadonlyMap<string, string | number>;
  /** The servers, at most a second old. */
  destinations(): readonly DestinationRow[];
  /** The routes that choose among servers. */
  routes(): readonly RouteRow[];
  /** Reads the configuration again in every worker. */
  reload(): void;
  /** Ends it: no more clients are taken, requests under way are answered, output leaves. */
  stop(reason?: string): Promise<void>;
  /** Resolves with the exit code when the router has ended: 0 after `stop`, 1 when a worker died. */
  readonly closed: Promise<number>;
}
