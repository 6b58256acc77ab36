import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arrivals } from './arrivals.ts';
import { drawKeys, Scatter } from './key-distribution.ts';
import { Random } from './random.ts';
import { drawSizes } from './size-distribution.ts';
import { Zipf } from './zipf.ts';

/** Sum over cells of (observed - expected)² / expected. */
function chiSquare(observed: ArrayLike<number>, expected: ArrayLike<number>): number {
  let sum = 0;
  for (let cell = 0; cell < observed.length; cell++) {
    sum += (observed[cell]! - expected[cell]!) ** 2 / expected[cell]!;
  }
  return sum;
}

test('the same seed gives the same numbers, another seed others', () => {
  const sequence = (seed: number): number[] => {
    const random = new Random(seed);
    return Array.from({ length: 8 }, () => random.u32());
  };
  assert.deepEqual(sequence(7), sequence(7));
  assert.notDeepEqual(sequence(7), sequence(8));
  assert.ok(sequence(0).some((word) => word !== 0));
});

test('doubles fill [0, 1) evenly', () => {
  const random = new Random(1);
  const cells = new Array<number>(100).fill(0);
  for (let draw = 0; draw < 100_000; draw++) cells[Math.floor(random.double() * 100)]!++;
  // 99 degrees of freedom: above 160 has a probability of about 0.0001.
  assert.ok(chiSquare(cells, new Array<number>(100).fill(1000)) < 160);
});

for (const exponent of [0.5, 0.99, 1, 1.1, 1.49]) {
  test(`Zipf ranks have the frequencies of exponent ${exponent}`, () => {
    const ranks = 50;
    const draws = 200_000;
    const zipf = new Zipf(ranks, exponent);
    const random = new Random(42);
    const observed = new Array<number>(ranks).fill(0);
    for (let draw = 0; draw < draws; draw++) observed[zipf.sample(random) - 1]!++;
    const weights = Array.from({ length: ranks }, (_, index) => (index + 1) ** -exponent);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const expected = weights.map((weight) => (weight / total) * draws);
    // 49 degrees of freedom: above 95 has a probability of about 0.0001.
    assert.ok(chiSquare(observed, expected) < 95, `chi square ${chiSquare(observed, expected)}`);
  });
}

test('one key can be Zipf-distributed too', () => {
  const random = new Random(3);
  for (let draw = 0; draw < 100; draw++) assert.equal(new Zipf(1, 1.1).sample(random), 1);
});

test('scattering is a permutation', () => {
  for (const keys of [1, 2, 3, 10, 97, 1000, 4096]) {
    const scatter = new Scatter(keys);
    const seen = new Set(Array.from({ length: keys }, (_, rank) => scatter.key(rank)));
    assert.equal(seen.size, keys);
    assert.ok(Math.max(...seen) === keys - 1);
  }
});

test('sequential keys go around', () => {
  assert.deepEqual([...drawKeys({ kind: 'sequential' }, 3, 7, new Random(1))], [0, 1, 2, 0, 1, 2, 0]);
});

test('uniform and Zipf draws stay inside the keys', () => {
  for (const kind of [{ kind: 'uniform' } as const, { kind: 'zipf', exponent: 1.1 } as const]) {
    const draws = drawKeys(kind, 1000, 20_000, new Random(5));
    assert.ok(draws.every((key) => key >= 0 && key < 1000));
    assert.ok(new Set(draws).size > 500);
  }
});

test('log-normal sizes have the mean asked for and respect the cuts', () => {
  const sizes = drawSizes(
    { kind: 'log-normal', meanBytes: 2439, sigma: 1, bytesMin: 16, bytesMax: 65_536 },
    20_000,
    new Random(11),
  );
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  assert.ok(Math.abs(mean - 2439) < 10, `mean ${mean}`);
  assert.ok(sizes.every((size) => size >= 16 && size <= 65_536));
  assert.ok(new Set(sizes).size > 1000);
});

test('arrivals keep the rate, Poisson ones with irregular gaps', () => {
  const constant = new Arrivals('constant', 1000, new Random(1));
  constant.start(5);
  for (let index = 0; index < 99; index++) constant.advance();
  assert.ok(Math.abs(constant.nextMs - 105) < 1e-6);
  const poisson = new Arrivals('poisson', 1000, new Random(1));
  poisson.start(0);
  const gaps: number[] = [];
  for (let index = 0; index < 50_000; index++) {
    const before = poisson.nextMs;
    poisson.advance();
    gaps.push(poisson.nextMs - before);
  }
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  assert.ok(Math.abs(mean - 1) < 0.03, `mean ${mean}`);
  assert.ok(Math.abs(variance - 1) < 0.06, `variance ${variance}`);
});
