import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { chunkKeyBase, wireKey } from './keys.ts';
import { CHUNK_SUFFIX_BYTES_MAX, KEY_BYTES_MAX } from './limits.ts';

test('ordinary keys are sent as they are, with the prefix in front', () => {
  assert.equal(wireKey('', 'user:17'), 'user:17');
  assert.equal(wireKey('app:', 'user:17'), 'app:user:17');
  assert.equal(wireKey('', 'x'.repeat(250)), 'x'.repeat(250));
});

test('keys beyond 250 bytes are hashed behind their readable head', () => {
  const long = `report:${'x'.repeat(300)}`;
  const key = wireKey('', long);
  assert.ok(key.startsWith('report:xxx'));
  assert.ok(key.length <= KEY_BYTES_MAX);
  assert.notEqual(key, wireKey('', `${long}y`));
  // 126 characters of two bytes each are 252 bytes.
  assert.match(wireKey('', 'é'.repeat(126)), /~[\w-]{43}$/);
  assert.equal(wireKey('', 'é'.repeat(125)).length, 250);
});

test('keys with spaces and control characters are hashed, others in UTF-8 are not', () => {
  assert.match(wireKey('', 'a b\r\nset x 0 0 1'), /^a_b__set_x_0_0_1~[\w-]{43}$/);
  assert.equal(Buffer.from(wireKey('', 'größe'), 'latin1').toString('utf8'), 'größe');
});

test('a key that is none is refused', () => {
  for (const wrong of ['', undefined, null, 7, Buffer.from('x')]) {
    assert.throws(() => wireKey('', wrong as never), { code: 'INVALID_KEY' });
  }
});

test('whatever the key, the wire gets 1 to 250 bytes without spaces and controls, and different keys differ', () => {
  const keys = fc.string({ minLength: 1, maxLength: 400, unit: 'binary' });
  const property = fc.property(keys, keys, (one, other) => {
    const wire = wireKey('', one);
    assert.ok(wire.length >= 1 && wire.length <= KEY_BYTES_MAX);
    assert.match(wire, /^[!-~\u0080-\u00ff]+$/);
    assert.ok(chunkKeyBase(wire).length + CHUNK_SUFFIX_BYTES_MAX <= KEY_BYTES_MAX);
    const isSame = Buffer.from(one, 'utf8').equals(Buffer.from(other, 'utf8'));
    if (!isSame) assert.notEqual(wire, wireKey('', other));
  });
  fc.assert(property, { seed: 4, numRuns: 500 });
});
