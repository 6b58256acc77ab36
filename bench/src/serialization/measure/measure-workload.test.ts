import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { selectTransport } from '@larder/datapath';
import { Processes } from '../../harness/processes.ts';
import { drawSerialization } from '../report/chart.ts';
import { mergeReports } from '../report/files.ts';
import {
  bestOf,
  type ContestantResult,
  contestantOf,
  ratioOf,
  ratioUncertainty,
  type SerializationReport,
} from '../report/results.ts';
import { markdownReport, targetLines } from '../report/tables.ts';
import { closeContestants, targetResults } from '../report/targets.ts';
import { measureWorkload } from './measure-workload.ts';

const kind = selectTransport(undefined, {});
const missing =
  kind === 'node' || spawnSync('taskset', ['-V']).error !== undefined
    ? 'needs io_uring or epoll, and taskset'
    : false;

test('a small workload runs over the simulated NIC, TCP and UDP, and every reply is right', {
  skip: missing,
}, async () => {
  const processes = new Processes();
  const settings = {
    rounds: 2,
    closeProcesses: 1,
    closeRounds: 1,
    seconds: 0.03,
    warmupSeconds: 0.03,
    serverCpu: '0',
    loadCpu: '0',
    objectsMax: 300,
    requestsMax: 600,
    transport: kind === 'epoll' ? ('epoll' as const) : ('uring' as const),
    thresholds: { nic: 512, tcp: 512, udp: 512 },
    say: () => {},
  };
  try {
    const first = await measureWorkload(
      processes,
      { workload: 'twitter', modes: ['tcp'], latency: true },
      { ...settings, serializers: ['larder', 'protobufjs'] },
    );
    const second = await measureWorkload(
      processes,
      { workload: 'cdn', modes: ['nic', 'udp'], latency: false },
      { ...settings, serializers: ['larder-list'] },
    );
    const results = [...first.modes, ...second.modes];
    assert.deepEqual(
      results.map(({ mode }) => mode),
      ['tcp', 'nic', 'udp'],
    );
    for (const { contestants } of results) {
      for (const { runs } of contestants) {
        assert.ok(runs.length === 2 || runs.length === 3);
        assert.ok(runs.every(({ requests, cpuSeconds }) => requests > 0 && cpuSeconds > 0));
      }
    }
    assert.equal(first.latencies[0]!.contestants.length, 2);
    assert.ok(first.latencies[0]!.contestants.every(({ run }) => run.latency.length > 0));
  } finally {
    await processes.endAll();
  }
});

/** A report in which Larder does so many requests per CPU second, and its peers these. */
function report(
  workload: string,
  mode: 'nic' | 'tcp',
  rates: Readonly<Record<string, number>>,
): SerializationReport {
  const run = (rate: number) => ({ requests: rate, seconds: 2, cpuSeconds: 1, lost: 0, latency: [] });
  return {
    machine: {
      date: '2026-01-01',
      cpu: 'c',
      cores: 2,
      memoryGigabytes: 1,
      kernel: '6',
      system: 's',
      architecture: 'x64',
      node: 'v24',
    },
    rounds: 3,
    closeRounds: 0,
    seconds: 1,
    thresholds: { nic: 512, tcp: null },
    modes: [
      {
        workload,
        mode,
        contestants: Object.entries(rates).map(([serializer, rate]) => ({
          serializer,
          runs: [run(rate), run(rate * 2), run(rate)],
        })),
      },
    ],
    latencies: [],
  };
}

test('targets are held against the best peer, the better half and the other pass', () => {
  const rates = {
    larder: 200,
    'larder-copies': 90,
    'larder-references': 205,
    'larder-list': 180,
    json: 50,
    protobufjs: 101,
  };
  const targets = targetResults(report('cdn', 'nic', rates));
  assert.deepEqual(
    targets.map(({ title, met }) => [title, met]),
    [
      ['best peer (protobufjs)', false],
      ['better half (larder-references)', false],
      ['without serialize-and-send', true],
    ],
  );
  assert.equal(targetLines(targets).filter((line) => line.startsWith('MISSED')).length, 2);
  const sockets = targetResults(report('cdn', 'tcp', { larder: 200, 'protobuf-es': 100 }));
  assert.deepEqual(
    sockets.map(({ title, met }) => [title, met]),
    [
      ['best peer (protobuf-es)', true],
      ['protobuf-es', true],
    ],
  );
});

test('those near a target, and their rivals, are measured more closely', () => {
  const near = (rates: Readonly<Record<string, number>>): string[] =>
    closeContestants(report('google-1', 'nic', rates).modes[0]!).sort();
  const halves = { 'larder-references': 98, 'larder-copies': 60 };
  assert.deepEqual(near({ larder: 100, ...halves, protobufjs: 95, flatbuffers: 91, json: 50 }), [
    'flatbuffers',
    'larder',
    'larder-references',
    'protobufjs',
  ]);
  assert.deepEqual(near({ larder: 100, json: 50 }), []);
});

test('a ratio of rounds that differ more is less certain', () => {
  const contestant = (rates: number[]): ContestantResult => ({
    serializer: 'x',
    runs: rates.map((requests) => ({ requests, seconds: 1, cpuSeconds: 1, lost: 0, latency: [] })),
  });
  const even = contestant([100, 100, 100, 100, 100]);
  assert.equal(ratioUncertainty(even, even), 0);
  const steady = ratioUncertainty(contestant([99, 100, 101, 100, 100]), even);
  const loose = ratioUncertainty(contestant([90, 100, 110, 100, 95]), even);
  assert.ok(steady > 0 && steady < 0.01 && loose > 5 * steady, `${steady} ${loose}`);
  assert.equal(ratioOf(contestant([200, 300]), even), 2.5, 'only rounds that both were in');
});

test('ratios pair the runs of one round, and the best is by median', () => {
  const [mode] = report('cdn', 'nic', { larder: 300, json: 100, protobufjs: 150 }).modes;
  assert.equal(ratioOf(contestantOf(mode!, 'larder')!, contestantOf(mode!, 'json')!), 3);
  assert.equal(bestOf(mode!, ['json', 'protobufjs'])!.serializer, 'protobufjs');
  assert.equal(bestOf(mode!, ['capnp-es']), undefined);
});

test('a report keeps what was not measured again on the same machine, and shows everything', () => {
  const earlier = report('cdn', 'nic', { larder: 1, json: 1 });
  const now = report('twitter', 'nic', { larder: 200_000, json: 100_000, none: 250_000 });
  const merged = mergeReports(earlier, now, ['twitter', 'cdn']);
  assert.deepEqual(
    merged.modes.map(({ workload }) => workload),
    ['twitter', 'cdn'],
  );
  const renewed = mergeReports(merged, report('cdn', 'nic', { larder: 7 }), ['twitter', 'cdn']);
  assert.equal(renewed.modes.length, 2);
  assert.equal(renewed.modes[1]!.contestants[0]!.runs[0]!.requests, 7);
  const elsewhere = { ...now, machine: { ...now.machine, cpu: 'other' } };
  assert.equal(mergeReports(merged, elsewhere, []).modes.length, 1);
  const markdown = markdownReport(merged);
  assert.match(markdown, /\| json \| 2\.00 \| 1\.00 \|/);
  assert.match(markdown, /Twitter cluster 4, \(c\) simulated NIC \| json \| 2\.00 \| 2\.50 \|/);
  assert.match(drawSerialization(merged), /Twitter cluster 4/);
});
