/** Messages, fields and methods may be called what generated code calls its own things. */
import { strict as assert } from 'node:assert';
import { after, test } from 'node:test';
import { generateFrom } from './generate.ts';
import { folderReader } from './parser/load.ts';
import { GeneratedFolder, STRICTEST_OPTIONS } from './testing/generated-code.ts';
import { SCHEMA_FOLDER } from './testing/schema-folder.ts';

const folder = new GeneratedFolder();
after(() => folder.remove());

/** Variables and parameters of generated code. */
function localNames(): string[] {
  const schemas = ['golden.proto', 'timeline.proto', 'key-value.proto', 'edge-cases.proto'];
  const code = generateFrom(schemas, folderReader([SCHEMA_FOLDER]))
    .map(({ content }) => content.replace(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\]|\\.)*"/g, ''))
    .join('\n');
  const names = new Set<string>();
  const add = (list: string): void => {
    for (const name of list.match(/(?<![.\w$:])[a-z]\w*(?![\w$])/g) ?? []) names.add(name);
  };
  for (const [, name = ''] of code.matchAll(/\b(?:const|let) (\w+)/g)) add(name);
  for (const [, list = ''] of code.matchAll(/\b(?:const|let) [{[]([^}\]]*)[}\]]/g)) add(list);
  for (const [, list = ''] of code.matchAll(/\(([^()]*)\) =>/g)) add(list);
  for (const [, name = ''] of code.matchAll(/[(,] ?(\w+)\??: /g)) add(name);
  return [...names].sort();
}

test('messages of the names of parameters, variables and types', () => {
  const locals = localNames();
  for (const expected of ['value', 'init', 'encoder', 'server', 'opened', 'bits0']) {
    assert.ok(locals.includes(expected), `${expected} is found among ${locals.join(' ')}`);
  }
  const names = [...new Set([...locals, 'value', 'key', 'done', 'object', 'reply', 'Context', 'Promise'])];
  const messages = names.map(
    (name) => `message ${name} {
      .${name} a = 1; repeated .${name} b = 2; map<string, .${name}> c = 3; oneof o { .${name} d = 4; string e = 5; }
      repeated int32 f = 6; optional bytes g = 7; map<int32, string> h = 8; repeated bytes i = 9; .${name} j = 40;
    }`,
  );
  const methods = names.map((name) => `rpc Do_${name}(.${name}) returns (.${name});`);
  const schema = `syntax = "proto3";\n${messages.join('\n')}\nservice S { ${methods.join('\n')} }`;
  for (const { name, content } of generateFrom(['locals.proto'], (path) =>
    path === 'locals.proto' ? schema : undefined,
  ))
    folder.write(name, content);
  const empty =
    'syntax = "proto3"; message A {} service None {} service Streams { rpc B(stream A) returns (A); }';
  for (const { name, content } of generateFrom(['empty.proto'], () => empty)) folder.write(name, content);
  assert.equal(folder.check(STRICTEST_OPTIONS), '');
});

test('a message that is called like a variable is built and read', async () => {
  interface Module {
    readonly value$: { from(init: object): object };
    readonly value$View: { read(bytes: Uint8Array): { readonly a: { readonly e: string } } };
  }
  const { value$, value$View } = (await folder.load('locals.larder.ts')) as unknown as Module;
  const { encode } = await import('@larder/wire');
  const bytes = encode(value$.from({ a: { e: 'inside' } }) as Parameters<typeof encode>[0]);
  assert.equal(value$View.read(bytes).a.e, 'inside');
});

test('a client is never taken for a promise', () => {
  const schema = 'syntax = "proto3"; message A {} service S { rpc Then(A) returns (A); }';
  const [file] = generateFrom(['then.proto'], () => schema);
  assert.match(file!.content, /\bthen\$\(request/);
});
