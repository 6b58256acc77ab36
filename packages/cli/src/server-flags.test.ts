import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerOptions } from '@larder/server';
import { Command } from 'commander';
import { addCommonFlags, addOperatorFlags, type ServerFlags, serverOptionsFrom } from './server-flags.ts';

const MIB = 1024 * 1024;

function parse(...args: string[]): ServerOptions {
  const command = addOperatorFlags(addCommonFlags(new Command('serve')))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.parse(args, { from: 'user' });
  return serverOptionsFrom(command.opts<ServerFlags>());
}

test('no flags: nothing but the defaults', () => {
  const saved = process.env.LARDER_TRANSPORT;
  delete process.env.LARDER_TRANSPORT;
  assert.deepEqual(parse(), {});
  if (saved !== undefined) process.env.LARDER_TRANSPORT = saved;
});

test('memcached’s letters, as in a start script of long standing', () => {
  assert.deepEqual(
    parse(
      ...'-p 11222 -U 0 -l 127.0.0.1 -l ::1 -m 1024 -M -c 4096 -t 4 -I 8m -f 1.25 -n 72 -R 50 -vv -F -A -Y /etc/users'.split(
        ' ',
      ),
      ...'-e /dev/shm/x -o idle_timeout=60,no_maxconns_fast -s /run/x -a 0770 --transport node'.split(' '),
    ),
    {
      port: 11222,
      udpPort: 0,
      listen: ['127.0.0.1', '::1'],
      memoryBytes: 1024 * MIB,
      disableEvictions: true,
      connectionsMax: 4096,
      threads: 4,
      itemBytesMax: 8 * MIB,
      slabFactor: 1.25,
      chunkBytesMin: 72,
      requestsPerEvent: 50,
      verbose: 2,
      disableFlushAll: true,
      enableShutdown: true,
      authFile: '/etc/users',
      memoryFile: '/dev/shm/x',
      idleTimeoutSeconds: 60,
      refuseWhenFull: false,
      unixSocket: '/run/x',
      unixMode: 0o770,
      transport: 'node',
    },
  );
});

test('long names and Larder’s own', () => {
  const options = parse(
    ...'--port=-1 --udp-port -1 --memory-limit 1g --udp-allow 10.0.0.0/8 --udp-allow fd00::/8 --udp-datagrams-max 4'.split(
      ' ',
    ),
    ...'--lease-token-seconds 5 --stale-seconds 0 --huge-pages --zero-copy --no-admin --transport epoll'.split(
      ' ',
    ),
    ...'--tls-cert c.pem --tls-key k.pem'.split(' '),
  );
  assert.equal(options.port, -1);
  assert.equal(options.udpPort, -1);
  assert.equal(options.memoryBytes, 1024 * MIB);
  assert.deepEqual(options.udpAllow, ['10.0.0.0/8', 'fd00::/8']);
  assert.equal(options.udpDatagramsMax, 4);
  assert.equal(options.staleSeconds, 0);
  assert.equal(options.adminPort, 'off');
  assert.deepEqual(options.tls, { certFile: 'c.pem', keyFile: 'k.pem', port: 11212 });
  assert.equal(parse('--admin-port', '0', '-p', 'off').adminPort, 0);
  assert.equal(parse('-p', 'off').port, 'off');
});

test('values that make no sense name their option', () => {
  for (const [args, message] of [
    [['-p', 'http'], /^-p\/--port: "http" is not a whole number/],
    [['-m', 'lots'], /^-m\/--memory-limit: "lots" is not a size/],
    [['-a', '999'], /^-a\/--unix-mask/],
    [['-f', 'x'], /^-f\/--slab-growth-factor/],
    [['-o', 'nonsense'], /^-o: "nonsense"/],
  ] as const) {
    assert.throws(() => parse(...args), { code: 'OPTION', message });
  }
});
