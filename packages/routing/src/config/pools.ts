/** Pools of a configuration: inheritance, servers' names and addresses, destinations with the pool's options. */
import { readFileSync } from 'node:fs';
import { type Address, formatAddress, needsResolving, parseAddress } from '../destination/address.ts';
import { type DestinationOptions, Dialect, type TlsSettings } from '../destination/destination-options.ts';
import type { Destinations } from '../destination/destinations.ts';
import { RoutingError } from '../errors.ts';
import { POOL_INHERITANCE_MAX } from '../limits.ts';
import type { Pool, PoolServer } from '../registry.ts';
import { OPERATION_NAMES } from '../request.ts';
import { configError, formatPath, type Step } from './document.ts';
import { IGNORED_AS_UNKNOWN, IGNORED_OF_POOLS, ignoredIn } from './ignored.ts';
import { checkPool, type PoolJson } from './schema.ts';

/** What names stand for; undefined while nobody has said. */
export type AddressBook = (host: string) => readonly string[] | undefined;

export interface PoolFactoryOptions {
  readonly pools: Readonly<Record<string, PoolJson>>;
  readonly destinations: Destinations;
  readonly defaults: DestinationOptions;
  readonly addresses: AddressBook;
  /** A pool says something that has no meaning here. */
  readonly onIgnored: (steps: readonly Step[], reason: string) => void;
  /** Something an operator should know. */
  readonly notice: (text: string) => void;
}

export class PoolFactory {
  /** Certificates and keys that were read, by their paths. */
  readonly files: Map<string, string> = new Map();
  readonly #options: PoolFactoryOptions;
  readonly #made: Map<string, Pool> = new Map();

  constructor(options: PoolFactoryOptions) {
    this.#options = options;
  }

  /** A pool by name, or one that is described where it is used (and may be used by its name then). */
  get(json: string | Readonly<Record<string, unknown>>, steps: readonly Step[]): Pool {
    if (typeof json === 'string') return this.#named(json, steps);
    const pool = checkPool(json, steps, (each) => this.#options.onIgnored(each, IGNORED_AS_UNKNOWN));
    const { name } = pool;
    const isReference =
      name !== undefined &&
      pool.servers === undefined &&
      pool.inherit === undefined &&
      pool.server_list_from_pool === undefined;
    if (isReference) return this.#named(name, [...steps, 'name']);
    const made = this.#make(name ?? `at ${formatPath(steps)}`, pool, steps);
    if (name !== undefined && !Object.hasOwn(this.#options.pools, name)) this.#made.set(name, made);
    return made;
  }

  #named(name: string, steps: readonly Step[]): Pool {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const json = Object.hasOwn(this.#options.pools, name) ? this.#options.pools[name] : undefined;
    if (json === undefined) {
      const names = Object.keys(this.#options.pools);
      const list = names.length === 0 ? 'there are none' : `expected one of ${names.join(', ')}`;
      throw configError(steps, `pool "${name}" does not exist, ${list}`);
    }
    const pool = this.#make(name, json, ['pools', name]);
    this.#made.set(name, pool);
    return pool;
  }

  #make(name: string, json: PoolJson, steps: readonly Step[]): Pool {
    for (const each of ignoredIn(json, IGNORED_OF_POOLS)) {
      this.#options.onIgnored([...steps, each], IGNORED_OF_POOLS[each]!);
    }
    const whole = this.#inherited(json, steps, []);
    const servers = whole.servers ?? this.#serversOf(whole.server_list_from_pool, steps);
    const { weights } = whole;
    if (servers === undefined) throw configError(steps, 'expected servers, a list of addresses');
    if (servers.length === 0) {
      this.#options.notice(`${formatPath(steps)} has no servers: it answers as an empty cache`);
    }
    if (weights !== undefined && weights.length !== servers.length) {
      throw configError([...steps, 'weights'], `expected ${servers.length} numbers, one for each server`);
    }
    const made = servers.map((text, index) => this.#server(text, whole, [...steps, 'servers', index], steps));
    const destinations = made.flatMap((server) => server.destinations);
    return { name, servers: made, destinations, weights, json: whole };
  }

  #serversOf(name: string | undefined, steps: readonly Step[]): readonly string[] | undefined {
    if (name === undefined) return undefined;
    const json = Object.hasOwn(this.#options.pools, name) ? this.#options.pools[name] : undefined;
    const servers = json === undefined ? undefined : this.#inherited(json, ['pools', name], []).servers;
    if (servers === undefined) {
      throw configError([...steps, 'server_list_from_pool'], `there is no pool "${name}" with servers`);
    }
    return servers;
  }

  #inherited(json: PoolJson, steps: readonly Step[], seen: readonly string[]): PoolJson {
    const parentName = json.inherit;
    if (parentName === undefined) return json;
    if (seen.includes(parentName)) {
      throw configError(
        [...steps, 'inherit'],
        `pools inherit in a circle: ${[...seen, parentName].join(', ')}`,
      );
    }
    if (seen.length >= POOL_INHERITANCE_MAX) {
      const limit = `${POOL_INHERITANCE_MAX} pools (POOL_INHERITANCE_MAX)`;
      throw configError([...steps, 'inherit'], `pools inherit through more than ${limit}`);
    }
    const parent = Object.hasOwn(this.#options.pools, parentName)
      ? this.#options.pools[parentName]
      : undefined;
    if (parent === undefined) throw configError([...steps, 'inherit'], `pool "${parentName}" does not exist`);
    const whole = this.#inherited(parent, ['pools', parentName], [...seen, parentName]);
    return { ...whole, ...json };
  }

  /** One entry of `servers`. */
  #server(text: string, pool: PoolJson, steps: readonly Step[], poolSteps: readonly Step[]): PoolServer {
    let parsed: ReturnType<typeof parseAddress>;
    try {
      parsed = parseAddress(text);
    } catch (error) {
      throw configError(steps, RoutingError.from(error).message);
    }
    const { address, isTls } = parsed;
    const options = this.#destinationOptions(pool, isTls, poolSteps);
    const addresses = this.#addresses(address);
    return {
      name: formatAddress(address),
      destinations: addresses.map((each) => this.#options.destinations.get(each, options)),
    };
  }

  #addresses(address: Address): readonly Address[] {
    if (address.kind !== 'tcp' || !needsResolving(address)) return [address];
    const found = this.#options.addresses(address.host);
    // A name that nobody knows yet stays in the pool, so that its keys do not move to other servers.
    if (found === undefined || found.length === 0) return [address];
    return found.map((host) => ({ kind: 'tcp', host, port: address.port, serverName: address.host }));
  }

  #destinationOptions(
    pool: PoolJson,
    isTls: boolean | undefined,
    steps: readonly Step[],
  ): DestinationOptions {
    const { defaults } = this.#options;
    if ((pool.user === undefined) !== (pool.password === undefined)) {
      throw configError(steps, 'expected user and password, or neither');
    }
    const credentials =
      pool.user === undefined || pool.password === undefined
        ? defaults.credentials
        : { user: pool.user, password: pool.password };
    return {
      timeoutMs: pool.server_timeout ?? defaults.timeoutMs,
      timeoutsMs: timeoutsOf(pool) ?? defaults.timeoutsMs,
      connectTimeoutMs: pool.connect_timeout ?? defaults.connectTimeoutMs,
      connections: pool.connections ?? defaults.connections,
      outstandingMax: pool.max_outstanding ?? defaults.outstandingMax,
      failuresUntilTko: pool.failures_until_tko ?? defaults.failuresUntilTko,
      probeDelayInitialMs: pool.probe_delay_initial_ms ?? defaults.probeDelayInitialMs,
      probeDelayMaxMs: pool.probe_delay_max_ms ?? defaults.probeDelayMaxMs,
      keepAliveMs: pool.keep_alive_ms ?? defaults.keepAliveMs,
      tls: tlsOf(pool, isTls, defaults.tls, [...steps, 'tls'], this.files),
      dialect: pool.dialect ?? defaults.dialect ?? Dialect.auto,
      keepRoutingPrefix: pool.keep_routing_prefix ?? defaults.keepRoutingPrefix,
      attachDefaultPrefix: pool.attach_default_routing_prefix ?? defaults.attachDefaultPrefix,
      credentials,
      udpPort: pool.udp_port ?? defaults.udpPort,
      udpTimeoutMs: pool.udp_timeout ?? defaults.udpTimeoutMs,
    };
  }
}

/** Whether one of these files says something else now. One that cannot be read just now says what it said. */
export function haveChanged(files: ReadonlyMap<string, string>): boolean {
  for (const [path, text] of files) {
    try {
      if (readFileSync(path, 'utf8') !== text) return true;
    } catch {
      // It is being replaced, or it is gone: what is in use stays in use.
    }
  }
  return false;
}

/** Every name that the pools of the document mention, be they described in `pools` or where they are used. */
export function namesIn(document: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, each] of Object.entries(value)) {
      if (name !== 'servers' || !Array.isArray(each)) {
        walk(each);
        continue;
      }
      for (const server of each) {
        const host = typeof server === 'string' ? hostOf(server) : undefined;
        if (host !== undefined) names.add(host);
      }
    }
  };
  walk(document);
  return names;
}

function hostOf(text: string): string | undefined {
  try {
    const { address } = parseAddress(text);
    return address.kind === 'tcp' && needsResolving(address) ? address.host : undefined;
  } catch {
    // What is wrong with it is said, with its place, when the pool is built.
    return undefined;
  }
}

function timeoutsOf(pool: PoolJson): readonly number[] | undefined {
  const timeouts = pool.operation_timeouts;
  return timeouts === undefined ? undefined : OPERATION_NAMES.map((name) => timeouts[name] ?? 0);
}

function tlsOf(
  pool: PoolJson,
  isTls: boolean | undefined,
  fallback: TlsSettings | undefined,
  steps: readonly Step[],
  files: Map<string, string>,
): TlsSettings | undefined {
  const { tls, security_mech: mechanism, ssl, use_ssl: useSsl } = pool;
  const byPool =
    tls === undefined
      ? (ssl ?? useSsl ?? (mechanism === undefined ? undefined : mechanism !== 'plain'))
      : tls !== false;
  const wanted = isTls ?? byPool ?? fallback !== undefined;
  if (!wanted) return undefined;
  if (typeof tls !== 'object') return fallback ?? { rejectUnauthorized: true };
  const settings: { -readonly [K in keyof TlsSettings]: TlsSettings[K] } = {
    rejectUnauthorized: tls.reject_unauthorized ?? true,
  };
  if (tls.ca !== undefined) settings.ca = readPem(tls.ca, [...steps, 'ca'], files);
  if (tls.cert !== undefined) settings.cert = readPem(tls.cert, [...steps, 'cert'], files);
  if (tls.key !== undefined) settings.key = readPem(tls.key, [...steps, 'key'], files);
  if (tls.server_name !== undefined) settings.serverName = tls.server_name;
  return settings;
}

function readPem(text: string, steps: readonly Step[], files: Map<string, string>): string {
  if (text.includes('-----BEGIN ')) return text;
  try {
    const pem = readFileSync(text, 'utf8');
    files.set(text, pem);
    return pem;
  } catch (error) {
    throw configError(steps, `expected PEM text or a file with it: ${RoutingError.from(error).message}`);
  }
}
