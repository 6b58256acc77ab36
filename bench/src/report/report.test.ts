import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type CapacityResult,
  type CompareResult,
  type GrowthResult,
  isMet,
  type PauseMeasurement,
  type Report,
  type RunSummary,
  ratioOf,
  targetText,
} from '../cache/results.ts';
import { median, spread } from '../harness/statistics.ts';
import { drawReport } from './cache-chart.ts';
import { describeResult, formatCount, formatMicroseconds, markdownReport } from './cache-tables.ts';
import { mergeReports, readReport, writeReport } from './files.ts';

function runOf(keysPerCpuSecond: number, p99Us = 200): RunSummary {
  return {
    keysPerSecond: keysPerCpuSecond * 0.9,
    keysPerCpuSecond,
    cpuMicrosecondsPerKey: 1e6 / keysPerCpuSecond,
    serverBusy: 0.9,
    loadBusy: 1,
    serverWaited: 0.01,
    loadWaited: 0.25,
    disturbed: 0,
    p50Us: 90,
    p99Us,
    p999Us: 400,
    maxUs: 900,
    misses: 0,
    lost: 0,
    latency: [
      [0, 20],
      [50, 90],
      [99, p99Us],
      [99.9, 400],
      [100, 900],
    ],
  };
}

function compareOf(name: string, title: string, ratios: readonly number[], ratePerSecond = 0): CompareResult {
  const peer = ratios.map(() => runOf(100_000));
  const subject = ratios.map((ratio) => runOf(100_000 * ratio));
  const ratio = ratioOf(subject, peer, 'keysPerCpuSecond');
  return {
    kind: 'compare',
    name,
    title,
    about: 'A <case> & more.',
    measuredAt: '2026-01-02T03:04:05.000Z',
    metric: 'keysPerCpuSecond',
    target: { atLeast: 1.4 },
    subject: { label: 'larder', runs: subject },
    peer: { label: 'memcached', runs: peer },
    ratio,
    ratePerSecond,
    met: isMet(ratio.median, { atLeast: 1.4 }),
  };
}

const PAUSE: PauseMeasurement = {
  steadyMaxMs: 0.8,
  steadyP999Ms: 0.5,
  growingMaxMs: 1.4,
  growingP999Ms: 0.6,
  loadStallMs: 0.3,
  serverWaited: 0.01,
  loadWaited: 0.02,
  setsPerSecond: 500_000,
  hashPowerBefore: '22',
  hashPowerAfter: '23',
};
const GROWTH: GrowthResult = {
  kind: 'growth',
  name: 'growth',
  title: 'growth',
  about: '',
  measuredAt: '2026-01-02T03:04:05.000Z',
  met: true,
  pauseMsMax: 5,
  larder: { ...PAUSE, serverLongestSliceMs: 1.9 },
  memcached: PAUSE,
};
const CAPACITY: CapacityResult = {
  kind: 'capacity',
  name: 'capacity',
  title: 'items held',
  about: '',
  measuredAt: '2026-01-02T03:04:05.000Z',
  met: false,
  target: { atLeast: 1 },
  memoryMegabytes: 64,
  valueBytes: 100,
  stored: 1000,
  items: { larder: 90, memcached: 100 },
  residentMegabytes: { larder: 120, memcached: 70 },
  residentMegabytesMax: 173.6,
  ratio: 0.9,
};
const REPORT: Report = {
  machine: {
    date: '2026-01-02T03:04:05.000Z',
    cpu: 'A <fast> CPU & more',
    cores: 2,
    memoryGigabytes: 24,
    kernel: '6.18.0',
    system: 'Debian',
    architecture: 'x64',
    node: 'v24.0.0',
    memcached: 'memcached 1.6.18',
  },
  seconds: 3,
  alternations: 3,
  cases: [
    compareOf('get', 'get "32 B"', [1.5, 1.2, 1.9]),
    compareOf('latency', 'p99', [1.0, 1.1, 1.2], 70_000),
    CAPACITY,
    GROWTH,
  ],
};

test('medians, spreads and pairwise ratios', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
  assert.deepEqual(spread([1.5, 1.2, 1.9]), { median: 1.5, min: 1.2, max: 1.9 });
  // Pair by pair, not median by median: those would give 1.
  const ratio = ratioOf(
    [runOf(10), runOf(40), runOf(30)],
    [runOf(30), runOf(10), runOf(40)],
    'keysPerCpuSecond',
  );
  assert.equal(ratio.median, 0.75);
  assert.ok(isMet(1.4, { atLeast: 1.4 }) && !isMet(1.39, { atLeast: 1.4 }));
  assert.ok(isMet(1, { atMost: 1 }) && !isMet(1.01, { atMost: 1 }));
  assert.equal(targetText({ atMost: 1.15 }), '≤ 1.15');
});

test('numbers are written for people', () => {
  assert.deepEqual(
    [formatCount(1_234_567), formatCount(123_456), formatCount(999)],
    ['1.23 M', '123 k', '999'],
  );
  assert.deepEqual(
    [formatMicroseconds(12.34), formatMicroseconds(345.6), formatMicroseconds(45_678)],
    ['12.3 µs', '346 µs', '45.7 ms'],
  );
});

test('the terminal says what was measured and whether it is enough', () => {
  const text = REPORT.cases.map(describeResult).join('\n');
  assert.match(text, /ratio of keys per server CPU second: 1\.50 \(1\.20 to 1\.90\), target ≥ 1\.4: met/);
  assert.match(text, /1\.10 \(1\.00 to 1\.20\), target ≥ 1\.4: NOT MET/);
  assert.match(text, /larder +90 items, 120 MB resident \(at most 174\)/);
  assert.match(text, /hash power 22 to 23/);
});

test('the page has a row per server and the machine', () => {
  const page = markdownReport(
    {
      ...REPORT,
      crossCheck: {
        measuredAt: '2026-01-02T03:04:05.000Z',
        tool: 'memcaslap',
        ours: spread([6.1, 6.3]),
        theirs: spread([6, 6.2]),
        oursKeysPerSecond: 150_000,
        theirsKeysPerSecond: 140_000,
      },
    },
    'cache',
  );
  assert.match(page, /\| larder \| 135 k \| 150 k \| .*\*\*1\.50\*\* \(1\.20–1\.90\) \| ≥ 1\.4 \| met \|/);
  assert.match(page, /Node\.js v24\.0\.0, memcached 1\.6\.18/);
  assert.match(page, /\*\*0\.90\*\* .* NOT MET/);
  assert.match(page, /longest slice of maintenance/);
  assert.match(page, /The two differ by 1\.6%/);
  for (const row of page.split('\n').filter((line) => line.startsWith('|')))
    assert.ok(row.endsWith('|'), row);
});

test('the picture is well-formed and complete', () => {
  const svg = drawReport(REPORT);
  assert.ok(svg.startsWith('<svg ') && svg.trimEnd().endsWith('</svg>'));
  assert.ok(svg.includes('A &lt;fast&gt; CPU &amp; more') && svg.includes('get &quot;32 B&quot;'));
  assert.ok(!svg.includes('NaN') && !svg.includes('Infinity') && !svg.includes('undefined'));
  // Every element is closed: text with an end tag, shapes by themselves.
  assert.equal(svg.match(/<text /g)?.length, svg.match(/<\/text>/g)?.length);
  for (const shape of svg.match(/<(rect|line|path) [^>]*>/g) ?? []) assert.ok(shape.endsWith('/>'), shape);
  // One bar per ratio (two cases and the capacity), one curve per server of the open loop.
  assert.equal(svg.match(/<rect [^>]*rx="2"/g)?.length, 3);
  assert.equal(svg.match(/<path /g)?.length, 2);
});

test('a report without results is drawn too', () => {
  assert.ok(!drawReport({ ...REPORT, cases: [] }).includes('NaN'));
});

test('files are written, read again and merged by case', () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-bench-test-'));
  try {
    assert.equal(readReport(folder, 'cache'), undefined);
    assert.equal(writeReport(folder, 'cache', REPORT).length, 3);
    assert.ok(readFileSync(join(folder, 'cache.svg'), 'utf8').startsWith('<svg'));
    const earlier = readReport(folder, 'cache');
    assert.deepEqual(earlier, JSON.parse(JSON.stringify(REPORT)));
    const renewed: Report = { ...REPORT, cases: [compareOf('get', 'renewed', [2])] };
    const merged = mergeReports(earlier, renewed, ['get', 'latency', 'capacity', 'growth']);
    assert.deepEqual(
      merged.cases.map((result) => result.title),
      ['renewed', 'p99', 'items held', 'growth'],
    );
    const elsewhere: Report = { ...renewed, machine: { ...REPORT.machine, cpu: 'another' } };
    assert.equal(mergeReports(earlier, elsewhere, ['get', 'latency']).cases.length, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
