/**
 * What `larder up` runs: two cache servers and a gutter server, each a process, and the router in front of them in
 * this process.
 *
 * ```
 *   clients ──▶ router ──▶ cache-1 │ cache-2        by the key's hash
 *                  └────▶ gutter                    for as long as one of them is down; entries expire soon
 * ```
 */
import { type RouterOptions, type RunningRouter, startRouter } from '@larder/router';
import { findFreePort } from '../free-port.ts';
import { CacheProcess } from './cache-process.ts';

const CACHE_NAMES: readonly string[] = ['cache-1', 'cache-2'];
export const GUTTER_NAME = 'gutter';
/** A server that died comes back by itself after this long. */
const RESTART_MS = 15_000;
/** Entries in the gutter live this long at most. */
const GUTTER_SECONDS = 10;
const PORTS_TRIED_MAX = 100;
/** So that what happens can be watched: a dead server is noticed, and one that is back is used, at once. */
const SERVER_TIMEOUT_MS = 500;
const PROBE_DELAY_MS = 250;

export interface ClusterOptions {
  readonly host: string;
  /** The router's port; the servers get the next free ones. */
  readonly port: number;
  readonly serverFlags: readonly string[];
  readonly router: Omit<RouterOptions, 'config'>;
  /** Something happened that a person should be told. */
  readonly onNews: (text: string) => void;
}

export class Cluster {
  readonly servers: readonly CacheProcess[];
  readonly router: RunningRouter;
  readonly #options: ClusterOptions;
  readonly #timers: Map<CacheProcess, NodeJS.Timeout> = new Map();
  #isStopping = false;

  private constructor(servers: CacheProcess[], router: RunningRouter, options: ClusterOptions) {
    this.servers = servers;
    this.router = router;
    this.#options = options;
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const { host } = options;
    let cluster: Cluster | undefined;
    const onDeath = (server: CacheProcess, how: string): void => cluster?.died(server, how);
    const servers: CacheProcess[] = [];
    let port = options.port;
    for (const name of [...CACHE_NAMES, GUTTER_NAME]) {
      port = await findFreePort(host, port + 1, port + PORTS_TRIED_MAX);
      servers.push(new CacheProcess({ name, host, port, flags: options.serverFlags, onDeath }));
    }
    try {
      await Promise.all(servers.map((server) => server.start()));
      const router = await startRouter({
        serverTimeoutMs: SERVER_TIMEOUT_MS,
        probeDelayMs: PROBE_DELAY_MS,
        ...options.router,
        listen: [host],
        port: options.port,
        config: { text: JSON.stringify(routerConfig(servers)) },
      });
      cluster = new Cluster(servers, router, options);
      return cluster;
    } catch (error) {
      for (const server of servers) server.kill();
      throw error;
    }
  }

  find(name: string): CacheProcess | undefined {
    return this.servers.find((server) => server.name === name);
  }

  /** Starts a server that is down. */
  async revive(server: CacheProcess): Promise<void> {
    clearTimeout(this.#timers.get(server));
    this.#timers.delete(server);
    if (server.isRunning || this.#isStopping) return;
    await server.start();
    this.#options.onNews(`${server.name} is back, empty`);
  }

  async stop(reason: string): Promise<void> {
    this.#isStopping = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await this.router.stop(reason);
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  died(server: CacheProcess, how: string): void {
    if (this.#isStopping) return;
    const takes = server.name === GUTTER_NAME ? 'nothing takes over for it' : 'the gutter takes over';
    this.#options.onNews(
      `${server.name} is down (${how}): ${takes}; it comes back in ${RESTART_MS / 1000} s, or with larder up --start ${server.name}`,
    );
    const again = (): void => {
      this.revive(server).catch((error: Error) => this.#options.onNews(error.message));
    };
    this.#timers.set(server, setTimeout(again, RESTART_MS));
  }
}

function routerConfig(servers: readonly CacheProcess[]): unknown {
  const caches = servers.filter((server) => server.name !== GUTTER_NAME);
  const gutters = servers.filter((server) => server.name === GUTTER_NAME);
  return {
    pools: {
      main: { servers: caches.map((server) => server.address) },
      gutter: { servers: gutters.map((server) => server.address) },
    },
    route: {
      type: 'FailoverWithExptimeRoute',
      normal: 'PoolRoute|main',
      failover: 'PoolRoute|gutter',
      failover_exptime: GUTTER_SECONDS,
    },
  };
}
