/**
 * Where a cache's requests go: the route handles of a configuration, opened at the first request and replaced when
 * the configuration or the list of servers changes.
 *
 * ```
 *   first request ─▶ opening ─┬─▶ open ──▶ requests go to the route handles; a discovery goes on looking
 *                             ├─▶ cannot be read now: requests fail at once, tried again later
 *                             └─▶ bad configuration: fatal, every call says so
 * ```
 */
import {
  type Clock,
  type Destination,
  DestinationState,
  poolConfig,
  type Random,
  Reply,
  type Request,
  Result,
  type RouteHandle,
  Routing,
  RoutingError,
  type RoutingObserver,
  type TimerHandle,
} from '@larder/routing';
import { CacheError, CacheErrorCode } from '../errors.ts';
import type { CacheEmitter } from '../events.ts';
import type { CacheOptions } from '../options.ts';

export interface RouteSourceParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly timeoutMs: number;
  readonly events: CacheEmitter;
  /** The servers are others now. */
  readonly onServers: () => void;
}

const SERVERS_DEFAULT: readonly string[] = ['127.0.0.1:11211'];
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 30_000;
/** How many time-outs former routes are kept: handles may try a second server after the first. */
const FORMER_TIMEOUTS = 3;

/** What `Routing.open` takes as its configuration. */
type Config = Parameters<typeof Routing.open>[0]['config'];

/** Errors of a configuration that no waiting will mend. */
const FATAL_CODES: ReadonlySet<string> = new Set(['CONFIG', 'ADDRESS']);

function asCacheError(thrown: unknown): CacheError {
  if (thrown instanceof CacheError) return thrown;
  const { code, message } = RoutingError.from(thrown);
  const ours = FATAL_CODES.has(code) ? CacheErrorCode.invalidConfig : CacheErrorCode.discovery;
  return new CacheError(ours, message, { cause: thrown });
}

function checkSources(options: CacheOptions): void {
  const given = (['servers', 'config', 'discovery', 'routes'] as const).filter(
    (name) => options[name] !== undefined,
  );
  if (given.length > 1) {
    throw new CacheError(CacheErrorCode.invalidConfig, `${given.join(' and ')} exclude each other`);
  }
  if (Array.isArray(options.servers) && options.servers.length === 0) {
    throw new CacheError(CacheErrorCode.invalidConfig, 'the list of servers is empty');
  }
}

/** Takes requests until the routes are there. */
class OpeningRoute implements RouteHandle {
  readonly name: string = 'opening';
  readonly children: readonly RouteHandle[] = [];
  readonly #source: RouteSource;

  constructor(source: RouteSource) {
    this.#source = source;
  }

  async route(request: Request): Promise<Reply> {
    try {
      await this.#source.ready();
    } catch (thrown) {
      const error = asCacheError(thrown);
      if (error.code !== CacheErrorCode.discovery) throw error;
      return Reply.of(Result.tko, error.message);
    }
    return this.#source.root().route(request);
  }
}

export class RouteSource {
  readonly #options: CacheOptions;
  readonly #parts: RouteSourceParts;
  readonly #opening: OpeningRoute = new OpeningRoute(this);
  readonly #stop: AbortController = new AbortController();
  #fatal: CacheError | undefined;
  #routing: Routing | undefined;
  #root: RouteHandle = this.#opening;
  #ready: Promise<void> | undefined;
  #timer: TimerHandle | undefined;
  #retryMs: number = RETRY_MS_MIN;
  /** The list that a discovery found last, sorted. */
  #servers: string = '';

  constructor(options: CacheOptions, parts: RouteSourceParts) {
    checkSources(options);
    this.#options = options;
    this.#parts = parts;
    if (options.routes !== undefined) {
      this.#root = options.routes;
      this.#ready = Promise.resolve();
    }
  }

  /** Why nothing works and never will: a bad configuration, or closed. */
  get fatal(): CacheError | undefined {
    return this.#fatal;
  }

  readonly root = (): RouteHandle => this.#root;

  /** Opens the routes if they are not open. Rejects with what is in the way. */
  ready(): Promise<void> {
    if (this.#fatal !== undefined) return Promise.reject(this.#fatal);
    this.#ready ??= this.#open();
    return this.#ready;
  }

  /** The servers, as far as they are known here. */
  destinations(): Iterable<Destination> {
    return this.#routing?.destinations() ?? [];
  }

  async close(): Promise<void> {
    if (this.#fatal?.code === CacheErrorCode.closed) return;
    this.#fatal = new CacheError(CacheErrorCode.closed, 'the cache is closed');
    this.#stop.abort(this.#fatal);
    this.#timer?.cancel();
    await this.#routing?.close();
  }

  readonly #observer: RoutingObserver = {
    onDestination: (state, destination) => {
      if (state === DestinationState.closed) return;
      const isUp = state !== DestinationState.tko;
      const reason = isUp ? '' : (destination.lastError?.message ?? '');
      this.#parts.events.emit('server', { address: destination.label, isUp, reason });
    },
    onConfiguration: ({ generation }) => {
      if (generation < 2) return;
      this.#parts.onServers();
      this.#parts.events.emit('reload');
    },
    onConfigurationError: (error) => {
      // What is wrong with the first configuration is told by `ready`.
      if (this.#routing !== undefined) this.#parts.events.emit('reloadFailed', asCacheError(error));
    },
  };

  async #open(): Promise<void> {
    try {
      const config = await this.#findConfig();
      const routing = await Routing.open(this.#routingOptions(config));
      if (this.#fatal !== undefined) {
        await routing.close();
        throw this.#fatal;
      }
      this.#routing = routing;
      this.#root = routing;
      this.#lookAgain();
    } catch (thrown) {
      throw this.#failed(asCacheError(thrown));
    }
  }

  /** A bad configuration stays bad; anything else is tried again, at the earliest after a pause. */
  #failed(error: CacheError): CacheError {
    if (error.code === CacheErrorCode.discovery) {
      this.#parts.events.emit('trouble', { operation: 'open', key: '', error });
      this.#timer = this.#parts.clock.setTimer(this.#retryMs, () => {
        this.#ready = undefined;
      });
      this.#retryMs = Math.min(RETRY_MS_MAX, this.#retryMs * 2);
    } else {
      this.#fatal ??= error;
    }
    return error;
  }

  async #findConfig(): Promise<Config> {
    const { config, discovery, servers } = this.#options;
    if (config !== undefined) return config as Config;
    if (discovery === undefined) {
      const list = servers ?? SERVERS_DEFAULT;
      return poolConfig(typeof list === 'string' ? [list] : list);
    }
    const found = await this.#discover();
    this.#servers = found.join();
    return poolConfig(found);
  }

  async #discover(): Promise<readonly string[]> {
    const { discovery } = this.#options;
    try {
      return [...(await discovery!.find(this.#stop.signal))].sort();
    } catch (thrown) {
      throw CacheError.from(thrown, CacheErrorCode.discovery);
    }
  }

  /** Looks for other servers after the discovery's interval, and again after that. */
  #lookAgain(): void {
    const { discovery } = this.#options;
    if (discovery === undefined || this.#fatal !== undefined) return;
    this.#timer = this.#parts.clock.setTimer(discovery.intervalMs, () => {
      this.refresh()
        .catch(() => {})
        .finally(() => this.#lookAgain());
    });
  }

  /** Reads the configuration or the list of servers again now. Rejects when it is bad: the old one stays. */
  async refresh(): Promise<void> {
    await this.ready();
    const { discovery } = this.#options;
    try {
      if (discovery === undefined) {
        const wrong = await this.#routing?.reload();
        if (wrong !== undefined) throw wrong;
      } else await this.#replaceServers(await this.#discover());
    } catch (thrown) {
      const error = asCacheError(thrown);
      if (discovery !== undefined) this.#parts.events.emit('reloadFailed', error);
      throw error;
    }
  }

  /** New routes take over; the old ones stay until what is on its way in them is answered. */
  async #replaceServers(found: readonly string[]): Promise<void> {
    const former = this.#routing;
    if (found.join() === this.#servers || former === undefined) return;
    const routing = await Routing.open(this.#routingOptions(poolConfig(found)));
    if (this.#fatal !== undefined) {
      await routing.close();
      return;
    }
    this.#routing = routing;
    this.#root = routing;
    this.#servers = found.join();
    this.#parts.clock.setTimer(this.#parts.timeoutMs * FORMER_TIMEOUTS, () => void former.close());
    this.#parts.onServers();
    this.#parts.events.emit('reload');
  }

  #routingOptions(config: Config): Parameters<typeof Routing.open>[0] {
    const { connections, tls, credentials, dialect, links } = this.#options;
    const { clock, random, timeoutMs } = this.#parts;
    return {
      config,
      services: { clock, random },
      ...(links === undefined ? {} : { links }),
      observer: this.#observer,
      defaults: {
        timeoutMs,
        ...(connections === undefined ? {} : { connections }),
        ...(credentials === undefined ? {} : { credentials }),
        ...(dialect === undefined ? {} : { dialect }),
        ...(tls === undefined || tls === false
          ? {}
          : { tls: { rejectUnauthorized: true, ...(tls === true ? {} : tls) } }),
      },
    };
  }
}
