/** What a router is started with, and what becomes of it. */

/** Everything is optional but the configuration; addresses and sizes are checked when the router starts. */
export interface RouterOptions {
  /** The configuration: a file, a URL, or the document itself. */
  readonly config: { readonly file: string } | { readonly url: string } | { readonly text: string };
  /** TCP port; 0 for any free one, `off` for none. Default 5000, as mcrouter's documentation has it; `off` with a Unix socket. */
  readonly port?: number | 'off';
  /** UDP port; 0 is off, -1 any free one. */
  readonly udpPort?: number;
  /** Addresses, `host` or `host:port`. Default 127.0.0.1. */
  readonly listen?: readonly string[];
  readonly unixSocket?: string;
  /** Permissions of the Unix socket. Default 0o700. */
  readonly unixMode?: number;
  /** Worker threads. Default: one per core. */
  readonly threads?: number;
  readonly connectionsMax?: number;
  /** uring, epoll or node. Default: the best there is. */
  readonly transport?: string;
  /** The longest value that is passed on. */
  readonly valueBytesMax?: number;
  /** Time-out of a request to a server, where the configuration has none. */
  readonly serverTimeoutMs?: number;
  /** Time-out of a connection to a server, where the configuration has none. */
  readonly connectTimeoutMs?: number;
  /** Failures in a row until a server is given up. */
  readonly failuresUntilTko?: number;
  /** The first wait before a server that was given up is probed. */
  readonly probeDelayMs?: number;
  /** How often the configuration is looked at for changes; 0 for never. */
  readonly reloadMs?: number;
  /** Failed gets are answered as misses, as mcrouter does by default. */
  readonly missOnGetErrors?: boolean;
  readonly disableFlushAll?: boolean;
  /** Where AsynclogRoute keeps deletes that could not be delivered. */
  readonly spoolFolder?: string;
  readonly adminPort?: number | 'off';
  readonly adminHost?: string;
  /** Networks that UDP answers beside loopback. */
  readonly udpAllow?: readonly string[];
  /** The longest UDP reply, in datagrams. */
  readonly udpDatagramsMax?: number;
  /** 0 warnings, 1 starts and stops, 2 every connection. */
  readonly verbose?: number;
  /** Takes log lines instead of stderr. */
  readonly logTo?: (line: string) => void;
}

/** The options with every default filled in. */
export interface RouterSettings {
  readonly config: RouterOptions['config'];
  readonly port: number | 'off';
  readonly udpPort: number;
  readonly listen: readonly ListenHost[];
  readonly unixSocket: string;
  readonly unixMode: number;
  readonly threads: number;
  readonly connectionsMax: number;
  readonly transport: string;
  readonly valueBytesMax: number;
  readonly serverTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly failuresUntilTko: number;
  readonly probeDelayMs: number;
  readonly reloadMs: number;
  readonly missOnGetErrors: boolean;
  readonly flushEnabled: boolean;
  readonly spoolFolder: string;
  readonly adminPort: number | 'off';
  readonly adminHost: string;
  readonly adminPortChosen: boolean;
  readonly udpAllow: readonly string[];
  readonly udpDatagramsMax: number;
  readonly verbose: number;
}

export interface ListenHost {
  readonly host: string;
  /** undefined: the port of the option. */
  readonly port: number | undefined;
}
