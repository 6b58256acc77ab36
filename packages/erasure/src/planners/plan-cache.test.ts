import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crs } from '../codes/cauchy.ts';
import { rdp } from '../codes/rdp.ts';
import { star } from '../codes/star.ts';
import { xcode } from '../codes/xcode.ts';
import { balanceRotation, stripePlacement } from './balance.ts';
import { PlanCache, quantiseCosts } from './plan-cache.ts';
import { plan } from './planner.ts';

test('plans are kept by code, loss and costs that are nearly equal', () => {
  const cache = new PlanCache();
  const code = rdp(7);
  const costs = [1, 2, 3, 4, 1, 2, 3, 4];
  const first = cache.plan({ code, lostNode: 0, costs });
  const nearly = cache.plan({ code: rdp(7), lostNodes: [0, 0], costs: costs.map((cost) => cost * 10.01) });
  assert.deepEqual([cache.hits, cache.misses, cache.size], [1, 1, 1]);
  assert.deepEqual(nearly.reads, first.reads);
  assert.ok(Math.abs(nearly.totalCost - first.totalCost * 10.01) < 1e-6, 'valued at the given costs');
  assert.equal(nearly.schedule, first.schedule);
  cache.plan({ code, lostNode: 1, costs });
  cache.plan({ code, lostNode: 0 });
  cache.plan({ code, lostNode: 0, costs: [4, 2, 3, 4, 1, 2, 3, 1] });
  cache.plan({ code, lostNode: 0, costs, objective: 'slowest' });
  assert.deepEqual([cache.hits, cache.misses], [1, 5]);
});

test('the least recently used plan leaves a full cache', () => {
  const cache = new PlanCache(2);
  const code = rdp(5);
  cache.plan({ code, lostNode: 0 });
  cache.plan({ code, lostNode: 1 });
  cache.plan({ code, lostNode: 0 });
  cache.plan({ code, lostNode: 2 });
  cache.plan({ code, lostNode: 0 });
  assert.deepEqual([cache.hits, cache.misses, cache.size], [2, 3, 2]);
  assert.throws(() => new PlanCache(0), /at least one/);
});

test('bounds for quantised costs stay bounds for the given ones', () => {
  const cache = new PlanCache();
  const code = crs(6, 3, 4);
  for (let i = 0; i < 40; i++) {
    const costs = Array.from({ length: 9 }, (_, node) => 1 + ((i * 13 + node * 29) % 31) / 7);
    const cached = cache.plan({ code, lostNode: i % 9, costs });
    const optimal = plan({ code, lostNode: i % 9, costs, strategy: 'optimal' });
    assert.ok(cached.optimality.lowerBound <= optimal.value + 1e-9);
    assert.ok(cached.totalCost >= optimal.value - 1e-9);
  }
  assert.deepEqual(quantiseCosts([0, 1e-9, 64, 32]), [0, 1, 64, 32]);
});

test('over rotated stripes the reads of the surviving machines are even within 5%', () => {
  for (const code of [rdp(5), rdp(7, 4), star(5), crs(6, 3, 4), crs(8, 2, 4), crs(12, 4, 4), xcode(7)]) {
    const { plans, readsPerMachine, imbalance, reads } = balanceRotation(code, 1);
    assert.ok(imbalance <= 0.05, `${code.id}: ${imbalance} of ${readsPerMachine.join()}`);
    assert.equal(readsPerMachine[1], 0);
    const counted = new Array<number>(code.nodes).fill(0);
    for (const [i, made] of plans.entries()) {
      const machines = stripePlacement(code.nodes, i);
      assert.deepEqual(
        [...machines].sort((a, b) => a - b),
        [...machines.keys()],
      );
      assert.equal(machines[made.lost[0]! / code.rows], 1);
      for (const [node, count] of made.readsPerNode.entries()) counted[machines[node]!]! += count;
    }
    assert.deepEqual(counted, readsPerMachine);
    const least = plans.reduce(
      (sum, made) => sum + plan({ code, lostNode: made.lost[0]! / code.rows }).reads.length,
      0,
    );
    assert.ok(reads <= 1.02 * least, `${code.id}: ${reads} reads instead of ${least}`);
  }
});
