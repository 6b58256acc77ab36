import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TimerQueue } from './timer-queue.ts';

const SEED = 20_130_406;

test(`timers run in the order in which they are due, cancelled ones never (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(fc.record({ delay: fc.nat(1000), cancelled: fc.boolean() })), (plans) => {
      const queue = new TimerQueue();
      const ran: number[] = [];
      const handles = plans.map(({ delay }) => queue.setTimer(delay, () => ran.push(delay)));
      for (const [index, { cancelled }] of plans.entries()) if (cancelled) handles[index]!.cancel();
      const expected = plans.filter(({ cancelled }) => !cancelled).map(({ delay }) => delay);
      assert.equal(queue.nextMs === Number.POSITIVE_INFINITY, expected.length === 0);
      const isAny = queue.run(performance.now() + 2000);
      assert.equal(isAny, expected.length > 0);
      assert.deepEqual(
        ran,
        expected.sort((a, b) => a - b),
      );
    }),
    { seed: SEED },
  );
});

test('a timer that is not due yet stays, one set by another runs in the same round when it is due', () => {
  const queue = new TimerQueue();
  const ran: string[] = [];
  queue.setTimer(60_000, () => ran.push('late'));
  queue.setTimer(0, () => {
    ran.push('first');
    queue.setTimer(0, () => ran.push('second'));
  });
  queue.run(performance.now() + 1000);
  assert.deepEqual(ran, ['first', 'second']);
  assert.ok(queue.nextMs > performance.now() + 50_000);
});
