/**
 * Routing as a whole: a configuration made into route handles, kept up to date.
 *
 * ```
 *   source ──text──▶ parse, check ──▶ names resolved ──▶ handles built ──▶ the root is exchanged
 *      ▲ changes         │ wrong           ▲ others now       │ wrong          old destinations that
 *      │                 └───────────── the old one stays, the error is told   nobody names leave when idle
 * ```
 *
 * Requests on their way go on in the handles that they are in. Destinations whose address and options stay the
 * same stay too, with their connections and their health.
 */
import { hostname } from 'node:os';
import { type Clock, systemClock } from './clock.ts';
import { closeUnkept, type KeptState, RouteBuilder } from './config/build.ts';
import { configError, formatPath } from './config/document.ts';
import { IGNORED_AS_UNKNOWN } from './config/ignored.ts';
import { haveImportsChanged, type Imports, loadDocument } from './config/load.ts';
import { haveChanged, namesIn, PoolFactory } from './config/pools.ts';
import { type ResolveName, Resolver, resolveName } from './config/resolver.ts';
import { type PrefixedRoute, RootRoute } from './config/root-route.ts';
import { type ConfigJson, checkConfig } from './config/schema.ts';
import { type ConfigSource, type ConfigSourceOptions, openSource } from './config/source.ts';
import type { DatagramTotals } from './destination/datagram-exchange.ts';
import type { Destination, DestinationState } from './destination/destination.ts';
import { DESTINATION_DEFAULTS, type DestinationOptions } from './destination/destination-options.ts';
import { Destinations } from './destination/destinations.ts';
import type { LinkFactory } from './destination/link.ts';
import { nodeLinks } from './destination/node-link.ts';
import { RoutingError } from './errors.ts';
import { ROUTE_HANDLES } from './handles/index.ts';
import { CONFIG_POLL_MS, DNS_REFRESH_MS, ROUTE_PATHS_MAX } from './limits.ts';
import type { RouteHandleDefinition, RoutingServices } from './registry.ts';
import { Reply, Result } from './reply.ts';
import type { Request } from './request.ts';
import type { RouteHandle } from './route-handle.ts';
import { checkSpoolFolder } from './spool/spool-folder.ts';
import { destinationsOf, pathsOf } from './traverse.ts';

/** Told what happens. None of these may throw. */
export interface RoutingObserver {
  /** A destination became up, TKO or closed. */
  onDestination?(state: DestinationState, destination: Destination): void;
  /** Another configuration is in use. */
  onConfiguration?(configuration: ConfigurationInfo): void;
  /** A new configuration was refused, or could not be had; the old one stays. */
  onConfigurationError?(error: RoutingError): void;
}

export interface RoutingOptions {
  /** The configuration: an object, its text, `{ file }` or `{ url }`. */
  readonly config: ConfigSourceOptions;
  readonly services?: Partial<RoutingServices>;
  /** Where links come from; Node's sockets otherwise. */
  readonly links?: LinkFactory;
  /** For pools that say nothing else. */
  readonly defaults?: Partial<DestinationOptions>;
  /** How often a file is looked at or a URL asked. */
  readonly pollMs?: number;
  /** How often names are resolved again, at least. */
  readonly dnsRefreshMs?: number;
  readonly resolveName?: ResolveName;
  readonly observer?: RoutingObserver;
  /** Handles beyond the ones of this package. */
  readonly handles?: readonly RouteHandleDefinition[];
}

/** The configuration in use. */
export interface ConfigurationInfo {
  /** Path, URL or `given`. */
  readonly source: string;
  readonly text: string;
  /** Wall clock milliseconds. */
  readonly loadedAt: number;
  /** How many have been in use so far. */
  readonly generation: number;
  /** What was wrong with a later one. */
  readonly lastError: RoutingError | undefined;
}

/** A configuration as it was read, with what it imports. */
interface Given {
  readonly document: unknown;
  readonly config: ConfigJson;
  readonly text: string;
  readonly imports: Imports;
}

/** One configuration's handles. */
interface Generation extends Given {
  readonly root: RouteHandle;
  readonly kept: KeptState;
  /** Certificates and keys that it names. */
  readonly files: ReadonlyMap<string, string>;
}

export class Routing implements RouteHandle, AsyncDisposable {
  readonly name: string = 'routing';
  readonly services: RoutingServices;
  readonly #options: RoutingOptions;
  readonly #definitions: ReadonlyMap<string, RouteHandleDefinition>;
  readonly #destinations: Destinations;
  readonly #resolver: Resolver;
  readonly #source: ConfigSource;
  #current: Generation;
  #info: ConfigurationInfo;
  /** Reloads one after the other. */
  #work: Promise<unknown> = Promise.resolve();
  #isClosed: boolean = false;
  /** What the operator has been told about configurations. */
  readonly #told: Set<string> = new Set();

  /** Use `Routing.open`. */
  private constructor(options: RoutingOptions) {
    this.#options = options;
    const clock: Clock = options.services?.clock ?? systemClock;
    this.services = {
      clock,
      random: options.services?.random ?? Math.random,
      clientId: options.services?.clientId ?? hostname(),
      spoolFolder: options.services?.spoolFolder,
      notice: options.services?.notice ?? ((): void => {}),
    };
    const { observer } = options;
    this.#definitions = new Map(
      [...ROUTE_HANDLES, ...(options.handles ?? [])].map((each) => [each.type, each]),
    );
    this.#destinations = new Destinations({
      clock,
      random: this.services.random,
      links: options.links ?? nodeLinks,
      onState: (state, destination) => observer?.onDestination?.(state, destination),
    });
    this.#resolver = new Resolver({
      clock,
      resolve: options.resolveName ?? resolveName,
      refreshMs: options.dnsRefreshMs ?? DNS_REFRESH_MS,
      onChange: () => void this.#enqueue(() => this.#rebuild()),
      notice: this.services.notice,
    });
    this.#source = openSource(options.config, clock, options.pollMs ?? CONFIG_POLL_MS);
    const nothing = new Unconfigured();
    const config = {
      pools: {},
      route: undefined,
      routes: [],
      namedHandles: new Map(),
      defaultPrefix: undefined,
    };
    this.#current = {
      root: nothing,
      kept: new Map(),
      document: undefined,
      config,
      text: '',
      imports: new Map(),
      files: new Map(),
    };
    this.#info = { source: this.#source.label, text: '', loadedAt: 0, generation: 0, lastError: undefined };
  }

  /** Reads the configuration and builds its handles; throws a RoutingError when that or the spool's folder fails. */
  static async open(options: RoutingOptions): Promise<Routing> {
    const routing = new Routing(options);
    try {
      const { spoolFolder } = routing.services;
      if (spoolFolder !== undefined) checkSpoolFolder(spoolFolder);
      await routing.#load();
    } catch (error) {
      await routing.close();
      throw RoutingError.from(error);
    }
    routing.#source.start(() => void routing.reload());
    return routing;
  }

  /** The handle of the configuration in use; another one after a reload. */
  get root(): RouteHandle {
    return this.#current.root;
  }

  get children(): readonly RouteHandle[] {
    return [this.#current.root];
  }

  get configuration(): ConfigurationInfo {
    return this.#info;
  }

  route(request: Request): Promise<Reply> {
    return this.#current.root.route(request);
  }

  direct(request: Request): Destination | undefined {
    return this.#current.root.direct?.(request);
  }

  /** Every destination of the configuration in use. */
  destinations(): Iterable<Destination> {
    return this.#destinations.all();
  }

  /** Lines of gets that went over UDP so far. */
  get datagrams(): Readonly<DatagramTotals> {
    return this.#destinations.datagrams;
  }

  /** Looks for a new configuration now. Never throws: answers what was wrong, if anything. */
  async reload(): Promise<RoutingError | undefined> {
    return this.#enqueue(() => this.#load());
  }

  /** Closes all connections; what waits is answered with `shutdown`. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#source.close();
    this.#resolver.close();
    const { kept } = this.#current;
    this.#current = { ...this.#current, root: new Unconfigured(), kept: new Map() };
    this.#destinations.close();
    await Promise.all(
      [...kept.values()].map((value) =>
        'close' in value && typeof value.close === 'function' ? value.close() : undefined,
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #enqueue(work: () => Promise<void>): Promise<RoutingError | undefined> {
    const result = this.#work.then(async () => {
      if (this.#isClosed) return undefined;
      try {
        await work();
        return undefined;
      } catch (error) {
        const failure = RoutingError.from(error);
        // The same news again and again is none.
        const isNew = failure.message !== this.#info.lastError?.message;
        this.#info = { ...this.#info, lastError: failure };
        if (isNew && !this.#isClosed) this.#options.observer?.onConfigurationError?.(failure);
        return failure;
      }
    });
    this.#work = result;
    return result;
  }

  async #load(): Promise<void> {
    const text = (await this.#source.read()) ?? this.#current.text;
    if (this.#isClosed) return;
    const isSame = text === this.#current.text && this.#info.generation > 0;
    if (isSame && !(await haveImportsChanged(this.#current.imports, this.#source))) {
      if (this.#isClosed) return;
      this.#info = { ...this.#info, lastError: undefined };
      // Certificates are renewed without a word in the configuration.
      if (haveChanged(this.#current.files)) await this.#rebuild();
      return;
    }
    const { document, imports } = await loadDocument(text, this.#source, this.services.random);
    const config = checkConfig(document, (steps) => this.#onIgnored(steps, IGNORED_AS_UNKNOWN));
    const names = namesIn(document);
    await this.#resolver.follow(names);
    if (this.#isClosed) return;
    try {
      this.#use({ document, config, text, imports });
    } finally {
      // A refused configuration's names are of no interest.
      this.#resolver.retain(namesIn(this.#current.document));
    }
  }

  /** The same configuration with other addresses. */
  async #rebuild(): Promise<void> {
    this.#use(this.#current);
  }

  /** Once: a configuration is built again whenever a name stands for another address. */
  readonly #tellOnce = (text: string): void => {
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.services.notice(text);
  };

  readonly #onIgnored = (steps: readonly PropertyKey[], reason: string): void =>
    this.#tellOnce(`${formatPath(steps)} has no meaning here and is ignored: ${reason}`);

  #use(given: Given): void {
    const { config, text } = given;
    const before = this.#current;
    const pools = new PoolFactory({
      pools: config.pools,
      destinations: this.#destinations,
      defaults: { ...DESTINATION_DEFAULTS, ...this.#options.defaults },
      addresses: (host) => this.#resolver.addresses(host),
      onIgnored: this.#onIgnored,
      notice: this.#tellOnce,
    });
    const builder = new RouteBuilder({
      config,
      pools,
      definitions: this.#definitions,
      services: this.services,
      kept: before.kept,
      onIgnored: this.#onIgnored,
    });
    let root: RouteHandle;
    try {
      root = buildRoot(config, builder);
      const paths = pathsOf(root);
      if (paths > ROUTE_PATHS_MAX) {
        const limit = `${ROUTE_PATHS_MAX} (ROUTE_PATHS_MAX)`;
        throw configError(
          [config.route === undefined ? 'routes' : 'route'],
          `${paths} ways lead to destinations, because routes share others: at most ${limit}`,
        );
      }
      // Pools that no route uses have to be right all the same.
      for (const name of Object.keys(config.pools)) pools.get(name, ['pools', name]);
    } catch (error) {
      closeUnkept(builder.kept, before.kept);
      this.#destinations.retain(destinationsOf(before.root));
      throw error;
    }
    this.#current = { ...given, root, kept: builder.kept, files: pools.files };
    closeUnkept(before.kept, builder.kept);
    this.#destinations.retain(destinationsOf(root));
    const { source, generation } = this.#info;
    const loadedAt = this.services.clock.wallNow();
    this.#info = { source, text, loadedAt, generation: generation + 1, lastError: undefined };
    this.#options.observer?.onConfiguration?.(this.#info);
  }
}

/** The configuration of one pool behind a hash: what a static list of servers comes to. */
export function poolConfig(
  servers: readonly string[],
  pool: Readonly<Record<string, unknown>> = {},
): { readonly [name: string]: unknown } {
  return { pools: { main: { ...pool, servers } }, route: 'PoolRoute|main' };
}

function buildRoot(config: ConfigJson, builder: RouteBuilder): RouteHandle {
  if (config.route !== undefined) {
    const route = builder.route(config.route, ['route']);
    if (!attachesPrefix(route)) return new RootRoute(route, []);
    throw configError(
      ['pools'],
      'attach_default_routing_prefix needs "routes" with aliases, of which one is the default',
    );
  }
  const prefixed: PrefixedRoute[] = [];
  for (const { aliases, route: json, steps } of config.routes) {
    const route = builder.route(json, steps);
    for (const [index, alias] of aliases.entries()) {
      const place = steps.at(-1) === 'route' ? [...steps.slice(0, -1), 'aliases', index] : steps;
      if (!/^\/[^/*]+\/[^/*]+\/$/.test(alias))
        throw configError(place, `"${alias}" is not an alias: expected /region/cluster/`);
      if (prefixed.some(({ prefix }) => prefix === alias))
        throw configError(place, `alias ${alias} is taken already`);
      prefixed.push({ prefix: alias, route });
    }
  }
  const { defaultPrefix } = config;
  const fallback =
    defaultPrefix === undefined ? prefixed[0] : prefixed.find(({ prefix }) => prefix === defaultPrefix);
  if (fallback === undefined) {
    throw configError(
      ['default_prefix'],
      `expected one of ${prefixed.map(({ prefix }) => prefix).join(', ')}`,
    );
  }
  return new RootRoute(fallback.route, prefixed, attachesPrefix(fallback.route) ? fallback.prefix : '');
}

/** Whether the servers of the default route that keep prefixes want one on every key. */
function attachesPrefix(fallback: RouteHandle): boolean {
  const keeping = [...destinationsOf(fallback)].filter(({ options }) => options.keepRoutingPrefix);
  const attaching = keeping.filter(({ options }) => options.attachDefaultPrefix);
  if (attaching.length > 0 && attaching.length < keeping.length) {
    throw configError(
      ['pools'],
      'expected attach_default_routing_prefix of all pools of the default route with keep_routing_prefix, or of none',
    );
  }
  return attaching.length > 0;
}

/** Before the first configuration and after the end. */
class Unconfigured implements RouteHandle {
  readonly name: string = 'unconfigured';
  readonly children: readonly RouteHandle[] = [];

  route(): Promise<Reply> {
    return Promise.resolve(Reply.of(Result.shutdown, 'shut down'));
  }
}
