import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { adminWarnings, type HostOptions, openHosts, resolveHostOptions } from './host-options.ts';

const resolve = (options: HostOptions) =>
  resolveHostOptions(options, { port: 7, adminPort: 8, connectionsMax: 9 });

test('defaults: loopback only, a worker per core, UDP off, the process’ own ports', () => {
  const settings = resolve({});
  assert.deepEqual(settings.listen, [{ host: '127.0.0.1', port: undefined }]);
  assert.deepEqual([settings.port, settings.udpPort, settings.adminPort], [7, 0, 8]);
  assert.equal(settings.connectionsMax, 9);
  assert.equal(settings.threads, availableParallelism());
  assert.equal(settings.udpNetworks.length, 2);
  assert.equal(settings.adminPortChosen, false);
  assert.deepEqual([openHosts(settings), adminWarnings(settings)], [[], []]);
});

test('a Unix socket switches TCP off unless a port is named; -1 is any free port, more -v make no difference', () => {
  assert.equal(resolve({ unixSocket: '/tmp/x' }).port, 'off');
  assert.equal(resolve({ unixSocket: '/tmp/x', port: -1 }).port, 0);
  assert.equal(resolve({ verbose: 12 }).verbose, 2);
});

test('what others can reach is told', () => {
  assert.deepEqual(openHosts(resolve({ listen: ['*,127.0.0.1', '::'] })), ['0.0.0.0', '::']);
  assert.deepEqual(openHosts(resolve({ listen: ['*'], port: 'off' })), []);
  assert.deepEqual(openHosts(resolve({ listen: ['*'], port: 'off', udpPort: 5 })), ['0.0.0.0']);
  assert.match(adminWarnings(resolve({ adminHost: '0.0.0.0' }))[0]!, /admin pages are served on 0\.0\.0\.0/);
});

test('every option out of bounds is named', () => {
  const cases: [HostOptions, RegExp][] = [
    [{ port: 70_000 }, /^-p\/--port: 70000/],
    [{ port: 1.5 }, /^-p\/--port/],
    [{ udpPort: -2 }, /^-U\/--udp-port/],
    [{ connectionsMax: 0 }, /^-c\/--conn-limit/],
    [{ threads: 1000 }, /^-t\/--threads/],
    [{ unixSocket: '' }, /^-s\/--unix-socket: the path must have 1 to 107/],
    [{ unixSocket: 'x'.repeat(200) }, /^-s\/--unix-socket/],
    [{ unixSocket: 'a\0b' }, /^-s\/--unix-socket: .* zero byte/],
    [{ unixMode: 0o70000 }, /^-a\/--unix-mask/],
    [{ listen: ['1.2.3'] }, /^-l\/--listen: "1\.2\.3"/],
    [{ udpAllow: ['x'] }, /^--udp-allow/],
    [{ udpAllow: new Array<string>(300).fill('10.0.0.1') }, /^--udp-allow: at most 256/],
    [{ udpDatagramsMax: 0 }, /^--udp-datagrams-max/],
    [{ adminPort: -5 }, /^--admin-port/],
  ];
  for (const [options, message] of cases) {
    assert.throws(() => resolve(options), { name: 'HostError', code: 'OPTION', message });
  }
});
