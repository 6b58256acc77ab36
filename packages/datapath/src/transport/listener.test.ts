import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { libcUnavailableReason } from '../sys/libc.ts';
import { closeListener, openDatagram, openListener, resolveAddress } from './listener.ts';
import { temporaryFolder } from './testing/harness.ts';

const reason = libcUnavailableReason();
const options = reason === undefined ? {} : { skip: reason };

test('a port that is taken is EADDRINUSE, with the call and the address', options, async () => {
  const address = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const first = await openListener('epoll', address);
  assert.ok(first.port > 0 && first.descriptor >= 0);
  await assert.rejects(openListener('epoll', { ...address, port: first.port }), {
    code: 'EADDRINUSE',
    message: new RegExp(`EADDRINUSE .*127\\.0\\.0\\.1:${first.port}`),
  });
  closeListener(first);
  const again = await openListener('epoll', { ...address, port: first.port });
  closeListener(again);
});

test('several sockets share a port when asked to, and not otherwise', options, async () => {
  const address = { kind: 'udp', host: '127.0.0.1', port: 0 } as const;
  const first = await openDatagram('epoll', address, { reusePort: true });
  const second = await openDatagram('epoll', { ...address, port: first.port }, { reusePort: true });
  assert.equal(second.port, first.port);
  await assert.rejects(openDatagram('epoll', { ...address, port: first.port }), { code: 'EADDRINUSE' });
  closeListener(first);
  closeListener(second);
});

test('what is not a socket is not replaced', options, async (context) => {
  const path = join(temporaryFolder(context), 'file');
  writeFileSync(path, 'precious');
  await assert.rejects(openListener('epoll', { kind: 'unix', path }), { code: 'EEXIST' });
  await assert.rejects(openListener('node', { kind: 'unix', path }), { code: 'EEXIST' });
});

test('an address of another machine is refused, and names are resolved', options, async () => {
  await assert.rejects(openListener('epoll', { kind: 'tcp', host: '192.0.2.1', port: 0 }), {
    code: 'EADDRNOTAVAIL',
    operation: 'bind',
  });
  await assert.rejects(openListener('epoll', { kind: 'tcp', host: 'nowhere.invalid', port: 0 }), {
    operation: 'lookup',
  });
  const resolved = await resolveAddress({ kind: 'tcp', host: 'localhost', port: 1 });
  assert.ok(resolved.kind === 'tcp' && /^(127\.0\.0\.1|::1)$/.test(resolved.host));
});
