import { strict as assert } from 'node:assert';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Cache } from '../cache.ts';
import { startServer, type TestServer } from '../testing/servers.ts';
import type { Discovery } from './discovery.ts';
import { dnsServers } from './dns.ts';
import { elastiCache, parseClusterText } from './elasticache.ts';
import { fileServers, parseServerList, urlServers } from './listed.ts';

let one: TestServer;
let other: TestServer;
before(async () => {
  [one, other] = await Promise.all([startServer('larder'), startServer('larder')]);
});
after(async () => {
  await Promise.all([one.stop(), other.stop()]);
});

const signal = new AbortController().signal;

interface Endpoint extends AsyncDisposable {
  readonly address: string;
}

/** A TCP server that answers lines. */
async function endpoint(answer: (line: string) => string): Promise<Endpoint> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      for (const line of bytes.toString('latin1').split('\r\n').slice(0, -1)) socket.write(answer(line));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    address: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const clusterReply = (text: string): string => `CONFIG cluster 0 ${text.length}\r\n${text}\r\nEND\r\n`;

/** Which servers a cache sends to, as far as they were asked. */
async function keysPerServer(cache: Cache): Promise<number> {
  const keys = Array.from({ length: 64 }, (_, index) => `spread:${index}`);
  await cache.setMany(keys.map((key) => [key, 1] as const));
  let servers = 0;
  for (const server of [one, other]) {
    await using direct = await Cache.connect({ servers: server.address });
    if ((await direct.getMany(keys)).size > 0) servers += 1;
    await direct.deleteMany(keys);
  }
  return servers;
}

test('ElastiCache: the nodes of a cluster are found, and found again when they change', async () => {
  let nodes = `localhost|127.0.0.1|${one.port}`;
  let version = 1;
  await using config = await endpoint((line) =>
    line === 'config get cluster' ? clusterReply(`${version}\n${nodes}\n`) : 'ERROR\r\n',
  );
  const discovery = elastiCache({ endpoint: config.address, interval: 20 });
  assert.deepEqual(await discovery.find(signal), [`127.0.0.1:${one.port}`]);
  await using cache = await Cache.connect({ discovery });
  assert.equal(await keysPerServer(cache), 1);
  const reloaded = new Promise<void>((resolve) => cache.once('reload', resolve));
  version = 2;
  nodes += ` localhost|127.0.0.1|${other.port}`;
  await reloaded;
  assert.equal(await keysPerServer(cache), 2);
});

test('ElastiCache: engines that know no config have the list under a key', async () => {
  const text = '7\nnode-1.example|10.0.0.1|11211 node-2.example||11212\n';
  await using old = await endpoint((line) =>
    line === 'get AmazonElastiCache:cluster'
      ? `VALUE AmazonElastiCache:cluster 0 ${text.length}\r\n${text}\r\nEND\r\n`
      : 'ERROR\r\n',
  );
  assert.deepEqual(await elastiCache({ endpoint: old.address }).find(signal), [
    '10.0.0.1:11211',
    'node-2.example:11212',
  ]);
});

test('ElastiCache: the name is used with TLS, and nonsense is refused', async () => {
  assert.deepEqual(parseClusterText('1\na.example|10.0.0.1|11211', true), ['a.example:11211']);
  assert.deepEqual(parseClusterText('1\n|::1|11211', false), ['[::1]:11211']);
  for (const wrong of ['', 'x\na|b|1', '1\n', '1\na|b', '1\na|b|port', '1\na|b|1|c']) {
    assert.throws(() => parseClusterText(wrong, false), { code: 'DISCOVERY' }, JSON.stringify(wrong));
  }
  await using silent = await endpoint(() => '');
  await assert.rejects(elastiCache({ endpoint: silent.address, timeout: 30 }).find(signal), /30 ms/);
  await using strange = await endpoint(() => 'SERVER_ERROR out of order\r\n');
  await assert.rejects(elastiCache({ endpoint: strange.address }).find(signal), /out of order/);
  assert.throws(() => elastiCache({ endpoint: 'unix:/x' }), { code: 'INVALID_CONFIG' });
});

test('lists: lines with comments or JSON, from a file or a URL', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-list-'));
  const path = join(folder, 'servers');
  writeFileSync(path, `# our servers\n127.0.0.1:${one.port}   # first\n\n127.0.0.1:${other.port}\n`);
  const web = createHttpServer((request, response) => {
    if (request.url === '/servers.json') response.end(JSON.stringify([one.address]));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  const { port } = web.address() as { port: number };
  try {
    assert.deepEqual(await fileServers(path).find(signal), [one.address, other.address]);
    assert.deepEqual(await urlServers(`http://127.0.0.1:${port}/servers.json`).find(signal), [one.address]);
    await assert.rejects(urlServers(`http://127.0.0.1:${port}/nothing`).find(signal), /404/);
    await assert.rejects(fileServers(join(folder, 'nothing')).find(signal), /ENOENT/);
    await using cache = await Cache.connect({ discovery: fileServers(path) });
    assert.equal(await keysPerServer(cache), 2);
  } finally {
    web.closeAllConnections();
    web.close();
    rmSync(folder, { recursive: true });
  }
  for (const wrong of ['', '# nothing', '[1]', '{"a":1}', '[', 'host:port']) {
    assert.throws(() => parseServerList(wrong, 'list'), { code: 'DISCOVERY' }, wrong);
  }
});

test('a discovery that fails keeps the old servers and tells it; at first it is trouble', async () => {
  let isBroken = false;
  const discovery: Discovery = {
    name: 'test',
    intervalMs: 10,
    find: () => (isBroken ? Promise.reject(new Error('nobody there')) : Promise.resolve([one.address])),
  };
  await using cache = await Cache.connect({ discovery });
  const failed = new Promise<Error>((resolve) => cache.once('reloadFailed', resolve));
  isBroken = true;
  assert.match((await failed).message, /nobody there/);
  await assert.rejects(cache.reload(), { code: 'DISCOVERY' });
  assert.equal(await cache.set('still', 'there'), true);
  await using never = new Cache({ discovery });
  assert.equal(await never.get('k'), undefined);
  await assert.rejects(never.ready(), { code: 'DISCOVERY' });
});

/** Answers every question with what `records` has for its name and type: enough of DNS for these tests. */
async function nameServer(records: ReadonlyMap<string, Buffer[]>): Promise<Endpoint> {
  const socket = createSocket('udp4');
  socket.on('message', (question, { port, address }) => {
    let at = 12;
    const labels: string[] = [];
    while (question[at] !== 0) {
      const length = question[at]!;
      labels.push(question.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const type = question.readUInt16BE(at + 1);
    const found = records.get(`${labels.join('.')} ${type}`) ?? [];
    const head = Buffer.from(question.subarray(0, at + 5));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(found.length, 6);
    head.writeUInt16BE(0, 10);
    const answers = found.map((data) => {
      const answer = Buffer.alloc(12 + data.length);
      answer.writeUInt16BE(0xc00c, 0);
      answer.writeUInt16BE(type, 2);
      answer.writeUInt16BE(1, 4);
      answer.writeUInt32BE(30, 6);
      answer.writeUInt16BE(data.length, 10);
      data.copy(answer, 12);
      return answer;
    });
    socket.send(Buffer.concat([head, ...answers]), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

test('a discovery that finds no server is trouble, and no empty cache', async () => {
  const discovery: Discovery = { name: 'mine', intervalMs: 60_000, find: async () => [] };
  await assert.rejects(Cache.connect({ discovery }), /mine found no server/);
});

test('DNS: every address of a name, or hosts and ports of a service', async () => {
  const service = Buffer.concat([
    Buffer.from([0, 1, 0, 1, (one.port >> 8) & 255, one.port & 255]),
    Buffer.from('\x05cache\x04test\0', 'latin1'),
  ]);
  const records = new Map([
    ['cache.test 1', [Buffer.from([127, 0, 0, 2]), Buffer.from([127, 0, 0, 1])]],
    ['_memcache._tcp.cache.test 33', [service]],
  ]);
  await using names = await nameServer(records);
  const resolvers = [names.address];
  assert.deepEqual(await dnsServers({ name: 'cache.test', port: 5, resolvers }).find(signal), [
    '127.0.0.1:5',
    '127.0.0.2:5',
  ]);
  assert.deepEqual(await dnsServers({ name: '_memcache._tcp.cache.test', resolvers }).find(signal), [
    `cache.test:${one.port}`,
  ]);
  await assert.rejects(dnsServers({ name: 'nothing.test', resolvers }).find(signal), { code: 'DISCOVERY' });
});
