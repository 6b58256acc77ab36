import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CACHE_CASES } from './cases.ts';
import { readCommandLine, selectCases, USAGE } from './command-line.ts';

test('no arguments run all cases', () => {
  assert.equal(readCommandLine(['--help']).action, 'help');
  assert.equal(readCommandLine(['--list']).action, 'list');
  const line = readCommandLine([]);
  assert.equal(line.action, 'run');
  assert.equal(line.cases.length, CACHE_CASES.length);
  assert.equal(line.settings.alternations, 5);
});

test('cases are found by a part of their name, or exactly', () => {
  const names = (filters: string[]): string[] => selectCases(CACHE_CASES, filters).map((spec) => spec.name);
  assert.deepEqual(names(['=get']), ['get']);
  assert.deepEqual(names(['1k', '16k']), ['get-1k', 'get-16k']);
  assert.deepEqual(names(['=set', 'udp']), ['set', 'udp']);
  assert.throws(() => names(['get', 'nonsense']), /no case matches "nonsense"/);
});

test('nonsense is refused with what would be right', () => {
  assert.throws(() => readCommandLine(['disk']), /no case matches "disk"/);
  assert.throws(() => readCommandLine(['--seconds', 'x']), /--seconds is a number from/);
  assert.throws(() => readCommandLine(['--seconds', '']), /--seconds is a number from/);
  assert.throws(() => readCommandLine(['--alternations', '0']), /--alternations is a number from 1/);
  assert.throws(() => readCommandLine(['--server-cpu', 'first']), /--server-cpu is a CPU number/);
  assert.throws(() => readCommandLine(['--load-transport', 'node']), /uring or epoll/);
  assert.throws(() => readCommandLine(['--frobnicate']), /frobnicate/);
});

test('the help names every option, and case names are unique', () => {
  for (const option of ['--list', '--seconds', '--cross-check', '--larder-command', '--out', '--no-write']) {
    assert.ok(USAGE.includes(option), option);
  }
  assert.equal(new Set(CACHE_CASES.map((spec) => spec.name)).size, CACHE_CASES.length);
});
