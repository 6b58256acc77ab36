/**
 * What a worker begins with, and what it tells the main thread beside what every worker does. Workers that are
 * blocked inside the kernel read no messages: after `start` they are steered by control words and their waker alone,
 * but they can still send.
 */
import type { StoreLayout } from '@larder/cache';
import type { ArenaHandle, ListeningSocket, TransportKind } from '@larder/datapath';
import type { ServerSettings } from '../options/server-options.ts';
import type { SharedPlan } from './shared-state.ts';

/** Everything a worker thread begins with. */
export interface WorkerInput {
  readonly index: number;
  readonly transport: TransportKind;
  /** What the other workers use; differs in the one that terminates TLS. */
  readonly mainTransport: TransportKind;
  readonly shared: SharedPlan;
  readonly arena: ArenaHandle;
  readonly layout: StoreLayout;
  readonly settings: ServerSettings;
  readonly version: string;
  /** Unix time in milliseconds. */
  readonly startedAtMs: number;
  /** Connections that this worker may have. */
  readonly connectionsMax: number;
  /** `user:password` tokens; empty: no authentication. */
  readonly authTokens: readonly string[];
  /** Sockets to accept connections on. */
  readonly listeners: readonly ListeningSocket[];
  /** UDP sockets to answer on. */
  readonly datagrams: readonly ListeningSocket[];
  /** The port on which sockets speak the typed protocol; 0 for none. */
  readonly rpcPort: number;
  /** Present in the worker that terminates TLS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Who gets accepted connections, this worker first; empty unless it accepts for others. */
  readonly handOffTo: readonly HandOffTarget[];
  /** Workers, this one included, that accept side by side under one limit of connections; else empty. */
  readonly sharesLimitWith: readonly number[];
}

export interface HandOffTarget {
  readonly worker: number;
  readonly connectionsMax: number;
}

export type MessageFromWorker =
  | { readonly type: 'shutdown'; readonly graceful: boolean }
  | { readonly type: 'verbosity'; readonly level: number }
  | { readonly type: 'crawl' }
  | { readonly type: 'reassign'; readonly source: number; readonly target: number }
  | { readonly type: 'automove'; readonly enabled: boolean };
