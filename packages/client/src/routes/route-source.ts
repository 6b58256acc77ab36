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
  type DatagramTotals,
  type Destination,
  type DestinationOptions,
  DestinationState,
  findSpool,
  type Random,
  Reply,
  type Request,
  Result,
  type RouteHandle,
  Routing,
  RoutingError,
  type RoutingObserver,
  type Spool,
  type TimerHandle,
} from '@larder/routing';
import {
  checkDiscovered,
  type DiscoveredConfig,
  DiscoverySource,
  poolOf,
} from '../discovery/discovery-source.ts';
import { durationMs } from '../duration.ts';
import { CacheError, CacheErrorCode } from '../errors.ts';
import type { CacheEmitter } from '../events.ts';
import { TIMEOUT_MS_DEFAULT, UDP_TIMEOUT_MS_DEFAULT } from '../limits.ts';
import type { CacheOptions } from '../options.ts';

export interface RouteSourceParts {
  readonly clock: Clock;
  readonly random: Random;
  /** 0 when the caller did not say. */
  readonly timeoutMs: number;
  readonly events: CacheEmitter;
}

const SERVERS_DEFAULT: readonly string[] = ['127.0.0.1:11211'];
const NO_DATAGRAMS: Readonly<DatagramTotals> = { sent: 0, lost: 0 };
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 30_000;

/** What `Routing.open` takes as its configuration. */
type Config = Parameters<typeof Routing.open>[0]['config'];

/** Errors of a configuration that no waiting will mend. */
const FATAL_CODES: ReadonlySet<string> = new Set(['CONFIG', 'ADDRESS']);

function asCacheError(thrown: unknown, isDiscovered: boolean): CacheError {
  if (thrown instanceof CacheError) return thrown;
  const { code, message } = RoutingError.from(thrown);
  // What was found out wrongly may be right the next time.
  const isFatal = FATAL_CODES.has(code) && !isDiscovered;
  const ours = isFatal ? CacheErrorCode.invalidConfig : CacheErrorCode.discovery;
  return new CacheError(ours, message, { cause: thrown });
}

function checkSources(options: CacheOptions): void {
  const given = (['servers', 'config', 'discovery', 'routes'] as const).filter(
    (name) => options[name] !== undefined,
  );
  if (given.length > 1 && given.join() !== 'config,discovery') {
    throw new CacheError(CacheErrorCode.invalidConfig, `${given.join(' and ')} exclude each other`);
  }
  if (options.hash !== undefined && (options.config !== undefined || options.routes !== undefined)) {
    throw new CacheError(
      CacheErrorCode.invalidConfig,
      'hash is for servers and discovery; a config has its own',
    );
  }
  if (options.discovery !== undefined && options.config !== undefined) checkDiscovered(options.config);
  if (options.routes !== undefined && options.udp !== undefined && options.udp !== false) {
    throw new CacheError(CacheErrorCode.invalidConfig, 'udp belongs to where the routes are made');
  }
}

type UdpSettings = Pick<DestinationOptions, 'udpPort' | 'udpTimeoutMs'>;

function udpSettings(udp: CacheOptions['udp']): UdpSettings | undefined {
  if (udp === undefined || udp === false) return undefined;
  const { port = 'same', timeout } = udp === true ? {} : udp;
  return {
    udpPort: port,
    udpTimeoutMs: timeout === undefined ? UDP_TIMEOUT_MS_DEFAULT : durationMs(timeout),
  };
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
      const error = CacheError.from(thrown, CacheErrorCode.discovery);
      if (error.code !== CacheErrorCode.discovery) throw error;
      return Reply.of(Result.tko, error.message);
    }
    return this.#source.root().route(request);
  }
}

export class RouteSource {
  readonly #options: CacheOptions;
  readonly #parts: RouteSourceParts;
  readonly #udp: UdpSettings | undefined;
  readonly #opening: OpeningRoute = new OpeningRoute(this);
  #fatal: CacheError | undefined;
  #routing: Routing | undefined;
  #root: RouteHandle = this.#opening;
  #ready: Promise<void> | undefined;
  #timer: TimerHandle | undefined;
  #retryMs: number = RETRY_MS_MIN;

  constructor(options: CacheOptions, parts: RouteSourceParts) {
    checkSources(options);
    this.#udp = udpSettings(options.udp);
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

  /** Gets go over UDP. */
  get isUdp(): boolean {
    return this.#udp !== undefined;
  }

  /** What went over UDP so far. */
  get datagrams(): Readonly<DatagramTotals> {
    return this.#routing?.datagrams ?? NO_DATAGRAMS;
  }

  /** Where deletes wait that could not be delivered, if anywhere. */
  get spool(): Spool | undefined {
    return findSpool(this.#root);
  }

  /** The servers, as far as they are known here. */
  destinations(): Iterable<Destination> {
    return this.#routing?.destinations() ?? [];
  }

  async close(): Promise<void> {
    if (this.#fatal?.code === CacheErrorCode.closed) return;
    this.#fatal = new CacheError(CacheErrorCode.closed, 'the cache is closed');
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
      this.#parts.events.emit('reload');
    },
    onConfigurationError: (error) => {
      // What is wrong with the first configuration is told by `ready`.
      if (this.#routing !== undefined) this.#parts.events.emit('reloadFailed', this.#asError(error));
    },
  };

  async #open(): Promise<void> {
    try {
      const routing = await Routing.open(this.#routingOptions(this.#config()));
      if (this.#fatal !== undefined) {
        await routing.close();
        throw this.#fatal;
      }
      this.#routing = routing;
      this.#root = routing;
    } catch (thrown) {
      throw this.#failed(this.#asError(thrown));
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

  #config(): Config {
    const { config, discovery, servers, hash } = this.#options;
    if (discovery !== undefined) {
      return { source: new DiscoverySource(discovery, config as DiscoveredConfig, hash, this.#parts.clock) };
    }
    if (config !== undefined) return config as Config;
    const list = servers ?? SERVERS_DEFAULT;
    return poolOf(typeof list === 'string' ? [list] : list, hash) as Config;
  }

  #asError(thrown: unknown): CacheError {
    return asCacheError(thrown, this.#options.discovery !== undefined);
  }

  /** Reads the configuration or the list of servers again now. Rejects when it is bad: the old one stays. */
  async reload(): Promise<void> {
    await this.ready();
    const wrong = await this.#routing?.reload();
    if (wrong !== undefined) throw this.#asError(wrong);
  }

  #routingOptions(config: Config): Parameters<typeof Routing.open>[0] {
    const { connections, tls, credentials, dialect, links, spoolFolder, clientId } = this.#options;
    const { clock, random, timeoutMs } = this.#parts;
    return {
      config,
      services: {
        clock,
        random,
        notice: (text) => this.#parts.events.emit('notice', text),
        ...(spoolFolder === undefined ? {} : { spoolFolder }),
        ...(clientId === undefined ? {} : { clientId }),
      },
      ...(links === undefined ? {} : { links }),
      observer: this.#observer,
      defaults: {
        timeoutMs: timeoutMs > 0 ? timeoutMs : TIMEOUT_MS_DEFAULT,
        ...(connections === undefined ? {} : { connections }),
        ...(credentials === undefined ? {} : { credentials }),
        ...(dialect === undefined ? {} : { dialect }),
        ...this.#udp,
        ...(tls === undefined || tls === false
          ? {}
          : { tls: { rejectUnauthorized: true, ...(tls === true ? {} : tls) } }),
      },
    };
  }
}
