import assert from 'node:assert/strict';
import { test } from 'node:test';
import { legalCodes } from '../codes/catalogue.ts';
import { crs } from '../codes/cauchy.ts';
import { type ErasureCode, isPrime } from '../codes/code.ts';
import { evenodd } from '../codes/evenodd.ts';
import { liber8tion } from '../codes/liber8tion.ts';
import { rdp } from '../codes/rdp.ts';
import { star } from '../codes/star.ts';
import type { Strategy } from './plan.ts';
import { plan } from './planner.ts';
import { createProblem } from './problem.ts';
import { replaceRows } from './replace.ts';
import { rowModelOptimum } from './row-model.ts';

/** Saving in percent over all data nodes, as the supplement's figures count it. */
function savingPercent(code: ErasureCode, strategy: Strategy): number {
  let reads = 0;
  let conventional = 0;
  for (let lostNode = 0; lostNode < code.nodes - code.tolerance; lostNode++) {
    const made = plan({ code, lostNode, strategy });
    reads += made.reads.length;
    conventional += made.conventionalReads;
  }
  return 100 * (1 - reads / conventional);
}

test('figure 1: Liber8tion saves 29.17% at k = 6, by replace (k = 3..8 at the optimum in the evaluation)', () => {
  assert.equal(savingPercent(liber8tion(3), 'replace').toFixed(2), '27.78');
  assert.equal(savingPercent(liber8tion(3), 'enumeration').toFixed(2), '27.78');
  assert.equal(savingPercent(liber8tion(6), 'replace').toFixed(2), '29.17');
});

test('figure 3: CRS with m = 2 saves 15.75 to 25.00% by replace, which is the optimum', () => {
  const codes = Array.from({ length: 9 }, (_, i) => crs(i + 2, 2, 4));
  const savings = codes.map((code) => savingPercent(code, 'replace'));
  assert.equal(Math.min(...savings).toFixed(2), '15.75');
  assert.equal(Math.max(...savings).toFixed(2), '25.00');
  assert.deepEqual(
    codes.map((code) => savingPercent(code, 'enumeration')),
    savings,
  );
});

test('figure 2: STAR reads less than 0.69 p² for all primes up to 61 (to 97 in the evaluation)', () => {
  for (let p = 5; p <= 61; p++) {
    if (!isPrime(p)) continue;
    const reads = plan({ code: star(p), lostNode: 0 }).reads.length;
    assert.ok(reads < 0.69 * p * p, `p = ${p}: ${reads} symbols`);
    assert.ok(reads > (2 / 3) * p * p - p, `p = ${p}: ${reads} symbols, below the paper's theorem 3.1`);
  }
});

test('RDP saves a quarter and EVENODD comes to it, as is known', () => {
  for (const p of [5, 7, 11, 13]) {
    const code = rdp(p);
    for (let lostNode = 0; lostNode < p - 1; lostNode++) {
      assert.equal(plan({ code, lostNode }).reads.length, (3 * (p - 1) ** 2) / 4, `RDP p = ${p}`);
    }
  }
  const saved = [5, 7, 11, 13, 17, 31].map((p) => savingPercent(evenodd(p), 'replace'));
  assert.ok(
    saved.every((saving, i) => saving > 19.99 && saving <= 25 && (i === 0 || saving >= saved[i - 1]!)),
    String(saved),
  );
});

test('with costs, neither objective is ever worse than the plan for equal costs', () => {
  let state = 7;
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
  const codes = [...legalCodes({ nodesMax: 12, shortened: 'none', extraBits: 0, parityNodesMax: 4 })].filter(
    (code) => code.nodes >= 5 && code.name !== 'rs' && code.name !== 'crs-original',
  );
  const vectors = 20;
  for (const code of codes) {
    for (let vector = 0; vector < vectors; vector++) {
      const lostNode = Math.floor(next() * code.nodes);
      const costs = Array.from({ length: code.nodes }, () => 0.25 + 4 * next());
      const even = plan({ code, lostNode });
      const perNode = even.readsPerNode.map((reads, node) => reads * costs[node]!);
      const total = perNode.reduce((a, b) => a + b, 0);
      const at = `${code.id} node ${lostNode} costs ${costs.join()}`;
      assert.ok(plan({ code, lostNode, costs }).totalCost <= total + 1e-9, at);
      const slowest = plan({ code, lostNode, costs, objective: 'slowest' });
      assert.ok(slowest.slowestCost <= Math.max(...perNode) + 1e-9, at);
    }
  }
});

test('replace is within 2% of the optimum of its own model on average (n ≤ 10; to 16 in the evaluation)', () => {
  const gaps: number[] = [];
  for (const code of legalCodes({ nodesMax: 10, shortened: 'tightest', extraBits: 0, parityNodesMax: 4 })) {
    if (code.nodes - code.tolerance < 2 || code.name === 'rs' || code.name === 'crs-original') continue;
    for (let node = 0; node < code.nodes; node++) {
      const problem = createProblem({ code, lostNodes: [node] });
      const found = replaceRows(problem, 'total');
      const exact = rowModelOptimum(problem, found, () => false);
      assert.ok(exact.proven);
      gaps.push(plan({ code, lostNode: node }).reads.length / exact.value - 1);
    }
  }
  const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length;
  assert.ok(Math.min(...gaps) >= 0, 'nothing is below the optimum');
  assert.ok(mean <= 0.02 && mean > 0, `mean gap ${mean}`);
});

test('planning is online: replace for the largest stripes of 16 nodes', () => {
  const timed = (code: ErasureCode): number => {
    for (let i = 0; i < 20; i++) plan({ code, lostNode: i % code.nodes });
    const times = Array.from({ length: 9 }, () => {
      const begun = performance.now();
      plan({ code, lostNode: 0 });
      return performance.now() - begun;
    });
    return times.sort((a, b) => a - b)[4]!;
  };
  assert.ok(timed(star(13)) <= 100, 'STAR p = 13 within 100 ms');
  assert.ok(timed(crs(12, 4, 4)) <= 10, 'CRS(12,4) within 10 ms');
  assert.ok(timed(rdp(13)) <= 10, 'RDP p = 13 within 10 ms');
});
