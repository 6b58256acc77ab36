import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CACHE_CASES } from './cache/cases.ts';
import { readCommandLine, selectCases, USAGE } from './command-line.ts';

test('no arguments ask for help, a suite runs all its cases', () => {
  assert.equal(readCommandLine([]).action, 'help');
  assert.equal(readCommandLine(['cache', '--help']).action, 'help');
  assert.equal(readCommandLine(['--list']).action, 'list');
  const line = readCommandLine(['cache']);
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
  assert.throws(() => readCommandLine(['disk']), /no benchmark is called "disk"; there is: cache/);
  assert.throws(() => readCommandLine(['cache', '--seconds', 'x']), /--seconds is a number from/);
  assert.throws(() => readCommandLine(['cache', '--seconds', '']), /--seconds is a number from/);
  assert.throws(() => readCommandLine(['cache', '--alternations', '0']), /--alternations is a number from 1/);
  assert.throws(() => readCommandLine(['cache', '--server-cpu', 'first']), /--server-cpu is a CPU number/);
  assert.throws(() => readCommandLine(['cache', '--load-transport', 'node']), /uring or epoll/);
  assert.throws(() => readCommandLine(['cache', '--frobnicate']), /frobnicate/);
});

test('the help names every option, and case names are unique', () => {
  for (const option of ['--list', '--seconds', '--cross-check', '--larder-command', '--out', '--no-write']) {
    assert.ok(USAGE.includes(option), option);
  }
  assert.equal(new Set(CACHE_CASES.map((spec) => spec.name)).size, CACHE_CASES.length);
});
