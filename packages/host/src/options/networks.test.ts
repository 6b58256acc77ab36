import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { isAddressAllowed, LOOPBACK_NETWORKS, networkContains, parseNetwork } from './networks.ts';

const SEED = 20_261_120;

function toText(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2)
    groups.push((bytes[index]! * 256 + bytes[index + 1]!).toString(16));
  return groups.join(':');
}

test(`agrees with Node's BlockList on random networks and addresses (seed ${SEED})`, () => {
  for (const [length, family] of [
    [4, 'ipv4'],
    [16, 'ipv6'],
  ] as const) {
    // Few different bytes, so that addresses often share a prefix with the network.
    const address = fc.array(fc.constantFrom(0, 1, 2, 127, 128, 255), {
      minLength: length,
      maxLength: length,
    });
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: length * 8 }), (base, candidate, prefix) => {
        const peer = new BlockList();
        peer.addSubnet(toText(base), prefix, family);
        const network = parseNetwork('--udp-allow', `${toText(base)}/${prefix}`);
        const memory = Uint8Array.from([9, 9, ...candidate]);
        assert.equal(networkContains(network, memory, 2, length), peer.check(toText(candidate), family));
      }),
      { seed: SEED },
    );
  }
});

test('reads short, embedded and whole addresses', () => {
  assert.deepEqual(parseNetwork('x', '10.1.2.3'), { bytes: [10, 1, 2, 3], prefixBits: 32 });
  assert.deepEqual(parseNetwork('x', '::1/128').bytes, [...new Array<number>(15).fill(0), 1]);
  assert.deepEqual(parseNetwork('x', 'fd00::/8').bytes.slice(0, 2), [0xfd, 0]);
  assert.deepEqual(parseNetwork('x', '::ffff:1.2.3.4').bytes.slice(10), [255, 255, 1, 2, 3, 4]);
});

test('refuses what is no network, naming the option', () => {
  for (const text of [
    '',
    '10.0.0.0/33',
    '10.0.0/8',
    'fe80::1%eth0/64',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    'a.b.c.d/8',
  ]) {
    assert.throws(() => parseNetwork('--udp-allow', text), { code: 'OPTION', option: '--udp-allow' }, text);
  }
});

test('loopback is allowed, also mapped into IPv6; others only when named', () => {
  const mapped = (bytes: number[]) => Uint8Array.from([...new Array<number>(10).fill(0), 255, 255, ...bytes]);
  assert.ok(isAddressAllowed(LOOPBACK_NETWORKS, Uint8Array.of(127, 9, 9, 9), 0, 4));
  assert.ok(isAddressAllowed(LOOPBACK_NETWORKS, mapped([127, 0, 0, 1]), 0, 6));
  assert.ok(!isAddressAllowed(LOOPBACK_NETWORKS, Uint8Array.of(10, 0, 0, 1), 0, 4));
  assert.ok(!isAddressAllowed(LOOPBACK_NETWORKS, mapped([10, 0, 0, 1]), 0, 6));
  const networks = [...LOOPBACK_NETWORKS, parseNetwork('x', '10.0.0.0/8')];
  assert.ok(isAddressAllowed(networks, Uint8Array.of(10, 0, 0, 1), 0, 4));
  assert.ok(isAddressAllowed(networks, mapped([10, 0, 0, 1]), 0, 6));
});
