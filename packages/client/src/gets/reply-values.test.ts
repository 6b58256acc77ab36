import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { composeMultiget } from './multiget.ts';
import { PendingGet } from './pending-get.ts';
import { ReplyValues, type ValuesSink } from './reply-values.ts';

function pending(keys: readonly string[]): PendingGet[] {
  return keys.map((key) => new PendingGet(key, key, undefined, () => {}, undefined));
}

/** What became of each key, in the order in which it was told. */
function read(keys: readonly string[], text: string): string[] {
  const gets = pending(keys);
  const request = composeMultiget(gets);
  const told: string[] = [];
  const sink: ValuesSink = {
    onHit: (get, reply, start, end, flags) =>
      told.push(`${get.key}=${reply.toString('latin1', start, end)}/${flags}`),
    onMiss: (get) => told.push(`${get.key} missing`),
    onBroken: (get, message) => told.push(`${get.key} broken ${message}`),
  };
  // Somewhere in a larger buffer, as it is received.
  const reply = Buffer.from(`##${text}##`, 'latin1');
  new ReplyValues().read(gets, request, reply, 2, reply.length - 2, sink);
  return told;
}

test('hits are told in the order of the reply, then the misses', () => {
  const reply = 'VALUE b 5 3\r\nxyz\r\nVALUE d 0 0\r\n\r\nEND\r\n';
  assert.deepEqual(read(['a', 'b', 'c', 'd', 'e'], reply), [
    'b=xyz/5',
    'd=/0',
    'a missing',
    'c missing',
    'e missing',
  ]);
  assert.deepEqual(read(['a'], 'END\r\n'), ['a missing']);
});

test('keys that begin or end alike are told apart, and the same key may be asked for twice', () => {
  assert.deepEqual(read(['key', 'key1', '1'], 'VALUE key1 0 1\r\nx\r\nEND\r\n'), [
    'key1=x/0',
    'key missing',
    '1 missing',
  ]);
  assert.deepEqual(read(['k', 'k'], 'VALUE k 0 1\r\nx\r\nVALUE k 0 1\r\nx\r\nEND\r\n'), ['k=x/0', 'k=x/0']);
});

test('a router may answer in any order', () => {
  const value = (key: string): string => `VALUE ${key} 0 1\r\n${key}\r\n`;
  assert.deepEqual(read(['a', 'b', 'c', 'd'], `${value('c')}${value('d')}${value('a')}END\r\n`), [
    'c=c/0',
    'd=d/0',
    'a=a/0',
    'b missing',
  ]);
});

test('values may look like replies', () => {
  const value = 'END\r\nVALUE b 0 1\r\n';
  const reply = `VALUE a 0 ${value.length}\r\n${value}\r\nVALUE b 0 1\r\nx\r\nEND\r\n`;
  assert.deepEqual(read(['a', 'b'], reply), [`a=${value}/0`, 'b=x/0']);
});

test('an error line breaks what is left', () => {
  assert.deepEqual(read(['a', 'b'], 'SERVER_ERROR out of memory\r\n'), [
    'a broken SERVER_ERROR out of memory',
    'b broken SERVER_ERROR out of memory',
  ]);
  assert.deepEqual(read(['a', 'b'], 'VALUE a 0 1\r\nx\r\nSERVER_ERROR oops\r\n'), [
    'a=x/0',
    'b broken SERVER_ERROR oops',
  ]);
});

test('nonsense breaks what is left and never reads beyond the reply', () => {
  for (const reply of [
    '',
    'VALUE',
    'VALUE a x 1\r\n',
    'VALUE a 0 9999\r\nx\r\nEND\r\n',
    'VALUE a 0 1\r\n',
    'V',
  ]) {
    const told = read(['a', 'b'], reply);
    assert.equal(told.length, 2, JSON.stringify(reply));
    assert.ok(
      told.every((text) => /broken|missing/.test(text)),
      `${JSON.stringify(reply)} ${told}`,
    );
  }
});

test('a value that nobody asked for breaks what is left', () => {
  assert.deepEqual(read(['a', 'b'], 'VALUE a 0 1\r\nx\r\nVALUE c 0 1\r\nx\r\nEND\r\n'), [
    'a=x/0',
    'b broken ',
  ]);
});

test('every key is told exactly once, whatever is there', () => {
  const key = fc.stringMatching(/^[a-c]{1,4}$/);
  const items = fc.array(
    fc.record({ key, value: fc.option(fc.string({ maxLength: 20 }), { nil: undefined }) }),
    {
      minLength: 1,
      maxLength: 30,
    },
  );
  const property = fc.property(items, (asked) => {
    const store = new Map<string, string>();
    for (const { key: name, value } of asked) {
      if (value !== undefined) store.set(name, Buffer.from(value, 'utf8').toString('latin1'));
    }
    // Even and odd ones as two servers behind a router would answer them.
    let reply = '';
    for (const half of [0, 1]) {
      for (const { key: name } of asked) {
        const value = store.get(name);
        if (value === undefined || name.length % 2 !== half) continue;
        reply += `VALUE ${name} 7 ${value.length}\r\n${value}\r\n`;
      }
    }
    const expected = asked.map(({ key: name }) => {
      const value = store.get(name);
      return value === undefined ? `${name} missing` : `${name}=${value}/7`;
    });
    const told = read(
      asked.map((each) => each.key),
      `${reply}END\r\n`,
    );
    assert.deepEqual(told.sort(), expected.sort());
  });
  fc.assert(property, { seed: 4, numRuns: 500 });
});
