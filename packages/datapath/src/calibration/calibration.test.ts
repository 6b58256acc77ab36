import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { COPY_THRESHOLD_MAX, COPY_THRESHOLD_MIN, MIB, PRESSURE_LOOKS, PRESSURE_PAUSE_MS } from '../limits.ts';
import { Arena } from '../memory/arena.ts';
import { availableTransports } from '../transport/select.ts';
import { BandwidthProbe } from './bandwidth-probe.ts';
import { calibrateCopyThreshold } from './calibrate.ts';
import { CopyThreshold } from './copy-threshold.ts';
import { deriveCopyThreshold } from './derive-threshold.ts';

const SIZES = [512, 1024, 2048, 4096, 8192, 16_384];

/** Samples of a machine on which a copy costs so much per byte, and a reference so much flat. */
function machine(
  copyNsPerByte: number,
  referenceNs: number,
): { bytes: number; copyNs: number; referenceNs: number }[] {
  return SIZES.map((bytes) => ({
    bytes,
    copyNs: 1000 + bytes * copyNsPerByte,
    referenceNs: 1000 + referenceNs,
  }));
}

test('the threshold is where the costs cross', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.02, max: 1, noNaN: true }),
      fc.integer({ min: 20, max: 1000 }),
      (perByte, reference) => {
        const threshold = deriveCopyThreshold(machine(perByte, reference));
        const exact = reference / perByte;
        if (exact <= SIZES[0]!) assert.equal(threshold, SIZES[0]);
        else if (exact > SIZES.at(-1)!) assert.equal(threshold, Number.POSITIVE_INFINITY);
        else assert.ok(Math.abs(threshold - exact) <= 1 + exact * 1e-6, `${threshold} instead of ${exact}`);
      },
    ),
    { seed: 3 },
  );
});

test('one disturbed size among cheaper references does not move the threshold', () => {
  const samples = machine(0.1, 150).map((sample) =>
    sample.bytes === 8192 ? { ...sample, referenceNs: sample.referenceNs * 10 } : sample,
  );
  assert.equal(deriveCopyThreshold(samples), deriveCopyThreshold(machine(0.1, 150)));
});

test('the threshold is measured, clamped, told, and measured again only when memory stays different', async () => {
  let speed = 100;
  let measured = 3000;
  const told: number[] = [];
  const threshold = new CopyThreshold({
    bytes: 8192,
    calibrate: async () => measured,
    probe: () => speed,
    onChange: (bytes) => told.push(bytes),
  });
  assert.equal(threshold.bytes, 8192);
  assert.equal(await threshold.look(0), false, 'nothing to compare with yet');
  assert.equal(await threshold.decide(1000), 3000);
  measured = Number.POSITIVE_INFINITY;
  // One slow look is chance.
  speed = 300;
  assert.equal(await threshold.look(40_000), false);
  speed = 110;
  assert.equal(await threshold.look(41_000), false);
  speed = 300;
  for (let look = 1; look < PRESSURE_LOOKS; look++) assert.equal(await threshold.look(42_000 + look), false);
  assert.equal(await threshold.look(43_000), true);
  assert.equal(threshold.bytes, COPY_THRESHOLD_MAX);
  // Relief is a change as well, but not at once.
  speed = 100;
  measured = 1;
  for (let look = 0; look < 10; look++) assert.equal(await threshold.look(44_000 + look), false);
  assert.equal(await threshold.look(43_000 + PRESSURE_PAUSE_MS), true);
  assert.deepEqual(told, [3000, COPY_THRESHOLD_MAX, COPY_THRESHOLD_MIN]);
});

test('a failed calibration changes nothing, and the next look may try again', async () => {
  let isBroken = true;
  const threshold = new CopyThreshold({
    bytes: 8192,
    calibrate: async () => {
      if (isBroken) throw new Error('no socket');
      return 2048;
    },
    probe: () => 1,
    onChange: () => {},
  });
  await assert.rejects(threshold.decide(0), /no socket/);
  assert.equal(threshold.bytes, 8192);
  isBroken = false;
  assert.equal(await threshold.decide(1), 2048);
});

test('the probe reads its region, which may grow, changes nothing, and gives nanoseconds per KiB', () => {
  const arena = Arena.portable(2 * MIB);
  let now = 0;
  let end = MIB + 4096;
  const clock = (): number => {
    now += 0.004;
    return now;
  };
  const probe = new BandwidthProbe(arena, MIB, () => end, clock);
  // Each piece of 4 KiB takes one step of the clock.
  assert.ok(Math.abs(probe.measure() - 1000) < 1e-6);
  end = 2 * MIB;
  assert.ok(Math.abs(probe.measure() - 1000) < 1e-6);
  assert.ok(arena.u8.every((byte) => byte === 0));
});

for (const { kind, available, reason } of availableTransports()) {
  if (kind === 'node') continue;
  test(`${kind}: calibration measures every size both ways within its budget`, {
    skip: available ? false : reason!,
  }, async () => {
    const result = await calibrateCopyThreshold(kind, {
      budgetMs: 60,
      coldBytes: 4 * MIB,
      sizes: [1024, 16_384],
    });
    assert.deepEqual(
      result.samples.map(({ bytes }) => bytes),
      [1024, 16_384],
    );
    for (const { copyNs, referenceNs } of result.samples) {
      assert.ok(copyNs > 0 && copyNs < 1e9 && referenceNs > 0 && referenceNs < 1e9);
    }
    assert.ok(result.rounds > 0 && result.elapsedMs < 3000);
    assert.equal(result.bytes, deriveCopyThreshold(result.samples));
    await assert.rejects(calibrateCopyThreshold(kind, { sizes: [2 * MIB] }), { code: 'ARGUMENT' });
  });
}
