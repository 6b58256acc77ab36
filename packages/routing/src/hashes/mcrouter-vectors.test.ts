/**
 * Ch3, WeightedCh3, Crc32, ConstShard, Rendezvous and WeightedRendezvous against the expectations that mcrouter
 * publishes in its own tests (lib/test/*HashTest.cpp, routes/test/ConstShardHashFuncTest.cpp).
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { CH3_POOL_SIZE_MAX, Ch3Hash } from './ch3.ts';
import { ConstShardHash } from './const-shard.ts';
import { Crc32Hash } from './crc32.ts';
import type { KeyHash } from './key-hash.ts';
import { RendezvousHash } from './rendezvous.ts';
import { WeightedCh3Hash } from './weighted-ch3.ts';
import { WeightedRendezvousHash } from './weighted-rendezvous.ts';

const ASCENDING: Uint8Array = Uint8Array.from({ length: 256 }, (_, index) => (index + 128) & 0xff);
const DESCENDING: Uint8Array = ASCENDING.toReversed();

function indexOf(hash: KeyHash, key: string | Uint8Array): number {
  const bytes = typeof key === 'string' ? Buffer.from(key, 'latin1') : key;
  return hash.select(bytes, 0, bytes.length);
}

function counts(hash: KeyHash, children: number, keys: number, prefix = ''): number[] {
  const result = new Array<number>(children).fill(0);
  for (let key = 0; key < keys; key++) result[indexOf(hash, `${prefix}${key}`)]! += 1;
  return result;
}

/** The names that mcrouter's rendezvous tests use. */
const endpoints = (count: number): string[] => Array.from({ length: count }, (_, index) => `xxx.${index}.yy`);
const ones = (count: number): number[] => new Array<number>(count).fill(1);

test('Ch3 gives what mcrouter gives', () => {
  assert.equal(indexOf(new Ch3Hash(100), 'sample'), 97);
  assert.equal(indexOf(new Ch3Hash(100), ''), 72);
  assert.equal(indexOf(new Ch3Hash(1), 'sample'), 0);
  assert.equal(indexOf(new Ch3Hash(1), ''), 0);
  assert.equal(indexOf(new Ch3Hash(CH3_POOL_SIZE_MAX), ''), 6173600);
  assert.equal(indexOf(new Ch3Hash(CH3_POOL_SIZE_MAX), 'sample'), 5167780);
  assert.equal(indexOf(new Ch3Hash(99999), ASCENDING), 31015);
  assert.equal(indexOf(new Ch3Hash(99999), DESCENDING), 67101);
  assert.deepEqual(counts(new Ch3Hash(3), 3, 1000), [307, 342, 351]);
  assert.deepEqual(
    counts(new Ch3Hash(10), 10, 10000),
    [995, 955, 1046, 968, 1032, 972, 1016, 1038, 1010, 968],
  );
});

test('WeightedCh3 with full weights is Ch3', () => {
  assert.equal(indexOf(new WeightedCh3Hash(ones(100)), 'sample'), 97);
  assert.equal(indexOf(new WeightedCh3Hash(ones(100)), ''), 72);
  assert.equal(indexOf(new WeightedCh3Hash([1]), 'sample'), 0);
  assert.equal(indexOf(new WeightedCh3Hash(ones(99999)), ASCENDING), 31015);
  assert.equal(indexOf(new WeightedCh3Hash(ones(99999)), DESCENDING), 67101);
});

test('WeightedCh3 without any weight gives up where mcrouter gives up', () => {
  assert.equal(indexOf(new WeightedCh3Hash([0]), 'sample'), 0);
  assert.equal(indexOf(new WeightedCh3Hash(new Array<number>(100).fill(0)), 'sample'), 59);
  assert.equal(indexOf(new WeightedCh3Hash(new Array<number>(100).fill(0)), ''), 45);
});

test('WeightedCh3 sheds load as mcrouter does, and only from the lighter servers', () => {
  const plain = new Ch3Hash(3);
  const reduced = new WeightedCh3Hash([1, 1, 0.7]);
  assert.deepEqual(counts(reduced, 3, 1000), [341, 371, 288]);
  for (let key = 0; key < 1000; key++) {
    const before = indexOf(plain, `${key}`);
    if (before !== 2) assert.equal(indexOf(reduced, `${key}`), before);
  }
  const uneven = [0.429, 0.541, 0.117, 0.998, 0.283, 0.065, 0.109, 0.042, 0.676, 0.943];
  assert.deepEqual(
    counts(new WeightedCh3Hash(uneven), 10, 10000),
    [1016, 1252, 288, 2354, 661, 195, 247, 122, 1668, 2197],
  );
});

test('Crc32 gives what mcrouter gives', () => {
  assert.equal(indexOf(new Crc32Hash(100), 'sample'), 7);
  assert.equal(indexOf(new Crc32Hash(1), 'sample'), 0);
  assert.equal(indexOf(new Crc32Hash(100), ''), 0);
  assert.equal(indexOf(new Crc32Hash((1 << 30) - 1), 'sample'), 822834884);
  assert.equal(indexOf(new Crc32Hash(99999), ASCENDING), 11697);
  assert.equal(indexOf(new Crc32Hash(99999), DESCENDING), 97630);
});

test('ConstShard reads the shard and falls back to Ch3', () => {
  const hash = new ConstShardHash(4);
  assert.equal(indexOf(hash, 'b:3:meh'), 3);
  assert.equal(indexOf(hash, 'bl:2:meh'), 2);
  assert.equal(indexOf(hash, 'bla:1:meh'), 1);
  assert.equal(indexOf(hash, 'blah:0:meh'), 0);
  assert.equal(indexOf(hash, 'blahmeh'), 2);
  assert.equal(indexOf(hash, 'blah:meh'), 0);
  assert.equal(indexOf(hash, 'blah::meh'), 1);
  assert.equal(indexOf(hash, 'blah:12c34:meh'), 0);
  assert.equal(indexOf(hash, 'blah:4:meh'), 3);
  const plain = new Ch3Hash(4);
  for (const key of ['a:1', ':', '::', 'a:99999999999999999999999999:b', 'a: 1:b']) {
    assert.equal(indexOf(hash, key), indexOf(plain, key), key);
  }
});

test('Rendezvous gives what mcrouter gives', () => {
  const three = new RendezvousHash(endpoints(3));
  for (const key of ['sample', '', 'mykey', ASCENDING]) assert.equal(indexOf(three, key), 1);
  const many = new RendezvousHash(endpoints(343));
  assert.deepEqual(
    [ASCENDING, 'sample', '', 'mykey'].map((key) => indexOf(many, key)),
    [183, 45, 291, 132],
  );
  assert.deepEqual(counts(three, 3, 1000, 'mykey:'), [337, 353, 310]);
  assert.deepEqual(
    counts(new RendezvousHash(endpoints(10)), 10, 10000, 'mykey:'),
    [947, 1026, 1028, 981, 1016, 970, 1013, 939, 1023, 1057],
  );
});

test('WeightedRendezvous gives what mcrouter gives', () => {
  const weighted = (weights: number[]): KeyHash =>
    new WeightedRendezvousHash(endpoints(weights.length), weights);
  assert.deepEqual(
    ['sample', '', 'mykey', ASCENDING].map((key) => indexOf(weighted(ones(3)), key)),
    [0, 2, 1, 1],
  );
  assert.deepEqual(
    [ASCENDING, 'sample', '', 'mykey'].map((key) => indexOf(weighted(ones(343)), key)),
    [142, 115, 279, 302],
  );
  assert.deepEqual(counts(weighted(ones(3)), 3, 10000, 'mykey:'), [3409, 3360, 3231]);
  assert.deepEqual(counts(weighted([1, 0.5, 0.1]), 3, 10000, 'mykey:'), [6292, 3118, 590]);
  assert.deepEqual(counts(weighted([1, 0, 0.5]), 3, 10000, 'mykey:'), [6737, 0, 3263]);
  assert.deepEqual(
    counts(weighted([1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5]), 10, 10000, 'mykey:'),
    [1381, 1299, 1283, 1359, 1296, 667, 669, 665, 672, 709],
  );
});

/** How many of 10000 keys another name serves when `removed` is gone, as mcrouter's tests count it. */
function moved(make: (names: readonly string[]) => KeyHash, count: number, removed: number): number {
  const before = endpoints(count);
  const after = before.toSpliced(removed, 1);
  const one = make(before);
  const other = make(after);
  let differing = 0;
  for (let key = 0; key < 10000; key++) {
    if (before[indexOf(one, `mykey:${key}`)] !== after[indexOf(other, `mykey:${key}`)]) differing++;
  }
  return differing;
}

test('removing a server moves as many keys as in mcrouter', () => {
  const plain = (names: readonly string[]): KeyHash => new RendezvousHash(names);
  assert.deepEqual([moved(plain, 499, 0), moved(plain, 499, 498), moved(plain, 499, 249)], [14, 24, 15]);
  const weighted = (names: readonly string[]): KeyHash =>
    new WeightedRendezvousHash(names, ones(names.length));
  assert.deepEqual(
    [moved(weighted, 499, 0), moved(weighted, 499, 498), moved(weighted, 499, 249)],
    [19, 17, 21],
  );
});
