/** What a router does with clients of every kind: by UDP, by the binary protocol. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { availableTransports } from '@larder/datapath';
import { askDatagram } from './testing/ask-datagram.ts';
import { poolOf, startTestRouter } from './testing/routers.ts';
import { ScriptedServer, tinyCache } from './testing/scripted-server.ts';
import { talk } from './testing/talk.ts';

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
