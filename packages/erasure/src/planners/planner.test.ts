import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { legalCodes } from '../codes/catalogue.ts';
import type { ErasureCode } from '../codes/code.ts';
import { encode } from '../codes/codec.ts';
import { createCode } from '../codes/registry.ts';
import { ErasureError, UndecodableError } from '../errors.ts';
import { executePlan, type RecoveryPlan, symbolRegion } from './plan.ts';
import { type PlanRequest, plan, planDegradedRead } from './planner.ts';

const seed = 20_140_501;
const smallCodes = [
  ...legalCodes({ nodesMax: 10, shortened: 'tightest', extraBits: 1, parityNodesMax: 4 }),
].filter((code) => code.checks.rows <= 32);

function randomStripe(code: ErasureCode, salt: number): Uint8Array[] {
  let state = salt | 1;
  const next = () => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223;
    return state >>> 24;
  };
  const shards = Array.from({ length: code.nodes }, () => Uint8Array.from({ length: code.rows * 8 }, next));
  encode(code, shards);
  return shards;
}

/** Runs the plan with everything overwritten that it does not claim to read. */
function assertRebuilds(made: RecoveryPlan, salt: number): void {
  const { code } = made;
  const whole = randomStripe(code, salt);
  const left = whole.map((shard) => new Uint8Array(shard.length).fill(0xa5));
  for (const symbol of made.reads) symbolRegion(code, left, symbol).set(symbolRegion(code, whole, symbol));
  executePlan(made, left);
  for (const symbol of made.lost) {
    assert.deepEqual(
      symbolRegion(code, left, symbol),
      symbolRegion(code, whole, symbol),
      `${code.id} symbol ${symbol}`,
    );
  }
  const readsPerNode = new Array<number>(code.nodes).fill(0);
  for (const symbol of made.reads) readsPerNode[Math.floor(symbol / code.rows)]!++;
  assert.deepEqual(made.readsPerNode, readsPerNode);
  const lost = new Set(made.lost);
  assert.ok(made.reads.every((symbol) => !lost.has(symbol)));
}

test('every strategy rebuilds random losses of random codes at random costs, from its reads alone', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.nat(),
      fc.array(fc.nat({ max: 40 }), { minLength: 10, maxLength: 10 }),
      fc.constantFrom('conventional', 'replace', 'slowest', 'optimal', 'enumeration'),
      fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (codePick, salt, costs, how, picks, symbolsOnly) => {
        const code = smallCodes[codePick % smallCodes.length]!;
        const exact = how === 'optimal' || how === 'enumeration';
        const lostNodes = picks.slice(0, exact ? 1 : code.tolerance).map((pick) => pick % code.nodes);
        const request: PlanRequest = {
          code,
          ...(symbolsOnly ? { lostSymbols: picks.map((pick) => pick % code.symbolCount) } : { lostNodes }),
          costs: costs.slice(0, code.nodes).map((cost) => cost / 4),
          strategy: how === 'slowest' ? 'replace' : how,
          objective: how === 'slowest' ? 'slowest' : 'total',
          timeLimitMs: exact ? 15 : 1000,
        };
        let made: RecoveryPlan;
        try {
          made = plan(request);
        } catch (thrown) {
          if (thrown instanceof UndecodableError && symbolsOnly) return;
          if (how === 'enumeration' && thrown instanceof ErasureError && thrown.code === 'LIMIT_EXCEEDED')
            return;
          throw thrown;
        }
        assertRebuilds(made, salt);
        assert.ok(made.optimality.lowerBound <= made.value + 1e-9);
      },
    ),
    { seed, numRuns: 150 },
  );
});

test('optimal and enumeration agree: two exact ways, one minimum', () => {
  const codes: [string, Record<string, number>][] = [
    ['rdp', { p: 5 }],
    ['rdp', { p: 7, k: 4 }],
    ['evenodd', { p: 5 }],
    ['star', { p: 5, k: 3 }],
    ['xcode', { p: 5 }],
    ['hdp', { p: 7 }],
    ['crs', { k: 5, m: 3, w: 3 }],
    ['crs', { k: 10, m: 3, w: 4 }],
    ['liberation', { k: 5, w: 5 }],
    ['blaum-roth', { k: 4, w: 4 }],
  ];
  for (const [name, parameters] of codes) {
    const code = createCode(name, parameters);
    for (const lostNode of [0, code.nodes - 1]) {
      for (const costs of [
        undefined,
        Array.from({ length: code.nodes }, (_, node) => 1 + ((node * 7) % 5)),
      ]) {
        const request = { code, lostNode, ...(costs && { costs }) };
        const optimal = plan({ ...request, strategy: 'optimal' });
        assert.equal(optimal.optimality.proven, true);
        assert.equal(
          optimal.value,
          plan({ ...request, strategy: 'enumeration' }).value,
          `${code.id} node ${lostNode}`,
        );
        assert.ok(optimal.value <= plan({ ...request, strategy: 'replace' }).value);
      }
    }
  }
});

test('optimal is proven where the paper gave up (mω ≥ 20 is in the evaluation), with its anchors', () => {
  const crs = plan({ code: createCode('crs', { k: 10, m: 3, w: 4 }), lostNode: 0, strategy: 'optimal' });
  assert.equal(crs.optimality.proven, true);
  assert.equal(crs.value, 31);
  const wide = plan({ code: createCode('crs', { k: 12, m: 4, w: 4 }), lostNode: 0, strategy: 'optimal' });
  assert.equal(wide.optimality.proven, true);
  assert.equal(wide.value, 36);
});

test('optimal without time returns a plan and a bound that is not the value', () => {
  let time = 0;
  const now = () => time++;
  const made = plan({
    code: createCode('star', { p: 7 }),
    lostNode: 0,
    strategy: 'optimal',
    timeLimitMs: 300,
    now,
  });
  assert.equal(made.optimality.proven, false);
  assert.ok(made.optimality.lowerBound > 20 && made.optimality.lowerBound < made.value);
  assertRebuilds(made, 5);
});

test('enumeration says what it would need instead of trying for days', () => {
  const code = createCode('crs', { k: 10, m: 4, w: 8 });
  assert.throws(
    () => plan({ code, lostNode: 0, strategy: 'enumeration' }),
    /134217728 recovery equations \(2\^32/,
  );
  const slow = createCode('evenodd', { p: 11 });
  let time = 0;
  const now = () => time++;
  assert.throws(
    () => plan({ code: slow, lostNode: 0, strategy: 'enumeration', timeLimitMs: 5, now }),
    (thrown) =>
      thrown instanceof ErasureError &&
      thrown.code === 'LIMIT_EXCEEDED' &&
      /within 5 ms/.test(thrown.message),
  );
});

test('a degraded read rebuilds rows without the rest of their node', () => {
  const code = createCode('star', { p: 7 });
  const one = planDegradedRead({ code, node: 2, rows: [3] });
  assert.equal(one.reads.length, 7);
  assert.equal(one.readsPerNode[2], 0);
  assertRebuilds(one, 1);
  const range = planDegradedRead({ code, node: 2, rows: [0, 1, 2], missingNodes: [4] });
  assert.equal(range.readsPerNode[4], 0);
  assertRebuilds(range, 2);
  const cheaper = planDegradedRead({ code, node: 2, rows: [0, 1], strategy: 'optimal' });
  assert.equal(cheaper.optimality.proven, true);
  assertRebuilds(cheaper, 3);
});

test('a missing node is not read, and too many are named symbol by symbol', () => {
  const code = createCode('crs', { k: 6, m: 3, w: 4 });
  const made = plan({ code, lostNode: 1, missingNodes: [0, 7] });
  assert.equal(made.readsPerNode[0]! + made.readsPerNode[7]!, 0);
  assertRebuilds(made, 9);
  assert.throws(
    () => plan({ code, lostNodes: [0, 1], missingNodes: [2, 3] }),
    (thrown) => thrown instanceof UndecodableError && thrown.symbols.length === 8,
  );
});

test('lost pairs and triples: few reads, every pattern of RDP and STAR', () => {
  for (const code of [createCode('rdp', { p: 5 }), createCode('star', { p: 5 })]) {
    for (let a = 0; a < code.nodes; a++) {
      for (let b = a + 1; b < code.nodes; b++) {
        const made = plan({ code, lostNodes: [a, b] });
        assertRebuilds(made, a * 31 + b);
        assert.ok(made.reads.length <= (code.nodes - code.tolerance) * code.rows, `${code.id} ${a} ${b}`);
      }
    }
  }
});

test('bad requests say what is wrong', () => {
  const code = createCode('rdp', { p: 5 });
  assert.throws(() => plan({ code }), /nothing is lost/);
  assert.throws(() => plan({ code, lostNode: 6 }), /nodes 0\.\.5, not 6/);
  assert.throws(() => plan({ code, lostSymbols: [24] }), /symbols 0\.\.23, not 24/);
  assert.throws(() => plan({ code, lostNode: 0, costs: [1] }), /6 nodes, but 1 costs/);
  assert.throws(() => plan({ code, lostNode: 0, costs: [1, 1, 1, 1, 1, Number.NaN] }), /cost of node 5/);
  assert.throws(() => plan({ code, lostNode: 0, strategy: 'optimal', objective: 'slowest' }), /use replace/);
  assert.throws(() => plan({ code, lostNodes: [0, 1, 2] }), UndecodableError);
  assert.throws(() => planDegradedRead({ code, node: 0, rows: [4] }), /rows 0\.\.3, not 4/);
});
