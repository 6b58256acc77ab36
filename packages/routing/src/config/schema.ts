/** What a configuration may say, in mcrouter's names; route handles check their own parameters. */
import { z } from 'zod';
import {
  CONNECTIONS_PER_DESTINATION_MAX,
  OUTSTANDING_MAX,
  POOL_SERVERS_MAX,
  POOLS_MAX,
  PROBE_DELAY_MAX_MS,
  TIMEOUT_MS_MAX,
} from '../limits.ts';
import { type RouteJson, routeJson } from '../registry.ts';
import { OPERATION_NAMES } from '../request.ts';
import { configError, type Step } from './document.ts';
import { IGNORED_OF_POOLS } from './ignored.ts';
import { type KnownNames, parseWithout } from './unknown.ts';

/** A pool as it is written. */
export interface PoolJson extends Readonly<Record<string, unknown>> {
  readonly name?: string | undefined;
  readonly inherit?: string | undefined;
  readonly servers?: readonly string[] | undefined;
  readonly server_list_from_pool?: string | undefined;
  readonly weights?: readonly number[] | undefined;
  readonly keep_routing_prefix?: boolean | undefined;
  readonly attach_default_routing_prefix?: boolean | undefined;
  readonly server_timeout?: number | undefined;
  readonly operation_timeouts?: Readonly<Partial<Record<string, number>>> | undefined;
  readonly connect_timeout?: number | undefined;
  readonly connections?: number | undefined;
  readonly max_outstanding?: number | undefined;
  readonly failures_until_tko?: number | undefined;
  readonly probe_delay_initial_ms?: number | undefined;
  readonly probe_delay_max_ms?: number | undefined;
  readonly keep_alive_ms?: number | undefined;
  readonly tls?: boolean | TlsJson | undefined;
  readonly security_mech?: 'plain' | 'ssl' | 'tls' | undefined;
  readonly ssl?: boolean | undefined;
  readonly use_ssl?: boolean | undefined;
  readonly dialect?: 'auto' | 'memcached' | 'larder' | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly udp_port?: number | 'same' | undefined;
  readonly udp_timeout?: number | undefined;
}

/** PEM text or paths of files with it. */
export interface TlsJson {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly server_name?: string | undefined;
  readonly reject_unauthorized?: boolean | undefined;
}

const milliseconds = z.int().min(1).max(TIMEOUT_MS_MAX);

/** A certificate or key: PEM text, or the path of a file with it. */
const pem = z.string().min(1);

const tlsSchema = z.union([
  z.boolean(),
  z.strictObject({
    ca: pem.optional(),
    cert: pem.optional(),
    key: pem.optional(),
    server_name: z.string().optional(),
    reject_unauthorized: z.boolean().optional(),
  }),
]);

const poolShape = {
  name: z.string().optional(),
  /** Everything that this pool does not say is taken from that one. */
  inherit: z.string().optional(),
  servers: z.array(z.string()).max(POOL_SERVERS_MAX).optional(),
  /** The servers, and nothing else, of that pool. */
  server_list_from_pool: z.string().optional(),
  weights: z.array(z.number().min(0)).optional(),
  protocol: z.literal('ascii', { error: 'expected "ascii", the only protocol' }).optional(),
  keep_routing_prefix: z.boolean().optional(),
  attach_default_routing_prefix: z.boolean().optional(),
  server_timeout: milliseconds.optional(),
  /** For single operations, by their names on the wire. */
  operation_timeouts: z
    .partialRecord(z.enum(OPERATION_NAMES as readonly [string, ...string[]]), milliseconds)
    .optional(),
  connect_timeout: milliseconds.optional(),
  connections: z.int().min(1).max(CONNECTIONS_PER_DESTINATION_MAX).optional(),
  max_outstanding: z.int().min(1).max(OUTSTANDING_MAX).optional(),
  failures_until_tko: z.int().min(1).optional(),
  probe_delay_initial_ms: z.int().min(1).max(PROBE_DELAY_MAX_MS).optional(),
  probe_delay_max_ms: z.int().min(1).max(PROBE_DELAY_MAX_MS).optional(),
  keep_alive_ms: z.int().min(0).max(TIMEOUT_MS_MAX).optional(),
  tls: tlsSchema.optional(),
  security_mech: z.enum(['plain', 'ssl', 'tls']).optional(),
  ssl: z.boolean().optional(),
  dialect: z.enum(['auto', 'memcached', 'larder']).optional(),
  user: z
    .string()
    .regex(/^[^\s\p{Cc}]+$/u, 'expected a name without spaces and control characters')
    .optional(),
  password: z
    .string()
    .regex(/^[^\p{Cc}]+$/u, 'expected no control characters')
    .optional(),
  udp_port: z
    .union([z.int().min(1).max(0xffff), z.literal('same')], { error: 'expected a port, or "same"' })
    .optional(),
  udp_timeout: milliseconds.optional(),
  use_ssl: z.boolean().optional(),
  comment: z.unknown().optional(),
  ...Object.fromEntries(Object.keys(IGNORED_OF_POOLS).map((name) => [name, z.unknown().optional()])),
};
const poolSchema: z.ZodType<PoolJson> = z.strictObject(poolShape);
const POOL_NAMES: readonly string[] = Object.keys(poolShape);

const namedHandle = z.looseObject({ type: z.string(), name: z.string() });

const configSchema = z.strictObject({
  pools: z.record(z.string(), poolSchema).optional(),
  /** An older way of writing pools; the groups mean nothing. */
  clusters: z
    .record(z.string(), z.looseObject({ pools: z.record(z.string(), poolSchema).optional() }))
    .optional(),
  route: routeJson.optional(),
  routes: z
    .union([
      z.array(z.strictObject({ aliases: z.array(z.string()).min(1), route: routeJson })).min(1),
      z.record(z.string(), routeJson),
    ])
    .optional(),
  named_handles: z.union([z.array(namedHandle), z.record(z.string(), z.looseObject({}))]).optional(),
  /** Which of `routes` takes keys without a prefix: its alias. The first one otherwise. */
  default_prefix: z.string().optional(),
  comment: z.unknown().optional(),
});

export interface RouteEntry {
  readonly aliases: readonly string[];
  readonly route: RouteJson;
  /** Where the route stands. */
  readonly steps: readonly Step[];
}

/** A configuration whose frame is checked. */
export interface ConfigJson {
  readonly pools: Readonly<Record<string, PoolJson>>;
  /** One without prefixes, or one for each set of aliases. */
  readonly route: RouteJson | undefined;
  readonly routes: readonly RouteEntry[];
  readonly namedHandles: ReadonlyMap<string, { readonly json: RouteJson; readonly steps: readonly Step[] }>;
  readonly defaultPrefix: string | undefined;
}

/** Told of each name that nobody knows, which is left out. */
export type OnUnknown = (steps: readonly Step[]) => void;

/** Checks a pool that is described where it is used. */
export function checkPool(json: unknown, steps: readonly Step[], onUnknown: OnUnknown): PoolJson {
  const known: KnownNames = (path) => (path.length === 0 ? POOL_NAMES : undefined);
  const parsed = parseWithout(poolSchema, json, steps, known, onUnknown);
  if (!parsed.success) throw issueError(parsed.error, steps);
  return parsed.data;
}

function checkCount(pools: unknown): void {
  const count = typeof pools === 'object' && pools !== null ? Object.keys(pools).length : 0;
  if (count > POOLS_MAX) throw configError(['pools'], `there are ${count}, at most ${POOLS_MAX} (POOLS_MAX)`);
}

const knownInConfig: KnownNames = (path) => {
  if (path.length === 0) return Object.keys(configSchema.shape);
  const isPool = (path[0] === 'pools' && path.length === 2) || (path[2] === 'pools' && path.length === 4);
  return isPool ? POOL_NAMES : undefined;
};

/** Checks the frame; throws a RoutingError CONFIG. */
export function checkConfig(document: unknown, onUnknown: OnUnknown): ConfigJson {
  // Before each of them is checked.
  if (typeof document === 'object' && document !== null && 'pools' in document) checkCount(document.pools);
  const parsed = parseWithout(configSchema, document, [], knownInConfig, onUnknown);
  if (!parsed.success) throw issueError(parsed.error, []);
  const { route, routes, named_handles: named, default_prefix: defaultPrefix } = parsed.data;
  if ((route === undefined) === (routes === undefined)) {
    throw configError([], 'expected either "route" or "routes"');
  }
  const entries: RouteEntry[] = Array.isArray(routes)
    ? routes.map((entry, index) => ({ ...entry, steps: ['routes', index, 'route'] }))
    : Object.entries(routes ?? {}).map(([alias, entry]) => ({
        aliases: [alias],
        route: entry,
        steps: ['routes', alias],
      }));
  const namedHandles = new Map<string, { json: RouteJson; steps: readonly Step[] }>();
  if (Array.isArray(named)) {
    for (const [index, json] of named.entries()) {
      const steps = ['named_handles', index];
      if (namedHandles.has(json.name))
        throw configError([...steps, 'name'], `"${json.name}" is taken already`);
      namedHandles.set(json.name, { json, steps });
    }
  } else {
    for (const [name, json] of Object.entries(named ?? {})) {
      namedHandles.set(name, { json, steps: ['named_handles', name] });
    }
  }
  // Whatever they are called, none of them is what others are inherited from.
  const pools: Record<string, PoolJson> = { ...parsed.data.pools };
  for (const [name, cluster] of Object.entries(parsed.data.clusters ?? {})) {
    for (const [poolName, pool] of Object.entries(cluster.pools ?? {})) {
      if (Object.hasOwn(pools, poolName)) {
        throw configError(['clusters', name, 'pools', poolName], 'there is a pool of that name already');
      }
      pools[poolName] = pool;
    }
  }
  checkCount(pools);
  return { pools, route, routes: entries, namedHandles, defaultPrefix };
}

/** The first complaint of zod, as an error that names the place and what was expected there. */
export function issueError(error: z.ZodError, steps: readonly Step[]): Error {
  const issue = deepest(error.issues);
  if (issue === undefined) return configError(steps, error.message);
  return configError([...steps, ...issue.path], describe(issue));
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly code?: string | undefined;
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly z.core.$ZodIssue[])[];
}

/** Of the alternatives of a union, the one that was followed furthest is the one that was meant. */
function deepest(issues: readonly z.core.$ZodIssue[]): Issue | undefined {
  let best: Issue | undefined;
  for (const issue of issues) {
    let candidate: Issue = issue;
    if (issue.code === 'invalid_union') {
      for (const alternative of issue.errors) {
        const inner = deepest(alternative);
        if (inner !== undefined && inner.path.length > 0) {
          candidate = { ...inner, path: [...issue.path, ...inner.path] };
        }
      }
    }
    if (best === undefined || candidate.path.length > best.path.length) best = candidate;
  }
  return best;
}

function describe(issue: Issue): string {
  if (issue.code === 'unrecognized_keys' && issue.keys !== undefined) {
    return `does not know ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
  }
  const { errors } = issue;
  const texts = errors === undefined || !issue.message.startsWith('Invalid input') ? [issue] : errors.flat();
  const parts = [...new Set(texts.map(({ message }) => message.replace(/^Invalid input: /, '')))];
  const isMissing = parts.every((part) => part.endsWith(', received undefined'));
  const text = parts.map((part) => part.replace(/, received undefined$/, '')).join(' or ');
  return isMissing ? `is missing, ${text}` : text.replaceAll('record', 'object');
}
