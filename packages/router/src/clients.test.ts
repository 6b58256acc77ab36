/** What a router does with clients of every kind: by UDP, by the binary protocol. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { availableTransports } from '@larder/datapath';
import fc from 'fast-check';
import { askDatagram } from './testing/ask-datagram.ts';
import { EmptyServer } from './testing/empty-server.ts';
import { poolOf, startTestRouter } from './testing/routers.ts';
import { ScriptedServer, tinyCache } from './testing/scripted-server.ts';
import { talk } from './testing/talk.ts';

const SEED = 20_261_122;

test(`random datagrams harm nobody, and a block that does not fit its datagram is refused (seed ${SEED})`, async () => {
  await using server = await EmptyServer.start();
  await using started = await startTestRouter(poolOf(server), { udpPort: -1 });
  const { host, port } = started.router.addresses.find(({ kind }) => kind === 'udp')!;
  const socket = createSocket('udp4');
  const send = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) =>
      socket.send(bytes, port, host, (error) => (error === null ? resolve() : reject(error))),
    );
  const text = fc
    .array(fc.constantFrom('get ', 'set ', 'a', ' 0', '\r\n', '\x80', ' 9999999', 'mg ', 'quit'), {
      maxLength: 9,
    })
    .map((words) => Buffer.from(words.join(''), 'latin1'));
  const framed = text.map((payload) => Buffer.concat([Buffer.of(0, 9, 0, 0, 0, 1, 0, 0), payload]));
  await fc.assert(fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 40 }), framed), send), {
    seed: SEED,
    numRuns: 300,
  });
  socket.close();
  assert.equal(
    await askDatagram(host, port, 'set a 0 0 1000000\r\nabc'),
    'SERVER_ERROR a request must fit its datagram\r\n',
  );
  assert.equal(await askDatagram(host, port, 'get a\r\n'), 'END\r\n');
});

test('long values are collected as they come', async () => {
  await using server = await EmptyServer.start();
  await using started = await startTestRouter(poolOf(server));
  const set = (bytes: number): string => `set a 0 0 ${bytes}\r\n${'v'.repeat(bytes)}\r\n`;
  const { port } = started.router;
  assert.equal(
    await talk(port, `${set(5_000_000)}${set(1_048_576)}${set(40_000)}mn\r\n`),
    `${'STORED\r\n'.repeat(3)}MN\r\n`,
  );
  assert.equal(
    await talk(port, `set a 0 0 5000000\r\n${'v'.repeat(5_000_000)}xx`),
    'CLIENT_ERROR bad data chunk\r\n',
  );
});

for (const { kind, available, reason } of availableTransports()) {
  const skip = available ? false : `not available here: ${reason}`;
  test(`${kind}: UDP is answered on every address of -l, from that address`, { skip }, async () => {
    await using server = await ScriptedServer.start(tinyCache());
    const hosts = ['127.0.0.1', '127.0.0.2', '::1'];
    await using started = await startTestRouter(poolOf(server), {
      transport: kind,
      threads: 2,
      udpPort: -1,
      listen: hosts,
    });
    const { router } = started;
    await talk(router.port, 'set a 0 0 1\r\nx\r\n');
    const bound = router.addresses.filter(({ kind: each }) => each === 'udp');
    assert.deepEqual(
      bound.map(({ host }) => host),
      hosts,
    );
    for (const { host, port } of bound) {
      assert.equal(await askDatagram(host, port, 'get a\r\n'), 'VALUE a 0 1\r\nx\r\nEND\r\n', host);
    }
    assert.match(await talk(router.port, 'stats\r\n'), /STAT udp_requests 3\r\n/);
  });

  test(`${kind}: a client of the binary protocol is told so and closed`, { skip }, async () => {
    await using server = await ScriptedServer.start(tinyCache());
    await using started = await startTestRouter(poolOf(server), { transport: kind, udpPort: -1 });
    const { router, log } = started;
    const header = Buffer.alloc(24);
    header.set([0x80, 0x0a], 0);
    header.writeUInt32BE(0xcafe, 12);
    const text = 'the router speaks memcache classic and meta, not the binary protocol';
    const expected = Buffer.alloc(24);
    expected.set([0x81, 0x0a], 0);
    expected.writeUInt16BE(0x81, 6);
    expected.writeUInt32BE(text.length, 8);
    expected.writeUInt32BE(0xcafe, 12);
    const refusal = expected.toString('latin1') + text;
    // Behind it nothing is read: it might be taken for a line. What came before it is answered.
    const noop = header.toString('latin1');
    assert.equal(await talk(router.port, `${noop}\nget a\r\n`), refusal);
    assert.equal(await talk(router.port, `get a\r\n${noop}${noop}`), `END\r\n${refusal}`);
    const { host, port } = router.addresses.find(({ kind: each }) => each === 'udp')!;
    assert.equal(await askDatagram(host, port, header), refusal);
    assert.match(await talk(router.port, 'stats\r\n'), /STAT binary_refused 3\r\n/);
    const notices = log.filter((line) => line.includes('binary protocol'));
    assert.equal(notices.length, 1, 'one line for many');
    assert.match(notices[0]!, /"client":"127\.0\.0\.1"/);
  });
}
