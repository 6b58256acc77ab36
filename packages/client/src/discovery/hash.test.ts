/** How keys are spread over servers that were discovered, when some of them come and go. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Operation, Request } from '@larder/routing';
import { Cache } from '../cache.ts';
import type { CacheOptions } from '../options.ts';
import type { Discovery } from './discovery.ts';

const FOUR = ['10.0.0.1:11211', '10.0.0.2:11211', '10.0.0.3:11211', '10.0.0.4:11211'];
const KEYS = Array.from({ length: 2000 }, (_, index) => `user:${index}`);

class Listed implements Discovery {
  readonly name: string = 'a test';
  readonly intervalMs: number = 3_600_000;
  servers: readonly string[] = FOUR;

  find(): Promise<readonly string[]> {
    return Promise.resolve(this.servers);
  }
}

function serverOf(cache: Cache, key: string): string {
  const { routes } = cache;
  return routes.direct?.(Request.of(Operation.get, key))?.label ?? 'none';
}

/** The share of keys that stay where they are when the first server leaves. */
async function staying(options: Omit<CacheOptions, 'discovery'>): Promise<number> {
  const discovery = new Listed();
  await using cache = await Cache.connect({ ...options, discovery });
  const before = KEYS.map((key) => serverOf(cache, key));
  discovery.servers = FOUR.slice(1);
  await cache.reload();
  const after = KEYS.map((key) => serverOf(cache, key));
  assert.ok(!after.includes(FOUR[0]!) && !after.includes('none'));
  return after.filter((server, index) => server === before[index]).length / KEYS.length;
}

test('when a discovered server leaves only its own keys move', async () => {
  const share = await staying({});
  assert.ok(share > 0.7 && share < 0.8, `${share} of the keys stay, of 0.75`);
  const ketama = await staying({ hash: 'Ketama' });
  assert.ok(ketama > 0.65 && ketama < 0.85, `${ketama} of the keys stay with Ketama`);
  assert.ok((await staying({ hash: 'Ch3' })) < 0.5, 'known by their places, nearly all keys move');
});

test('discovered servers stand in a configuration, with gutter and all', async () => {
  const config = {
    pools: {
      main: { servers: ['discovered'], server_timeout: 250 },
      gutter: { servers: ['10.0.9.9:11211'] },
    },
    route: {
      type: 'FailoverWithExptimeRoute',
      normal: { type: 'PoolRoute', pool: 'main', hash: 'Rendezvous' },
      failover: 'PoolRoute|gutter',
    },
  };
  await using cache = await Cache.connect({ config, discovery: new Listed() });
  const names = (handle: typeof cache.routes): string[] => [handle.name, ...handle.children.flatMap(names)];
  const all = names(cache.routes).join(' ');
  for (const server of [...FOUR, '10.0.9.9:11211']) assert.ok(all.includes(server), `${server} in ${all}`);
});

test('a configuration that names no place for discovered servers is refused', () => {
  const discovery = new Listed();
  const config = { pools: { main: { servers: ['a:1'] } }, route: 'PoolRoute|main' };
  assert.throws(
    () => new Cache({ config, discovery }),
    /no pool of the config has "servers": \["discovered"\]/,
  );
  assert.throws(() => new Cache({ config: { file: 'x.json' }, discovery }), { code: 'INVALID_CONFIG' });
});

test('static servers take a hash too', async () => {
  const spread = async (options: CacheOptions): Promise<string> => {
    await using cache = await Cache.connect({ servers: FOUR, ...options });
    return KEYS.map((key) => serverOf(cache, key).slice(-7)).join(' ');
  };
  assert.notEqual(await spread({}), await spread({ hash: 'Rendezvous' }));
  assert.equal(await spread({}), await spread({ hash: 'Ch3' }));
  await assert.rejects(spread({ hash: { hash_func: 'Nonsense' } }), { code: 'INVALID_CONFIG' });
});
