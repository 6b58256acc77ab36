/**
 * What the server can be told, once as anybody may give it (`ServerOptions`, everything optional) and once
 * complete and checked (`ServerSettings`, which everything inside trusts).
 *
 * Names follow memcached's long options; the letter is in each comment.
 */
import type { HostPort } from './listen-address.ts';
import type { Network } from './networks.ts';

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

export interface ServerOptions {
  /** `-p`. 0 or -1: any free port; 'off': no TCP. With `unixSocket` the default is 'off', as memcached's. */
  readonly port?: number | 'off';
  /** `-U`. 0: off; -1: any free port. */
  readonly udpPort?: number;
  /** `-l`: `host` or `host:port`, several entries or commas. Loopback by default. */
  readonly listen?: readonly string[];
  /** `-s`: path of a Unix socket. */
  readonly unixSocket?: string;
  /** `-a`: its permissions (0o700). */
  readonly unixMode?: number;
  /** `-m`: memory for items in bytes. */
  readonly memoryBytes?: number;
  /** `-M`: answer "out of memory" instead of evicting. */
  readonly disableEvictions?: boolean;
  /** `-c` */
  readonly connectionsMax?: number;
  /** `-t`: worker threads; 0 or absent: one per core. */
  readonly threads?: number;
  /** `-I` */
  readonly itemBytesMax?: number;
  /** `-f` */
  readonly slabFactor?: number;
  /** `-n` */
  readonly chunkBytesMin?: number;
  /** `-R` */
  readonly requestsPerEvent?: number;
  /** `-v`: 0 warnings, 1 also information, 2 also debugging. */
  readonly verbose?: number;
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
  /** uring, epoll or node; absent: `LARDER_TRANSPORT`, else the best that works here. */
  readonly transport?: string;
  /** 0: any free port; 'off': no admin pages. */
  readonly adminPort?: number | 'off';
  /** Loopback by default. */
  readonly adminHost?: string;
  /** The typed protocol: absent or 'off' for not, 0 or -1 for any free port. */
  readonly rpcPort?: number | 'off';
  /** Loopback by default. */
  readonly rpcHost?: string;
  readonly leaseTokenSeconds?: number;
  readonly staleSeconds?: number;
  /** Networks in CIDR notation that UDP answers beside loopback. */
  readonly udpAllow?: readonly string[];
  /** Datagrams of one UDP reply. */
  readonly udpDatagramsMax?: number;
  readonly tls?: TlsOptions;
  readonly hugePages?: boolean;
  /** Measure when a reply is better referenced than copied, at start and when memory gets slower or faster. */
  readonly calibrate?: boolean;
  /** io_uring only: send referenced parts with SEND_ZC. */
  readonly zeroCopy?: boolean;
  /** Where log lines go: 2 (stderr) by default; tests give a function. */
  readonly logTo?: ((line: string) => void) | undefined;
}

/** Complete and checked. Except for `logTo` it survives `postMessage`. */
export interface ServerSettings {
  readonly port: number | 'off';
  readonly udpPort: number;
  readonly listen: readonly HostPort[];
  readonly unixSocket: string;
  readonly unixMode: number;
  readonly memoryBytes: number;
  readonly disableEvictions: boolean;
  readonly connectionsMax: number;
  readonly threads: number;
  readonly itemBytesMax: number;
  readonly slabFactor: number;
  readonly chunkBytesMin: number;
  readonly requestsPerEvent: number;
  readonly verbose: number;
  readonly disableFlushAll: boolean;
  readonly enableShutdown: boolean;
  readonly authFile: string;
  readonly memoryFile: string;
  readonly idleTimeoutSeconds: number;
  readonly refuseWhenFull: boolean;
  /** The transport asked for, or '' to choose. */
  readonly transport: string;
  readonly adminPort: number | 'off';
  /** Whether the operator named the port, so that another one will not do. */
  readonly adminPortChosen: boolean;
  readonly adminHost: string;
  readonly rpc: RpcOptions | undefined;
  readonly leaseTokenSeconds: number;
  readonly staleSeconds: number;
  readonly udpNetworks: readonly Network[];
  readonly udpDatagramsMax: number;
  readonly tls: TlsOptions | undefined;
  readonly hugePages: boolean;
  readonly calibrate: boolean;
  readonly zeroCopy: boolean;
}
