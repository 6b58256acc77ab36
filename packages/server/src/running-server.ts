/** What `startServer` returns: a server that answers, as its owner sees it. */
import type { TransportKind } from '@larder/datapath';
import type { BoundAddress } from '@larder/host';
import type { ServerSettings } from './options/server-options.ts';

export interface RunningServer {
  readonly settings: ServerSettings;
  readonly transport: TransportKind;
  /** Worker threads that serve all listeners but the TLS one. */
  readonly workers: number;
  readonly addresses: readonly BoundAddress[];
  /** The first TCP port, 0 when there is none. */
  readonly port: number;
  /** What the operator should know: fallbacks, warnings. */
  readonly notes: readonly string[];
  /** Whether the items of a former process were found in the memory file. */
  readonly restored: boolean;
  /** The rows of `stats`, by name. */
  statistics(): ReadonlyMap<string, string | number | bigint>;
  /** Ends the server: output is flushed, sockets are closed, the memory file is marked clean. */
  stop(reason?: string): Promise<void>;
  /** Resolves with the exit code when the server has ended: 0 after `stop`, 1 when a worker died. */
  readonly closed: Promise<number>;
}
