/**
 * What the main thread and its workers tell each other beside what every worker does. A worker looks for messages whenever it is woken, and
 * every few milliseconds anyhow.
 */
import type { ListeningSocket, TransportKind } from '@larder/datapath';
import type { RouterSettings } from '../options/router-options.ts';

/** Everything a worker thread begins with. */
export interface WorkerInput {
  readonly index: number;
  readonly transport: TransportKind;
  readonly shared: SharedArrayBuffer;
  readonly settings: RouterSettings;
  readonly version: string;
  /** Unix time in milliseconds. */
  readonly startedAtMs: number;
  readonly connectionsMax: number;
  readonly streams: readonly ListeningSocket[];
  readonly datagrams: readonly ListeningSocket[];
}

/** A route handle whose children are servers. */
export interface RouteServers {
  readonly name: string;
  readonly labels: readonly string[];
}

export type MessageToWorker = { readonly type: 'reload' } | { readonly type: 'stop' };

/** The servers, in the order of the worker's rows, and the routes that choose among them. */
export interface MessageFromWorker {
  readonly type: 'destinations';
  readonly labels: readonly string[];
  readonly routes: readonly RouteServers[];
}
