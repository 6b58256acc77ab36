/** Ketama against vectors that libmemcached itself computed; MD5 and FNV against Node and libhashkit. */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { KetamaHash, type KetamaServer, KetamaVariant } from './ketama.ts';
import { fnv1a64 } from './key-hashes.ts';
import { Md5 } from './md5.ts';

interface Vectors {
  readonly groups: readonly {
    readonly label: string;
    readonly variant: 'weighted' | 'unweighted';
    readonly servers: readonly KetamaServer[];
    readonly keys: Readonly<Record<string, number>>;
  }[];
}

const vectors: Vectors = JSON.parse(readFileSync(new URL('ketama-vectors.json', import.meta.url), 'utf8'));

for (const { label, variant, servers, keys } of vectors.groups) {
  test(`${variant} ketama is libmemcached's: ${label}`, () => {
    const hash = new KetamaHash(
      servers,
      variant === 'weighted' ? KetamaVariant.libmemcachedWeighted : KetamaVariant.libmemcached,
    );
    for (const [key, server] of Object.entries(keys)) {
      const bytes = Buffer.from(key);
      assert.equal(hash.select(bytes, 0, bytes.length), server, key);
    }
  });
}

test('MD5 of every length around a block is that of node:crypto', () => {
  const md5 = new Md5();
  const bytes = Uint8Array.from({ length: 200 }, (_, index) => (index * 37) & 0xff);
  for (let length = 0; length <= bytes.length; length++) {
    md5.digest(bytes, 0, length);
    const words = Buffer.alloc(16);
    for (let word = 0; word < 4; word++) words.writeInt32LE(md5.words[word]!, word * 4);
    const expected = createHash('md5').update(bytes.subarray(0, length)).digest('hex');
    assert.equal(words.toString('hex'), expected);
  }
});

test("fnv1a_64 is libhashkit's", () => {
  const expected: Readonly<Record<string, number>> = {
    '': 2216829733,
    a: 2248273036,
    'key:1': 2519685833,
    foobar: 4147734504,
    'a longer key with more than sixteen bytes': 2848614269,
    larder: 675263063,
  };
  for (const [key, hash] of Object.entries(expected)) {
    const bytes = Buffer.from(key);
    assert.equal(fnv1a64(bytes, 0, bytes.length), hash, key);
  }
});
