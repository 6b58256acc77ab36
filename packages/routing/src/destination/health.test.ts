/** When a server that was given up is probed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { DESTINATION_DEFAULTS } from './destination-options.ts';
import { Health } from './health.ts';

/** The delays before so many probes, all of which fail. */
function delays(random: () => number, probes: number, probeDelayMaxMs: number = 60_000): number[] {
  const clock = new FakeClock();
  const options = { ...DESTINATION_DEFAULTS, probeDelayInitialMs: 1000, probeDelayMaxMs };
  const found: number[] = [];
  let before = clock.now();
  const health: Health = new Health(
    clock,
    random,
    options,
    () => {
      found.push(clock.now() - before);
      before = clock.now();
      if (found.length < probes) health.hardFailure(new Error('refused'));
    },
    () => {},
  );
  health.hardFailure(new Error('refused'));
  clock.advance(3_600_000);
  return found;
}

test('probes are spread by a quarter to both sides of delays that grow', () => {
  assert.deepEqual(
    delays(() => 0, 4),
    [750, 1125, 1687.5, 2531.25],
  );
  assert.deepEqual(
    delays(() => 0.5, 4),
    [1000, 1500, 2250, 3375],
  );
  assert.deepEqual(
    delays(() => 1, 4),
    [1250, 1875, 2812.5, 4218.75],
  );
});

test('every probe draws anew, and none waits longer than the limit', () => {
  const draws = [0, 1, 0.5, 1, 0];
  let at = 0;
  assert.deepEqual(
    delays(() => draws[at++]!, 5, 2000),
    [750, 1875, 2000, 2000, 1500],
  );
});
