/** What only a running server has: the limit over many connections, and its admin pages. On every transport. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { availableTransports } from '@larder/datapath';
import { KeyValueClient, PutRequest, KeyValueTypes as types } from '@larder/protocol/rpc';
import { encode, StreamReader } from '@larder/wire';
import { FAILURE_TYPE, FailureView, SocketChannel } from '@larder/wire/rpc';
import type { RunningServer } from '../running-server.ts';
import { SAMPLE_EVERY_BATCHES } from '../session/latency.ts';
import { startServer } from '../start-server.ts';
import { eventually, Talk } from '../testing/talk.ts';
import { frameOf } from './testing/rpc-harness.ts';

const MIB = 1024 * 1024;
const LIMIT_BYTES: number = 8 * MIB;
const CONNECTIONS = 60;

function portOf(server: RunningServer, kind: string): number {
  const address = server.addresses.find((each) => each.kind === kind);
  assert.ok(address);
  return address.port;
}

/** A connection that sends half of a request; `code` is how that was answered, if it was. */
class HalfSender {
  readonly socket: Socket;
  code = '';

  constructor(port: number, half: Uint8Array) {
    this.socket = connect({ host: '127.0.0.1', port });
    const reader = new StreamReader((message, type) => {
      this.code = type === FAILURE_TYPE ? new FailureView(message).code : 'reply';
      return true;
    });
    this.socket.on('data', (chunk) => reader.push(chunk));
    this.socket.write(half);
  }
}

for (const { kind, available, reason } of availableTransports()) {
  describe(`a server of typed messages on ${kind}`, {
    skip: available ? false : (reason ?? 'not available'),
  }, () => {
    test('many half-sent requests hold a bounded amount of memory, and others are served', async () => {
      const server = await startServer({
        transport: kind,
        port: 0,
        adminPort: 'off',
        threads: 1,
        rpcPort: 0,
        memoryBytes: 64 * MIB,
        readBufferBytesMax: LIMIT_BYTES,
      });
      try {
        const frame = frameOf(
          encode(PutRequest.from({ key: 'k', val: new Uint8Array(MIB - 200) })),
          types.put,
          1,
        );
        const half = frame.subarray(0, frame.length >> 1);
        const senders = Array.from(
          { length: CONNECTIONS },
          () => new HalfSender(portOf(server, 'rpc'), half),
        );
        const admitted = Math.floor(LIMIT_BYTES / frame.length);
        const refused = (): HalfSender[] => senders.filter(({ code }) => code === 'SERVER_BUSY');
        await eventually(() => (refused().length === CONNECTIONS - admitted ? true : undefined));
        const held = Number(server.statistics().get('rpc_gathered_bytes'));
        assert.ok(held > 0 && held <= LIMIT_BYTES, `${held} bytes`);
        assert.equal(server.statistics().get('read_buf_oom'), CONNECTIONS - admitted);
        // Short requests need none of it, and those that were let in are finished.
        const channel = await SocketChannel.connect({ host: '127.0.0.1', port: portOf(server, 'rpc') });
        const client = new KeyValueClient(channel);
        assert.equal((await client.put({ key: 'short', val: 'v' })).status, 0);
        for (const sender of senders)
          if (sender.code === '') sender.socket.write(frame.subarray(half.length));
        await eventually(() => (senders.every(({ code }) => code !== '') ? true : undefined));
        assert.equal(server.statistics().get('rpc_gathered_bytes'), 0);
        assert.equal((await client.get({ key: 'k' })).val.length, MIB - 200);
        // Whoever is gone holds nothing.
        const [last] = refused();
        last!.socket.write(frame.subarray(half.length));
        last!.socket.write(half);
        await eventually(() =>
          Number(server.statistics().get('rpc_gathered_bytes')) > 0 ? true : undefined,
        );
        for (const { socket } of senders) socket.destroy();
        await eventually(() => (server.statistics().get('rpc_gathered_bytes') === 0 ? true : undefined));
        channel.close();
      } finally {
        await server.stop();
      }
    });

    test('operators see typed requests beside the others: stats, metrics, watch of another worker', async () => {
      const server = await startServer({ transport: kind, port: 0, adminPort: 0, threads: 2, rpcPort: 0 });
      try {
        const watcher = await Talk.open({ host: '127.0.0.1', port: server.port });
        await watcher.ask('watch fetchers mutations\r\n', 'OK\r\n');
        const channels = await Promise.all(
          Array.from({ length: 4 }, () =>
            SocketChannel.connect({ host: '127.0.0.1', port: portOf(server, 'rpc') }),
          ),
        );
        for (const [index, channel] of channels.entries()) {
          const client = new KeyValueClient(channel);
          await client.put({ key: `key${index}`, val: 'x' });
          await watcher.ask('', `type=item_store key=key${index} status=stored cmd=set`);
          await client.get({ key: `key${index}` });
          await watcher.ask('', `type=item_get key=key${index} status=found`);
          for (let batch = 0; batch < 2 * SAMPLE_EVERY_BATCHES; batch++) await client.get({ key: 'none' });
        }
        const text = await Talk.open({ host: '127.0.0.1', port: server.port });
        await text.ask('get key0\r\n', 'END\r\n');
        const stats = await text.stats();
        assert.deepEqual(
          [stats.get('cmd_set'), stats.get('rpc_cmd_set'), stats.get('get_hits'), stats.get('rpc_get_hits')],
          ['4', '4', '5', '4'],
        );
        const settings = await text.stats('settings');
        assert.equal(settings.get('copy_bytes_max'), stats.get('copy_bytes_max'));
        assert.equal(settings.get('read_buf_mem_limit'), '64');
        const page = await (await fetch(`http://127.0.0.1:${portOf(server, 'admin')}/metrics`)).text();
        assert.match(page, /^larder_commands_total\{command="get",status="hit",protocol="memcache"\} 1$/m);
        assert.match(page, /^larder_commands_total\{command="get",status="hit",protocol="rpc"\} 4$/m);
        assert.match(page, /^larder_request_duration_seconds_count\{command="get",protocol="rpc"\} [1-9]/m);
        await text.ask('stats reset\r\n', 'RESET\r\n');
        assert.equal((await text.stats()).get('rpc_get_hits'), '0');
        for (const channel of channels) channel.close();
        text.close();
        watcher.close();
      } finally {
        await server.stop();
      }
    });
  });
}
