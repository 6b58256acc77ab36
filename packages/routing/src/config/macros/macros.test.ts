/** mcrouter's preprocessor, case by case; what it expands to is plain JSON. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoutingError } from '../../errors.ts';
import { Routing } from '../../routing.ts';
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

function expand(value: Value): unknown {
  const document = expandDocument({ macros: MACROS, route: value }) as { route: unknown };
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
  ['@import(file:x)', /@import is not supported/],
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
      () => expandDocument({ macros: loops, route: value }),
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
