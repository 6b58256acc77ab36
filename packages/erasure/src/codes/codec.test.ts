import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ErasureError, UndecodableError } from '../errors.ts';
import { GaloisField } from '../matrix/galois-field.ts';
import { legalCodes } from './catalogue.ts';
import { type ErasureCode, symbolsOfNodes } from './code.ts';
import { decode, dependentParities, encode, encodeSchedule, update, verify } from './codec.ts';
import { reedSolomonRows } from './reed-solomon.ts';
import { codeFamilies, createCode } from './registry.ts';

const seed = 42;
const codes = [...legalCodes({ nodesMax: 9, shortened: 'tightest', extraBits: 0, parityNodesMax: 4 })];

function stripe(code: ErasureCode, fill: number, symbolBytes = 4): Uint8Array[] {
  let state = fill | 1;
  const shards = Array.from({ length: code.nodes }, () =>
    Uint8Array.from({ length: code.rows * symbolBytes }, () => {
      state = (Math.imul(state, 69_069) + 1) >>> 0;
      return state >>> 23;
    }),
  );
  encode(code, shards);
  return shards;
}

const copy = (shards: readonly Uint8Array[]) => shards.map((shard) => shard.slice());

test('any loss of up to m nodes is decoded, in place, and verifies', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.nat(),
      fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
      (pick, fill, lost) => {
        const code = codes[pick % codes.length]!;
        const whole = stripe(code, fill);
        assert.ok(verify(code, whole).consistent);
        const nodes = lost.slice(0, code.tolerance).map((node) => node % code.nodes);
        const left = copy(whole);
        for (const node of nodes) left[node]!.fill(0xee);
        decode(code, left, { nodes });
        assert.deepEqual(left, whole, `${code.id} lost ${nodes.join()}`);
      },
    ),
    { seed, numRuns: 300 },
  );
});

test('any solvable set of symbols is decoded; otherwise exactly the unsolvable are named', () => {
  let refused = 0;
  fc.assert(
    fc.property(
      fc.nat(),
      fc.nat(),
      fc.array(fc.nat(), { minLength: 1, maxLength: 24 }),
      (pick, fill, lost) => {
        const code = codes[pick % codes.length]!;
        const whole = stripe(code, fill);
        const symbols = [...new Set(lost.map((symbol) => symbol % code.symbolCount))];
        const left = copy(whole);
        const damage = (symbol: number) => {
          const node = Math.floor(symbol / code.rows);
          const bytes = left[node]!.length / code.rows;
          left[node]!.fill(0x55, (symbol % code.rows) * bytes, ((symbol % code.rows) + 1) * bytes);
        };
        for (const symbol of symbols) damage(symbol);
        try {
          decode(code, left, { symbols });
          assert.deepEqual(left, whole);
        } catch (thrown) {
          if (!(thrown instanceof UndecodableError)) throw thrown;
          refused++;
          const unsolved = thrown.symbols.map(([node, row]) => node * code.rows + row);
          const solvable = symbols.filter((symbol) => !unsolved.includes(symbol));
          assert.ok(unsolved.length > 0 && unsolved.every((symbol) => symbols.includes(symbol)));
          // The rest is solved by equations that hold none of the unsolved.
          for (const symbol of solvable) assertSolvable(code, symbol, symbols);
        }
      },
    ),
    { seed, numRuns: 300 },
  );
  assert.ok(refused > 10, 'the property met undecodable losses');
});

function assertSolvable(code: ErasureCode, symbol: number, lost: readonly number[]): void {
  const all = code.checks.selectColumns(lost).rank();
  const others = code.checks.selectColumns(lost.filter((other) => other !== symbol)).rank();
  assert.equal(all, others + 1, `${code.id}: symbol ${symbol}`);
}

test('more than m lost nodes are refused with the symbols named', () => {
  const code = createCode('rdp', { p: 5 });
  assert.throws(
    () => decode(code, stripe(code, 3), { nodes: [0, 1, 5] }),
    (thrown) =>
      thrown instanceof UndecodableError &&
      thrown.code === 'UNDECODABLE' &&
      thrown.symbols.length === 12 &&
      thrown.message.includes('node 0 row 0'),
  );
});

test('updating a data symbol equals encoding anew, and writes the fewest parities', () => {
  for (const code of codes) {
    const shards = stripe(code, 77);
    for (const symbol of code.dataSymbols) {
      const bytes = Uint8Array.of(symbol, 1, 2, 3);
      const written = update(code, shards, symbol, bytes);
      assert.deepEqual(written, [symbol, ...dependentParities(code, symbol)]);
      assert.ok(written.length > code.tolerance, `${code.id} symbol ${symbol}`);
    }
    const encoded = copy(shards);
    encode(code, encoded);
    assert.deepEqual(shards, encoded, code.id);
  }
  const code = createCode('rdp', { p: 5 });
  assert.throws(() => update(code, stripe(code, 1), 20, new Uint8Array(4)), /not a data symbol/);
  assert.throws(() => update(code, stripe(code, 1), 0, new Uint8Array(5)), /4 bytes, not 5/);
});

test('verify finds one wrong byte anywhere and suspects its node', () => {
  for (const code of codes.filter((candidate) => candidate.tolerance >= 2)) {
    for (let node = 0; node < code.nodes; node++) {
      const shards = stripe(code, node + 1);
      shards[node]![node % shards[node]!.length]! ^= 0x10;
      const { consistent, failedChecks, suspectNodes } = verify(code, shards);
      assert.equal(consistent, false);
      assert.ok(failedChecks.length > 0);
      assert.deepEqual(suspectNodes, [node], `${code.id} node ${node}`);
    }
  }
});

test('empty shards are a stripe; unequal, missing and odd ones are not', () => {
  const code = createCode('evenodd', { p: 5 });
  const empty = Array.from({ length: 7 }, () => new Uint8Array(0));
  encode(code, empty);
  assert.ok(verify(code, empty).consistent);
  assert.throws(() => encode(code, empty.slice(1)), /7 nodes, but 6 shards/);
  assert.throws(() => encode(code, [new Uint8Array(8), ...empty.slice(1)]), /must be equal/);
  assert.throws(
    () =>
      encode(
        code,
        empty.map(() => new Uint8Array(6)),
      ),
    /multiple of 4 bytes, not 6/,
  );
});

test('Reed-Solomon as bit planes equals the sums over GF(2^8), byte for byte', () => {
  const code = createCode('rs', { k: 5, m: 3 });
  const field = new GaloisField(8);
  const shards = stripe(code, 1234, 1);
  /** Element e of a node: bit b is bit e of plane b. */
  const element = (node: number, e: number) =>
    Array.from({ length: 8 }, (_, b) => ((shards[node]![b]! >>> e) & 1) << b).reduce((a, b) => a | b);
  for (const [i, row] of reedSolomonRows(5, 3).entries()) {
    for (let e = 0; e < 8; e++) {
      const sum = row.reduce((total, factor, j) => total ^ field.multiply(factor, element(j, e)), 0);
      assert.equal(element(5 + i, e), sum);
    }
  }
});

test('a code is made again from its name and parameters', () => {
  for (const code of [...codes, createCode('rs', { k: 4, m: 2 })]) {
    const again = createCode(code.name, code.parameters);
    assert.equal(again.id, code.id);
    assert.deepEqual(again.checks.data, code.checks.data);
  }
});

test('illegal parameters say what is wrong', () => {
  const refused = (name: string, parameters: Record<string, number>, message: RegExp) =>
    assert.throws(
      () => createCode(name, parameters),
      (thrown) =>
        thrown instanceof ErasureError &&
        thrown.code === 'ILLEGAL_PARAMETERS' &&
        message.test(thrown.message),
      `${name} ${JSON.stringify(parameters)}`,
    );
  refused('rdp', { p: 9 }, /p must be a prime of at least 3, not 9/);
  refused('rdp', { p: 7, k: 7 }, /k must be an integer in 1\.\.6, not 7/);
  refused('star', { p: 263 }, /at most 257/);
  refused('hdp', { p: 3 }, /prime of at least 5/);
  refused('xcode', { p: 7, k: 3 }, /takes p, not k/);
  refused('crs', { k: 10, m: 7, w: 4 }, /w .* 5\.\.10, not 4/);
  refused('crs', { k: 10 }, /no m/);
  refused('liberation', { k: 8, w: 7 }, /1\.\.7, not 8/);
  refused('liber8tion', { k: 9 }, /1\.\.8, not 9/);
  refused('blaum-roth', { k: 3, w: 5 }, /w \+ 1 must be a prime/);
  refused('rs', { k: 250, m: 6 }, /1\.\.5, not 6/);
  refused('rs', { k: 2.5, m: 1 }, /integer/);
  refused('raid', {}, /unknown code "raid": the codes are rdp/);
  assert.equal(codeFamilies.length, 11);
});

test('encoding schedules use the parities that a construction shares', () => {
  // RDP: k − 1 XORs per row parity and p − 2 per diagonal (P included) is optimal: 2(p − 1)(p − 2).
  for (const p of [5, 7, 11])
    assert.ok(encodeSchedule(createCode('rdp', { p })).xors <= 2 * (p - 1) * (p - 2));
  for (const code of codes) {
    const used = new Set(symbolsOfNodes(code, [0]));
    assert.ok(used.size === code.rows && encodeSchedule(code).outputs === code.paritySymbols.length);
  }
});
