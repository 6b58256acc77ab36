import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { star } from '@larder/erasure';
import { buildDriver, type DriverName, findCompiler } from './build-drivers.ts';
import { dataBytes, XOR_CASES, type XorCase } from './cases.ts';
import { driver, larder } from './contestants.ts';
import { describeXor, drawXor, xorPage } from './report.ts';
import type { XorReport, XorResult } from './results.ts';

const folder = mkdtempSync(join(tmpdir(), 'larder-xor-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('cases: names of their own, every target of the evaluation', () => {
  assert.equal(new Set(XOR_CASES.map((spec) => spec.name)).size, XOR_CASES.length);
  const targets = XOR_CASES.filter((spec) => spec.ratioMin !== undefined);
  assert.equal(targets.filter((spec) => spec.ratioMin === 0.4).length, 9);
  assert.deepEqual(
    targets.filter((spec) => spec.ratioMin === 1.5 && !/small/.test(spec.name)).map((spec) => spec.name),
    ['crs-10-4', 'crs-6-3', 'rdp-11', 'star-7'],
  );
  assert.equal(dataBytes(XOR_CASES[0]!), 4 * 512 * 1024);
});

const small: Readonly<Record<DriverName, XorCase>> = {
  isal: { kind: 'sum', name: 'sum', title: '', peer: 'isal', sources: 5, bytes: 4096 },
  jerasure: {
    kind: 'encode',
    name: 'star',
    title: '',
    peer: 'jerasure',
    code: star(5),
    symbolBytes: 1024,
  },
};

for (const [name, spec] of Object.entries(small) as [DriverName, XorCase][]) {
  const built = buildDriver(name, folder, findCompiler());
  const skip = 'missing' in built ? built.missing : false;
  test(`the driver of ${name} computes the same bytes as Larder`, { skip }, async () => {
    assert.ok('path' in built);
    const peer = await driver(built.path, spec);
    const own = larder(spec);
    assert.notEqual(peer.hash, 0);
    assert.equal(peer.hash, own.hash);
    assert.ok((await peer.run(1)) > 0);
    assert.ok((await own.run(1)) > 0);
    peer.close();
  });
}

test('a driver that cannot be built says what is missing', () => {
  const none = buildDriver('isal', folder, undefined);
  assert.ok('missing' in none && /no C compiler/.test(none.missing));
  // A compiler that fails at everything.
  const failing = buildDriver('jerasure', folder, 'false');
  assert.ok('missing' in failing && /libjerasure-dev/.test(failing.missing));
});

test('the report names every case, its ratio and what was missed', () => {
  const spread = (value: number) => ({ median: value, min: value, max: value });
  const result = (name: string, ratio: number): XorResult => ({
    name,
    title: `title <${name}>`,
    dataBytes: 1,
    larder: { text: 'Larder', gigabytesPerSecond: spread(20 * ratio) },
    peer: { name: 'jerasure', text: 'Jerasure', gigabytesPerSecond: spread(20) },
    ratio: spread(ratio),
    ratioMin: 1.5,
    met: ratio >= 1.5,
  });
  const report: XorReport = {
    machine: {
      ...{
        date: '2026-01-01T00:00:00Z',
        cpu: 'CPU',
        cores: 2,
        memoryGigabytes: 8,
        kernel: '6',
        system: 'OS',
      },
      ...{ architecture: 'x64', node: 'v24' },
    },
    alternations: 3,
    milliseconds: 10,
    results: [result('good', 2), result('bad', 1)],
    skipped: ['nothing to see'],
  };
  const page = xorPage(report);
  assert.match(page, /\| title <good> .* 2\.00 \(2\.00–2\.00\) \| ≥ 1\.5 \| reached \|/);
  assert.match(page, /\*\*missed\*\*/);
  assert.match(page, /Not compared: nothing to see/);
  assert.match(drawXor(report), /title &lt;bad&gt;/);
  assert.match(describeXor(report.results[1]!), /MISSED: ≥ 1\.5/);
  const { ratioMin: _, ...untargeted } = report.results[0]!;
  assert.match(describeXor(untargeted), /no target/);
});
