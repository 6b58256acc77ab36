import assert from 'node:assert/strict';
import { test } from 'node:test';
import { banner } from '../banner.ts';
import type { Cluster } from './cluster.ts';
import { formatRow, type PanelRow } from './panel.ts';

const ROW: PanelRow = {
  name: 'cache-1',
  address: '127.0.0.1:11212',
  state: 'up',
  gets: 1_000,
  hits: 900,
  requests: 5_000,
  items: 10_231,
  bytes: 3 * 1024 * 1024,
};

test('a line shows rates since the line before, and hits of the gets since then', () => {
  const before = { ...ROW, gets: 800, hits: 750, requests: 3_000 };
  assert.equal(
    formatRow(ROW, before, 2),
    'cache-1  127.0.0.1:11212  up    1,000 requests/s · 75.0% hits · 10,231 items · 3 MB',
  );
  assert.match(formatRow(ROW, ROW, 1), / 0 requests\/s · no gets · /);
});

test('a server that came back counts anew, one that is down says who takes over', () => {
  assert.match(
    formatRow(ROW, { ...ROW, requests: 9_000, gets: 9_000, hits: 9_000 }, 1),
    /5,000 requests\/s · 90\.0%/,
  );
  assert.match(formatRow({ ...ROW, state: 'down' }, ROW, 1), /down +its keys go to the gutter/);
});

test('the banner says which port was taken, what runs where and how to talk to it', () => {
  const cluster = {
    router: {
      addresses: [
        { kind: 'tcp', host: '127.0.0.1', port: 11213, path: '', text: '127.0.0.1:11213' },
        { kind: 'admin', host: '127.0.0.1', port: 11280, path: '', text: '127.0.0.1:11280' },
      ],
      port: 11213,
      transport: 'epoll',
      notes: ['something to know'],
    },
    servers: [{ name: 'cache-1', address: '127.0.0.1:11214' }],
  } as unknown as Cluster;
  const text = banner(cluster, { requestedPort: 11211 });
  for (const part of [
    'Port 11211 is taken; using 11213',
    '127.0.0.1:11213',
    '127.0.0.1:11214',
    'epoll',
    'http://127.0.0.1:11280/',
    'something to know',
    "printf 'set greeting 0 60 5\\r\\nhello\\r\\nget greeting\\r\\nquit\\r\\n' | nc 127.0.0.1 11213",
    'node -e ',
    'larder up --kill cache-1 -p 11213',
    'Ctrl-C',
  ]) {
    assert.ok(text.includes(part), part);
  }
  assert.ok(!banner(cluster, { requestedPort: 11213 }).includes('taken'));
});
