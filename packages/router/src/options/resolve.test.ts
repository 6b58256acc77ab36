import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveRouterOptions, settingsWarnings } from './resolve.ts';

const config = { text: '{}' };

test('defaults: one address that only this machine reaches, a worker per core', () => {
  const settings = resolveRouterOptions({ config });
  assert.deepEqual(settings.listen, [{ host: '127.0.0.1', port: undefined }]);
  assert.equal(settings.port, 5000);
  assert.equal(settings.udpPort, 0);
  assert.ok(settings.threads >= 1);
  assert.deepEqual(settingsWarnings(settings), []);
  assert.equal(resolveRouterOptions({ config, unixSocket: '/tmp/x' }).port, 'off');
});

test('addresses in every form, and a warning when others can reach one', () => {
  const settings = resolveRouterOptions({ config, listen: ['*', '[::1]:5001', 'localhost:9,cache.example'] });
  assert.deepEqual(settings.listen, [
    { host: '0.0.0.0', port: undefined },
    { host: '::1', port: 5001 },
    { host: '127.0.0.1', port: 9 },
    { host: 'cache.example', port: undefined },
  ]);
  assert.equal(settingsWarnings(settings).length, 1);
});

test('what makes no sense is refused with the name of its option', () => {
  const wrong: [object, RegExp][] = [
    [{ port: 70_000 }, /-p\/--port/],
    [{ threads: -1 }, /-t\/--threads/],
    [{ listen: ['1.2.3'] }, /-l\/--listen/],
    [{ listen: ['a:b:c'] }, /-l\/--listen/],
    [{ valueBytesMax: 1 }, /--max-item-size/],
    [{ serverTimeoutMs: 0 }, /--server-timeout/],
    [{ udpAllow: ['10.0.0.0/40'] }, /--udp-allow/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(() => resolveRouterOptions({ config, ...options }), { code: 'OPTION', message });
  }
});
