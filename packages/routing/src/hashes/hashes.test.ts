/**
 * Hashes for which a second opinion exists: SpookyHash against its author's vectors, Murmur64A and Jump against
 * straight 64-bit arithmetic on BigInt; and what makes each consistent hash one: balance and minimal movement.
 */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ch3Hash } from './ch3.ts';
import { JumpHash, jumpBucket } from './jump.ts';
import { KetamaHash, KetamaVariant } from './ketama.ts';
import type { KeyHash } from './key-hash.ts';
import { Murmur64A } from './murmur64a.ts';
import { RendezvousHash } from './rendezvous.ts';
import { Spooky32 } from './spooky32.ts';

const SEED = 20261120;
const MASK = 0xffffffffffffffffn;

test("SpookyHash is its author's, short and long messages", () => {
  const file = readFileSync(new URL('spooky-vectors.json', import.meta.url), 'utf8');
  const vectors: { from: Record<string, number[]> } = JSON.parse(file);
  const spooky = new Spooky32();
  const message = Uint8Array.from({ length: 512 }, (_, index) => (index + 128) & 0xff);
  for (const [from, expected] of Object.entries(vectors.from)) {
    for (const [index, hash] of expected.entries()) {
      const length = Number(from) + index;
      assert.equal(spooky.hash(message, 0, length, 0), hash, `length ${length}`);
    }
  }
});

/** MurmurHash64A written with 64-bit integers, straight from its definition. */
function murmurOfBigints(bytes: Uint8Array, seed: number): bigint {
  const m = 0xc6a4a7935bd1e995n;
  const multiply = (a: bigint): bigint => (a * m) & MASK;
  let hash = BigInt(seed) ^ multiply(BigInt(bytes.length));
  const view = Buffer.from(bytes);
  const whole = bytes.length - (bytes.length % 8);
  for (let at = 0; at < whole; at += 8) {
    const word = multiply(view.readBigUInt64LE(at));
    hash = multiply(hash ^ multiply(word ^ (word >> 47n)));
  }
  if (whole < bytes.length) {
    let tail = 0n;
    for (let at = bytes.length - 1; at >= whole; at--) tail = (tail << 8n) | BigInt(bytes[at]!);
    hash = multiply(hash ^ tail);
  }
  hash = multiply(hash ^ (hash >> 47n));
  return hash ^ (hash >> 47n);
}

function unsigned(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

test('Murmur64A equals 64-bit arithmetic, for keys and for rehashing', () => {
  const murmur = new Murmur64A();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (key, seed) => {
      murmur.hash(key, 0, key.length, seed);
      const hash = unsigned(murmur.high, murmur.low);
      assert.equal(hash, murmurOfBigints(key, seed));
      murmur.rehash(murmur.high, murmur.low, seed);
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(hash);
      assert.equal(unsigned(murmur.high, murmur.low), murmurOfBigints(bytes, seed));
    }),
    { seed: SEED, numRuns: 300 },
  );
});

function jumpOfBigints(key: bigint, count: number): number {
  let bucket = -1n;
  let next = 0n;
  while (next < BigInt(count)) {
    bucket = next;
    key = (key * 2862933555777941757n + 1n) & MASK;
    next = BigInt(Math.floor(Number(bucket + 1n) * (2 ** 31 / (Number(key >> 33n) + 1))));
  }
  return Number(bucket);
}

test('Jump gives the published buckets', () => {
  // The vectors that ClickHouse, rust-jumphash, the Rust crate jump-consistent-hash and others publish.
  const published: readonly (readonly [bigint, number, number])[] = [
    [1n, 1, 0],
    [42n, 57, 43],
    [0xdead10ccn, 1, 0],
    [0xdead10ccn, 666, 361],
    [256n, 1024, 520],
    [0n, 60, 0],
    [1n, 60, 55],
    [2n, 60, 46],
  ];
  for (const [key, count, bucket] of published) {
    assert.equal(jumpBucket(Number(key >> 32n) | 0, Number(key & 0xffffffffn) | 0, count), bucket, `${key}`);
  }
});

test('Jump equals 64-bit arithmetic', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: MASK }), fc.integer({ min: 1, max: 5000 }), (key, count) => {
      const bucket = jumpBucket(Number(key >> 32n) | 0, Number(key & 0xffffffffn) | 0, count);
      assert.equal(bucket, jumpOfBigints(key, count));
    }),
    { seed: SEED, numRuns: 500 },
  );
});

const names = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `cache-${index}:11211`);

const CONSISTENT: Readonly<Record<string, (count: number) => KeyHash>> = {
  Ch3: (count) => new Ch3Hash(count),
  Jump: (count) => new JumpHash(count),
  Rendezvous: (count) => new RendezvousHash(names(count)),
  Ketama: (count) =>
    new KetamaHash(
      names(count).map((name) => ({ host: name.slice(0, -6), port: 11211, weight: 1 })),
      KetamaVariant.libmemcachedWeighted,
    ),
};
const KEYS: readonly Uint8Array[] = Array.from({ length: 6000 }, (_, index) =>
  Buffer.from(`user:${index}:name`),
);

for (const [name, make] of Object.entries(CONSISTENT)) {
  test(`${name}: a server more takes its share, and no key moves between the others`, () => {
    for (const count of [1, 3, 8, 12]) {
      const before = make(count);
      const after = make(count + 1);
      let moved = 0;
      for (const key of KEYS) {
        const one = before.select(key, 0, key.length);
        const other = after.select(key, 0, key.length);
        if (one === other) continue;
        assert.equal(other, count);
        moved++;
      }
      const share = KEYS.length / (count + 1);
      // Ketama's 160 points leave shares a standard deviation of some 8%; the others are even.
      const slack = name === 'Ketama' ? 0.35 : 0.15;
      assert.ok(Math.abs(moved - share) < share * slack, `${count}: ${moved} of ${share}`);
    }
  });
}

test('only the given bytes of a buffer are hashed', () => {
  const key = Buffer.from('user:1:name');
  const padded = Buffer.concat([Buffer.from('/a'), key, Buffer.from('garbage')]);
  for (const make of Object.values(CONSISTENT)) {
    const hash = make(7);
    assert.equal(hash.select(padded, 2, 2 + key.length), hash.select(key, 0, key.length));
  }
});
