import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunningServer } from '@larder/server';
import { banner } from './banner.ts';
import { formatLiveLine, LiveLine, type LiveNumbers } from './live-line.ts';

const MIB = 1024 * 1024;
const before: LiveNumbers = {
  requests: 1000,
  hits: 500,
  misses: 100,
  connections: 3,
  items: 10,
  bytes: 2 * MIB,
  memoryBytes: 64 * MIB,
};

test('rates come from two readings, counts from the last', () => {
  const now = { ...before, requests: 25_690, hits: 1482, misses: 118, items: 10_231, bytes: 12.25 * MIB };
  assert.equal(
    formatLiveLine(now, before, 2),
    '12,345 requests/s · 98.2% hits · 3 connections · 10,231 items · 12.3 MB of 64 MB',
  );
});

test('nothing going on', () => {
  const quiet = { ...before, connections: 1, items: 1 };
  assert.equal(
    formatLiveLine(quiet, quiet, 1),
    '0 requests/s · no gets · 1 connection · 1 item · 2 MB of 64 MB',
  );
});

test('the banner says which port was taken and how to talk to the server', () => {
  const server = {
    addresses: [
      { kind: 'tcp', host: '127.0.0.1', port: 11213, path: '', text: '127.0.0.1:11213' },
      { kind: 'admin', host: '127.0.0.1', port: 11280, path: '', text: '127.0.0.1:11280' },
    ],
    transport: 'epoll',
    workers: 2,
    settings: { memoryBytes: 64 * MIB },
    notes: ['something to know'],
  } as unknown as RunningServer;
  const text = banner(server, { requestedPort: 11211 });
  for (const part of [
    'Port 11211 is taken; using 11213',
    '127.0.0.1:11213',
    'epoll',
    '64 MB',
    'http://127.0.0.1:11280/',
    'something to know',
    "printf 'set greeting 0 60 5\\r\\nhello\\r\\nget greeting\\r\\nquit\\r\\n' | nc 127.0.0.1 11213",
    'node -e ',
    'Ctrl-C',
  ]) {
    assert.ok(text.includes(part), part);
  }
  assert.ok(!banner(server, { requestedPort: 11213 }).includes('taken'));
});

test('the live line is drawn over itself once a second and stops when told', (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  let hits = 0;
  const server = {
    statistics: () =>
      new Map<string, number>([
        ['cmd_get', hits],
        ['get_hits', hits],
        ['limit_maxbytes', 64 * MIB],
      ]),
  } as unknown as RunningServer;
  const written: string[] = [];
  const line = new LiveLine(server, { columns: 60, write: (text) => written.push(text) });
  line.start();
  hits = 5;
  context.mock.timers.tick(1000);
  context.mock.timers.tick(1000);
  line.stop();
  context.mock.timers.tick(5000);
  assert.equal(written.length, 3);
  for (const text of written.slice(1))
    assert.ok(text.startsWith('\r\u001b[2K'), 'the line before is cleared');
  assert.match(written[1]!, /K[\d,]+ requests\/s · 100\.0% hits/);
  assert.match(written[2]!, /K0 requests\/s · no gets/);
  assert.ok(written[1]!.length <= 60 + 5, 'cut to the width of the terminal');
});
