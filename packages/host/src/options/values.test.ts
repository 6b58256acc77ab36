import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatSize,
  integerWithin,
  parseDecimal,
  parseInteger,
  parseMode,
  parseSize,
  sizeWithin,
} from './values.ts';

const MIB = 1024 * 1024;

test('sizes take k, m, g, t in any case, with or without b, and a default unit', () => {
  const cases: [string, number | undefined, number][] = [
    ['512', undefined, 512],
    ['512', MIB, 512 * MIB],
    ['512k', MIB, 512 * 1024],
    ['1m', undefined, MIB],
    ['1M', undefined, MIB],
    ['1mb', undefined, MIB],
    ['1MiB', undefined, MIB],
    ['1.5g', undefined, 1.5 * 1024 * MIB],
    ['1t', undefined, 1024 * 1024 * MIB],
    [' 64 m ', undefined, 64 * MIB],
  ];
  for (const [text, unit, bytes] of cases) assert.equal(parseSize('-m', text, unit), bytes, text);
});

test('what is no size names the option and what was given', () => {
  for (const text of ['', 'm', '-1', '1x', '0x10', '1e3', '1 2', 'NaN', '١']) {
    assert.throws(() => parseSize('-m/--memory-limit', text), {
      name: 'HostError',
      code: 'OPTION',
      option: '-m/--memory-limit',
      message: new RegExp(`^-m/--memory-limit: ${JSON.stringify(text)} is not a size`),
    });
  }
});

test('whole numbers, decimals and octal modes', () => {
  assert.equal(parseInteger('-c', '-1'), -1);
  assert.equal(parseDecimal('-f', '1.25'), 1.25);
  assert.equal(parseMode('-a', '0770'), 0o770);
  for (const text of ['1.5', 'x', '', '1e2', '9'.repeat(16)])
    assert.throws(() => parseInteger('-c', text), /-c: /);
  for (const text of ['-1', '1,5', '', '.5']) assert.throws(() => parseDecimal('-f', text), /-f: /);
  for (const text of ['8', '77777', '', 'rwx']) assert.throws(() => parseMode('-a', text), /-a: /);
});

test('bounds are told as they were meant', () => {
  assert.equal(integerWithin('-c', 5, 1, 5), 5);
  assert.throws(() => integerWithin('-c', 6, 1, 5), /-c: 6 is not a whole number from 1 to 5/);
  assert.throws(() => integerWithin('-c', 1.5, 1, 5), /-c: 1.5/);
  assert.throws(() => sizeWithin('-m', 10, MIB, 2 * MIB), /-m: 10 bytes is outside of 1 MB to 2 MB/);
  assert.throws(() => sizeWithin('-m', Number.NaN, MIB, 2 * MIB), /-m: NaN/);
});

test('sizes are written as a person would', () => {
  assert.equal(formatSize(100), '100 bytes');
  assert.equal(formatSize(64 * MIB), '64 MB');
  assert.equal(formatSize(1.5 * 1024 * MIB), '1.5 GB');
  assert.equal(formatSize(12_900_000), '12.3 MB');
});
