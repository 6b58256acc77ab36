import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { availableTransports, probeTransport, selectTransport, type TransportProbe } from './select.ts';

const refusing =
  (...refused: string[]): TransportProbe =>
  (kind) =>
    refused.includes(kind) ? `EPERM: ${kind} is refused here` : undefined;

test('the best that there is is taken', () => {
  assert.equal(selectTransport(undefined, {}, refusing()), 'uring');
  assert.equal(selectTransport(undefined, {}, refusing('uring')), 'epoll');
  assert.equal(selectTransport(undefined, {}, refusing('uring', 'epoll')), 'node');
  assert.equal(selectTransport(undefined, { LARDER_TRANSPORT: '' }, refusing('uring')), 'epoll');
});

test('an argument comes before the environment, which comes before the order', () => {
  const environment = { LARDER_TRANSPORT: 'node' };
  assert.equal(selectTransport(undefined, environment, refusing()), 'node');
  assert.equal(selectTransport('epoll', environment, refusing()), 'epoll');
});

test('one that was asked for and cannot be had is an error with the reason', () => {
  assert.throws(() => selectTransport('uring', {}, refusing('uring')), {
    code: 'UNAVAILABLE',
    message: /uring: EPERM: uring is refused here/,
  });
  assert.throws(() => selectTransport(undefined, { LARDER_TRANSPORT: 'uring' }, refusing('uring')), {
    code: 'UNAVAILABLE',
    operation: 'LARDER_TRANSPORT',
  });
});

test('an unknown name is an error that lists the names', () => {
  assert.throws(() => selectTransport('dpdk', {}, refusing()), {
    code: 'ARGUMENT',
    message: /"dpdk" is none of uring, epoll, node/,
  });
});

test('an error that is not "not available" does not fall back', () => {
  const broken: TransportProbe = () => {
    throw new Error('out of descriptors');
  };
  assert.throws(() => selectTransport(undefined, {}, broken), /out of descriptors/);
});

test('all are listed, best first, with reasons', () => {
  assert.deepEqual(availableTransports(refusing('epoll')), [
    { kind: 'uring', available: true },
    { kind: 'epoll', available: false, reason: 'EPERM: epoll is refused here' },
    { kind: 'node', available: true },
  ]);
  assert.equal(probeTransport('node'), undefined);
});

test('importing the package loads nothing native', () => {
  const code = `
    await import(${JSON.stringify(new URL('../index.ts', import.meta.url).href)});
    await import(${JSON.stringify(new URL('../internal.ts', import.meta.url).href)});
    const maps = (await import('node:fs')).readFileSync('/proc/self/maps', 'latin1');
    process.stdout.write(String(maps.includes('koffi')));`;
  if (process.platform !== 'linux') return;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'latin1' });
  assert.equal(output, 'false');
});
