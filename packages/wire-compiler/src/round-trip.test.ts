/**
 * Round trips of generated code against protobuf-es as an oracle, and what the type checker says about it: the
 * hand-written schemas with random values, and random schemas.
 *
 * ```
 *   random message ─protobuf▶ builder ─encode▶ view ─protobuf▶ must be the same bytes, and the same JSON
 * ```
 */
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import {
  create,
  createFileRegistry,
  type DescMessage,
  type FileRegistry,
  fromBinary,
  type JsonValue,
  toJson as messageToJson,
  toBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { encode, Message, type View, type WireObject } from '@larder/wire';
import { fromJson, fromProtobuf, type MessageSchema, toJson, toProtobuf } from '@larder/wire/protobuf';
import fc from 'fast-check';
import { generateFrom } from './generate.ts';
import { folderReader, loadSchemas, type SourceReader } from './parser/load.ts';
import { GeneratedFolder, PLAIN_OPTIONS, STRICTEST_OPTIONS } from './testing/generated-code.ts';
import { Random, randomMessage } from './testing/random-message.ts';
import { randomSchema } from './testing/random-schema.ts';
import { SCHEMA_FOLDER, SCHEMA_NAMES, WELL_KNOWN_NAMES } from './testing/schema-folder.ts';

type AnySchema = MessageSchema<WireObject, object, View>;

const SEED = 20_261_120;
const NAMES = [...SCHEMA_NAMES, ...WELL_KNOWN_NAMES];
/** As a project that runs from source wants it. */
const AS_SOURCE = { parameter: 'import_extension=ts' };
const folder = new GeneratedFolder(generateFrom(NAMES, folderReader([SCHEMA_FOLDER]), AS_SOURCE));
after(() => folder.remove());

let registry: FileRegistry;
before(() => {
  registry = registryOf(NAMES, folderReader([SCHEMA_FOLDER]));
});

function registryOf(names: readonly string[], read: SourceReader): FileRegistry {
  const { files } = loadSchemas(names, read);
  return createFileRegistry(create(FileDescriptorSetSchema, { file: [...files] }));
}

/** The schemas that a generated module exports. */
async function schemasOf(from: GeneratedFolder, name: string): Promise<AnySchema[]> {
  const module = await from.load(name.replace(/proto$/, 'larder.ts'));
  return Object.values(module).filter(
    (each): each is AnySchema =>
      typeof each === 'object' && each !== null && 'typeName' in each && 'view' in each,
  );
}

function view(schema: AnySchema, builder: WireObject): View {
  return new schema.view(Message.of(encode(builder)));
}

function jsonOrError(convert: () => JsonValue): JsonValue {
  try {
    return convert();
  } catch {
    return 'not expressible';
  }
}

function assertRoundTrip(desc: DescMessage, schema: AnySchema, seed: number): void {
  const message = randomMessage(desc, new Random(seed));
  const bytes = toBinary(desc, message);
  const read = view(schema, fromProtobuf(schema, bytes));
  assert.deepEqual(
    Buffer.from(toProtobuf(schema, read)),
    Buffer.from(bytes),
    `${desc.typeName}, seed ${seed}`,
  );
  const json = jsonOrError(() => messageToJson(desc, fromBinary(desc, bytes)));
  assert.deepEqual(
    jsonOrError(() => toJson(schema, read)),
    json,
    `${desc.typeName} as JSON, seed ${seed}`,
  );
  if (json === 'not expressible') return;
  const again = view(schema, fromJson(schema, json));
  assert.deepEqual(toJson(schema, again), json, `${desc.typeName} from JSON, seed ${seed}`);
}

test('generated code passes the type checker, in a plain strict project and in the strictest', () => {
  assert.equal(folder.check(PLAIN_OPTIONS), '');
  assert.equal(folder.check(STRICTEST_OPTIONS), '');
});

test('random values of every message of every schema survive, and are what protobuf-es says', async () => {
  let messages = 0;
  for (const name of NAMES) {
    for (const schema of await schemasOf(folder, name)) {
      const desc = registry.getMessage(schema.typeName);
      assert.ok(desc, schema.typeName);
      messages++;
      fc.assert(
        fc.property(fc.nat(), (seed) => assertRoundTrip(desc, schema, seed)),
        { seed: SEED, numRuns: 15 },
      );
    }
  }
  assert.ok(messages > 80, `only ${messages} messages were found`);
});

test('random schemas with random values', async () => {
  const schemas = fc.sample(randomSchema(), { seed: SEED, numRuns: 25 });
  const texts = new Map(schemas.map((text, index) => [`random-${index}.proto`, text]));
  const read: SourceReader = (name) => texts.get(name);
  const names = [...texts.keys()];
  const random = new GeneratedFolder(generateFrom(names, read, AS_SOURCE));
  try {
    assert.equal(random.check(STRICTEST_OPTIONS), '');
    const descriptors = registryOf(names, read);
    for (const name of names) {
      for (const schema of await schemasOf(random, name)) {
        const desc = descriptors.getMessage(schema.typeName);
        assert.ok(desc);
        fc.assert(
          fc.property(fc.nat(), (seed) => assertRoundTrip(desc, schema, seed)),
          { seed: SEED, numRuns: 10 },
        );
      }
    }
  } finally {
    random.remove();
  }
});
