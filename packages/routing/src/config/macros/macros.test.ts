/** mcrouter's preprocessor, case by case; what it expands to is plain JSON. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RoutingError } from '../../errors.ts';
import { Routing } from '../../routing.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { expandDocument } from './expand-document.ts';
import type { Value } from './values.ts';

const MACROS: Value = [
  {
    word: { type: 'macroDef', result: 'text' },
    same: { type: 'macroDef', params: ['a'], result: '%a%' },
    both: { type: 'macroDef', params: ['a', { name: 'b', default: '321' }], result: '%a%%b%' },
    inner: { type: 'macroDef', params: ['name'], result: '@%name%' },
    either: {
      type: 'macroDef',
      params: ['a', { name: 'b', optional: true }],
      result: '@if(%a%, yes, %b%)',
    },
    typed: { type: 'macroDef', params: [{ name: 'a', default: 15 }], result: '%a%' },
    pool: { type: 'macroDef', params: ['name', 'salt'], result: { route: 'R|%name%', salt: '%salt%' } },
  },
  {
    zone: { type: 'constDef', result: 'west' },
    area: { type: 'constDef', result: '%zone%-%late%' },
    late: { type: 'constDef', result: 'end' },
    table: { type: 'constDef', result: { a: 'b', '\\@c': 1 } },
  },
];

const IMPORTS: ReadonlyMap<string, string | undefined> = new Map([
  ['pools.json', '{ /* more */ "A": { "servers": ["%zone%:1"], "twice": "@import(again.json)" } }'],
  ['again.json', '["@word"]'],
  ['self.json', '"@import(self.json)"'],
  ['broken.json', '{ "a": '],
  ['gone.json', undefined],
]);

function expand(value: Value): unknown {
  const document = expandDocument({ macros: MACROS, route: value }, { imports: IMPORTS }) as {
    route: unknown;
  };
  return document.route;
}

const cases: readonly (readonly [Value, unknown])[] = [
  ['plain', 'plain'],
  [{ a: [1, null, true, 'x'] }, { a: [1, null, true, 'x'] }],
  ['@word', 'text'],
  ['@word()', 'text'],
  ['@same(  )', ''],
  ['@same(  a\\ )', 'a '],
  ['@same(  \\)  )', ')'],
  ['\\@same(x)', '@same(x)'],
  ['mail@example', 'mail@example'],
  ['50\\%', '50%'],
  ['@both(@word,123)', 'text123'],
  ['@both(@word)', 'text321'],
  ['@inner(word)', 'text'],
  ['@inner(both\\(1\\,2\\))', 'macro "both(1,2)" does not exist'],
  ['@either(@bool(true))', 'yes'],
  ['@either(@bool(false), no)', 'no'],
  ['@typed', 15],
  ['@typed(abc)', 'abc'],
  ['%zone%', 'west'],
  ['%area%', 'west-end'],
  ['@pool(A,%zone%)', { route: 'R|A', salt: 'west' }],
  [
    { type: 'pool', name: 'A', salt: 3 },
    { route: 'R|A', salt: 3 },
  ],
  [{ vars: { x: '%zone%', y: '%x%2' }, k: '%y%' }, { k: 'west2' }],
  [{ '%zone%': 1 }, { west: 1 }],
  [{ vars: { y: '%x%2', x: '%zone%' }, k: '%y%' }, { k: 'west2' }],
  [{ vars: { x: 1 }, k: { vars: { x: [0, '%x%'] }, l: '%x%' } }, { k: { l: [0, 1] } }],
  [{ type: 'define', vars: { x: 'b' }, result: 'a%x%' }, 'ab'],
  ['@import(pools.json)', { A: { servers: ['west:1'], twice: ['text'] } }],
  ['@import(gone.json,nothing)', 'nothing'],
  ['@import(again.json,@fail(never))', ['text']],
  ['@and(@bool(false),@fail(never))', false],
  ['@or(@bool(true),@fail(never))', true],
  ['@equals(@hash(abc),@hash(abc))', true],
  ['@equals(@hash(abc),@hash(abd))', false],
  ['@isInt(@mod(@hash(@int(7)),@int(10)))', true],
  [{ type: 'weightedHash', dictionary: { a: 0, b: 1 }, key: 5 }, 'b'],
  ['@double(1.5)', 1.5],
  ['@isDouble(@double(1.5))', true],
  ['@isDouble(@int(1.5))', false],
  ['@bitwiseOr(@int(5),@bitwiseLeftShift(@int(1),@int(3)))', 13],
  ['@bitwiseXor(@bitwiseNot(@int(0)),@bitwiseRightShift(@int(4),@int(1)))', -3],
  ['@isLocalIp(127.0.0.1)', true],
  ['@isLocalIp(203.0.113.77)', false],
  [{ type: 'sort', dictionary: '@shuffle(@range(@int(1),@int(5)),@int(3))' }, [1, 2, 3, 4, 5]],
  ['@equals(@shuffle(@range(@int(1),@int(50)),@int(3)),@shuffle(@range(@int(1),@int(50)),@int(3)))', true],
  ['@equals(@shuffle(@range(@int(1),@int(50)),@int(3)),@shuffle(@range(@int(1),@int(50)),@int(4)))', false],
  ['@select(%table%,a)', 'b'],
  ['@select(%table%,\\@c)', 1],
  ['@select(%table%,z,@int(7))', 7],
  ['@select(%table%,a,@fail(never))', 'b'],
  [{ type: 'select', dictionary: ['a', 'b'], key: -1 }, 'b'],
  [{ type: 'if', condition: false, is_true: '@fail(never)', is_false: 'b' }, 'b'],
  ['@range(@int(-1),@int(2))', [-1, 0, 1, 2]],
  ['@and(@not(@or(@bool(false),@bool(1))),@not(@bool(false)))', false],
  [{ type: 'sort', dictionary: ['2', '99', 10, 99] }, [10, 99, '2', '99']],
  [{ type: 'keys', dictionary: { a: 1 } }, ['a']],
  [{ type: 'values', dictionary: { a: 1 } }, [1]],
  ['@split(a.b.c.,.)', ['a', 'b', 'c', '']],
  ['@split(abc,)', ['abc']],
  ['@slice(abcd,@int(2),@int(3))', 'cd'],
  ['@slice(abcd,@int(0),@int(-1))', ''],
  [
    { type: 'merge', params: [{ a: 1, b: 1 }, { b: 2 }] },
    { a: 1, b: 2 },
  ],
  [{ type: 'merge', params: [['a'], ['b', 'c']] }, ['a', 'b', 'c']],
  ['@merge(a,@str(@int(5)),c)', 'a5c'],
  [{ type: 'set', dictionary: ['a', 1], key: 1, value: 'c' }, ['a', 'c']],
  ['@add(@int(2),@mul(@int(3),@int(4)))', 14],
  ['@less(@int(2),@int(10))', true],
  ['@contains(%table%,a)', true],
  ['@equals(@size(%table%),@int(2))', true],
  ['@defined(zone)', true],
  ['@defined(nothing)', false],
  [{ type: 'transform', dictionary: ['a', 'b'], itemTransform: '@both(%item%,%key%)' }, ['a0', 'b1']],
  [
    {
      type: 'transform',
      dictionary: { a: ['1', '2'], b: ['3'] },
      keyTransform: '%item%',
      itemTransform: '%key%',
    },
    { 1: 'a', 2: 'a', 3: 'b' },
  ],
  [{ type: 'process', initialValue: 0, dictionary: [1, 2, 3], transform: '@add(%value%,%item%)' }, 6],
  [
    {
      type: 'foreach',
      item: 'n',
      from: [1, 2, 3, 4],
      where: '@less(@int(1),%n%)',
      use: [{ n: '%n%' }],
      top: 2,
    },
    [{ n: 2 }, { n: 3 }],
  ],
];
for (const [value, expected] of cases) {
  test(`${JSON.stringify(value)}`, () => {
    if (typeof expected === 'string' && expected.endsWith('does not exist')) {
      assert.throws(() => expand(value), { message: `route: ${expected}` });
    } else assert.deepEqual(expand(value), expected);
  });
}

const loops: Value = {
  a: { type: 'constDef', result: '%b%' },
  b: { type: 'constDef', result: '%a%' },
  again: { type: 'macroDef', result: '@again' },
  twice: { type: 'macroDef', params: ['x'], result: ['%x%', '%x%'] },
  more: { type: 'macroDef', params: ['n'], result: ['@more(%n%)', '@more(%n%)'] },
};
for (const [value, says] of [
  ['@nothing', /^route: macro "nothing" does not exist$/],
  ['%nothing%', /%nothing% stands for nothing/],
  ['%a%', /stands for itself/],
  ['@again', /MACRO_DEPTH_MAX/],
  ['@twice', /x is missing/],
  ['@twice(1,2)', /takes 1 arguments, not 2/],
  ['@twice(1', /expected \) at the end/],
  ['100%', /a % has no other end/],
  ['@import(gone.json)', /^route: @import\(gone.json\): there is nothing$/],
  ['@import(self.json)', /imports itself/],
  ['@import(broken.json)', /@import\(broken.json\): line 1, column 8: value expected/],
  ['@shuffle(text)', /shuffle: text, expected a list/],
  ['@bitwiseAnd(@int(99999999999),@int(1))', /expected an integer of 32 bits/],
  ['@isLocalIp(localhost)', /is not an address/],
  [{ type: 'weightedHash', dictionary: { a: -1 }, key: 'x' }, /a weight is negative/],
  [{ vars: { x: '%y%', y: '%x%' }, k: 1 }, /stands for itself/],
  ['@if(1,2,3)', /condition is text, expected true or false/],
  ['@range(@int(0),@int(99999999))', /at most 100000/],
  ['@div(@int(1),@int(0))', /division by zero/],
  ['@fail(so it is)', /^route: so it is$/],
  [
    {
      type: 'process',
      initialValue: [1],
      dictionary: '@range(@int(0),@int(40))',
      transform: '@twice(%value%)',
    },
    /MACRO_STEPS_MAX/,
  ],
] as const) {
  test(`refused: ${JSON.stringify(value)}`, () => {
    assert.throws(
      () => expandDocument({ macros: loops, route: value }, { imports: IMPORTS }),
      (error: RoutingError) => {
        assert.equal(error.code, 'CONFIG');
        assert.match(error.message, says);
        return true;
      },
    );
  });
}

test('a configuration with macros is built, one without keeps its characters', async () => {
  await using routing = await Routing.open({
    config: `{
      "macros": {
        "reliable": {
          "type": "macroDef",
          "params": ["pool", { "name": "salt", "default": "first" }],
          "result": {
            "type": "FailoverRoute",
            "children": {
              "type": "transform",
              "dictionary": ["%salt%", "second", "third"],
              "itemTransform": { "type": "HashRoute", "children": "Pool|%pool%", "salt": "%item%" }
            }
          }
        }
      },
      "clusters": { "one": { "pools": { "A": { "servers": ["10.0.0.1:1", "10.0.0.2:1"] } } } },
      "pools": { "B": { "server_list_from_pool": "A", "server_timeout": 5, "pool_locality": "region" } },
      "route": {
        "type": "PrefixPolicyRoute",
        "default_policy": "@reliable(A)",
        "operation_policies": { "delete": "AllSyncRoute|Pool|B" }
      }
    }`,
  });
  const [selector] = routing.root.children;
  assert.equal(selector?.children.length, 2);
  assert.equal([...routing.destinations()].length, 4);
  await using plain = await Routing.open({ config: { route: 'ErrorRoute|@100%' } });
  assert.equal(plain.configuration.generation, 1);
});

test('a configuration in files: the main one imports its pools, and a changed import is another configuration', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-import-'));
  const write = (name: string, value: unknown): void =>
    writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  try {
    write('pools.json', '// generated\n{ "A": { "servers": ["10.0.0.1:1"] } }');
    write('main.json', {
      consts: [{ type: 'constDef', name: 'pool', result: 'A' }],
      pools: '@import(file:pools.json)',
      named_handles: '@import(nothing.json, [])',
      route: 'PoolRoute|%pool%',
    });
    const clock = new FakeClock();
    const errors: string[] = [];
    const observer = { onConfigurationError: (error: Error): number => errors.push(error.message) };
    await assert.rejects(Routing.open({ config: { file: join(folder, 'main.json') } }), /named_handles/);
    write('main.json', { pools: '@import(pools.json)', route: 'PoolRoute|A' });
    await using routing = await Routing.open({
      config: { file: join(folder, 'main.json') },
      services: { clock },
      observer,
    });
    const labels = (): string[] => [...routing.destinations()].map(({ label }) => label);
    assert.deepEqual(labels(), ['10.0.0.1:1']);
    await routing.reload();
    assert.equal(routing.configuration.generation, 1, 'nothing is new');
    write('pools.json', { A: { servers: ['10.0.0.1:1', '10.0.0.2:1'] } });
    await routing.reload();
    assert.deepEqual(labels(), ['10.0.0.1:1', '10.0.0.2:1']);
    write('pools.json', '{ "A": ');
    await routing.reload();
    assert.match(errors.join(), /pools: @import\(pools.json\): line 1/);
    rmSync(join(folder, 'pools.json'));
    await routing.reload();
    assert.match(errors.join(), /there is nothing/);
    assert.equal(labels().length, 2, 'the old one stays');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a configuration behind a URL imports what lies beside it; another host is not told the headers', async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization ?? ''}`);
    if (request.url === '/conf/main.json') {
      response.end('{ "pools": "@import(pools.json)", "route": "@import(none.json, NullRoute)" }');
    } else if (request.url === '/conf/pools.json')
      response.end('"@import(http://localhost:PORT/else.json)"'.replace('PORT', `${port}`));
    else if (request.url === '/else.json') response.end('{ "A": { "servers": ["10.0.0.1:1"] } }');
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const url = `http://127.0.0.1:${port}/conf/main.json`;
    await using routing = await Routing.open({ config: { url, headers: { authorization: 'me' } } });
    assert.equal(routing.configuration.generation, 1);
    assert.deepEqual(seen, [
      '/conf/main.json me',
      '/conf/pools.json me',
      '/else.json ',
      '/conf/none.json me',
    ]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
