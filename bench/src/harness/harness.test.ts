import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { type CpuReading, cpuSecondsBetween, readCpuTime, residentBytes } from './cpu-time.ts';
import { Processes, requireProgram } from './processes.ts';
import { askServer, readStats } from './text-client.ts';

const isLinux = process.platform === 'linux';

function reading(threads: Record<string, number>, ticks: number): CpuReading {
  return { threads: new Map(Object.entries(threads)), ticks, waited: 0 };
}

test('CPU time is the sum over threads, new ones included', () => {
  const before = reading({ a: 1e9, b: 2e9 }, 300);
  assert.equal(cpuSecondsBetween(before, reading({ a: 1.5e9, b: 2e9, c: 0.25e9 }, 375)), 0.75);
});

test('when a thread has ended, the ticks that remember it are used', () => {
  const before = reading({ a: 1e9, b: 2e9 }, 300);
  assert.equal(cpuSecondsBetween(before, reading({ a: 1.5e9 }, 380)), 0.8);
});

test("this process's CPU time and memory are read", { skip: !isLinux && 'needs Linux' }, () => {
  const before = readCpuTime(process.pid);
  const own = process.cpuUsage();
  while (process.cpuUsage(own).user + process.cpuUsage(own).system < 60_000);
  const seconds = cpuSecondsBetween(before, readCpuTime(process.pid));
  // The kernel accounts a running thread at its ticks, of which there are at least 100 a second.
  assert.ok(seconds > 0.03 && seconds < 0.5, String(seconds));
  assert.ok(residentBytes(process.pid) > 10e6);
  assert.throws(() => readCpuTime(2 ** 22 + 1), /has it ended/);
});

test('a process is pinned, and ended even when it was stopped', {
  skip: !isLinux && 'needs Linux',
}, async () => {
  const processes = new Processes();
  const target = processes.start('sleep', 'sleep', ['60'], { cpus: '0' });
  while (!readFileSync(`/proc/${target.pid}/cmdline`, 'latin1').startsWith('sleep')) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(readFileSync(`/proc/${target.pid}/status`, 'latin1'), /^Cpus_allowed_list:\s+0$/m);
  target.signal('SIGSTOP');
  await processes.end(target);
  assert.ok(target.hasEnded);
  await processes.endAll();
});

test('a missing program is named with its package', () => {
  assert.throws(() => requireProgram('no-such-program-here', 'some-package'), /apt-get install some-package/);
  requireProgram('sh', 'dash');
});

test('statistics are read from any split of the answer', async () => {
  const server = createServer((socket) => {
    socket.once('data', (data) => {
      assert.equal(data.toString(), 'stats\r\n');
      socket.setNoDelay(true);
      socket.write('STAT pid 1\r\nSTAT vers');
      setImmediate(() => socket.write('ion 1.6 x\r\nEN', () => setImmediate(() => socket.write('D\r\n'))));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const target = { host: '127.0.0.1', port: address.port };
  assert.deepEqual(
    [...(await readStats(target))],
    [
      ['pid', '1'],
      ['version', '1.6 x'],
    ],
  );
  await new Promise((resolve) => server.close(resolve));
  await assert.rejects(askServer(target, 'version', ['OK'], 1000), /ECONNREFUSED/);
});
