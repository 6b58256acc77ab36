/** Leases while servers die and come back: a token is worth nothing to another server, or to a restarted one. */
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { destinationsOf } from '@larder/routing';
import { Cache } from '../cache.ts';
import type { CacheOptions } from '../options.ts';
import { SERVER_KINDS, type ServerKind, startServer, type TestServer } from '../testing/servers.ts';
import { gate, until } from '../testing/waiting.ts';

function gutterConfig(main: TestServer, gutter: TestServer): NonNullable<CacheOptions['config']> {
  const probing = { server_timeout: 1000, probe_delay_initial_ms: 20, probe_delay_max_ms: 40 };
  return {
    pools: { main: { servers: [main.address], ...probing }, gutter: { servers: [gutter.address] } },
    route: {
      type: 'FailoverWithExptimeRoute',
      normal: 'PoolRoute|main',
      failover: 'PoolRoute|gutter',
      failover_exptime: 10,
    },
  };
}

/** Caches as processes have them; what is to be stopped at the end goes into `running`. */
async function caches(count: number, options: CacheOptions): Promise<Cache[]> {
  const list = Array.from({ length: count }, () => Cache.connect({ failedGetMemory: 0, ...options }));
  return Promise.all(list);
}

const restart = (kind: ServerKind, server: TestServer): Promise<TestServer> =>
  startServer(kind, ['-p', String(server.port)]);

/** Waits until the server at `address` is seen up, or down, by all. */
async function seen(isUp: boolean, address: string, all: readonly Cache[]): Promise<void> {
  await Promise.all(
    all.map((cache) =>
      until(`${address} up ${isUp}`, async () => {
        await cache.get('touch');
        for (const each of destinationsOf(cache.routes))
          if (each.label === address) return each.isUp === isUp;
        return false;
      }),
    ),
  );
}

for (const { kind, skip } of SERVER_KINDS) {
  describe(kind, { skip }, () => {
    test('what a gutter let somebody fill is not set on the server that is back', async () => {
      let main = await startServer(kind);
      const gutter = await startServer(kind);
      const all = await caches(3, { config: gutterConfig(main, gutter) });
      const [a, b, updater] = all as [Cache, Cache, Cache];
      try {
        await Promise.all(all.map((cache) => cache.get('touch')));
        await main.stop();
        await seen(false, main.address, all);
        const [old, fresh] = [gate<string>(), gate<string>()];
        const first = a.getOrSet('k', () => old.opened);
        await until('the lease of the gutter', () => a.statistics.leasesWon === 1);
        main = await restart(kind, main);
        await seen(true, main.address, all);
        await updater.update('k', () => {});
        const second = b.getOrSet('k', () => fresh.opened);
        await until('the lease of the main server', () => b.statistics.leasesWon === 1);
        old.open('before the update');
        assert.equal(await first, 'before the update');
        fresh.open('after the update');
        assert.equal(await second, 'after the update');
        assert.equal(b.statistics.stores, 1, 'nobody has set anything else');
        assert.equal(await updater.get('k'), 'after the update');
      } finally {
        await Promise.all([...all.map((cache) => cache.close()), main.stop(), gutter.stop()]);
      }
    });

    test('what a server let somebody fill is not set after its restart', async () => {
      let server = await startServer(kind);
      const servers = server.address;
      const tries = {
        pools: { main: { servers: [servers], probe_delay_initial_ms: 20 } },
        route: 'PoolRoute|main',
      };
      const all = await caches(2, { config: tries });
      const [a, b] = all as [Cache, Cache];
      try {
        const old = gate<string>();
        const first = a.getOrSet('k', () => old.opened);
        await until('the lease', () => a.statistics.leasesWon === 1);
        await server.stop();
        server = await restart(kind, server);
        await seen(true, servers, all);
        const fresh = gate<string>();
        await b.update('k', () => {});
        const second = b.getOrSet('k', () => fresh.opened);
        await until('the lease of the new process', () => b.statistics.leasesWon === 1);
        old.open('before the update');
        assert.equal(await first, 'before the update');
        fresh.open('after the update');
        await second;
        assert.deepEqual([a.statistics.leasesLost, b.statistics.stores], [1, 1]);
        assert.equal(await a.get('k'), 'after the update');
      } finally {
        await Promise.all([...all.map((cache) => cache.close()), server.stop()]);
      }
    });

    test('a gutter keeps what has a stale time, or is refreshed early, as long as it keeps anything', async () => {
      const [main, gutter] = await Promise.all([startServer(kind), startServer(kind)]);
      const [cache] = (await caches(1, { config: gutterConfig(main, gutter) })) as [Cache];
      try {
        const runs = async (key: string, options: object, made: string | undefined): Promise<number> => {
          let count = 0;
          const factory = (): string | undefined => {
            count += 1;
            return made;
          };
          for (let call = 0; call < 20; call++) {
            assert.equal(await cache.getOrSet<string | undefined>(key, factory, options), made);
          }
          return count;
        };
        const negative = { ttl: '5m', staleTtl: '1m', refreshAhead: '20s', negativeTtl: '10s' };
        assert.equal(await runs('nothing', negative, undefined), 1);
        await main.stop();
        await seen(false, main.address, [cache]);
        assert.equal(await runs('stale', { ttl: '5m', staleTtl: '1m' }, 'x'), 1);
        assert.equal(await runs('not stale', { ttl: '5m', staleTtl: '1m', acceptStale: false }, 'x'), 1);
        assert.equal(await runs('ahead', { ttl: '5m', refreshAhead: '30s' }, 'x'), 1);
        assert.equal(cache.statistics.refreshes, 0);
      } finally {
        await Promise.all([cache.close(), main.stop(), gutter.stop()]);
      }
    });
  });
}
