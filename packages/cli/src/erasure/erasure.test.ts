/** Erasure-coded files: real files, and the command as a user runs it. Never wrong bytes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createCode } from '@larder/erasure';
import fc from 'fast-check';
import { decodeFile } from './decode-file.ts';
import { chooseSymbolBytes, encodeFile, shardNames } from './encode-file.ts';
import { ErasureFileError } from './errors.ts';
import { composeManifest, type Manifest, readManifest } from './manifest.ts';
import { parseShardHeader, SHARD_HEADER_BYTES } from './shard-header.ts';
import { verifyFile } from './verify-file.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const seed = 2014;

const root = mkdtempSync(join(tmpdir(), 'larder-erasure-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

function folder(): string {
  const path = join(root, String(folders++));
  mkdirSync(path);
  return path;
}

function content(bytes: number, fill = 1): Buffer {
  const buffer = Buffer.alloc(bytes);
  let state = fill | 1;
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 69_069) + 1) >>> 0;
    buffer[i] = state >>> 24;
  }
  return buffer;
}

interface Result {
  readonly status: number | string;
  readonly output: string;
  readonly errors: string;
}

async function larder(...args: string[]): Promise<Result> {
  const child = spawn(process.execPath, ['-C', 'larder-source', MAIN, 'erasure', ...args]);
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [status, signal] = (await once(child, 'close')) as [number | null, string];
  return { status: status ?? signal, output, errors };
}

/** An encoded file in a folder of its own. */
async function encoded(
  bytes: Buffer,
  name: string,
  parameters: Record<string, number>,
  symbolBytes?: number,
) {
  const at = folder();
  const file = join(at, 'data.bin');
  writeFileSync(file, bytes);
  const code = createCode(name, parameters);
  const options = { code, isForced: false, ...(symbolBytes === undefined ? {} : { symbolBytes }) };
  const { manifest, manifestPath } = await encodeFile(file, options);
  const shards = manifest.shards.map((shard) => join(at, shard.file));
  return { at, file, code, manifest, manifestPath, shards, target: join(at, 'restored.bin') };
}

type Encoded = Awaited<ReturnType<typeof encoded>>;

async function restore(set: Encoded, isRepair = false) {
  return decodeFile(await readManifest(set.manifestPath), { target: set.target, isForced: true, isRepair });
}

/** Nothing was restored, and nothing temporary is left. */
function assertNothingWritten(set: Encoded): void {
  assert.ok(!existsSync(set.target), 'no restored file');
  assertNoTemporaryFiles(set.at);
}

function assertNoTemporaryFiles(at: string): void {
  assert.deepEqual(
    readdirSync(at).filter((name) => name.endsWith('.tmp')),
    [],
  );
}

test('files of any length survive the loss of any m shards, for every kind of code', async () => {
  const codes: [string, Record<string, number>][] = [
    ['crs', { k: 4, m: 3 }],
    ['rdp', { p: 5 }],
    ['star', { p: 5, k: 3 }],
    ['xcode', { p: 5 }],
    ['hdp', { p: 7 }],
    ['liber8tion', { k: 3 }],
    ['rs', { k: 3, m: 2 }],
  ];
  for (const [i, [name, parameters]] of codes.entries()) {
    for (const bytes of [0, 1, 5000, 40_001]) {
      const data = content(bytes, i + bytes);
      const set = await encoded(data, name, parameters, bytes > 64 ? 128 : undefined);
      for (let lost = 0; lost < set.code.tolerance; lost++) {
        rmSync(set.shards[(i + bytes + lost * 2) % set.code.nodes]!);
      }
      const { damages } = await restore(set);
      assert.equal(damages.length, set.code.tolerance);
      assert.ok(readFileSync(set.target).equals(data), `${set.code.id}, ${bytes} bytes`);
      await restore(set, true);
      const { damages: left, contradictions } = await verifyFile(await readManifest(set.manifestPath));
      assert.deepEqual([left, contradictions], [[], []], 'repaired');
      assertNoTemporaryFiles(set.at);
    }
  }
});

test('random damage: the right bytes while at most m shards are hit, otherwise an error; never wrong ones', async () => {
  const data = content(30_000);
  const set = await encoded(data, 'evenodd', { p: 5 }, 256);
  const whole = set.shards.map((path) => readFileSync(path));
  let refused = 0;
  const hit = fc.record({
    shard: fc.nat(set.shards.length - 1),
    how: fc.constantFrom('flip', 'cut', 'grow', 'zero', 'swap', 'remove'),
    place: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(hit, { maxLength: 4 }), async (hits) => {
      for (const [i, path] of set.shards.entries()) writeFileSync(path, whole[i]!);
      const damaged = new Set<number>();
      for (const { shard, how, place } of hits) {
        if (!existsSync(set.shards[shard]!)) continue;
        damaged.add(shard);
        const bytes = readFileSync(set.shards[shard]!);
        if (bytes.length > 0) bytes[place % bytes.length]! ^= 1 << (place % 8);
        if (how === 'flip') writeFileSync(set.shards[shard]!, bytes);
        if (how === 'cut') truncateSync(set.shards[shard]!, place % whole[shard]!.length);
        if (how === 'grow')
          writeFileSync(set.shards[shard]!, Buffer.concat([whole[shard]!, Buffer.alloc(1)]));
        if (how === 'zero') writeFileSync(set.shards[shard]!, Buffer.alloc(whole[shard]!.length));
        if (how === 'swap') copyFileSync(set.shards[(shard + 1) % set.shards.length]!, set.shards[shard]!);
        if (how === 'remove') rmSync(set.shards[shard]!);
      }
      rmSync(set.target, { force: true });
      try {
        await restore(set);
        assert.ok(readFileSync(set.target).equals(data));
      } catch (error) {
        if (!(error instanceof ErasureFileError)) throw error;
        assert.equal(error.code, 'LOST');
        assert.ok(damaged.size > set.code.tolerance, error.message);
        assertNothingWritten(set);
        refused++;
      }
      assertNoTemporaryFiles(set.at);
    }),
    { seed, numRuns: 60 },
  );
  assert.ok(refused > 3, 'the property met too much damage');
});

test('each kind of damage is named', async () => {
  const data = content(20_000);
  const reasons: [damage: (path: string) => void, reason: RegExp][] = [
    [(path) => rmSync(path), /shard 1 .*it is missing/],
    [(path) => truncateSync(path, 700), /it is cut short: 700 bytes of \d+/],
    [(path) => truncateSync(path, 20), /too short to be a shard/],
    [(path) => truncateSync(path, 0), /too short to be a shard \(0 bytes\)/],
    [(path) => writeFileSync(path, Buffer.concat([readFileSync(path), content(3)])), /it is too long/],
    [(path) => flip(path, 3), /not a shard \(wrong first bytes\)/],
    [(path) => flip(path, 13), /its header is damaged/],
    [(path) => flip(path, SHARD_HEADER_BYTES + 9), /its content is damaged \(wrong checksum\)/],
  ];
  const set = await encoded(data, 'crs', { k: 4, m: 2 }, 256);
  const path = set.shards[1]!;
  const whole = readFileSync(path);
  for (const [damage, reason] of reasons) {
    writeFileSync(path, whole);
    damage(path);
    const { damages } = await restore(set);
    assert.match(`shard ${damages[0]!.node} ${damages[0]!.reason}`, reason);
    assert.equal(damages.length, 1);
    assert.ok(readFileSync(set.target).equals(data));
    const verified = await verifyFile(await readManifest(set.manifestPath));
    assert.match(`shard ${verified.damages[0]!.node} ${verified.damages[0]!.reason}`, reason);
    assert.ok(verified.isRestorable);
  }
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 0x40;
  writeFileSync(path, bytes);
}

test('shards of another file are refused; names mixed up within a set are sorted out', async () => {
  const data = content(9000, 3);
  const [set, other] = [
    await encoded(data, 'crs', { k: 3, m: 2 }, 256),
    await encoded(content(9000, 4), 'crs', { k: 3, m: 2 }, 256),
  ];
  copyFileSync(other.shards[2]!, set.shards[2]!);
  const { damages } = await restore(set);
  assert.match(damages[0]!.reason, /it belongs to another file/);
  assert.ok(readFileSync(set.target).equals(data));
  await restore(set, true);
  const spare = join(set.at, 'spare');
  renameSync(set.shards[0]!, spare);
  renameSync(set.shards[4]!, set.shards[0]!);
  renameSync(spare, set.shards[4]!);
  const mixed = await restore(set);
  assert.deepEqual(mixed.damages, []);
  assert.match(mixed.notes.join(), /00\.shard is shard 4, not 0/);
  assert.ok(readFileSync(set.target).equals(data));
  rmSync(set.shards[4]!);
  // What is called shard 0 is the only copy of shard 4: repairing shard 0 must not overwrite it.
  await assert.rejects(restore(set, true), /is in truth shard 4: rename it/);
  for (const node of [0, 1, 2]) copyFileSync(other.shards[node]!, set.shards[node]!);
  rmSync(set.target);
  await assert.rejects(restore(set), { code: 'LOST' });
  assertNothingWritten(set);
});

/** A manifest with other fields and a right checksum. */
function lie(set: Encoded, changes: Partial<Record<keyof Manifest, unknown>>): void {
  writeFileSync(set.manifestPath, composeManifest({ ...set.manifest, ...changes } as Manifest));
}

test('a manifest that lies is found out, whatever it lies about', async () => {
  const data = content(9000, 7);
  const set = await encoded(data, 'rdp', { p: 5 }, 256);
  // Without two data shards every parity has to be believed.
  const lost = [0, 1].map((node) => readFileSync(set.shards[node]!));
  for (const node of [0, 1]) rmSync(set.shards[node]!);
  const { shards, bytes } = set.manifest;
  const other = createHash('sha256').update('other').digest('hex');
  const renamed = (file: string) => shards.map((shard, i) => (i === 1 ? { ...shard, file } : shard));
  const lies: [Partial<Record<keyof Manifest, unknown>>, RegExp][] = [
    [{ sha256: other }, /the manifest is wrong/],
    [{ bytes: bytes - 1 }, /the manifest is wrong/],
    [{ bytes: bytes + 1 }, /the manifest is wrong/],
    [{ bytes: bytes * 2 }, /18000 bytes are 5 stripes, not 3/],
    [{ bytes: -1 }, /"bytes" is not a whole number/],
    [{ bytes: 1.5 }, /"bytes" is not a whole number/],
    [{ stripes: 2 }, /bytes are 3 stripes, not 2/],
    [{ symbolBytes: 512, stripes: 2 }, /cannot be restored: 6 of 6 shards/],
    [{ symbolBytes: 100 }, /not a multiple of 64/],
    [{ symbolBytes: 2 ** 40 }, /"symbolBytes" is not a whole number/],
    [{ code: 'evenodd', parameters: { p: 5 } }, /9000 bytes are|7 shards, but 6 are listed/],
    [{ code: 'evenodd', parameters: { p: 5, k: 4 } }, /the manifest is wrong/],
    [{ code: 'raid' }, /unknown code/],
    [{ parameters: { p: 6 } }, /p must be a prime/],
    [{ parameters: { p: 'five' } }, /"parameters"/],
    [{ parameters: null }, /"parameters"/],
    [{ set: '00'.repeat(16) }, /cannot be restored: 6 of 6 shards are lost/],
    [{ shards: shards.slice(1) }, /shard 0 is not the one of node 0/],
    [{ shards: shards.slice(0, 5) }, /has 6 shards, but 5 are listed/],
    [{ shards: 'all' }, /"shards" is not a list/],
    [{ shards: renamed('../../etc/passwd') }, /not a plain file name/],
    [{ shards: renamed('..') }, /not a plain file name/],
    [{ shards: renamed(shards[0]!.file) }, /names a file twice/],
    [{ shards: shards.map((shard) => ({ ...shard, sha256: other })) }, /cannot be restored/],
    [{ file: '/etc/passwd' }, /not a plain file name/],
    [{ file: '' }, /not a plain file name/],
  ];
  for (const [changes, reason] of lies) {
    lie(set, changes);
    await assert.rejects(restore(set), reason, JSON.stringify(changes).slice(0, 80));
    assertNothingWritten(set);
  }
  for (const node of [0, 1]) writeFileSync(set.shards[node]!, lost[node]!);
  // One wrong checksum is as good as one damaged shard.
  lie(set, { shards: shards.map((shard, i) => (i === 1 ? { ...shard, sha256: other } : shard)) });
  await restore(set);
  assert.ok(readFileSync(set.target).equals(data));
  rmSync(set.target);
  lie(set, { sha256: other });
  const { contradictions, isRestorable } = await verifyFile(await readManifest(set.manifestPath));
  assert.match(contradictions.join(), /do not make the file/);
  assert.equal(isRestorable, false);
  lie(set, { code: 'evenodd', parameters: { p: 5, k: 4 } });
  assert.match(
    (await verifyFile(await readManifest(set.manifestPath))).contradictions.join(),
    /stripe 0: the parities are not those of the data/,
  );
});

test('a damaged manifest is refused', async () => {
  const set = await encoded(content(500), 'crs', { k: 3, m: 2 });
  const whole = readFileSync(set.manifestPath);
  const refused = (text: string | Buffer, reason: RegExp) => {
    writeFileSync(set.manifestPath, text);
    return assert.rejects(readManifest(set.manifestPath), reason);
  };
  await refused('', /not JSON/);
  await refused('[]', /is not a manifest/);
  await refused('{}', /format is not/);
  await refused(whole.subarray(0, 200), /not JSON/);
  await refused(whole.toString().replace('"bytes": 500', '"bytes": 501'), /checksum does not match/);
  await refused(whole.toString().replace('"version": 1', '"version": 2'), /version 2, this program reads 1/);
  await refused(Buffer.alloc(2 << 20, 32), /manifests have at most/);
  rmSync(set.manifestPath);
  await assert.rejects(readManifest(set.manifestPath), /cannot read the manifest .*no such file/);
});

test('shard headers: any changed bit is noticed; symbols fit the file', () => {
  const bytes = readFileSync(
    join(root, '0', readdirSync(join(root, '0')).find((name) => /shard/.test(name))!),
  );
  const header = bytes.subarray(0, SHARD_HEADER_BYTES);
  assert.equal(typeof parseShardHeader(header), 'object');
  for (let i = 0; i < SHARD_HEADER_BYTES; i++) {
    const changed = Buffer.from(header);
    changed[i]! ^= 1;
    assert.equal(typeof parseShardHeader(changed), 'string', `byte ${i}`);
  }
  const code = createCode('crs', { k: 6, m: 3 });
  assert.equal(chooseSymbolBytes(code, 0, undefined), 64);
  assert.equal(chooseSymbolBytes(code, 1e12, undefined), 65_536);
  const large = createCode('evenodd', { p: 101 });
  assert.ok(chooseSymbolBytes(large, 1e12, undefined) * large.symbolCount <= 32 << 20);
  assert.throws(() => chooseSymbolBytes(code, 10, 100), /multiple of 64/);
  assert.throws(() => chooseSymbolBytes(large, 10, 1 << 20), /a stripe .* would take/);
  assert.deepEqual(shardNames('a', 2), ['a.00.shard', 'a.01.shard']);
});

test('the command: encode, lose, verify, restore, repair', async () => {
  const at = folder();
  const file = join(at, 'a file.bin');
  const data = content(200_000, 5);
  writeFileSync(file, data);
  const made = await larder('encode', file, '--code', 'star', '--p', '5', '-o', join(at, 'shards'));
  assert.equal(made.status, 0, made.errors);
  assert.match(made.output, /200000 bytes in 8 shards of star\(p=5,k=5\), any 3 may be lost/);
  const manifest = join(at, 'shards', 'a file.bin.larder.json');
  const shard = (node: number) => join(at, 'shards', `a file.bin.0${node}.shard`);
  const [again, whole] = await Promise.all([
    larder('encode', file, '--code', 'star', '--p', '5', '-o', join(at, 'shards')),
    larder('verify', manifest),
  ]);
  assert.equal(again.status, 1);
  assert.match(again.errors, /is there already\n {2}Use --force/);
  assert.equal(whole.status, 0);
  assert.match(whole.output, /all 8 shards are right/);
  rmSync(shard(0));
  truncateSync(shard(3), 1000);
  flip(shard(6), 5000);
  const [damaged, asJson, restored] = await Promise.all([
    larder('verify', manifest),
    larder('verify', manifest, '--json'),
    larder('decode', manifest, '-o', join(at, 'restored')),
  ]);
  assert.equal(damaged.status, 1);
  assert.match(damaged.output, /3 of 8 shards are lost or damaged; the file can be restored/);
  const report = JSON.parse(asJson.output) as { restorable: boolean; damages: { node: number }[] };
  assert.deepEqual([report.restorable, report.damages.map((damage) => damage.node)], [true, [0, 3, 6]]);
  assert.equal(restored.status, 0, restored.errors);
  assert.ok(readFileSync(join(at, 'restored')).equals(data));
  const kept = await larder('decode', manifest, '-o', file);
  assert.equal(kept.status, 1);
  assert.match(kept.errors, /is there already/);
  const repaired = await larder('decode', manifest, '-o', join(at, 'restored'), '--force', '--repair');
  assert.equal(repaired.status, 0, repaired.errors);
  assert.match(repaired.output, /06\.shard: written anew/);
  assert.equal((await larder('verify', manifest)).status, 0);
  for (const node of [1, 2, 4, 7]) rmSync(shard(node));
  rmSync(join(at, 'restored'));
  const lost = await larder('decode', manifest, '-o', join(at, 'restored'));
  assert.equal(lost.status, 1);
  assert.match(lost.errors, /cannot be restored: 4 of 8 shards are lost, star\(p=5,k=5\) rebuilds any 3/);
  assert.ok(!existsSync(join(at, 'restored')));
  assertNoTemporaryFiles(at);
  assertNoTemporaryFiles(join(at, 'shards'));
});

test('the command: empty files, and usage', async () => {
  const at = folder();
  const file = join(at, 'empty');
  writeFileSync(file, '');
  const [made, missing, directory, code, parameters, needed, option] = await Promise.all([
    larder('encode', file, '--code', 'hdp', '--p', '5'),
    larder('encode', join(at, 'nothing')),
    larder('encode', at),
    larder('encode', file, '--code', 'raid'),
    larder('plan', '--code', 'rdp', '--p', '9', '--lost', '0'),
    larder('plan', '--code', 'rdp', '--lost', '0'),
    larder('decode', file, file, '-o', 'x'),
  ]);
  assert.equal(made.status, 0, made.errors);
  assert.deepEqual([missing.status, directory.status], [1, 1]);
  assert.match(missing.errors, /cannot read .*nothing: no such file/);
  assert.match(directory.errors, /is not a regular file/);
  assert.deepEqual([code.status, parameters.status, needed.status, option.status], [2, 2, 2, 2]);
  assert.match(code.errors, /unknown code "raid": the codes are rdp/);
  assert.match(parameters.errors, /p must be a prime of at least 3, not 9 \(--p <p>/);
  assert.match(needed.errors, /rdp needs p: no p/);
  rmSync(file);
  rmSync(join(at, 'empty.00.shard'));
  const restored = await larder('decode', file);
  assert.equal(restored.status, 0, restored.errors);
  assert.equal(readFileSync(file).length, 0);
});

test('the command: plans and codes', async () => {
  const [json, text, degraded, table, many] = await Promise.all([
    larder('plan', '--code', 'rdp', '--p', '5', '--lost', '0', '--strategy', 'optimal', '--json'),
    larder('plan', '--code', 'star', '--p', '5', '--lost', '0', '--cost', '1,1,4,1,1,1,1,1'),
    larder('plan', '--code', 'evenodd', '--p', '5', '--lost', '2', '--rows', '0-1', '--json'),
    larder('codes'),
    larder('plan', '--code', 'rdp', '--p', '5', '--lost', '0,1,2'),
  ]);
  const plan = JSON.parse(json.output) as Record<string, unknown> & { symbols: number[][]; reads: number };
  assert.deepEqual(Object.keys(plan), [
    ...['code', 'parameters', 'lost', 'strategy', 'reads', 'conventionalReads', 'readsPerNode'],
    ...['symbols', 'optimality'],
  ]);
  assert.deepEqual(
    [plan.code, plan.parameters, plan.lost, plan.strategy, plan.reads, plan.conventionalReads],
    ['rdp', { p: 5, k: 4 }, [0], 'optimal', 12, 16],
  );
  assert.deepEqual(plan.optimality, { proven: true, lowerBound: 12 });
  assert.equal(plan.symbols.length, plan.reads);
  assert.ok(plan.symbols.every(([node, row]) => node! > 0 && node! < 6 && row! >= 0 && row! < 4));
  assert.match(text.output, /D0 D1 D2 D3 D4 P0 P1 P2\n {5}0 {2}×/);
  assert.match(text.output, /cost +total \d/);
  assert.equal((JSON.parse(degraded.output) as { rows: number[] }).rows.length, 2);
  for (const name of [
    'rdp',
    'evenodd',
    'xcode',
    'hdp',
    'star',
    'crs',
    'liberation',
    'liber8tion',
    'blaum-roth',
  ]) {
    assert.match(table.output, new RegExp(`^${name} `, 'm'));
  }
  assert.equal(many.status, 1);
  assert.match(many.errors, /12 lost symbols cannot be rebuilt: node 0 row 0/);
});

test('an interrupted encoding leaves nothing behind', async () => {
  const at = folder();
  const file = join(at, 'large');
  writeFileSync(file, '');
  // Sparse, and long enough to be interrupted.
  truncateSync(file, 2 ** 32);
  const watcher = watch(at);
  const begun = once(watcher, 'change');
  const child = spawn(process.execPath, ['-C', 'larder-source', MAIN, 'erasure', 'encode', file]);
  const ended = once(child, 'close');
  await begun;
  watcher.close();
  child.kill('SIGINT');
  const [status] = (await ended) as [number | null];
  assert.equal(status, 130);
  assert.deepEqual(readdirSync(at), ['large']);
});
