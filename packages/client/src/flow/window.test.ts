import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { FlowWindow, WindowOutcome } from './window.ts';

test('no more keys are outstanding than the window holds, and waiters start in order', () => {
  const window = new FlowWindow({ initial: 4, min: 2, max: 8 });
  const started: string[] = [];
  assert.equal(window.tryEnter(3), true);
  assert.equal(window.tryEnter(2), false);
  window.enqueue(2, () => started.push('first'));
  assert.equal(window.tryEnter(1), false, 'nobody overtakes who waits');
  window.enqueue(1, () => started.push('second'));
  assert.deepEqual(window.state, {
    size: 4,
    outstanding: 3,
    waiting: 2,
    outstandingPeak: 3,
    losses: 0,
    waited: 2,
  });
  window.leave(3, WindowOutcome.answered, window.mark);
  assert.deepEqual(started, ['first', 'second']);
  assert.equal(window.state.outstanding, 3);
});

test('the window grows by about one key for each window of answers, up to its maximum', () => {
  const window = new FlowWindow({ initial: 10, min: 2, max: 12 });
  for (let round = 0; round < 10; round++) {
    assert.ok(window.tryEnter(1));
    window.leave(1, WindowOutcome.answered, window.mark);
  }
  assert.equal(window.state.size, 10);
  assert.ok(window.tryEnter(1));
  window.leave(1, WindowOutcome.answered, window.mark);
  assert.equal(window.state.size, 11);
  for (let round = 0; round < 100; round++) {
    assert.ok(window.tryEnter(1));
    window.leave(1, WindowOutcome.answered, window.mark);
  }
  assert.equal(window.state.size, 12);
});

test('a loss halves the window, once for all that was outstanding with it, and never below the minimum', () => {
  const window = new FlowWindow({ initial: 16, min: 3, max: 32 });
  assert.ok(window.tryEnter(8));
  const first = window.mark;
  assert.ok(window.tryEnter(8));
  const second = window.mark;
  window.leave(8, WindowOutcome.lost, first);
  assert.equal(window.state.size, 8);
  window.leave(8, WindowOutcome.lost, second);
  assert.equal(window.state.size, 8, 'the same congestion');
  for (const expected of [4, 3, 3]) {
    assert.ok(window.tryEnter(1));
    window.leave(1, WindowOutcome.lost, window.mark);
    assert.equal(window.state.size, expected);
  }
  assert.equal(window.state.losses, 4);
});

test('what was refused without being sent changes nothing', () => {
  const window = new FlowWindow({ initial: 4, min: 2, max: 8 });
  for (let round = 0; round < 20; round++) {
    assert.ok(window.tryEnter(2));
    window.leave(2, WindowOutcome.refused, window.mark);
  }
  assert.deepEqual([window.state.size, window.state.losses, window.state.outstanding], [4, 0, 0]);
});

test('a request larger than the whole window goes alone', () => {
  const window = new FlowWindow({ initial: 4, min: 2, max: 8 });
  assert.ok(window.tryEnter(50));
  assert.equal(window.tryEnter(1), false);
  let isStarted = false;
  window.enqueue(1, () => {
    isStarted = true;
  });
  window.leave(50, WindowOutcome.answered, window.mark);
  assert.ok(isStarted);
});

test('sizes that make no sense are refused', () => {
  assert.throws(() => new FlowWindow({ initial: 1, min: 2 }), { code: 'INVALID_CONFIG' });
  assert.throws(() => new FlowWindow({ min: 0, initial: 1 }), { code: 'INVALID_CONFIG' });
  assert.throws(() => new FlowWindow({ initial: 10, max: 5 }), { code: 'INVALID_CONFIG' });
});
