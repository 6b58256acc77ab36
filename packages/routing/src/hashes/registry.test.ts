/** What configurations may say about hashes, and what they are told when it makes no sense. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { createKeyHash, type HashJson, type HashTargets, hashJson } from './registry.ts';

const TARGETS: HashTargets = {
  count: 3,
  names: ['10.0.0.1:11211', '10.0.0.2:11211', 'cache-3:11300'],
  weights: undefined,
};
const refuse = (message: string): never => {
  throw new Error(message);
};

function spread(json: HashJson | undefined, targets: HashTargets = TARGETS): string {
  const hash = createKeyHash(json, targets, refuse);
  let indices = '';
  for (let key = 0; key < 40; key++) {
    // The end varies little in real keys; twemproxy's fnv1a_64 keeps keys together that differ there only.
    const bytes = Buffer.from(`${key}:user:profile`);
    indices += hash.select(bytes, 0, bytes.length);
  }
  return indices;
}

test('every function can be named, and each spreads keys in its own way', () => {
  const forms: HashJson[] = [
    'Ch3',
    'Crc32',
    'Jump',
    'Rendezvous',
    { hash_func: 'WeightedCh3', weights: [1, 0.5, 0.2] },
    { hash_func: 'WeightedRendezvous', weights: { '10.0.0.1:11211': 1, '10.0.0.2:11211': 0.2 } },
    'Ketama',
    { hash_func: 'Ketama', ketama: 'libmemcached' },
    { hash_func: 'Ketama', ketama: 'twemproxy' },
  ];
  const spreads = new Set(forms.map((json) => spread(hashJson.parse(json))));
  assert.equal(spreads.size, forms.length);
  for (const indices of spreads) for (const index of '012') assert.ok(indices.includes(index), indices);
});

test('Ch3 is the default, by name or not', () => {
  assert.equal(spread(undefined), spread('Ch3'));
  assert.equal(spread({}), spread({ hash_func: 'Ch3' }));
  assert.equal(spread('ConstShard'), spread('Ch3'));
});

test('a salt moves keys as if it stood behind each of them', () => {
  assert.notEqual(spread({ hash_func: 'Ch3', salt: 'x' }), spread('Ch3'));
  const salted = createKeyHash({ salt: 'abc' }, TARGETS, refuse);
  const plain = createKeyHash({}, TARGETS, refuse);
  const key = Buffer.from('/prefix/key:1');
  const together = Buffer.from('key:1abc');
  assert.equal(salted.select(key, 8, key.length), plain.select(together, 0, together.length));
  const long = Buffer.from('k'.repeat(400));
  const longSalted = Buffer.from(`${'k'.repeat(400)}abc`);
  assert.equal(salted.select(long, 0, long.length), plain.select(longSalted, 0, longSalted.length));
});

test('weights come from the hash, else from the pool; missing ones are 0.5', () => {
  const pool = { ...TARGETS, weights: [1, 0.5, 0.2] };
  assert.equal(
    spread({ hash_func: 'WeightedCh3' }, pool),
    spread({ hash_func: 'WeightedCh3', weights: [1, 0.5, 0.2] }),
  );
  assert.equal(
    spread({ hash_func: 'WeightedCh3', weights: [1] }),
    spread({ hash_func: 'WeightedCh3', weights: [1, 0.5, 0.5] }),
  );
  assert.equal(
    spread({ hash_func: 'WeightedRendezvous', weights: [1, 0.2] }),
    spread({ hash_func: 'WeightedRendezvous', weights: { '10.0.0.1:11211': 1, '10.0.0.2:11211': 0.2 } }),
  );
});

test('what makes no sense is refused with what was expected', () => {
  const cases: readonly (readonly [HashJson, RegExp])[] = [
    ['Ch4', /"Ch4" does not exist, expected one of Ch3, Crc32/],
    [{ hash_func: 'WeightedCh3' }, /expected "weights"/],
    [{ hash_func: 'WeightedCh3', weights: [1, 2, 1] }, /between 0 and 1, not 2/],
    [{ hash_func: 'Rendezvous', tags: ['a'] }, /1 tags and 3 servers/],
    [{ hash_func: 'WeightedRendezvous' }, /expected "weights"/],
    [{ hash_func: 'Ketama', weights: [1, 0.5, 1] }, /whole weights of at least 1, not 0.5/],
  ];
  for (const [json, message] of cases) {
    assert.throws(() => createKeyHash(json, TARGETS, refuse), message);
  }
  assert.throws(
    () => createKeyHash('Rendezvous', { ...TARGETS, names: undefined }, refuse),
    /expected "tags"/,
  );
  assert.equal(hashJson.safeParse({ hash_func: 'Ketama', ketama: 'mine' }).success, false);
  assert.equal(hashJson.safeParse({ weights: [-1] }).success, false);
});

test('ketama names servers as they were written', () => {
  const addresses = { ...TARGETS, names: ['10.0.0.1:11211', '10.0.0.2', 'cache-3:11300'] };
  assert.equal(spread('Ketama', addresses), spread('Ketama'));
  const tags = { hash_func: 'Ketama', tags: ['not an address', 'unix:/run/cache', 'cache-3:11300'] };
  assert.match(spread(tags), /^[012]{40}$/);
});
