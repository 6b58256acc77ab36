/** Leases of meta gets through failovers, in front of servers that all number their items from 1 on. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { startTestRouter } from './testing/routers.ts';
import { type Script, ScriptedServer } from './testing/scripted-server.ts';

/** Gives everybody the lease `c1`, and takes every fill. */
function lessor(): Script {
  let isBlock = false;
  return (line) => {
    if (isBlock) {
      isBlock = false;
      return 'HD\r\n';
    }
    isBlock = line.startsWith('ms ');
    if (isBlock) return undefined;
    return line.startsWith('mg ') ? 'VA 0 c1 W\r\n\r\n' : 'HD\r\n';
  };
}

/** One exchange after the other over one connection. */
async function open(port: number): Promise<{ ask(request: string): Promise<string>; socket: Socket }> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const ask = (request: string): Promise<string> =>
    new Promise((resolve) => {
      let reply = '';
      const read = (part: string): void => {
        reply += part;
        if (!reply.endsWith('MN\r\n')) return;
        socket.off('data', read);
        resolve(reply.slice(0, -'MN\r\n'.length));
      };
      socket.on('data', read);
      socket.write(`${request}mn\r\n`);
    });
  return { ask, socket };
}

const fills = (server: ScriptedServer): number =>
  server.lines.filter((line) => line.startsWith('ms k ')).length;

test('a fill reaches only the server that gave the lease, in the life in which it gave it', async () => {
  const gone = await ScriptedServer.start(lessor());
  const { address } = gone;
  const port = Number(address.split(':')[1]);
  await gone[Symbol.asyncDispose]();
  await using gutter = await ScriptedServer.start(lessor());
  await using started = await startTestRouter({
    pools: { main: { servers: [address] }, gutter: { servers: [gutter.address] } },
    route: { type: 'FailoverRoute', children: ['PoolRoute|main', 'PoolRoute|gutter'] },
  });
  const [client, other] = [await open(started.router.port), await open(started.router.port)];
  const askedMain = async (main: ScriptedServer): Promise<void> => {
    while (!main.lines.some((line) => line.startsWith('mg other'))) await other.ask('mg other v\r\n');
  };
  assert.equal(await client.ask('mg k v c N30\r\n'), 'VA 0 c1 W\r\n\r\n', 'from the gutter');
  const main = await ScriptedServer.start(lessor(), port);
  await askedMain(main);
  assert.equal(await client.ask('ms k 1 C1\r\nv\r\n'), 'HD\r\n');
  assert.deepEqual([fills(main), fills(gutter)], [0, 1], 'and back to it');

  assert.equal(await client.ask('mg k v c N30\r\n'), 'VA 0 c1 W\r\n\r\n', 'from main');
  await main[Symbol.asyncDispose]();
  await other.ask('mg k v\r\n');
  await using again = await ScriptedServer.start(lessor(), port);
  await askedMain(again);
  assert.equal(await client.ask('ms k 1 C1\r\nv\r\n'), 'EX\r\n', 'main has been restarted since');
  assert.deepEqual([fills(again), fills(gutter)], [0, 1]);
  // A token that the router has not seen goes where the key does.
  assert.equal(await client.ask('ms k 1 C9\r\nv\r\n'), 'HD\r\n');
  assert.equal(fills(again), 1);
  client.socket.destroy();
  other.socket.destroy();
});
