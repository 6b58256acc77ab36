/**
 * What servers' names stand for, asked again and again: by the records' time to live where a name server tells it,
 * by an interval otherwise. A name may have several addresses, each of which is a server; one that cannot be
 * resolved keeps the addresses that it had.
 */
import { lookup, Resolver as NameServers } from 'node:dns/promises';
import type { Clock, TimerHandle } from '../clock.ts';
import { RoutingError } from '../errors.ts';
import {
  ADDRESSES_PER_NAME_MAX,
  DNS_REFRESH_MS,
  DNS_REFRESH_MS_MIN,
  DNS_TIMEOUT_MS,
  DNS_TTL_TIMEOUT_MS,
} from '../limits.ts';

/** What a name stands for just now. */
export interface Resolution {
  readonly addresses: readonly string[];
  /** For how long that is true; undefined when nobody knows. */
  readonly ttlMs: number | undefined;
}

/** Resolves one name; throws when that fails. */
export type ResolveName = (host: string) => Promise<Resolution>;

/** Resolves as this machine does (its hosts file included), and asks the name server for the time to live. */
export const resolveName: ResolveName = async (host) => {
  const found = await lookup(host, { all: true });
  // A server with addresses of both families is still one server.
  const family = found.some((each) => each.family === 4) ? 4 : 6;
  const addresses = found.filter((each) => each.family === family).map((each) => each.address);
  return { addresses, ttlMs: host.includes('.') ? await ttlOf(host, family, addresses) : undefined };
};

/** The shortest time to live of these addresses, if the name server knows the same ones. */
async function ttlOf(host: string, family: 4 | 6, addresses: readonly string[]): Promise<number | undefined> {
  // The addresses are known already: an answer that takes long is not worth waiting for.
  const servers = new NameServers({ timeout: DNS_TTL_TIMEOUT_MS, tries: 1 });
  try {
    const records = await (family === 4
      ? servers.resolve4(host, { ttl: true })
      : servers.resolve6(host, { ttl: true }));
    const matching = records.filter(({ address }) => addresses.includes(address));
    return matching.length === 0 ? undefined : Math.min(...matching.map(({ ttl }) => ttl)) * 1000;
  } catch {
    // The name comes from somewhere else, such as the hosts file.
    return undefined;
  }
}

export interface ResolverOptions {
  readonly clock: Clock;
  readonly resolve: ResolveName;
  /** Names are asked for again after so long at the latest. */
  readonly refreshMs: number;
  /** The addresses of some name are others now. */
  readonly onChange: () => void;
  readonly notice: (text: string) => void;
}

interface Entry {
  addresses: readonly string[];
  timer: TimerHandle | undefined;
  hasFailed: boolean;
}

export class Resolver {
  readonly #options: ResolverOptions;
  readonly #entries: Map<string, Entry> = new Map();
  #isClosed: boolean = false;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** The addresses known for the name, sorted; undefined when there are none yet. */
  addresses(host: string): readonly string[] | undefined {
    const found = this.#entries.get(host)?.addresses;
    return found === undefined || found.length === 0 ? undefined : found;
  }

  /** From now on these names are followed; resolves when each new one was asked for once. */
  async follow(hosts: ReadonlySet<string>): Promise<void> {
    await Promise.all(
      [...hosts]
        .filter((host) => !this.#entries.has(host))
        .map((host) => {
          const entry: Entry = { addresses: [], timer: undefined, hasFailed: false };
          this.#entries.set(host, entry);
          return this.#ask(host, entry);
        }),
    );
  }

  /** Stops following every other name. */
  retain(hosts: ReadonlySet<string>): void {
    for (const [host, entry] of this.#entries) {
      if (hosts.has(host)) continue;
      entry.timer?.cancel();
      this.#entries.delete(host);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.retain(new Set());
  }

  #inTime(resolution: Promise<Resolution>): Promise<Resolution> {
    const { promise, resolve, reject } = Promise.withResolvers<Resolution>();
    const timer = this.#options.clock.setTimer(DNS_TIMEOUT_MS, () =>
      reject(new RoutingError('ETIMEDOUT', `no answer in ${DNS_TIMEOUT_MS} ms`)),
    );
    resolution.then(resolve, reject).finally(() => timer.cancel());
    return promise;
  }

  async #ask(host: string, entry: Entry): Promise<void> {
    let delayMs = this.#options.refreshMs;
    let hasChanged = false;
    try {
      const { addresses, ttlMs } = await this.#inTime(this.#options.resolve(host));
      const sorted = [...new Set(addresses)].sort().slice(0, ADDRESSES_PER_NAME_MAX);
      if (ttlMs !== undefined) delayMs = Math.min(delayMs, Math.max(ttlMs, DNS_REFRESH_MS_MIN));
      // An empty answer is no reason to forget servers that may well be there.
      hasChanged = sorted.length > 0 && sorted.join() !== entry.addresses.join();
      if (hasChanged) entry.addresses = sorted;
      entry.hasFailed = false;
    } catch (error) {
      delayMs = Math.min(delayMs, DNS_REFRESH_MS);
      if (!entry.hasFailed)
        this.#options.notice(`cannot resolve ${host}: ${RoutingError.from(error).message}`);
      entry.hasFailed = true;
    }
    if (this.#isClosed || this.#entries.get(host) !== entry) return;
    const isFirst = entry.timer === undefined;
    entry.timer = this.#options.clock.setTimer(delayMs, () => void this.#ask(host, entry));
    if (hasChanged && !isFirst) this.#options.onChange();
  }
}
