/** One threshold for all protocols: where it comes from, what measuring it takes, and who follows it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { availableTransports, type CopyThresholdResult, calibrateCopyThreshold, MIB } from '@larder/datapath';
import { createLogger } from '@larder/host';
import { GetReplyView, GetRequest, KeyValueTypes as types } from '@larder/protocol/rpc';
import { COPY_BYTES_MAX, CopyCalibration } from './copy-calibration.ts';
import { RpcHarness } from './rpc/testing/rpc-harness.ts';
import { CONTROL_WORDS, Control } from './workers/control.ts';

const VALUE_BYTES = 5000;

function calibrationOf(
  harness: RpcHarness,
  parts: {
    measure: (budgetMs: number) => Promise<CopyThresholdResult>;
    probe: () => number;
    clock: () => number;
  },
): { calibration: CopyCalibration; control: Int32Array; lines: string[] } {
  const control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
  const lines: string[] = [];
  const log = createLogger(1, (line) => lines.push(line));
  return {
    calibration: new CopyCalibration({ store: harness.session.store, control, log, ...parts }),
    control,
    lines,
  };
}

function measured(bytes: number): CopyThresholdResult {
  return { bytes, samples: [{ bytes: 512, copyNs: 10.4, referenceNs: 20.6 }], rounds: 4, elapsedMs: 12.3 };
}

/** References that a get of a value of VALUE_BYTES is answered with: by text, by a typed message, and by datagrams. */
function references(harness: RpcHarness): number[] {
  const text = harness.session.connect();
  text.ask('get a\r\n');
  const byText = text.connection.references;
  text.close();
  const typed = harness.connect();
  typed.ask(types.get, GetRequest.from({ key: 'a' }), GetReplyView);
  const byRpc = typed.connection.references;
  harness.askByDatagrams(types.get, GetRequest.from({ key: 'a' }), GetReplyView);
  const byDatagrams = harness.owners.length > 0 ? 1 : 0;
  harness.settle();
  return [byText, byRpc, byDatagrams];
}

test('a decision, and another one under pressure, reaches the text protocols and the typed one at once', async () => {
  const harness = new RpcHarness({ sendBufferBytes: 16_384 });
  harness.session.ask(`set a 0 0 ${VALUE_BYTES}\r\n${'a'.repeat(VALUE_BYTES)}\r\n`);
  let found = 1000;
  let speed = 100;
  let nowMs = 0;
  const budgets: number[] = [];
  const { calibration, control, lines } = calibrationOf(harness, {
    measure: async (budgetMs) => {
      budgets.push(budgetMs);
      return measured(found);
    },
    probe: () => speed,
    clock: () => nowMs,
  });
  assert.deepEqual(references(harness), [0, 0, 0], 'the default of the store');
  await calibration.start();
  assert.deepEqual(references(harness), [1, 1, 1]);
  const [line] = lines.map((each) => JSON.parse(each) as Record<string, unknown>);
  assert.deepEqual(
    [line!.copyBytesMax, line!.before, line!.elapsedMs, line!.rounds, line!.nanoseconds],
    [1000, 8192, 12, 4, { 512: [10, 21] }],
  );
  await calibration.look();
  // Memory is three times as slow, and stays so.
  found = 30_000;
  speed = 300;
  for (nowMs = 60_000; nowMs <= 62_000; nowMs += 1000) await calibration.look();
  assert.deepEqual(references(harness), [0, 0, 0]);
  assert.equal(harness.session.store.copyBytesMax, 30_000);
  assert.equal(control[Control.copyCalibrations], 2);
  assert.equal(control[Control.copyCalibrationMicroseconds], 12_300);
  assert.ok(budgets[0]! > budgets[1]!, 'less time while it serves');
});

test('more items are no pressure: what the probe finds is held against the same amount of memory', async () => {
  const harness = new RpcHarness();
  let speed = 10;
  let nowMs = 0;
  let count = 0;
  const { calibration } = calibrationOf(harness, {
    measure: async () => {
      count++;
      return measured(2000);
    },
    probe: () => speed,
    clock: () => nowMs,
  });
  await calibration.start();
  for (let round = 0; round < 6; round++) {
    const key = `k${round}`;
    // Every round fills twice as many pages, of which fewer are in the caches.
    for (let item = 0; item < 2 ** round; item++)
      harness.session.ask(`set ${key}-${item} 0 0 900000\r\n${'v'.repeat(900_000)}\r\n`);
    speed *= 1.6;
    for (let look = 0; look < 2; look++) {
      nowMs += 40_000;
      await calibration.look();
    }
  }
  assert.equal(count, 1);
});

for (const { kind, available, reason } of availableTransports()) {
  if (kind === 'node') continue;
  test(`${kind}: measuring ends in under a second though every batch takes a millisecond`, {
    skip: available ? false : (reason ?? 'not available'),
  }, async () => {
    // Two looks at the clock enclose a batch of 64 KiB, which takes some 50 microseconds in life.
    let looks = 0;
    const now = (): number => looks++;
    const { calibration, lines } = calibrationOf(new RpcHarness(), {
      measure: (budgetMs) => calibrateCopyThreshold(kind, { budgetMs, coldBytes: 4 * MIB, now }),
      probe: () => 1,
      clock: () => 0,
    });
    await calibration.start();
    const { elapsedMs, rounds } = JSON.parse(lines[0]!) as { elapsedMs: number; rounds: number };
    assert.ok(rounds >= 1 && elapsedMs > 0 && elapsedMs < 1000, `${elapsedMs} ms, ${rounds} rounds`);
    assert.ok(looks < 1000);
  });
}

test('every transport has a default', () => {
  assert.ok(availableTransports().every(({ kind }) => COPY_BYTES_MAX[kind] >= 512));
});
