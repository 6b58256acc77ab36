/**
 * What configurations of mcrouter may say that has no meaning here: accepted, and told to the operator once. What
 * would change where requests go is not among it.
 */

/** Why, by the name of the member. */
export type IgnoredNames = Readonly<Record<string, string>>;

const REGION = 'time-outs are those of the pool, wherever it is';
const RUNTIME = 'there are no runtime variables, a changed configuration is reloaded instead';
const REGISTRY = 'only routes of mcrouter that are not public refer to it';
const ONE_SPOOL = 'undelivered deletes are spooled per server, for all pools alike';

/** Of what is in no list (`unknown.ts`). */
export const IGNORED_AS_UNKNOWN = 'nothing has this name';

/** Of pools. */
export const IGNORED_OF_POOLS: IgnoredNames = {
  region: REGION,
  cluster: REGION,
  pool_locality: REGION,
  qos: 'packets are not marked',
  enable_compression: 'only mcrouter’s own protocol has compression',
  devnull_asynclog: ONE_SPOOL,
  hostnames: 'servers are known by their addresses',
  failure_domains: 'failovers do not look at them',
  services: REGISTRY,
  tko_tracker: 'each server is given up and probed by itself',
  disable_request_deadline_check: 'requests carry no deadlines',
  additional_fanout: '"connections" says how many there are to each server',
  pool_id: REGISTRY,
};

const RUNTIME_WEIGHTS: IgnoredNames = { weights_rv: RUNTIME, weights_rv_salt: RUNTIME };

/** Of route handles, by their type. */
export const IGNORED_OF_HANDLES: Readonly<Record<string, IgnoredNames>> = {
  PoolRoute: { asynclog_name: ONE_SPOOL, pool_id: REGISTRY, ...RUNTIME_WEIGHTS },
  AsynclogRoute: { asynclog_name: ONE_SPOOL },
  FailoverRoute: { enable_lease_pairing: 'a lease-set always goes to the server that gave its token' },
  FailoverWithExptimeRoute: {
    enable_lease_pairing: 'a lease-set always goes to the server that gave its token',
  },
  LatestRoute: { thread_local_failover: 'there is one order per process' },
};

/** Of each of `shadows`. */
export const IGNORED_OF_SHADOWS: IgnoredNames = {
  index_range_rv: RUNTIME,
  key_fraction_range_rv: RUNTIME,
  validate_replies: 'nobody hears what shadows answer',
};

/** Which of the names are there. */
export function ignoredIn(json: object, names: IgnoredNames | undefined): string[] {
  return names === undefined ? [] : Object.keys(json).filter((name) => Object.hasOwn(names, name));
}
