import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Cache } from './cache.ts';
import { CacheError } from './errors.ts';
import type { CacheOptions } from './options.ts';

const servers = '127.0.0.1:1';
for (const [name, value, code = 'INVALID_CONFIG'] of [
  ['tiemout', 5],
  ['servers', 5],
  ['servers', []],
  ['config', 5],
  ['discovery', {}],
  ['spoolFolder', ''],
  ['keyPrefix', 5],
  ['ttl', '1 year', 'INVALID_DURATION'],
  ['timeout', 0],
  ['timeout', Infinity],
  ['timeout', -1, 'INVALID_DURATION'],
  ['timeout', Number.NaN, 'INVALID_DURATION'],
  ['connections', 0],
  ['connections', 1.5],
  ['connections', '4'],
  ['tls', 5],
  ['credentials', { user: 'a\r\nflush_all', password: 'b' }],
  ['credentials', { user: 'a' }],
  ['dialect', 'redis'],
  ['throwOnTrouble', 'yes'],
  ['format', 'xml'],
  ['compression', { algorithm: 'gzip' }],
  ['compression', { fromBytes: -1 }],
  ['compression', { level: 99 }],
  ['compression', { level: 'x' }],
  ['compression', { dictionary: 'x' }],
  ['compression', { quality: 5 }],
  ['chunkBytes', 0],
  ['window', { min: 0 }],
  ['window', { initial: '5' }],
  ['failedGetMemory', -5, 'INVALID_DURATION'],
  ['udp', { port: 99_999 }],
  ['udp', { ports: 5 }],
  ['udp', { timeout: 'soon' }, 'INVALID_DURATION'],
  ['routes', 5],
  ['random', 5],
  ['__proto__x', 5],
  ['constructor', 5],
] as const) {
  test(`${name}: ${JSON.stringify(value)} is refused when the cache is made`, () => {
    const source = ['servers', 'config', 'discovery', 'routes'].includes(name) ? {} : { servers };
    assert.throws(
      () => new Cache({ ...source, [name]: value } as CacheOptions),
      (error) => {
        assert.ok(error instanceof CacheError);
        assert.equal(error.code, code);
        const isNamed = code === 'INVALID_DURATION' || /window wants/.test(error.message);
        assert.ok(isNamed || error.message.includes(name), error.message);
        return true;
      },
    );
  });
}

test('what is undefined is not given', async () => {
  const undefinedOptions = { servers, ttl: undefined, tls: undefined, udp: undefined, routes: undefined };
  await using cache = await Cache.connect(undefinedOptions as unknown as CacheOptions);
  assert.equal(await cache.get('k'), undefined);
});
