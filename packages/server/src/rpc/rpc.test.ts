/**
 * The typed protocol against a running server, on every transport that works here: each operation, over TCP and
 * UDP, and that memcache's text protocol sees the same values.
 */
import { strict as assert } from 'node:assert';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { availableTransports } from '@larder/datapath';
import {
  GetReplyView,
  GetRequest,
  KeyValueClient,
  KeyValueTypes,
  PutMode,
  Status,
} from '@larder/protocol/rpc';
import { Encoder, encode, FRAME_HEADER_BYTES, Message, putFrameHeader } from '@larder/wire';
import { DatagramChannel, FAILURE_TYPE, FailureView, RpcError, SocketChannel } from '@larder/wire/rpc';
import type { RunningServer } from '../running-server.ts';
import { startServer } from '../start-server.ts';
import { RawTalk } from '../testing/raw-talk.ts';

const ITEM_BYTES_MAX = 4 << 20;

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** The port of the typed protocol. */
function rpcPort(server: RunningServer): number {
  const address = server.addresses.find(({ kind }) => kind === 'rpc');
  assert.ok(address);
  return address.port;
}

async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof RpcError, String(error));
    return error.code;
  }
  throw new Error('the call succeeded');
}

for (const { kind, available, reason } of availableTransports()) {
  describe(`typed protocol on ${kind}`, { skip: available ? false : (reason ?? 'not available') }, () => {
    let server: RunningServer;
    let channel: SocketChannel;
    let client: KeyValueClient;
    let text: RawTalk;

    before(async () => {
      server = await startServer({
        transport: kind,
        port: 0,
        adminPort: 'off',
        threads: 2,
        rpcPort: 0,
        memoryBytes: 256 << 20,
        itemBytesMax: ITEM_BYTES_MAX,
        udpDatagramsMax: 16,
      });
      channel = await SocketChannel.connect({ host: '127.0.0.1', port: rpcPort(server) });
      client = new KeyValueClient(channel);
      text = await RawTalk.connect(server.port);
    });
    after(async () => {
      text.close();
      channel.close();
      await server.stop();
    });

    test('put and get, of values copied, referenced and in several chunks', async () => {
      for (const bytes of [0, 1, 100, 5000, 20_000, 100_000, 600_000, 3_000_000]) {
        const val = Buffer.alloc(bytes, `${bytes} `);
        assert.equal((await client.put({ key: `v${bytes}`, val, flags: bytes })).status, Status.STATUS_OK);
        const reply = await client.get({ key: `v${bytes}` });
        assert.equal(reply.status, Status.STATUS_OK);
        assert.equal(reply.flags, bytes);
        assert.ok(val.equals(reply.val), `${bytes} bytes came back different`);
        assert.equal(await text.value(`v${bytes}`), val.toString('latin1'));
      }
      assert.equal((await client.get({ key: 'nothing' })).status, Status.STATUS_NOT_FOUND);
    });

    test('a value set by one protocol is read by the other', async () => {
      await text.ask('set shared 42 0 5\r\nhello\r\n', 'STORED\r\n');
      const reply = await client.get({ key: 'shared' });
      assert.equal(textOf(reply.val), 'hello');
      assert.equal(reply.flags, 42);
      await client.put({ key: 'shared', val: 'world!', flags: 7 });
      await text.ask('get shared\r\n', 'VALUE shared 7 6\r\nworld!\r\nEND\r\n');
      await text.ask('delete shared\r\n', 'DELETED\r\n');
      assert.equal((await client.get({ key: 'shared' })).status, Status.STATUS_NOT_FOUND);
    });

    test('modes of put, and versions', async () => {
      const put = async (val: string, mode: PutMode, version = 0): Promise<number> =>
        (await client.put({ key: 'mode', val, mode, version })).status;
      assert.equal(await put('a', PutMode.PUT_MODE_REPLACE), Status.STATUS_NOT_STORED);
      assert.equal(await put('a', PutMode.PUT_MODE_COMPARE, 1), Status.STATUS_NOT_FOUND);
      assert.equal(await put('a', PutMode.PUT_MODE_ADD), Status.STATUS_OK);
      assert.equal(await put('b', PutMode.PUT_MODE_ADD), Status.STATUS_NOT_STORED);
      const { version } = await client.get({ key: 'mode', version: true });
      assert.ok(version > 0);
      assert.equal(await put('c', PutMode.PUT_MODE_COMPARE, version + 1), Status.STATUS_EXISTS);
      assert.equal(await put('c', PutMode.PUT_MODE_COMPARE, version), Status.STATUS_OK);
      assert.equal(textOf((await client.get({ key: 'mode' })).val), 'c');
      assert.equal(await refusal(client.put({ key: 'mode', mode: 9 })), 'BAD_REQUEST');
    });

    test('getM and putM: values in order, missing keys, flags, long values among short ones', async () => {
      const long = Buffer.alloc(30_000, 'long');
      const chained = Buffer.alloc(700_000, 'chained');
      const status = await client.putM({ keys: ['m1', 'm2', 'm3'], vals: ['one', long, chained], flags: 3 });
      assert.equal(status.statuses.length, 0);
      const reply = await client.getM({ keys: ['m1', 'none', 'm2', 'm3', 'm1'] });
      assert.deepEqual(
        reply.vals.toArray().map((val) => val.length),
        [3, 0, long.length, chained.length, 3],
      );
      assert.ok(long.equals(reply.vals.at(2)) && chained.equals(reply.vals.at(3)));
      assert.deepEqual([...reply.missing], [1]);
      assert.deepEqual([...reply.flags], [3, 0, 3, 3, 3]);
      const none = await client.getM({ keys: Array.from({ length: 4000 }, (_, index) => `n${index}`) });
      assert.equal(none.missing.length, 4000);
      assert.equal(await refusal(client.putM({ keys: ['a', 'b'], vals: ['1'] })), 'BAD_REQUEST');
      const tooMany = Array.from({ length: 5000 }, () => 'k');
      assert.equal(await refusal(client.getM({ keys: tooMany })), 'BAD_REQUEST');
      const large = await client.putM({ keys: ['l1', 'l2'], vals: ['x', Buffer.alloc(ITEM_BYTES_MAX + 1)] });
      assert.deepEqual([...large.statuses], [Status.STATUS_OK, Status.STATUS_TOO_LARGE]);
    });

    test('getM of short values: flags, empty and missing ones in every place', async () => {
      const contents = ['', 'a', 'bc', 'def', 'x'.repeat(13)];
      for (const [index, val] of contents.entries()) {
        await client.put({ key: `s${index}`, val, flags: index === 2 ? 77 : 0 });
        // Only what was used before is read without a lock.
        for (let uses = 0; uses < 3; uses++) await client.get({ key: `s${index}` });
      }
      const names = ['s0', 's1', 's2', 's3', 's4', 'absent'];
      for (let mask = 0; mask < 3 ** 4; mask++) {
        const keys = [0, 1, 2, 3].map((place) => names[(Math.floor(mask / 3 ** place) * 2 + place) % 6]!);
        const reply = await client.getM({ keys });
        const indices = keys.map((key) => (key === 'absent' ? -1 : Number(key.slice(1))));
        assert.deepEqual(
          reply.vals.toArray().map(textOf),
          indices.map((index) => contents[index] ?? ''),
        );
        assert.deepEqual(
          [...reply.missing],
          indices.flatMap((index, place) => (index < 0 ? [place] : [])),
        );
        const flags = indices.map((index) => (index === 2 ? 77 : 0));
        assert.deepEqual([...reply.flags], flags.includes(77) ? flags : []);
      }
      const flagged = await client.get({ key: 's2' });
      assert.equal(textOf(flagged.val), 'bc');
      assert.equal(flagged.flags, 77);
      const datagrams = new DatagramChannel({ host: '127.0.0.1', port: rpcPort(server), timeoutMs: 5000 });
      const udp = await new KeyValueClient(datagrams).getM({ keys: ['s2', 'absent', 's4'] });
      assert.deepEqual(udp.vals.toArray().map(textOf), ['bc', '', contents[4]]);
      assert.deepEqual([...udp.missing, ...udp.flags], [1, 77, 0, 0]);
      datagrams.close();
    });

    test('lists keep their elements; text sees one value', async () => {
      const elements = ['first', '', Buffer.alloc(20_000, 'b'), 'last'].map((each) => Buffer.from(each));
      assert.equal(
        (await client.putList({ key: 'list', vals: elements, flags: 5 })).status,
        Status.STATUS_OK,
      );
      const list = await client.getList({ key: 'list' });
      assert.equal(list.flags, 5);
      assert.deepEqual(list.vals.toArray().map(textOf), elements.map(textOf));
      const element = await client.getFromList({ key: 'list', index: 2 });
      assert.equal(element.count, 4);
      assert.ok(elements[2]!.equals(element.val));
      assert.equal((await client.getFromList({ key: 'list', index: 4 })).status, Status.STATUS_NOT_FOUND);
      const joined = Buffer.concat(elements).toString('latin1');
      assert.equal(await text.value('list'), joined);
      assert.equal(textOf((await client.get({ key: 'list' })).val), joined);
      assert.equal(textOf((await client.getM({ keys: ['list'] })).vals.at(0)), joined);
      assert.equal((await client.append({ key: 'list', val: 'added' })).status, Status.STATUS_OK);
      assert.equal(textOf((await client.getFromList({ key: 'list', index: 4 })).val), 'added');
      await client.put({ key: 'plain', val: 'plain' });
      assert.deepEqual((await client.getList({ key: 'plain' })).vals.toArray().map(textOf), ['plain']);
      await client.append({ key: 'plain', val: ' and more' });
      assert.equal(await text.value('plain'), 'plain and more');
      assert.equal((await client.append({ key: 'absent', val: 'x' })).status, Status.STATUS_NOT_STORED);
      assert.equal((await client.getList({ key: 'absent' })).status, Status.STATUS_NOT_FOUND);
      const many = Array.from({ length: 3000 }, (_, index) => `element ${index}`);
      await client.putList({ key: 'many', vals: many });
      assert.deepEqual((await client.getList({ key: 'many' })).vals.toArray().map(textOf), many);
      const long = Array.from({ length: 300 }, (_, index) => Buffer.alloc(10_000 + index, `${index} `));
      await client.putList({ key: 'long', vals: long });
      const reply = await client.getList({ key: 'long' });
      assert.ok(long.every((element, index) => element.equals(reply.vals.at(index))));
    });

    test('delete, expiry, leases', async () => {
      await client.put({ key: 'gone', val: 'x', expiry: -1 });
      assert.equal((await client.get({ key: 'gone' })).status, Status.STATUS_NOT_FOUND);
      await client.put({ key: 'd', val: 'old' });
      assert.equal((await client.delete({ key: 'd' })).status, Status.STATUS_OK);
      assert.equal((await client.delete({ key: 'never' })).status, Status.STATUS_NOT_FOUND);
      const lease = await client.leaseGet({ key: 'd' });
      assert.equal(lease.status, Status.STATUS_FILL);
      assert.ok(lease.token > 0 && lease.stale);
      assert.equal(textOf(lease.val), 'old');
      const waiting = await client.leaseGet({ key: 'd' });
      assert.equal(waiting.status, Status.STATUS_WAIT);
      assert.equal(
        (await client.leaseSet({ key: 'd', val: 'new', token: 0 })).status,
        Status.STATUS_NOT_STORED,
      );
      assert.equal(
        (await client.leaseSet({ key: 'd', val: 'new', token: lease.token })).status,
        Status.STATUS_OK,
      );
      const hit = await client.leaseGet({ key: 'd' });
      assert.equal(hit.status, Status.STATUS_OK);
      assert.equal(textOf(hit.val), 'new');
      assert.equal(await text.value('d'), 'new');
    });

    test('over UDP: in one datagram, in several, too long; and a put in several', async () => {
      const port = rpcPort(server);
      const datagrams = new DatagramChannel({ host: '127.0.0.1', port, timeoutMs: 5000 });
      const udp = new KeyValueClient(datagrams);
      try {
        for (const bytes of [10, 1400, 10_000, 20_000]) {
          const val = Buffer.alloc(bytes, 'udp');
          await udp.put({ key: 'udp', val });
          assert.ok(val.equals((await udp.get({ key: 'udp' })).val), `${bytes} bytes`);
        }
        await client.put({ key: 'long', val: Buffer.alloc(100_000) });
        assert.equal(await refusal(udp.get({ key: 'long' })), 'TOO_LARGE');
        assert.equal(await refusal(udp.getM({ keys: ['long'] })), 'TOO_LARGE');
        assert.equal((await udp.get({ key: 'none' })).status, Status.STATUS_NOT_FOUND);
        const replies = await Promise.all(Array.from({ length: 200 }, () => udp.get({ key: 'none' })));
        assert.ok(replies.every(({ status }) => status === Status.STATUS_NOT_FOUND));
      } finally {
        datagrams.close();
      }
    });

    test('every other operation over UDP, in several datagrams each way', async () => {
      const datagrams = new DatagramChannel({ host: '127.0.0.1', port: rpcPort(server), timeoutMs: 5000 });
      const udp = new KeyValueClient(datagrams);
      try {
        const vals = [3000, 12, 4000].map((bytes) => Buffer.alloc(bytes, `${bytes} `));
        const keys = ['u1', 'u2', 'u3'];
        assert.equal((await udp.putM({ keys, vals })).statuses.length, 0);
        const many = await udp.getM({ keys: [...keys, 'none'] });
        assert.ok(vals.every((val, index) => val.equals(many.vals.at(index))));
        assert.deepEqual([...many.missing], [3]);
        assert.equal((await udp.putList({ key: 'ulist', vals })).status, Status.STATUS_OK);
        assert.equal((await udp.append({ key: 'ulist', val: vals[0]! })).status, Status.STATUS_OK);
        const list = await udp.getList({ key: 'ulist' });
        assert.ok([...vals, vals[0]!].every((val, index) => val.equals(list.vals.at(index))));
        assert.ok(vals[2]!.equals((await udp.getFromList({ key: 'ulist', index: 2 })).val));
        assert.equal(await text.value('ulist'), Buffer.concat([...vals, vals[0]!]).toString('latin1'));
        assert.equal((await udp.delete({ key: 'u1' })).status, Status.STATUS_OK);
        const { status, token } = await udp.leaseGet({ key: 'u1' });
        assert.equal(status, Status.STATUS_FILL);
        assert.equal((await udp.leaseSet({ key: 'u1', val: vals[2]!, token })).status, Status.STATUS_OK);
        assert.ok(vals[2]!.equals((await udp.leaseGet({ key: 'u1' })).val));
      } finally {
        datagrams.close();
      }
    });

    test('many calls at once over several connections, every reply its own', async () => {
      const channels = await Promise.all(
        Array.from({ length: 4 }, () => SocketChannel.connect({ host: '127.0.0.1', port: rpcPort(server) })),
      );
      const clients = channels.map((each) => new KeyValueClient(each));
      const calls = Array.from({ length: 2000 }, async (_, index) => {
        const one = clients[index % 4]!;
        const val = Buffer.alloc((index * 37) % 15_000, `${index} `);
        await one.put({ key: `k${index}`, val });
        assert.ok(val.equals((await one.get({ key: `k${index}` })).val), `call ${index}`);
      });
      await Promise.all(calls);
      for (const each of channels) each.close();
    });

    test('bad requests: keys, methods, messages; the connection goes on', async () => {
      for (const key of ['', 'with space', 'x'.repeat(251), 'tab\t', '\x7f'])
        assert.equal(await refusal(client.get({ key })), 'BAD_KEY', JSON.stringify(key));
      assert.equal(await refusal(client.getM({ keys: ['good', 'b d'] })), 'BAD_KEY');
      assert.equal(
        await refusal(channel.call(12_345, GetRequest.from({ key: 'a' }), GetReplyView)),
        'UNKNOWN_METHOD',
      );
      assert.equal((await client.get({ key: 'nothing' })).status, Status.STATUS_NOT_FOUND);
    });

    test('what is no frame ends the connection, with a word', async () => {
      for (const [what, header] of [
        ['a length beyond every limit', [0xffff_ffff, 1, 1, 0]],
        ['a reserved word', [8, KeyValueTypes.get, 1, 7]],
        ['text', [0x2074_6567, 0x0a0d_61, 0, 1]],
      ] as const) {
        const bytes = Buffer.from(new Uint32Array(header).buffer);
        const answer = await sendRaw(rpcPort(server), bytes);
        assert.equal(answer.readUInt32LE(4), FAILURE_TYPE, what);
        const failure = new FailureView(Message.of(answer.subarray(FRAME_HEADER_BYTES)));
        assert.equal(failure.code, 'BAD_MESSAGE', what);
      }
    });

    test('mutated requests are answered or end their connection; the server lives on', async () => {
      const request = encode(GetRequest.from({ key: 'mutated', version: true }, new Encoder()));
      const frame = new Uint8Array(FRAME_HEADER_BYTES + request.length);
      putFrameHeader(new DataView(frame.buffer), 0, request.length, KeyValueTypes.get, 9);
      frame.set(request, FRAME_HEADER_BYTES);
      await Promise.all(
        Array.from({ length: 200 }, async (_, seed) => {
          const mutated = Buffer.from(frame);
          for (let times = 0; times < 3; times++)
            mutated[(seed * 7919 + times * 104_729) % mutated.length] = (seed * 31 + times * 17) & 0xff;
          await sendRaw(rpcPort(server), mutated, true);
        }),
      );
      assert.equal((await client.get({ key: 'nothing' })).status, Status.STATUS_NOT_FOUND);
      await client.put({ key: 'after', val: bytesOf('all') });
      assert.equal(textOf((await client.get({ key: 'after' })).val), 'all');
    });
  });
}

test('references are given back: far more long values go through a small store than it holds', async () => {
  const server = await startServer({
    port: 0,
    adminPort: 'off',
    threads: 1,
    rpcPort: 0,
    memoryBytes: 16 << 20,
    disableEvictions: true,
  });
  const channel = await SocketChannel.connect({ host: '127.0.0.1', port: rpcPort(server) });
  const client = new KeyValueClient(channel);
  try {
    const val = Buffer.alloc(100_000, 'v');
    const vals = Array.from({ length: 20 }, () => Buffer.alloc(10_000, 'l'));
    for (let round = 0; round < 100; round++) {
      const statuses = await Promise.all([
        ...Array.from({ length: 10 }, (_, index) => client.put({ key: `k${index}`, val })),
        client.putList({ key: 'list', vals }),
      ]);
      // A value that could not be given back would fill the store, which evicts nothing.
      assert.ok(
        statuses.every(({ status }) => status === Status.STATUS_OK),
        `round ${round}`,
      );
      await Promise.all([
        client.getM({ keys: ['k0', 'k1', 'k2', 'k3'] }),
        client.getList({ key: 'list' }),
        client.getFromList({ key: 'list', index: 3 }),
        client.get({ key: 'k5' }),
        // Refused when some of its values are referenced already.
        client.getM({ keys: ['k6', 'k7', 'bad key'] }).catch(() => undefined),
      ]);
    }
  } finally {
    channel.close();
    await server.stop();
  }
});

test('the typed protocol is off by default, and refused with authentication', async () => {
  const server = await startServer({
    port: 0,
    adminPort: 'off',
    threads: 1,
    transport: 'node',
    memoryBytes: 8 << 20,
  });
  assert.equal(
    server.addresses.some(({ kind }) => kind === 'rpc'),
    false,
  );
  await server.stop();
  await assert.rejects(startServer({ rpcPort: 0, authFile: '/dev/null', port: 0 }), /no authentication/);
  await assert.rejects(startServer({ rpcPort: 11_999, port: 11_999 }), /is the port of the text protocols/);
});

/** Sends bytes and an end; gives what came back until the server's end. */
function sendRaw(port: number, bytes: Uint8Array, tolerant = false): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('data', (part) => parts.push(part));
    socket.on('error', (error) => (tolerant ? resolve(Buffer.concat(parts)) : reject(error)));
    socket.on('close', () => resolve(Buffer.concat(parts)));
    socket.end(bytes);
  });
}
