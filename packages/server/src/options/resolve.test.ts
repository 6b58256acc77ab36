import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { parseExtended } from './extended.ts';
import { resolveOptions, settingsWarnings } from './resolve.ts';
import type { ServerOptions } from './server-options.ts';

const MIB = 1024 * 1024;

test('defaults: loopback, 11211, 64 MB, a worker per core, UDP off', () => {
  const settings = resolveOptions({});
  assert.deepEqual(settings.listen, [{ host: '127.0.0.1', port: undefined }]);
  assert.equal(settings.port, 11211);
  assert.equal(settings.udpPort, 0);
  assert.equal(settings.memoryBytes, 64 * MIB);
  assert.equal(settings.threads, availableParallelism());
  assert.equal(settings.refuseWhenFull, true);
  assert.deepEqual(settingsWarnings(settings), []);
});

test('a Unix socket switches TCP off unless a port is named', () => {
  assert.equal(resolveOptions({ unixSocket: '/tmp/x' }).port, 'off');
  assert.equal(resolveOptions({ unixSocket: '/tmp/x', port: 0 }).port, 0);
});

test('every option out of bounds is named', () => {
  const cases: [ServerOptions, RegExp][] = [
    [{ port: 70_000 }, /^-p\/--port: 70000/],
    [{ port: 1.5 }, /^-p\/--port/],
    [{ udpPort: -2 }, /^-U\/--udp-port/],
    [{ memoryBytes: 1000 }, /^-m\/--memory-limit: 1000 bytes is outside/],
    [{ itemBytesMax: 10 }, /^-I\/--max-item-size/],
    [{ memoryBytes: 8 * MIB, itemBytesMax: 5 * MIB }, /half of the memory limit/],
    [{ connectionsMax: 0 }, /^-c\/--conn-limit/],
    [{ threads: 1000 }, /^-t\/--threads/],
    [{ slabFactor: 1 }, /^-f\/--slab-growth-factor/],
    [{ slabFactor: Number.NaN }, /^-f\/--slab-growth-factor/],
    [{ chunkBytesMin: 0 }, /^-n\/--slab-min-size/],
    [{ requestsPerEvent: 0 }, /^-R\/--max-reqs-per-event/],
    [{ unixSocket: '' }, /^-s\/--unix-socket/],
    [{ unixSocket: 'x'.repeat(200) }, /^-s\/--unix-socket/],
    [{ unixMode: 0o70000 }, /^-a\/--unix-mask/],
    [{ listen: ['1.2.3'] }, /^-l\/--listen: "1\.2\.3"/],
    [{ leaseTokenSeconds: 0 }, /^--lease-token-seconds/],
    [{ staleSeconds: -1 }, /^--stale-seconds/],
    [{ idleTimeoutSeconds: -1 }, /^-o idle_timeout/],
    [{ udpAllow: ['x'] }, /^--udp-allow/],
    [{ udpDatagramsMax: 0 }, /^--udp-datagrams-max/],
    [{ adminPort: -5 }, /^--admin-port/],
    [{ tls: { certFile: 'a', keyFile: '', port: 0 } }, /--tls-cert and --tls-key/],
    [{ port: 'off' }, /nothing to listen on/],
  ];
  for (const [options, message] of cases) {
    assert.throws(() => resolveOptions(options), { code: 'OPTION', message });
  }
});

test('memcached’s small -n is raised to the smallest chunk', () => {
  assert.equal(resolveOptions({ chunkBytesMin: 48 }).chunkBytesMin, 64);
});

test('listening to the world without a password is told', () => {
  assert.match(
    settingsWarnings(resolveOptions({ listen: ['0.0.0.0'] }))[0]!,
    /0\.0\.0\.0 without authentication/,
  );
  assert.deepEqual(settingsWarnings(resolveOptions({ listen: ['0.0.0.0'], authFile: 'x' })), []);
  assert.match(settingsWarnings(resolveOptions({ adminHost: '0.0.0.0' }))[0]!, /admin pages/);
});

test('-o takes memcached’s names and refuses unknown ones', () => {
  assert.deepEqual(parseExtended('idle_timeout=30,no_maxconns_fast,modern,hashpower=20'), {
    idleTimeoutSeconds: 30,
    refuseWhenFull: false,
  });
  assert.deepEqual(parseExtended('read_buf_mem_limit=16'), { readBufferBytesMax: 16 * MIB });
  assert.equal(resolveOptions({ readBufferBytesMax: 16 * MIB }).readBufferBytesMax, 16 * MIB);
  assert.equal(resolveOptions({ readBufferBytesMax: 0 }).readBufferBytesMax, Number.POSITIVE_INFINITY);
  assert.throws(() => resolveOptions({ readBufferBytesMax: -1 }), /-o read_buf_mem_limit/);
  for (const text of [
    'read_buf_mem_limit',
    'read_buf_mem_limit=x',
    'idle_timeout',
    'idle_timeout=x',
    'maxconns_fast=1',
    'nonsense',
    '',
  ]) {
    assert.throws(() => parseExtended(text), { code: 'OPTION', message: /^-o/ }, text);
  }
});
