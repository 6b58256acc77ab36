/** Large values: the item size limit, values of many chunks, growth by append, and a full cache. */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import type { RawClient } from '../client/raw.ts';
import { readStat, readStats } from '../client/statistics.ts';
import type { Suite } from './suite.ts';

const MEBIBYTE = 1 << 20;
const TOO_LARGE = 'SERVER_ERROR object too large for cache\r\n';

function pattern(bytes: number, seed: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  // A long odd period, so that a chunk that is lost, doubled or out of place changes the checksum.
  for (let index = 0; index < bytes; index++)
    buffer[index] = (Math.imul(index ^ (index >>> 11), 2_654_435_761) + seed) >>> 24;
  return buffer;
}

const checksum = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function store(client: RawClient, key: string, value: Buffer): Promise<void> {
  client.write(`set ${key} 3 0 ${value.length}\r\n`);
  await client.writeAll(value);
  await client.expect('\r\n', 'STORED\r\n');
}

async function fetchValue(client: RawClient, key: string, bytes: number): Promise<Buffer> {
  client.write(`get ${key}\r\n`);
  assert.equal(await client.readLine(), `VALUE ${key} 3 ${bytes}`);
  const value = await client.readBytes(bytes);
  assert.equal((await client.readBytes(7)).toString('latin1'), '\r\nEND\r\n');
  return value;
}

function defaultLimitTests(suite: Suite): void {
  suite.test('values of every magnitude up to just under 1 MB come back intact', async (client) => {
    for (const bytes of [
      1,
      63,
      64,
      1_000,
      8_191,
      8_192,
      65_535,
      131_072,
      500_000,
      1_000_000,
      MEBIBYTE - 512,
    ]) {
      const key = suite.key();
      const value = pattern(bytes, bytes);
      await store(client, key, value);
      assert.equal(checksum(await fetchValue(client, key, bytes)), checksum(value), `${bytes} bytes`);
    }
  });

  suite.test('over 1 MB is too large, and the connection is usable', async (client) => {
    const key = suite.key();
    const refusedBefore = await readStat(client, 'store_too_large');
    // memcached counts the item's head within the limit, Larder the value only: just above differs.
    for (const bytes of [MEBIBYTE + 1, MEBIBYTE + 100, 3 * MEBIBYTE]) {
      await client.expect(`set ${key} 0 0 ${bytes}\r\n${'x'.repeat(bytes)}\r\n`, TOO_LARGE);
    }
    assert.equal((await readStat(client, 'store_too_large')) - refusedBefore, 3);
    await client.expect(
      `set ${key} 0 0 1\r\na\r\nget ${key}\r\n`,
      `STORED\r\nVALUE ${key} 0 1\r\na\r\nEND\r\n`,
    );
  });

  suite.test('append and prepend that would exceed the limit leave the value as it was', async (client) => {
    const key = suite.key();
    const value = 'x'.repeat(600_000);
    await client.expect(`set ${key} 0 0 600000\r\n${value}\r\n`, 'STORED\r\n');
    for (const command of ['append', 'prepend']) {
      await client.match(
        `${command} ${key} 0 0 600000\r\n${value}\r\n`,
        /^(NOT_STORED|SERVER_ERROR (object too large for cache|out of memory storing object))\r\n$/,
      );
    }
    await client.expect(`get ${key}\r\n`, `VALUE ${key} 0 600000\r\n${value}\r\nEND\r\n`);
  });
}

function largeValueTests(suite: Suite): void {
  suite.test('-I 64m: a value of 50 MB and its checksum, and it can be replaced and deleted', async () => {
    const server = await suite.start({ itemSizeMax: '64m', memoryMegabytes: 256, threads: 1 });
    await using client = await suite.connect(server, { timeoutMs: 30_000 });
    const value = pattern(50 * MEBIBYTE, 1);
    const sum = checksum(value);
    for (let round = 0; round < 3; round++) {
      await store(client, 'big', value);
      assert.equal(checksum(await fetchValue(client, 'big', value.length)), sum);
    }
    await client.expect('delete big\r\nget big\r\n', 'DELETED\r\nEND\r\n');
    await client.expect(`set over 0 0 ${66 * MEBIBYTE}\r\n${'x'.repeat(66 * MEBIBYTE)}\r\n`, TOO_LARGE);
  });

  suite.test('-I 8m: chained values grow by append and prepend', async () => {
    const server = await suite.start({ itemSizeMax: '8m', memoryMegabytes: 128, threads: 1 });
    await using client = await suite.connect(server, { timeoutMs: 20_000 });
    let expected = pattern(1_500_000, 2);
    await store(client, 'chain', expected);
    for (let round = 0; round < 4; round++) {
      const piece = pattern(300_000 + round, round);
      const text = piece.toString('latin1');
      await client.expect(`append chain 0 0 ${piece.length}\r\n${text}\r\n`, 'STORED\r\n');
      await client.expect(`prepend chain 0 0 ${piece.length}\r\n${text}\r\n`, 'STORED\r\n');
      expected = Buffer.concat([piece, expected, piece]);
    }
    assert.equal(checksum(await fetchValue(client, 'chain', expected.length)), checksum(expected));
    await client.match('mg chain s f\r\n', new RegExp(`^HD s${expected.length} f3\\r\\n$`));
  });

  suite.test('a chained value is sent whole while it is being replaced', async () => {
    const server = await suite.start({ itemSizeMax: '8m', memoryMegabytes: 128, threads: 2 });
    await using writer = await suite.connect(server, { timeoutMs: 20_000 });
    await using reader = await suite.connect(server, { timeoutMs: 20_000 });
    const values = [pattern(4_000_000, 3), pattern(4_000_000, 4)] as const;
    const sums = values.map(checksum);
    await store(writer, 'flip', values[0]);
    for (let round = 0; round < 6; round++) {
      const reading = fetchValue(reader, 'flip', 4_000_000);
      await store(writer, 'flip', round % 2 === 0 ? values[1] : values[0]);
      assert.ok(sums.includes(checksum(await reading)), 'one of the two values, never a mixture');
    }
  });
}

function fullCacheTests(suite: Suite): void {
  suite.test('a full cache evicts the least recently used and keeps serving', async () => {
    const server = await suite.start({ memoryMegabytes: 8, threads: 1 });
    await using client = await suite.connect(server);
    const value = 'x'.repeat(4_000);
    for (let index = 0; index < 10_000; index++)
      client.write(`set f${index} 0 0 4000 noreply\r\n${value}\r\n`);
    await client.expect('', '');
    const stats = await readStats(client);
    assert.ok(Number(stats.get('evictions')) > 5_000, `evictions ${stats.get('evictions')}`);
    assert.ok(Number(stats.get('bytes')) <= 8 * MEBIBYTE);
    assert.ok(Number(stats.get('curr_items')) > 1_000, `curr_items ${stats.get('curr_items')}`);
    await client.expect('get f9999\r\n', `VALUE f9999 0 4000\r\n${value}\r\nEND\r\n`);
    await client.expect('get f0\r\n', 'END\r\n');
  });

  suite.test('-M refuses instead of evicting, and what is there stays', async () => {
    const server = await suite.start({ memoryMegabytes: 8, threads: 1, letters: ['-M'] });
    await using client = await suite.connect(server);
    const value = 'x'.repeat(4_000);
    await client.expect(`set first 0 0 4000\r\n${value}\r\n`, 'STORED\r\n');
    let refusals = 0;
    for (let index = 0; index < 4_000 && refusals < 10; index++) {
      const reply = await client.exchange(`set m${index} 0 0 4000\r\n${value}\r\n`);
      if (reply === 'SERVER_ERROR out of memory storing object\r\n') refusals += 1;
      else assert.equal(reply, 'STORED\r\n');
    }
    assert.equal(refusals, 10);
    await client.expect('get first\r\n', `VALUE first 0 4000\r\n${value}\r\nEND\r\n`);
    assert.equal(await readStat(client, 'evictions'), 0);
  });
}

export function limitsSuite(suite: Suite): void {
  defaultLimitTests(suite);
  largeValueTests(suite);
  fullCacheTests(suite);
}
