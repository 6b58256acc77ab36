import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ErasureCode } from '../codes/code.ts';
import { createCode } from '../codes/registry.ts';
import { evaluateMultipliers, multiplierBound } from './multiplier-bound.ts';
import { optimalRows, unionCost } from './optimal.ts';
import { certifiedBound, plan } from './planner.ts';
import { createProblem } from './problem.ts';
import { replaceRows } from './replace.ts';
import { rowModelOptimum } from './row-model.ts';
import { averageBound, classMinima, createRowSpace, equationsOf, wordOf } from './row-space.ts';

const never = (): boolean => false;
const generous = { timeMs: 20_000, bytesMax: 2 ** 28, now: () => performance.now() };

function small(name: string, parameters: Record<string, number>): ErasureCode {
  return createCode(name, parameters);
}

test('the bounds lie below the optimum and above each other in the order of their effort', () => {
  const codes = [small('evenodd', { p: 5 }), small('star', { p: 5 }), small('crs', { k: 6, m: 3, w: 4 })];
  for (const code of [...codes, small('hdp', { p: 7 }), small('liberation', { k: 5, w: 5 })]) {
    const problem = createProblem({ code, lostNodes: [1] });
    const space = createRowSpace(problem);
    const optimum = optimalRows(problem, generous).value;
    const average = averageBound(space, classMinima(space, never)!);
    const ascent = multiplierBound(space, {
      incumbent: () => optimum,
      enough: () => optimum - 1 + 1e-5,
      expired: never,
      propose: () => {},
    });
    assert.ok(
      average <= ascent.bound && ascent.bound <= optimum + 1e-6,
      `${code.id} ${average} ${ascent.bound} ${optimum}`,
    );
    assert.equal(Math.ceil(ascent.bound), optimum, `${code.id}: the bound by multipliers is tight here`);
  }
});

test('multipliers certify their bound: evaluated word by word it is the same', () => {
  for (const code of [small('evenodd', { p: 5 }), small('crs', { k: 4, m: 3, w: 3 })]) {
    const space = createRowSpace(createProblem({ code, lostNodes: [0] }));
    let rounds = 0;
    const { bound, multipliers } = multiplierBound(space, {
      incumbent: () => 20,
      enough: () => Number.POSITIVE_INFINITY,
      expired: () => rounds++ > 60,
      propose: () => {},
    });
    assert.ok(Math.abs(evaluateMultipliers(space, multipliers) - bound) < 1e-9);
    const made = plan({ code, lostNode: 0, strategy: 'optimal' });
    const certificate = { ...made.certificate!, multipliers };
    assert.ok(Math.abs(certifiedBound({ code, lostNode: 0 }, certificate) - bound) < 1e-9);
    assert.ok(bound <= made.value + 1e-9);
  }
});

test('any multipliers at all give a bound', () => {
  const code = small('rdp', { p: 3 });
  const problem = createProblem({ code, lostNodes: [0] });
  const space = createRowSpace(problem);
  const optimum = optimalRows(problem, generous).value;
  const entries = 2 ** space.targets * space.basis.columns;
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: entries, maxLength: entries }),
      (list) => {
        assert.ok(evaluateMultipliers(space, Float64Array.from(list)) <= optimum + 1e-9);
      },
    ),
    { seed: 11, numRuns: 200 },
  );
});

test('with random real costs the search closes the gap, and no recovery of the row model is cheaper', () => {
  const codes = [small('rdp', { p: 5 }), small('crs', { k: 5, m: 3, w: 3 }), small('xcode', { p: 5 })];
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(fc.double({ min: 0.1, max: 9, noNaN: true }), { minLength: 8, maxLength: 8 }),
      (pick, list) => {
        const code = codes[pick % codes.length]!;
        const costs = Array.from({ length: code.nodes }, (_, node) => list[node % list.length]!);
        const problem = createProblem({ code, lostNodes: [pick % code.nodes], costs });
        const { value, lowerBound, chosen } = optimalRows(problem, generous);
        assert.ok(Math.abs(lowerBound - value) <= 1e-5 * value, `${code.id}: ${lowerBound} and ${value}`);
        assert.ok(Math.abs(unionCost(problem, chosen) - value) < 1e-6);
        const known = replaceRows(problem, 'total');
        const model = rowModelOptimum(problem, known, never);
        assert.ok(model.proven && model.value >= value - 1e-6);
        assert.ok(unionCost(problem, problem.equations.selectRows(known)) >= model.value - 1e-6);
      },
    ),
    { seed: 5, numRuns: 150 },
  );
});

test('at any costs the optimum is that of enumeration, also for several lost nodes and parts of nodes', () => {
  const codes = [
    small('rdp', { p: 5 }),
    small('evenodd', { p: 5 }),
    small('star', { p: 5, k: 3 }),
    small('crs', { k: 5, m: 3, w: 3 }),
    small('xcode', { p: 5 }),
    small('blaum-roth', { k: 4, w: 4 }),
  ];
  const cost = fc.oneof(
    fc.nat({ max: 5 }),
    fc.nat({ max: 5000 }),
    fc.double({ min: 0, max: 50, noNaN: true }),
  );
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(cost, { minLength: 8, maxLength: 8 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 2 }),
      fc.boolean(),
      (pick, costs, losses, whole) => {
        const code = codes[pick % codes.length]!;
        const lost = whole
          ? { lostNodes: losses.slice(0, code.tolerance - 1).map((loss) => loss % code.nodes) }
          : {
              lostSymbols: losses.map((loss) => (pick % code.nodes) * code.rows + (loss % code.rows)),
              missingNodes: [(pick + 1) % code.nodes],
            };
        const request = { code, ...lost, costs: costs.slice(0, code.nodes) };
        const optimal = plan({ ...request, strategy: 'optimal' });
        const enumeration = plan({ ...request, strategy: 'enumeration' });
        // Costs below a billionth of the largest do not count in bounds.
        const close = 1e-5 * Math.max(1, optimal.value) + 1e-7 * Math.max(...request.costs);
        assert.ok(
          Math.abs(optimal.value - enumeration.value) <= close,
          `${optimal.value} and ${enumeration.value}`,
        );
        assert.ok(optimal.optimality.lowerBound >= optimal.value - close);
      },
    ),
    { seed: 3, numRuns: 400 },
  );
});

test('with as many lost nodes as the code tolerates there is one recovery, known at once', () => {
  const made = plan({ code: small('star', { p: 11 }), lostNodes: [0, 4, 11], strategy: 'optimal' });
  assert.deepEqual(made.optimality, { proven: true, lowerBound: made.value });
  assert.equal(made.certificate!.nodes, 0);
  const two = plan({ code: small('crs', { k: 6, m: 3, w: 4 }), lostNodes: [0, 1], strategy: 'optimal' });
  assert.equal(two.optimality.proven, true);
  assert.ok(two.value < two.conventionalReads);
});

test('words of the row space are sums of checks: numbers add by XOR', () => {
  const code = small('star', { p: 5 });
  const problem = createProblem({ code, lostNodes: [2] });
  const space = createRowSpace(problem);
  assert.equal(space.dimensions, 12);
  for (const [a, b] of [
    [5, 77],
    [4095, 1234],
    [256, 3],
  ] as const) {
    const sum = wordOf(space, a).map((word, i) => word ^ wordOf(space, b)[i]!);
    assert.deepEqual(wordOf(space, a ^ b), sum);
  }
  const single = equationsOf(problem, space, [2 ** space.free]);
  assert.ok(
    single.get(0, problem.targets[0]!) === 1 && problem.targets.slice(1).every((s) => !single.get(0, s)),
  );
});
