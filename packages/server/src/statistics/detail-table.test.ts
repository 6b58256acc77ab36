import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTROL_WORDS } from '../workers/control.ts';
import { DETAIL_TABLE_BYTES, DetailTable } from './detail-table.ts';

function tables(): [DetailTable, DetailTable] {
  const buffer = new SharedArrayBuffer(DETAIL_TABLE_BYTES);
  const control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
  return [new DetailTable(buffer, 0, control), new DetailTable(buffer, 0, control)];
}

test('two threads count into the same prefixes', () => {
  const [first, second] = tables();
  first.enabled = true;
  assert.equal(second.enabled, true);
  first.recordGet('user', true);
  second.recordGet('user', false);
  second.recordSet('user');
  first.recordDelete('page');
  assert.deepEqual([...first.dump()].sort(), [
    'PREFIX page get 0 hit 0 set 0 del 1',
    'PREFIX user get 2 hit 1 set 1 del 0',
  ]);
  first.clear();
  assert.deepEqual([...second.dump()], []);
});

test('random prefixes fill a bounded table and what is known goes on being counted', () => {
  const [table] = tables();
  table.recordGet('known', true);
  for (let index = 0; index < 10_000; index++) table.recordSet(`random-${index}`);
  const before = [...table.dump()].length;
  assert.ok(before > 3000 && before < 4096, `${before} prefixes`);
  table.recordGet('known', true);
  table.recordGet('new one', true);
  assert.equal([...table.dump()].length, before);
  assert.ok([...table.dump()].includes('PREFIX known get 2 hit 2 set 0 del 0'));
});
