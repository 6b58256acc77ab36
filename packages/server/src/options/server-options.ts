/**
 * What the server can be told, once as anybody may give it (`ServerOptions`, everything optional) and once
 * complete and checked (`ServerSettings`, which everything inside trusts).
 *
 * Names follow memcached's long options; the letter is in each comment.
 */
import type { HostOptions, HostSettings } from '@larder/host';

export interface TlsOptions {
  /** PEM files. */
  readonly certFile: string;
  readonly keyFile: string;
  /** 0: any free port. */
  readonly port: number;
}

/** Where the typed protocol is served, over TCP and UDP. */
export interface RpcOptions {
  /** 0: any free port, the same for both. */
  readonly port: number;
  readonly host: string;
}

export interface ServerOptions extends HostOptions {
  /** `-m`: memory for items in bytes. */
  readonly memoryBytes?: number;
  /** `-M`: answer "out of memory" instead of evicting. */
  readonly disableEvictions?: boolean;
  /** `-I` */
  readonly itemBytesMax?: number;
  /** `-f` */
  readonly slabFactor?: number;
  /** `-n` */
  readonly chunkBytesMin?: number;
  /** `-R` */
  readonly requestsPerEvent?: number;
  /** `-F` */
  readonly disableFlushAll?: boolean;
  /** `-A` */
  readonly enableShutdown?: boolean;
  /** `-Y`: a file of `user:password` lines. */
  readonly authFile?: string;
  /** `-e`: the file that holds the items, for warm restarts. */
  readonly memoryFile?: string;
  /** `-o idle_timeout`: seconds, 0 for none. */
  readonly idleTimeoutSeconds?: number;
  /** `-o maxconns_fast`: refuse connections over the limit at once instead of leaving them in the queue. */
  readonly refuseWhenFull?: boolean;
  /**
   * `-o read_buf_mem_limit`, in bytes: for long requests of the typed protocol that have not come whole, of all
   * connections together. 0: no limit.
   */
  readonly readBufferBytesMax?: number;
  /** The typed protocol: absent or 'off' for not, 0 or -1 for any free port. */
  readonly rpcPort?: number | 'off';
  /** Loopback by default. */
  readonly rpcHost?: string;
  readonly leaseTokenSeconds?: number;
  readonly staleSeconds?: number;
  readonly tls?: TlsOptions;
  readonly hugePages?: boolean;
  /** Measure when a reply is better referenced than copied, at start and when memory gets slower or faster. */
  readonly calibrate?: boolean;
  /** io_uring only: send referenced parts with SEND_ZC. */
  readonly zeroCopy?: boolean;
}

/** Complete and checked. It survives `postMessage`. */
export interface ServerSettings extends HostSettings {
  readonly memoryBytes: number;
  readonly disableEvictions: boolean;
  readonly itemBytesMax: number;
  readonly slabFactor: number;
  readonly chunkBytesMin: number;
  readonly requestsPerEvent: number;
  readonly disableFlushAll: boolean;
  readonly enableShutdown: boolean;
  readonly authFile: string;
  readonly memoryFile: string;
  readonly idleTimeoutSeconds: number;
  readonly refuseWhenFull: boolean;
  /** Infinity: no limit. */
  readonly readBufferBytesMax: number;
  readonly rpc: RpcOptions | undefined;
  readonly leaseTokenSeconds: number;
  readonly staleSeconds: number;
  readonly tls: TlsOptions | undefined;
  readonly hugePages: boolean;
  readonly calibrate: boolean;
  readonly zeroCopy: boolean;
}
