/** How a destination is spoken to. Two destinations with equal address and options are one and the same. */
import { ReplyShape } from '@larder/protocol';
import {
  CONNECT_TIMEOUT_MS,
  CONNECTIONS_PER_DESTINATION,
  FAILURES_UNTIL_TKO,
  KEEP_ALIVE_MS,
  OUTSTANDING_MAX,
  PROBE_DELAY_INITIAL_MS,
  PROBE_DELAY_MAX_MS,
  SERVER_TIMEOUT_MS,
} from '../limits.ts';
import { Operation } from '../request.ts';

/** What `node:tls` needs, as files were read; `true` fields of a pool's `tls`. */
export interface TlsSettings {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Whom the certificate has to name; by default the host as it was configured. */
  readonly serverName?: string;
  /** False accepts any certificate. */
  readonly rejectUnauthorized: boolean;
}

/** Which leases and hold-offs the server understands; `auto` asks by `version`. */
export const Dialect: { readonly auto: 'auto'; readonly memcached: 'memcached'; readonly larder: 'larder' } =
  {
    auto: 'auto',
    memcached: 'memcached',
    larder: 'larder',
  };
export type Dialect = (typeof Dialect)[keyof typeof Dialect];

export interface DestinationOptions {
  /** A request that is not answered after this long has failed. */
  readonly timeoutMs: number;
  /** The same for single operations, by their numbers; 0 for `timeoutMs`. */
  readonly timeoutsMs: readonly number[] | undefined;
  readonly connectTimeoutMs: number;
  /** Connections to the server; a request takes the one with the fewest outstanding. */
  readonly connections: number;
  /** Requests that may wait for replies, over all connections; further ones fail as busy. */
  readonly outstandingMax: number;
  /** So many failures in a row, and the destination is TKO. A refused connection suffices alone. */
  readonly failuresUntilTko: number;
  readonly probeDelayInitialMs: number;
  readonly probeDelayMaxMs: number;
  readonly keepAliveMs: number;
  readonly tls: TlsSettings | undefined;
  readonly dialect: Dialect;
  /** Keys are sent with their routing prefix. */
  readonly keepRoutingPrefix: boolean;
  /** Then those without one with the default route's (`config/root-route.ts`). */
  readonly attachDefaultPrefix: boolean;
  /** ASCII authentication: the first request of each connection. */
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
  /** The UDP port for gets, `same` for the number of the TCP port, 0 for TCP alone. */
  readonly udpPort: number | 'same';
  /** A reply over UDP that is not whole by then is lost; 0 for the time-out of gets. */
  readonly udpTimeoutMs: number;
}

/** What is used where a configuration says nothing. */
export const DESTINATION_DEFAULTS: DestinationOptions = {
  timeoutMs: SERVER_TIMEOUT_MS,
  timeoutsMs: undefined,
  connectTimeoutMs: CONNECT_TIMEOUT_MS,
  connections: CONNECTIONS_PER_DESTINATION,
  outstandingMax: OUTSTANDING_MAX,
  failuresUntilTko: FAILURES_UNTIL_TKO,
  probeDelayInitialMs: PROBE_DELAY_INITIAL_MS,
  probeDelayMaxMs: PROBE_DELAY_MAX_MS,
  keepAliveMs: KEEP_ALIVE_MS,
  tls: undefined,
  dialect: Dialect.auto,
  keepRoutingPrefix: false,
  attachDefaultPrefix: false,
  credentials: undefined,
  udpPort: 0,
  udpTimeoutMs: 0,
};

/** How long a request of this operation may take. */
export function timeoutOf(options: DestinationOptions, operation: Operation): number {
  return options.timeoutsMs?.[operation] || options.timeoutMs;
}

/**
 * How long a request may take of which only the reply's form is known: for lines the longest time of the operations
 * that are answered so, because none of them should fail too early.
 */
export function timeoutOfShape(options: DestinationOptions, shape: ReplyShape): number {
  if (options.timeoutsMs === undefined) return options.timeoutMs;
  const operations = OPERATIONS_OF_SHAPE[shape] ?? [];
  return Math.max(...operations.map((operation) => timeoutOf(options, operation)));
}

const OPERATIONS_OF_SHAPE: { readonly [shape: number]: readonly Operation[] } = {
  [ReplyShape.line]: Object.values(Operation).filter((operation) => operation > Operation.leaseGet),
  [ReplyShape.values]: [Operation.get, Operation.gets, Operation.gat, Operation.gats],
  [ReplyShape.leases]: [Operation.leaseGet],
  [ReplyShape.meta]: [Operation.metaGet, Operation.metaSet, Operation.metaDelete, Operation.metaArithmetic],
  [ReplyShape.statistics]: [Operation.stats],
};
