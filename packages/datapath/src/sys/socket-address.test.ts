import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeSocketAddress,
  encodeInternetAddress,
  encodeUnixAddress,
  formatSocketAddress,
} from './socket-address.ts';

test('IPv4 addresses survive encoding', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 0, max: 65_535 }), (host, port) => {
      const decoded = decodeSocketAddress(encodeInternetAddress(host, port));
      assert.deepEqual(decoded, { family: 'ipv4', host, port });
    }),
    { seed: 1 },
  );
});

test('IPv6 addresses survive encoding, whatever their spelling', () => {
  fc.assert(
    fc.property(fc.ipV6(), fc.integer({ min: 0, max: 65_535 }), (host, port) => {
      const decoded = decodeSocketAddress(encodeInternetAddress(host, port));
      assert.ok(decoded !== undefined && decoded.family === 'ipv6');
      assert.equal(new URL(`http://[${decoded.host}]`).hostname, new URL(`http://[${host}]`).hostname);
      assert.equal(decoded.port, port);
      assert.deepEqual(decodeSocketAddress(encodeInternetAddress(decoded.host, port)), decoded);
    }),
    { seed: 1 },
  );
});

test('known addresses have the kernel’s bytes', () => {
  assert.deepEqual(
    [...encodeInternetAddress('127.0.0.1', 11211)],
    [2, 0, 0x2b, 0xcb, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
  );
  const loopback = encodeInternetAddress('::1', 80);
  assert.deepEqual([...loopback.subarray(0, 4)], [10, 0, 0, 80]);
  assert.deepEqual([...loopback.subarray(8, 24)], [...Array(15).fill(0), 1]);
  assert.equal(encodeInternetAddress('fe80::1%7', 80)[24], 7);
  assert.equal(formatSocketAddress(decodeSocketAddress(loopback)), '[::1]:80');
  const unix = decodeSocketAddress(encodeUnixAddress('/tmp/x'));
  assert.equal(formatSocketAddress(unix), 'unix:/tmp/x');
});

test('what is not an address is refused', () => {
  assert.throws(() => encodeInternetAddress('localhost', 80), { code: 'ARGUMENT' });
  assert.throws(() => encodeInternetAddress('127.0.0.1', 65_536), { code: 'ARGUMENT' });
  assert.throws(() => encodeUnixAddress('x'.repeat(108)), { code: 'ARGUMENT' });
  assert.throws(() => encodeUnixAddress(''), { code: 'ARGUMENT' });
});
