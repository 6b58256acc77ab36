import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { ValueCodec, type ValueSchema } from './codec.ts';
import { typeOf, ValueFlag } from './flags.ts';

const codec = new ValueCodec();

function trip(value: unknown, with_: ValueCodec = codec): unknown {
  const { bytes, flags } = with_.encode(value);
  return with_.decode(Buffer.from(bytes), flags);
}

test('flags are those that other clients write', () => {
  assert.equal(codec.encode('text').flags, 0);
  assert.equal(codec.encode({ a: 1 }).flags, 2);
  assert.equal(codec.encode(Buffer.from('x')).flags, 4);
  assert.equal(codec.encode(7).flags, 8);
  assert.equal(Buffer.from(codec.encode(7).bytes).toString(), '7');
});

test('values come back as they went in', () => {
  const values = [
    'text',
    '',
    'größer 🚀',
    0,
    -0,
    1.5,
    Number.NaN,
    -Infinity,
    2n ** 80n,
    -3n,
    true,
    false,
    null,
    { a: [1, 'two', null, { b: true }] },
    [],
    new Map([['a', new Set([1, 2])]]),
    new Date(5),
    { at: new Date(5), nested: [new Map([[1, 2]])] },
    [1, undefined, 2],
    [Number.NaN],
    { big: 5n },
    new Float64Array([1, 2.5]),
    /x/gi,
  ];
  for (const value of values) assert.deepStrictEqual(trip(value), value);
  const bytes = trip(new Uint8Array([0, 255, 1])) as Buffer;
  assert.deepEqual([...bytes], [0, 255, 1]);
});

test('what JSON can say is stored as JSON, the rest as a structured clone', () => {
  const typeName = (value: unknown): number => typeOf(codec.encode(value).flags);
  assert.equal(typeName({ a: undefined, b: 1 }), ValueFlag.json);
  class Money {
    toJSON(): string {
      return '5 EUR';
    }
  }
  assert.equal(typeName(new Money()), ValueFlag.json);
  assert.equal(typeName({ at: new Date() }), ValueFlag.clone);
  assert.equal(typeName([-0]), ValueFlag.clone);
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  assert.equal((trip(cyclic) as typeof cyclic).self !== undefined, true);
});

test('the format can be forced', () => {
  const json = new ValueCodec({ format: 'json' });
  assert.equal(trip(new Date(0), json), '1970-01-01T00:00:00.000Z');
  const structured = new ValueCodec({ format: 'structured' });
  assert.equal(typeOf(structured.encode({ a: 1 }).flags), ValueFlag.clone);
});

test('what cannot be stored is refused with INVALID_VALUE', () => {
  for (const wrong of [undefined, () => 1, Symbol('x'), { f: () => 1 }]) {
    assert.throws(() => codec.encode(wrong), { code: 'INVALID_VALUE' });
  }
});

test('what cannot be read is refused with DECODE', () => {
  const damaged: [string, number][] = [
    ['{"a":', ValueFlag.json],
    ['x1', ValueFlag.number],
    ['', ValueFlag.number],
    ['nine', ValueFlag.bigint],
    ['?', ValueFlag.clone],
    ['not zstd', ValueFlag.json | ValueFlag.zstd],
    ['not brotli', ValueFlag.brotli],
    ['x', ValueFlag.json | ValueFlag.number],
  ];
  for (const [text, flags] of damaged) {
    assert.throws(() => codec.decode(Buffer.from(text), flags), { code: 'DECODE' }, `${text} ${flags}`);
  }
});

test('a number that decr made shorter is read without its spaces', () => {
  assert.equal(codec.decode(Buffer.from('9 '), ValueFlag.number), 9);
});

test('bytes and views do not point into the buffer that was received', () => {
  const received = Buffer.from('abc');
  const bytes = codec.decode(received, ValueFlag.bytes) as Buffer;
  received.fill(0);
  assert.equal(bytes.toString(), 'abc');
});

const even: ValueSchema<number, number> = {
  encode(value) {
    if (value % 2 !== 0) throw new Error('odd');
    return Buffer.from([value]);
  },
  decode: (bytes) => bytes[0]!,
};

test('a schema writes and reads; its refusal and a value without it are told apart', () => {
  const { bytes, flags } = codec.encode(4, even);
  assert.equal(flags, ValueFlag.schema);
  assert.equal(codec.decode(Buffer.from(bytes), flags, even), 4);
  assert.throws(() => codec.encode(3, even), { code: 'INVALID_VALUE' });
  assert.throws(() => codec.decode(Buffer.from('{}'), ValueFlag.json, even), { code: 'DECODE' });
  assert.deepEqual(codec.decode(Buffer.from(bytes), flags), Buffer.from([4]));
});

test('compression: above its size, only when it pays, in both algorithms', () => {
  const zstd = new ValueCodec({ compression: { fromBytes: 100 } });
  const long = 'abcdefghij'.repeat(100);
  const packed = zstd.encode(long);
  assert.equal(packed.flags, ValueFlag.zstd);
  assert.ok(packed.bytes.length < 100);
  assert.equal(trip(long, zstd), long);
  assert.equal(trip({ long }, zstd) instanceof Object, true);
  assert.equal(zstd.encode('short').flags, 0);
  const noise = Buffer.from(Array.from({ length: 200 }, (_, index) => (index * 7919) % 251));
  assert.equal(zstd.encode(noise).flags, ValueFlag.bytes);
  const brotli = new ValueCodec({ compression: { fromBytes: 100, algorithm: 'brotli' } });
  assert.equal(brotli.encode(long).flags, ValueFlag.brotli);
  // Whoever compresses nothing itself reads both.
  for (const { bytes, flags } of [packed, brotli.encode(long)]) {
    assert.equal(codec.decode(Buffer.from(bytes), flags), long);
  }
});

test('a dictionary makes small values smaller; without it the value is unreadable, not garbage', () => {
  const text = JSON.stringify({ kind: 'user', country: 'Switzerland', roles: ['reader', 'writer'] });
  const dictionary = Buffer.from(text.repeat(8));
  const known = new ValueCodec({ compression: { fromBytes: 16, dictionary } });
  const packed = known.encode(text);
  const plain = new ValueCodec({ compression: { fromBytes: 16 } }).encode(text);
  assert.ok(packed.bytes.length < plain.bytes.length / 2, `${packed.bytes.length} of ${plain.bytes.length}`);
  assert.equal(known.decode(Buffer.from(packed.bytes), packed.flags), text);
  assert.throws(() => codec.decode(Buffer.from(packed.bytes), packed.flags), { code: 'DECODE' });
  const rolled = new ValueCodec({ compression: { dictionary: [Buffer.from('new'), dictionary] } });
  assert.equal(rolled.decode(Buffer.from(packed.bytes), packed.flags), text);
});

test('any JSON value and any text come back, compressed or not', () => {
  const small = new ValueCodec({ compression: { fromBytes: 8 } });
  const property = fc.property(fc.jsonValue(), fc.string({ unit: 'grapheme' }), (value, text) => {
    assert.deepStrictEqual(trip(value), value);
    assert.deepStrictEqual(trip(value, small), value);
    assert.equal(trip(text, small), text);
  });
  fc.assert(property, { seed: 4, numRuns: 300 });
});
