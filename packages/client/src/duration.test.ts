import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { durationMs, exptimeOf } from './duration.ts';

test('durations are milliseconds or numbers with a unit', () => {
  assert.equal(durationMs(1500), 1500);
  assert.equal(durationMs('250ms'), 250);
  assert.equal(durationMs('30s'), 30_000);
  assert.equal(durationMs('1.5h'), 5_400_000);
  assert.equal(durationMs('5m'), 300_000);
  assert.equal(durationMs('2d'), 172_800_000);
  assert.equal(durationMs('1w'), 604_800_000);
  assert.equal(durationMs(Infinity), Infinity);
});

test('what is no duration is refused with INVALID_DURATION', () => {
  for (const wrong of ['30', '', 's', '-5s', '1e3s', '5 parsecs', -1, Number.NaN, null, {}]) {
    assert.throws(() => durationMs(wrong as never), { code: 'INVALID_DURATION' }, String(wrong));
  }
});

test('times to live become exptimes: rounded up, Unix times above 30 days, -1 for none', () => {
  const nowMs = 1_800_000_000_500;
  assert.equal(exptimeOf(undefined, nowMs), 0);
  assert.equal(exptimeOf(Infinity, nowMs), 0);
  assert.equal(exptimeOf(0, nowMs), -1);
  assert.equal(exptimeOf(1, nowMs), 1);
  assert.equal(exptimeOf(1001, nowMs), 2);
  assert.equal(exptimeOf('30d', nowMs), 2_592_000);
  assert.equal(exptimeOf('31d', nowMs), 1_800_000_001 + 31 * 86_400);
});
