/**
 * Servers by DNS: the addresses of a name (A and AAAA), or an SRV record with hosts and ports. A plain name among
 * `servers` is resolved again and again too; this is for lists whose length changes.
 */
import { Resolver } from 'node:dns/promises';
import { type Duration, durationMs } from '../duration.ts';
import { CacheError, CacheErrorCode } from '../errors.ts';
import type { Discovery } from './discovery.ts';

export interface DnsOptions {
  /** `cache.internal`, or for SRV `_memcache._tcp.cache.internal`. */
  readonly name: string;
  /** Ports come with SRV records; otherwise 11211 or this. */
  readonly port?: number;
  /** How long until the next look. 30 s by default. */
  readonly interval?: Duration;
  /** Who is asked, `ip` or `ip:port`; the system's resolvers by default. */
  readonly resolvers?: readonly string[];
}

const INTERVAL_MS_DEFAULT = 30_000;
const PORT_DEFAULT = 11_211;
const NO_RECORDS: ReadonlySet<string> = new Set(['ENODATA', 'ENOTFOUND']);

async function orNone<T>(records: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await records;
  } catch (thrown) {
    const code = (thrown as { readonly code?: string }).code ?? '';
    if (NO_RECORDS.has(code)) return [];
    throw thrown;
  }
}

async function resolveServers(resolver: Resolver, options: DnsOptions): Promise<readonly string[]> {
  const { name, port = PORT_DEFAULT } = options;
  if (name.startsWith('_')) {
    const records = await resolver.resolveSrv(name);
    return records.map((record) => `${record.name}:${record.port}`);
  }
  const [v4, v6] = await Promise.all([orNone(resolver.resolve4(name)), orNone(resolver.resolve6(name))]);
  return [...v4.map((address) => `${address}:${port}`), ...v6.map((address) => `[${address}]:${port}`)];
}

/** Finds servers by a name. Sorted, so that the order of records changes nothing. */
export function dnsServers(options: DnsOptions): Discovery {
  const resolver = new Resolver();
  if (options.resolvers !== undefined) resolver.setServers(options.resolvers);
  return {
    name: `DNS ${options.name}`,
    intervalMs: options.interval === undefined ? INTERVAL_MS_DEFAULT : durationMs(options.interval),
    async find(signal: AbortSignal): Promise<readonly string[]> {
      const cancel = (): void => resolver.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        const servers = await resolveServers(resolver, options);
        if (servers.length === 0) {
          throw new CacheError(CacheErrorCode.discovery, `DNS knows no address of ${options.name}`);
        }
        return [...new Set(servers)].sort();
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },
  };
}
