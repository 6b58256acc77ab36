import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { libcUnavailableReason } from '@larder/datapath/internal';
import { Processes } from '../harness/processes.ts';
import { PeerProcess } from '../serialization/measure/peer-process.ts';
import { MESSAGES, TARGET_MESSAGE } from './messages.ts';
import type { CodecCommand, CodecReply } from './process.ts';
import { type CodecReport, codecMarkdown, codecTargets, drawCodec } from './report.ts';
import { run } from './run.ts';

const missing =
  libcUnavailableReason() ?? (spawnSync('taskset', ['-V']).error === undefined ? false : 'needs taskset');

test('a codec process measures messages and counts what they allocate', { skip: missing }, async () => {
  const processes = new Processes();
  try {
    for (const serializer of ['larder', 'protobufjs']) {
      const codec = new PeerProcess<CodecCommand, CodecReply>(
        processes,
        serializer,
        '../../codec/process.ts',
        '0',
        ['--expose-gc'],
      );
      await codec.ask({ kind: 'prepare', serializer, referenceBytesMin: 512 }, 'ready');
      for (const { name } of MESSAGES) {
        const { numbers } = await codec.ask({ kind: 'measure', message: name, seconds: 0.01 }, 'measured');
        assert.ok(numbers.encodeNs > 0 && numbers.decodeNs > 0);
      }
      await assert.rejects(codec.ask({ kind: 'measure', message: 'nothing', seconds: 1 }, 'measured'), {
        code: 'USAGE',
      });
    }
  } finally {
    await processes.endAll();
  }
});

test('targets compare rounds, and everything is shown', () => {
  const result = (serializer: string, encodeNs: number, encodeObjects: number) => ({
    serializer,
    message: TARGET_MESSAGE,
    runs: [
      { encodeNs, decodeNs: encodeNs },
      { encodeNs: encodeNs * 3, decodeNs: encodeNs },
    ],
    allocations: { encodeBytes: 10, decodeBytes: 20, encodeObjects },
  });
  const report: CodecReport = {
    machine: {
      date: '2026-01-01',
      cpu: 'c',
      cores: 1,
      memoryGigabytes: 1,
      kernel: '6',
      system: '',
      architecture: '',
      node: '',
    },
    rounds: 2,
    seconds: 1,
    results: [result('larder', 100, 3), result('protobufjs', 140, 9)],
  };
  assert.deepEqual(
    codecTargets(report).map(({ met }) => met),
    [false, true, false],
  );
  assert.match(codecMarkdown(report), /\| larder \| {2}\| 200 \|/);
  assert.match(drawCodec(report), /protobufjs/);
});

test('bad command lines are errors', async () => {
  await assert.rejects(run(['xml']), { code: 'USAGE' });
  await assert.rejects(run(['--rounds', '0']), { code: 'USAGE' });
});
