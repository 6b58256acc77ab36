/** The spool: nothing lost, delivered in order, through crashes, damage, full disks and flapping servers. */
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DestinationState } from '../destination/destination.ts';
import { FakeCache } from '../handles/testing/fake-cache.ts';
import { Reply, Result } from '../reply.ts';
import { Operation, Request } from '../request.ts';
import { FakeClock, settle } from '../testing/fake-clock.ts';
import { Spool, type SpoolOptions } from './spool.ts';
import { FailingDisk } from './testing/failing-disk.ts';

let folder = '';
let clock: FakeClock;
let notices: string[] = [];
let cache: FakeCache;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'larder-spool-'));
  clock = new FakeClock();
  notices = [];
  cache = new FakeCache('10.0.0.1:11211', clock);
  cache.state = DestinationState.tko;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(options: Partial<SpoolOptions> = {}): Spool {
  const spool = new Spool({
    folder,
    clock,
    random: () => 0,
    notice: (text) => notices.push(text),
    ...options,
  });
  spool.attach(cache);
  return spool;
}

function append(spool: Spool, ...keys: readonly string[]): boolean[] {
  return keys.map((key) => spool.append(cache, Request.of(Operation.delete, key)));
}

/** The destination is back: everything due is delivered before this returns. */
async function comeBack(spool: Spool): Promise<string[]> {
  cache.setState(DestinationState.up);
  await spool.settled();
  await settle();
  return cache.take();
}

const files = (): string[] => readdirSync(join(folder, encodeURIComponent(cache.label)));
const pathOf = (name: string): string => join(folder, encodeURIComponent(cache.label), name);

test('deletes wait on the disk, and go out once each, in order of key, when the destination is back', async () => {
  const spool = open();
  assert.deepEqual(append(spool, 'b', 'a', 'c', 'b', 'é'), [true, true, true, true, true]);
  clock.advance(120_000);
  await settle();
  assert.deepEqual(cache.take(), [], 'nothing is sent to a dead server');
  assert.equal(files().length, 1);
  assert.deepEqual(await comeBack(spool), ['a', 'b', 'c', 'é']);
  assert.deepEqual(files(), []);
  const { written, read, delivered, bytes } = spool.statistics;
  assert.deepEqual({ written, read, delivered, bytes }, { written: 5, read: 5, delivered: 4, bytes: 0 });
  append(spool, 'd');
  cache.setState(DestinationState.tko);
  assert.deepEqual(await comeBack(spool), ['d'], 'and again');
  await spool.close();
});

test('what a process left is delivered by the next one', async () => {
  const first = open();
  append(first, 'a', 'b');
  await first.close();
  assert.deepEqual(
    files().map((name) => name.split('.').at(-1)),
    ['spool'],
  );
  cache.setState(DestinationState.closed);
  cache = new FakeCache(cache.label, clock);
  const second = open();
  assert.ok(second.statistics.bytes > 0, 'it counts against the limit');
  clock.advance(1);
  await second.settled();
  assert.deepEqual(cache.take(), ['a', 'b'], 'at once, since the destination is not known to be dead');
  await second.close();
});

test('binary keys go out as md b; a hold-off stays, the longest of several', async () => {
  const spool = open();
  const meta = Request.of(Operation.metaDelete, 'AAEC');
  meta.metaFlags = Buffer.from('b q');
  spool.append(cache, meta);
  const plain = Request.of(Operation.metaDelete, 'plain');
  plain.metaFlags = Buffer.from('I T30');
  spool.append(cache, plain);
  for (const seconds of [0, 5, 2]) {
    const held = Request.of(Operation.delete, 'held');
    held.holdOffSeconds = seconds;
    spool.append(cache, held);
  }
  cache.setState(DestinationState.up);
  await spool.settled();
  assert.deepEqual(
    cache.requests.map(({ operation, keyText, metaFlags, holdOffSeconds }) => [
      operation,
      keyText,
      `${metaFlags}`,
      holdOffSeconds,
    ]),
    [
      [Operation.metaDelete, 'AAEC', 'b', 0],
      [Operation.delete, 'held', '', 5],
      [Operation.delete, 'plain', '', 0],
    ],
  );
  await spool.close();
});

test('a destination that fails in the middle gets the rest later, what was delivered not again', async () => {
  const spool = open();
  const keys = Array.from({ length: 300 }, (_, index) => `key:${String(index).padStart(3, '0')}`);
  append(spool, ...keys);
  let answered = 0;
  cache.intercept = () => (++answered > 100 ? new Reply(Result.timeout) : undefined);
  const first = new Set(await comeBack(spool));
  assert.ok(first.size > 100 && first.size < 300);
  assert.equal(spool.statistics.delivered, 100);
  assert.equal(files().length, 1, 'the file stays until all of it is delivered');
  append(spool, 'new');
  cache.intercept = undefined;
  clock.advance(10_000);
  await spool.settled();
  await settle();
  const second = cache.take();
  assert.equal(spool.statistics.delivered, 301);
  assert.equal(new Set([...second]).size, 201);
  assert.deepEqual(files(), []);
  await spool.close();
});

test('attempts at a destination that is up but fails come less and less often', async () => {
  cache.state = DestinationState.up;
  cache.failure = Result.timeout;
  const spool = open();
  append(spool, 'a');
  const times: number[] = [];
  const start = clock.now();
  while (clock.now() - start < 400_000) {
    clock.advance(500);
    await settle();
    if (cache.take().length > 0) times.push(clock.now() - start);
  }
  const gaps = times.slice(1).map((time, index) => time - times[index]!);
  assert.ok(gaps.length >= 6 && gaps.length <= 14, `${gaps}`);
  assert.ok(
    gaps.every((gap, index) => index === 0 || gap >= gaps[index - 1]! - 500),
    `${gaps}`,
  );
  assert.ok(gaps.at(-1)! <= 60_500);
  await spool.close();
});

test('a refused delete is told and does not stop the others', async () => {
  const spool = open();
  append(spool, 'a', 'bad', 'c');
  cache.intercept = (request) => (request.keyText === 'bad' ? new Reply(Result.clientError) : undefined);
  assert.deepEqual(await comeBack(spool), ['a', 'bad', 'c']);
  assert.match(notices.join(), /refuses the delete of bad/);
  assert.deepEqual(files(), []);
  await spool.close();
});

test('segments roll by size and by time', async () => {
  const spool = open({ segmentBytesMax: 100 });
  append(spool, 'a'.repeat(60), 'b'.repeat(60), 'c'.repeat(60), 'd');
  assert.equal(files().length, 2);
  clock.advance(60 * 60 * 1000);
  append(spool, 'e');
  assert.equal(files().length, 3);
  assert.equal((await comeBack(spool)).length, 5);
  assert.deepEqual(files(), []);
  await spool.close();
});

test('a torn file and a damaged record: the rest is delivered, the damage is told', async () => {
  const first = open();
  append(first, 'a', 'b', 'c', 'd');
  await first.close();
  const [name = ''] = files();
  const bytes = readFileSync(pathOf(name));
  bytes[30]! ^= 0xff;
  writeFileSync(pathOf(name), bytes.subarray(0, bytes.length - 3));
  const second = open();
  assert.deepEqual(await comeBack(second), ['a', 'c']);
  assert.deepEqual([second.statistics.damaged, second.statistics.torn], [1, 1]);
  assert.match(notices.join(), /1 damaged stretches \(25 bytes\)/);
  assert.deepEqual(files(), [], 'what cannot be read is not kept for ever');
  await second.close();
});

test('a full disk refuses, leaves no half record, says so once, and recovers', async () => {
  const failing = new FailingDisk();
  const spool = open({ disk: failing.disk });
  append(spool, 'a');
  failing.roomBytes = 10;
  assert.deepEqual(append(spool, 'b', 'c'), [false, false]);
  assert.equal(notices.length, 1);
  assert.match(notices[0] ?? '', /10\.0\.0\.1:11211 could not be spooled: ENOSPC/);
  failing.roomBytes = Number.POSITIVE_INFINITY;
  assert.deepEqual(append(spool, 'd'), [true]);
  assert.deepEqual([spool.statistics.refused, spool.statistics.written], [2, 2]);
  assert.deepEqual(await comeBack(spool), ['a', 'd']);
  assert.equal(spool.statistics.damaged, 0);
  await spool.close();
});

test('a full disk that cannot even take the half record back costs no other record', async () => {
  const failing = new FailingDisk();
  const spool = open({ disk: failing.disk });
  append(spool, 'a');
  failing.canTruncate = false;
  failing.roomBytes = 10;
  assert.deepEqual(append(spool, 'b'), [false]);
  failing.roomBytes = Number.POSITIVE_INFINITY;
  assert.deepEqual(append(spool, 'c'), [true]);
  assert.deepEqual(await comeBack(spool), ['a', 'c']);
  await spool.close();
});

test('a disk on which no file can be made refuses too; short writes are continued', async () => {
  const failing = new FailingDisk();
  const spool = open({ disk: failing.disk });
  failing.canCreate = false;
  assert.deepEqual(append(spool, 'a'), [false]);
  failing.canCreate = true;
  failing.writeBytesMax = 7;
  assert.deepEqual(append(spool, 'b'), [true]);
  assert.deepEqual(await comeBack(spool), ['b']);
  await spool.close();
});

test('the size limit counts everything there is', async () => {
  const first = open({ bytesMax: 100 });
  assert.deepEqual(append(first, 'a'.repeat(40), 'b'.repeat(40)), [true, false]);
  assert.match(notices.join(), /limit of 100 bytes/);
  assert.deepEqual([first.statistics.refused, first.statistics.droppedForLimit], [1, 1]);
  await first.close();
  const second = open({ bytesMax: 100 });
  assert.deepEqual(append(second, 'c'.repeat(40)), [false]);
  assert.equal((await comeBack(second)).length, 1);
  assert.deepEqual(append(second, 'd'.repeat(40)), [true], 'there is room again');
  await second.close();
});

test('what another process delivered is room for this one', async () => {
  const left = open();
  append(left, 'a'.repeat(40));
  await left.close();
  const full = open({ bytesMax: 100 });
  assert.deepEqual(append(full, 'b'.repeat(40)), [false]);
  for (const name of files()) rmSync(pathOf(name));
  clock.advance(1000);
  assert.deepEqual(append(full, 'b'.repeat(40)), [true]);
  await full.close();
});

test('when written deletes are forced to the disk', async () => {
  for (const [sync, expected] of [
    ['always', 2],
    ['interval', 1],
    ['never', 0],
  ] as const) {
    const failing = new FailingDisk();
    const spool = open({ disk: failing.disk, sync });
    append(spool, 'a', 'b');
    clock.advance(1000);
    assert.equal(failing.syncs, expected, sync);
    await spool.close();
  }
});

test('two spools of one folder deliver everything, and take nothing from each other', async () => {
  const [one, other] = [open(), open()];
  append(one, 'a', 'b');
  append(other, 'c', 'd');
  assert.equal(files().length, 2);
  cache.setState(DestinationState.up);
  await Promise.all([one.settled(), other.settled()]);
  assert.deepEqual(cache.take().sort(), ['a', 'b', 'c', 'd']);
  assert.deepEqual(files(), []);
  await Promise.all([one.close(), other.close()]);
});

test('a closed spool refuses, and lets its destination go', async () => {
  const spool = open();
  append(spool, 'a');
  await spool.close();
  assert.deepEqual(append(spool, 'b'), [false]);
  assert.equal(cache.listeners, 0);
});

test('files are for nobody else', async () => {
  const spool = open();
  append(spool, 'secret');
  const [name = ''] = files();
  assert.equal(statSync(pathOf(name)).mode & 0o077, 0);
  await spool.close();
});

/** Starts the writing process and kills it once it has promised so many deletes; returns the promised keys. */
async function killAfter(keys: number): Promise<string[]> {
  const script = fileURLToPath(new URL('testing/spool-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['-C', 'larder-source', script, folder, cache.label], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.length > keys * 60) child.kill('SIGKILL');
  });
  await closed;
  return output.split('\n').slice(0, -1);
}

test('kill -9 in the middle loses nothing that was promised', async () => {
  const promised = await killAfter(3000);
  assert.ok(promised.length > 1000, `${promised.length}`);
  assert.ok(
    files().some((name) => name.endsWith('.active')),
    'it died with a file open',
  );
  const spool = open();
  const delivered = new Set(await comeBack(spool));
  const lost = promised.filter((key) => !delivered.has(key));
  assert.deepEqual(lost, []);
  // At most the one that was in the file but not yet told.
  assert.ok(delivered.size <= promised.length + 1);
  assert.equal(spool.statistics.damaged, 0);
  assert.deepEqual(files(), []);
  await spool.close();
});

test('kill -9 while delivering: what was taken is delivered by the next process', async () => {
  const spool = open();
  append(spool, 'a', 'b');
  cache.isHeld = true;
  cache.setState(DestinationState.up);
  await settle();
  // The taker dies here. Its file is taken, and its name says by whom: a process that is not there.
  const [taken = ''] = files();
  assert.match(taken, /\.taken$/);
  const bytes = readFileSync(pathOf(taken));
  cache.release();
  await spool.close();
  rmSync(pathOf(taken), { force: true });
  writeFileSync(pathOf(`00000000000001_x_0.${2 ** 22 + 1}_1_abcd.taken`), bytes);
  writeFileSync(pathOf(`00000000000002_x_0.${process.pid}_1_abcd.active`), bytes.subarray(0, 25));
  cache.isHeld = false;
  cache.take();
  cache.state = DestinationState.tko;
  const next = open();
  assert.deepEqual(await comeBack(next), ['a', 'b'], 'also of a process that had the same id before');
  assert.deepEqual(files(), []);
  await next.close();
});

test('the file of a living process is left alone', async () => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
  try {
    const first = open();
    append(first, 'a');
    await first.close();
    const [name = ''] = files();
    const start = readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19];
    const bytes = readFileSync(pathOf(name));
    rmSync(pathOf(name));
    writeFileSync(pathOf(`00000000000001_x_0.${child.pid}_${start}_abcd.active`), bytes);
    const second = open();
    assert.deepEqual(await comeBack(second), []);
    assert.equal(files().length, 1);
    await second.close();
  } finally {
    child.kill('SIGKILL');
  }
});

test('what waits is counted for all processes, whether segments are open, closed, taken or left by the dead', async () => {
  const spool = open({ segmentBytesMax: 60 });
  assert.deepEqual(spool.contents(), { segments: 0, entries: 0, bytes: 0, oldestAtMs: undefined });
  const startedAtMs = Math.floor(clock.wallNow());
  append(spool, 'first', 'second', 'third');
  clock.advance(5000);
  append(spool, 'first');
  const bytes = files().reduce((sum, name) => sum + statSync(pathOf(name)).size, 0);
  assert.deepEqual(spool.contents(), { segments: 2, entries: 4, bytes, oldestAtMs: startedAtMs });
  // A dead process left another one, torn at its end.
  const [closed = ''] = files().filter((name) => name.endsWith('.spool'));
  const content = readFileSync(pathOf(closed));
  writeFileSync(pathOf(`00000000000001_x_0.${2 ** 22 + 1}_1_abcd.active`), content.subarray(0, -1));
  assert.deepEqual([spool.contents().entries, spool.contents().oldestAtMs], [6, 1]);
  writeFileSync(pathOf('notes.txt'), 'no segment');
  cache.isHeld = true;
  cache.setState(DestinationState.up);
  await settle();
  assert.equal(spool.contents().entries, 6, 'under delivery, not answered');
  cache.isHeld = false;
  cache.release();
  await spool.settled();
  await settle();
  assert.deepEqual(spool.contents(), { segments: 0, entries: 0, bytes: 0, oldestAtMs: undefined });
  assert.deepEqual(files(), ['notes.txt'], 'what is no segment is nobody’s');
  await spool.close();
});
