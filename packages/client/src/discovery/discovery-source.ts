/** The servers that a discovery finds, as a route configuration that changes: of one pool, or the caller's own. */
import type { Clock, TimerHandle } from '@larder/routing';
import { CacheError, CacheErrorCode } from '../errors.ts';
import type { HashSettings } from '../options.ts';
import type { Discovery } from './discovery.ts';

/** What stands for the servers that were found in a pool of the caller's configuration. */
const DISCOVERED = 'discovered';
/** A server that comes or goes moves its own share of the keys and no others. */
const HASH_DISCOVERED = 'Rendezvous';

type Json = Readonly<Record<string, unknown>>;
/** A configuration that `checkDiscovered` has found good. */
export type DiscoveredConfig = Json & { readonly pools?: unknown };

/** One pool with these servers, spread by this hash. */
export function poolOf(servers: readonly string[], hash: HashSettings | undefined): Json {
  const pool = { type: 'PoolRoute', pool: 'main', ...(hash === undefined ? {} : { hash }) };
  return { pools: { main: { servers } }, route: pool };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function serversOf(pool: unknown): readonly string[] {
  const { servers } = isObject(pool) ? (pool as { readonly servers?: unknown }) : {};
  return Array.isArray(servers) ? (servers as string[]) : [];
}

/** The configuration with a discovery's servers in the pools that name them. */
function withServers(config: DiscoveredConfig, found: readonly string[]): Json {
  const pools = isObject(config.pools) ? Object.entries(config.pools) : [];
  const filled = pools.map(([name, pool]: [string, unknown]) => {
    const listed = serversOf(pool);
    if (!listed.includes(DISCOVERED)) return [name, pool];
    const servers = listed.flatMap((server) => (server === DISCOVERED ? found : [server]));
    return [name, { ...(pool as object), servers }];
  });
  return { ...config, pools: Object.fromEntries(filled) };
}

function wrong(message: string): CacheError {
  return new CacheError(CacheErrorCode.invalidConfig, message);
}

/** Throws when a configuration could not take a discovery's servers. */
export function checkDiscovered(config: unknown): void {
  if (!isObject(config) || 'file' in config || 'url' in config) {
    throw wrong('beside a discovery, config is an object; a file or a URL lists its servers itself');
  }
  const named = JSON.stringify(withServers(config as DiscoveredConfig, [])) !== JSON.stringify(config);
  if (!named) throw wrong(`no pool of the config has "servers": ["${DISCOVERED}"], where a discovery's go`);
}

export class DiscoverySource {
  readonly label: string;
  readonly #discovery: Discovery;
  readonly #make: (servers: readonly string[]) => Json;
  readonly #clock: Clock;
  readonly #stop: AbortController = new AbortController();
  #timer: TimerHandle | undefined;

  constructor(
    discovery: Discovery,
    config: DiscoveredConfig | undefined,
    hash: HashSettings | undefined,
    clock: Clock,
  ) {
    this.label = discovery.name;
    this.#discovery = discovery;
    this.#make = (servers) =>
      config === undefined ? poolOf(servers, hash ?? HASH_DISCOVERED) : withServers(config, servers);
    this.#clock = clock;
  }

  async read(): Promise<string> {
    // Sorted, so that the same servers in another order are no news.
    const servers = [...(await this.#discovery.find(this.#stop.signal))].sort();
    // A pool without servers would answer as an empty cache, and nobody would hear why.
    if (servers.length === 0) {
      throw new CacheError(CacheErrorCode.discovery, `${this.#discovery.name} found no server`);
    }
    return JSON.stringify(this.#make(servers));
  }

  start(onChange: () => void): void {
    const again = (): void => {
      onChange();
      this.#timer = this.#clock.setTimer(this.#discovery.intervalMs, again);
    };
    this.#timer = this.#clock.setTimer(this.#discovery.intervalMs, again);
  }

  close(): void {
    this.#timer?.cancel();
    this.#stop.abort();
  }
}
