/** Messages of so many fields that their builders have marks: one builder, used again and again. */
import { strict as assert } from 'node:assert';
import { after, test } from 'node:test';
import { Encoder, encode, type WireObject } from '@larder/wire';
import fc from 'fast-check';
import { generateFrom } from './generate.ts';
import { GeneratedFolder, STRICTEST_OPTIONS } from './testing/generated-code.ts';

const SEED = 33;
const KINDS = [
  'int32',
  'optional int32',
  'bool',
  'double',
  'int64',
  'string',
  'optional bytes',
  'Child',
  'repeated string',
  'repeated Child',
  'repeated uint32',
  'map<string, int32>',
  'map<int32, Child>',
];
const FIELDS = [34, 100, 700];

/** `count` fields of all kinds, some of them in a oneof, with a gap in their numbers. */
function messageText(count: number): string {
  const lines: string[] = [];
  for (let index = 0; index < count; index++) {
    const kind = KINDS[index % KINDS.length]!;
    lines.push(`  ${kind} f${index} = ${index < 20 ? index + 1 : index + 71};`);
  }
  const chosen = ['int32 c0 = 22;', 'string c1 = 23;', 'Child c2 = 24;', `bool c3 = ${count + 80};`];
  return `message Many${count} {\n${lines.join('\n')}\n  oneof choice { ${chosen.join(' ')} }\n}\n`;
}

const text = `syntax = "proto3";\nmessage Child { int32 id = 1; string name = 2; }\n${FIELDS.map(messageText).join('')}`;
const folder = new GeneratedFolder(
  generateFrom(['many.proto'], (name) => (name === 'many.proto' ? text : undefined), {
    parameter: 'import_extension=ts',
  }),
);
after(() => folder.remove());

type Builder = WireObject & Record<string, unknown> & { assign(init: object): Builder; reset(): Builder };
interface BuilderClass {
  new (encoder?: Encoder): Builder;
  from(init: object): Builder;
}

async function classOf(count: number): Promise<BuilderClass> {
  return (await folder.load('many.larder.ts'))[`Many${count}`] as BuilderClass;
}

const values: Readonly<Record<string, fc.Arbitrary<unknown>>> = (() => {
  const int = fc.oneof(fc.constant(0), fc.integer());
  const child = fc.record({ id: int, name: fc.string({ maxLength: 5 }) });
  const few = { maxLength: 3 };
  return {
    int32: int,
    'optional int32': int,
    bool: fc.boolean(),
    double: fc.double(),
    int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    string: fc.string(),
    'optional bytes': fc.uint8Array(few),
    Child: child,
    'repeated string': fc.array(fc.string(few), few),
    'repeated Child': fc.array(child, few),
    'repeated uint32': fc.array(fc.nat(), few),
    'map<string, int32>': fc.array(fc.tuple(fc.string(few), int), few),
    'map<int32, Child>': fc.array(fc.tuple(int, child), few),
  };
})();

/** Values for some of the fields. */
function arbitraryInit(count: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = fc.uniqueArray(fc.nat(count - 1), { maxLength: 12 });
  const choice = fc.constantFrom(
    {},
    { c0: 5 },
    { c1: 'text' },
    { c2: { id: 1 } },
    { c3: true },
    { c0: 1, c3: false },
  );
  return fc.tuple(fields, choice).chain(([indices, chosen]) =>
    fc.tuple(...indices.map((index) => values[KINDS[index % KINDS.length]!]!)).map((each) => ({
      ...Object.fromEntries(indices.map((index, at) => [`f${index}`, each[at]])),
      ...chosen,
    })),
  );
}

test('generated code passes the type checker', () => {
  assert.equal(folder.check(STRICTEST_OPTIONS), '');
});

for (const count of FIELDS) {
  test(`of ${count} fields those that are set are sent, and none of the message before`, async () => {
    const Many = await classOf(count);
    const builder = new Many();
    const empty = encode(builder).slice();
    assert.equal(empty.length, 8);
    const run = (inits: Record<string, unknown>[]): void => {
      for (const init of inits) {
        assert.deepEqual(encode(builder.assign(init)), encode(Many.from(init)));
      }
      assert.deepEqual(encode(builder), empty);
      for (const init of inits) builder.assign(init);
      assert.deepEqual(encode(builder.reset()), empty);
    };
    fc.assert(fc.property(fc.array(arbitraryInit(count), { maxLength: 3 }), run), {
      seed: SEED,
      numRuns: 60,
    });
  });
}

test('lists and maps that the caller kept, objects that are made in place, and failures', async () => {
  const Many = await classOf(100);
  const builder = new Many(new Encoder());
  const { f8, f11 } = builder as unknown as {
    f8: { append(text: string): void };
    f11: Map<string, number>;
  };
  for (let round = 0; round < 2; round++) {
    f8.append('kept');
    f11.set('kept', 7);
    (builder.initF7 as () => { id: number })().id = 3;
    const expected = Many.from({ f8: ['kept'], f11: [['kept', 7]], f7: { id: 3 } });
    assert.deepEqual(encode(builder), encode(expected));
  }
  builder.assign({ f0: 1, f5: 'text', f13: 2 ** 40 });
  assert.throws(() => encode(builder), { code: 'RANGE' });
  assert.equal(encode(builder).length, 8, 'what was set is forgotten all the same');
});

test('what is set can be read', async () => {
  const builder = new (await classOf(100))();
  builder.assign({ f0: 4, f1: 5, f5: 'text', c0: 6 });
  assert.deepEqual(
    [builder.f0, builder.f1, builder.f5, builder.c0, builder.f13, builder.f14],
    [4, 5, 'text', 6, 0, undefined],
  );
});
