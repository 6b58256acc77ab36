/**
 * Clients that services use today, unchanged: each does its set, get, multiget, delete, counter, cas, touch and
 * expiry against the server under test. memccapable is libmemcached's own test of a server.
 */
import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Memcache } from 'memcache';
import { MemcacheClient, type MultiRetrievalResponse } from 'memcache-client';
import Memcached from 'memcached';
import memjs from 'memjs';
import { until } from '../client/until.ts';
import type { Suite } from './suite.ts';

const MEMCCAPABLE = '/usr/bin/memccapable';
const LARGE_VALUE = 'large value '.repeat(40_000);

function endpoint(suite: Suite): string {
  const { address } = suite.server();
  if (!('port' in address)) throw new Error('clients need a TCP port');
  return `${address.host}:${address.port}`;
}

type Callback<T> = (error: unknown, result: T) => void;

/** Turns a call with a final callback into a promise. */
function called<T>(call: (callback: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error ? reject(error) : resolve(result)));
  });
}

function memcachedTests(suite: Suite): void {
  test('memcached (3rd-Eden)', async () => {
    const client = new Memcached(endpoint(suite), { retries: 0, timeout: 5_000 });
    try {
      const [a, b, counter] = [suite.key('m'), suite.key('m'), suite.key('m')];
      assert.equal(await called<boolean>((done) => client.set(a, 'value a', 100, done)), true);
      assert.equal(
        await called<boolean>((done) => client.add(a, 'other', 100, done)).catch(() => false),
        false,
      );
      assert.equal(await called((done) => client.get(a, done)), 'value a');
      assert.equal(await called<boolean>((done) => client.set(b, { object: [1, 2] }, 0, done)), true);
      assert.deepEqual(await called((done) => client.getMulti([a, b, 'absent'], done)), {
        [a]: 'value a',
        [b]: { object: [1, 2] },
      });
      const found = await called<{ cas: string; [key: string]: unknown }>((done) => client.gets(a, done));
      assert.equal(await called<boolean>((done) => client.cas(a, 'by cas', found.cas, 100, done)), true);
      assert.equal(await called<boolean>((done) => client.cas(a, 'too late', found.cas, 100, done)), false);
      await called<boolean>((done) => client.append(a, '!', done));
      await called<boolean>((done) => client.prepend(a, '>', done));
      assert.equal(await called((done) => client.get(a, done)), '>by cas!');
      await called<boolean>((done) => client.set(counter, 5, 0, done));
      assert.equal(await called((done) => client.incr(counter, 7, done)), 12);
      assert.equal(await called((done) => client.decr(counter, 20, done)), 0);
      await called<boolean>((done) => client.set(b, LARGE_VALUE, 0, done));
      assert.equal(await called((done) => client.get(b, done)), LARGE_VALUE);
      assert.equal(await called<boolean>((done) => client.del(b, done)), true);
      assert.equal(await called((done) => client.get(b, done)), undefined);
      await called<void>((done) => client.touch(a, 1, (error: unknown) => done(error, undefined)));
      await until('it expires', async () => (await called((done) => client.get(a, done))) === undefined);
    } finally {
      client.end();
    }
  });
}

function memcacheClientTests(suite: Suite): void {
  test('memcache-client (electrode-io)', async () => {
    const client = new MemcacheClient({ server: endpoint(suite), cmdTimeout: 5_000 });
    try {
      const [a, b, counter] = [suite.key('mc'), suite.key('mc'), suite.key('mc')];
      await client.set(a, 'value a', { lifetime: 100 });
      await assert.rejects(client.add(a, 'other'), /NOT_STORED/);
      assert.equal((await client.get<string>(a)).value, 'value a');
      await client.set(b, { object: [1, 2] });
      const both = await client.get<MultiRetrievalResponse>([a, b, 'absent']);
      assert.deepEqual(Object.keys(both).sort(), [a, b].sort());
      assert.deepEqual(both[b]?.value, { object: [1, 2] });
      const found = await client.gets<string>(a);
      const casUniq = found.casUniq ?? '';
      await client.cas(a, 'by cas', { casUniq });
      await assert.rejects(client.cas(a, 'too late', { casUniq }), /EXISTS/);
      assert.equal((await client.get<string>(a)).value, 'by cas');
      await client.set(counter, '5');
      assert.equal(String(await client.incr(counter, 7)), '12');
      assert.equal(String(await client.decr(counter, 2)), '10');
      await client.set(b, LARGE_VALUE, { compress: false });
      assert.equal((await client.get<string>(b)).value, LARGE_VALUE);
      await client.delete(b);
      assert.equal(await client.get(b), undefined);
      await client.touch(a, 1);
      await until('it expires', async () => (await client.get(a)) === undefined);
      assert.match(String(await client.version()), /\d+\.\d+/);
    } finally {
      client.shutdown();
    }
  });
}

function memcacheTests(suite: Suite): void {
  test('memcache (jaredwray)', async () => {
    const client = new Memcache({ nodes: [endpoint(suite)], timeout: 5_000 });
    await client.connect();
    try {
      const [a, b, counter] = [suite.key('j'), suite.key('j'), suite.key('j')];
      assert.equal(await client.set(a, 'value a', 100), true);
      assert.equal(await client.add(a, 'other'), false);
      assert.equal(await client.replace(a, 'replaced', 100), true);
      assert.equal(await client.get(a), 'replaced');
      assert.equal(await client.set(b, LARGE_VALUE), true);
      assert.deepEqual(
        await client.gets([a, b, 'absent']),
        new Map([
          [a, 'replaced'],
          [b, LARGE_VALUE],
        ]),
      );
      assert.equal(await client.append(a, '!'), true);
      assert.equal(await client.prepend(a, '>'), true);
      assert.equal(await client.get(a), '>replaced!');
      await using raw = await suite.connect();
      const token = (await raw.match(`mg ${a} c\r\n`, /^HD c(\d+)\r\n$/))[1] ?? '';
      assert.equal(await client.cas(a, 'by cas', token), true);
      assert.equal(await client.cas(a, 'too late', token), false);
      assert.equal(await client.set(counter, '5'), true);
      assert.equal(await client.incr(counter, 7), 12);
      assert.equal(await client.decr(counter, 2), 10);
      assert.equal(await client.delete(b), true);
      assert.equal(await client.delete(b), false);
      assert.equal(await client.get(b), undefined);
      assert.equal(await client.touch(a, 1), true);
      await until('it expires', async () => (await client.get(a)) === undefined);
      const stats = [...(await client.stats()).values()][0] as { readonly pid?: string } | undefined;
      assert.equal(Number(stats?.pid), suite.server().pid);
    } finally {
      await client.disconnect();
    }
  });
}

/** memjs speaks the binary protocol only. */
function memjsTests(suite: Suite): void {
  test('memjs', async () => {
    const quiet = { log: () => undefined };
    const options = { retries: 0, timeout: 5, conntimeout: 5, logger: quiet };
    const client = memjs.Client.create(endpoint(suite), options);
    const text = async (key: string): Promise<string | undefined> =>
      (await client.get(key)).value?.toString();
    try {
      const [a, b, counter] = [suite.key('b'), suite.key('b'), suite.key('b')];
      assert.equal(await client.set(a, 'value a', { expires: 100 }), true);
      assert.equal(await client.add(a, 'other', {}), false);
      assert.equal(await client.replace(a, 'replaced', { expires: 100 }), true);
      assert.equal(await client.replace(b, 'absent', {}), false);
      assert.equal(await text(a), 'replaced');
      assert.equal(await client.append(a, '!'), true);
      // Its prepend sends the opcode of append.
      assert.equal(await client.prepend(a, '<'), true);
      assert.equal(await text(a), 'replaced!<');
      assert.equal(await client.set(b, LARGE_VALUE, {}), true);
      assert.equal(await text(b), LARGE_VALUE);
      assert.deepEqual(await client.increment(counter, 7, { initial: 5 }), { success: true, value: 5 });
      assert.deepEqual(await client.increment(counter, 7, {}), { success: true, value: 12 });
      assert.deepEqual(await client.decrement(counter, 20, {}), { success: true, value: 0 });
      assert.equal(await client.delete(b), true);
      assert.equal(await client.delete(b), false);
      assert.equal(await text(b), undefined);
      await using raw = await suite.connect();
      await raw.expect(`get ${a}\r\n`, `VALUE ${a} 0 10\r\nreplaced!<\r\nEND\r\n`);
      assert.equal(await client.touch(a, 1), true);
      await until('it expires', async () => (await text(a)) === undefined);
    } finally {
      client.close();
    }
  });
}

function memccapableTests(suite: Suite): void {
  const missing = existsSync(MEMCCAPABLE) ? false : `${MEMCCAPABLE} is missing (Debian: libmemcached-tools)`;
  for (const [option, protocol, least] of [
    ['-a', 'ascii', 20],
    ['-b', 'binary', 26],
  ] as const) {
    test(`memccapable ${option}: every ${protocol} test passes`, { skip: missing }, async () => {
      // It empties the server, so that it gets one of its own.
      const server = await suite.start({ threads: 1 });
      if (!('port' in server.address)) throw new Error('memccapable needs a TCP port');
      const { stdout, stderr } = await promisify(execFile)(
        MEMCCAPABLE,
        ['-h', server.address.host, '-p', String(server.address.port), option, '-t', '5'],
        { encoding: 'latin1' },
      ).catch((error: { stdout: string; stderr: string }) => error);
      const lines = `${stdout}\n${stderr}`.matchAll(
        new RegExp(`^(${protocol} [a-z ]+?)\\s+\\[(\\w+)\\]$`, 'gm'),
      );
      const results = [...lines];
      const failed = results.filter((result) => result[2] !== 'pass').map((result) => result[0]);
      assert.deepEqual(failed, [], stdout);
      assert.ok(results.length >= least, `${results.length} tests ran:\n${stdout}\n${stderr}`);
    });
  }
}

export function clientsSuite(suite: Suite): void {
  memcachedTests(suite);
  memcacheClientTests(suite);
  memcacheTests(suite);
  memjsTests(suite);
  memccapableTests(suite);
}
