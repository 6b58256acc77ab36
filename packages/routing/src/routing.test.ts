/** Routing as a whole: real servers, configurations that change, names whose addresses do. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { ConfigSource, ConfigSourceOptions } from './config/source.ts';
import { DestinationState } from './destination/destination.ts';
import { Dialect } from './destination/destination-options.ts';
import type { RoutingError } from './errors.ts';
import { RESULT_NAMES, type Reply } from './reply.ts';
import { Operation, Request } from './request.ts';
import { poolConfig, Routing, type RoutingOptions } from './routing.ts';
import {
  freePort,
  memcachedMissing,
  startLarder,
  startMemcached,
  type TestServer,
  until,
} from './testing/servers.ts';

const folder = mkdtempSync(join(tmpdir(), 'larder-routing-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const missing = memcachedMissing();
const skip = missing === undefined ? false : missing;

function ask(
  routing: Routing,
  operation: Operation,
  key: string,
  more: Partial<Request> = {},
): Promise<Reply> {
  return routing.route(Object.assign(Request.of(operation, key), more));
}

async function nameOf(reply: Promise<Reply>): Promise<string | undefined> {
  return RESULT_NAMES[(await reply).result];
}

const starters: readonly (readonly [string, () => Promise<TestServer>, string | false])[] = [
  ['memcached', () => startMemcached({ udp: true }), skip],
  ['Larder', () => startLarder({ udp: true }), false],
];
for (const [name, start, skipped] of starters) {
  test(`${name}: all operations of objects, over TCP and with gets over UDP`, { skip: skipped }, async () => {
    await using server = await start();
    for (const udpPort of [0, server.udpPort]) {
      const pool = udpPort === 0 ? {} : { udp_port: udpPort };
      await using routing = await Routing.open({ config: poolConfig([server.address], pool) });
      await everyOperation(routing, `${name}-${udpPort}-`, udpPort > 0);
      const [destination] = [...routing.destinations()];
      assert.equal(destination?.state, DestinationState.up);
      assert.equal(destination?.dialect, name === 'Larder' ? Dialect.larder : Dialect.memcached);
      assert.equal(destination?.statistics.outstanding, 0);
    }
  });

  test(`${name}: a lease fills once, a delete voids the token`, { skip: skipped }, async () => {
    await using server = await start();
    await using routing = await Routing.open({ config: poolConfig([server.address]) });
    const value = Buffer.from('filled');
    const [first, second] = await Promise.all([
      ask(routing, Operation.leaseGet, 'k'),
      ask(routing, Operation.leaseGet, 'k'),
    ]);
    assert.equal(RESULT_NAMES[first.result], 'miss');
    assert.notEqual(first.token, 0n);
    assert.equal(RESULT_NAMES[second.result], 'hot_miss');
    for (const operation of [Operation.get, Operation.gets]) {
      assert.equal(await nameOf(ask(routing, operation, 'k')), 'miss', 'a stub is no value');
    }
    await ask(routing, Operation.delete, 'k');
    const { token } = first;
    const late = await nameOf(ask(routing, Operation.leaseSet, 'k', { token, value }));
    assert.ok(late === 'not_stored' || late === 'stale_stored', late);
    const again = await ask(routing, Operation.leaseGet, 'k');
    assert.equal(RESULT_NAMES[again.result], 'miss');
    const fill = ask(routing, Operation.leaseSet, 'k', { token: again.token, value, flags: 9 });
    assert.equal(await nameOf(fill), 'stored');
    const hit = await ask(routing, Operation.leaseGet, 'k');
    assert.deepEqual([RESULT_NAMES[hit.result], hit.value.toString(), hit.flags], ['hit', 'filled', 9]);
    await ask(routing, Operation.delete, 'k', { staleSeconds: 20 });
    const stale = await ask(routing, Operation.leaseGet, 'k');
    assert.deepEqual(
      [RESULT_NAMES[stale.result], stale.isStale, stale.value.toString()],
      ['miss', true, 'filled'],
    );
    assert.notEqual(stale.token, 0n);
  });
}

async function everyOperation(routing: Routing, prefix: string, isUdp: boolean): Promise<void> {
  const key = `${prefix}k`;
  const value = Buffer.from('value');
  assert.equal(await nameOf(ask(routing, Operation.get, key)), 'miss');
  assert.equal(await nameOf(ask(routing, Operation.set, key, { value, flags: 3 })), 'stored');
  assert.equal(await nameOf(ask(routing, Operation.add, key, { value })), 'not_stored');
  assert.equal(await nameOf(ask(routing, Operation.replace, `${prefix}none`, { value })), 'not_stored');
  assert.equal(await nameOf(ask(routing, Operation.append, key, { value: Buffer.from('+') })), 'stored');
  assert.equal(await nameOf(ask(routing, Operation.prepend, key, { value: Buffer.from('-') })), 'stored');
  const [hit, none] = await Promise.all([
    ask(routing, Operation.gets, key),
    ask(routing, Operation.get, `${prefix}none`),
  ]);
  assert.deepEqual([hit.value.toString(), hit.flags], ['-value+', 3]);
  assert.equal(RESULT_NAMES[none.result], 'miss');
  const { cas } = hit;
  assert.equal(await nameOf(ask(routing, Operation.cas, key, { value, cas })), 'stored');
  assert.equal(await nameOf(ask(routing, Operation.cas, key, { value, cas })), 'exists');
  assert.equal(await nameOf(ask(routing, Operation.touch, key, { exptime: 100 })), 'touched');
  assert.equal((await ask(routing, Operation.gat, key, { exptime: 100 })).value.toString(), 'value');
  await ask(routing, Operation.set, `${prefix}n`, { value: Buffer.from('18446744073709551610') });
  const sum = await ask(routing, Operation.incr, `${prefix}n`, { delta: 5n });
  assert.equal(sum.number, 18446744073709551615n);
  assert.equal(
    (await ask(routing, Operation.decr, `${prefix}n`, { delta: 15n })).number,
    18446744073709551600n,
  );
  const meta = await ask(routing, Operation.metaGet, key, { metaFlags: Buffer.from('v t Oid q') });
  assert.equal(meta.value.toString(), 'value');
  assert.match(meta.metaFlags.toString(), /^t\d+ Oid$/);
  assert.equal(await nameOf(ask(routing, Operation.delete, key)), 'deleted');
  assert.equal(await nameOf(ask(routing, Operation.delete, key)), 'miss');
  await ask(routing, Operation.set, key, { value: Buffer.alloc(0) });
  const empty = await ask(routing, Operation.get, key);
  assert.deepEqual([RESULT_NAMES[empty.result], empty.valueBytes], ['hit', 0]);
  const large = Buffer.alloc(900_000, 'larder');
  await ask(routing, Operation.set, key, { value: large });
  const whole = await ask(routing, Operation.get, key);
  // Hundreds of datagrams in a row may be too much for a socket: that is a failure, never a wrong value.
  assert.ok((isUdp && whole.isFailover) || whole.value.equals(large), whole.message);
  const tooLarge = await ask(routing, Operation.set, key, { value: Buffer.alloc(2_000_000) });
  assert.match(tooLarge.message, /too large/);
  assert.match((await ask(routing, Operation.stats, '')).message, /^pid \d+\n/);
  const many = Array.from({ length: 1000 }, (_, index) => `${prefix}${index}`);
  await Promise.all(many.map((each) => ask(routing, Operation.set, each, { value: Buffer.from(each) })));
  const found = await Promise.all(many.map((each) => ask(routing, Operation.get, each)));
  assert.deepEqual(
    found.map((reply) => reply.value.toString()),
    many,
  );
}

test('a server that is killed: fast failures, and back without anybody asking', { skip }, async () => {
  const port = await freePort();
  let server = await startMemcached({ port });
  const states: string[] = [];
  await using routing = await Routing.open({
    config: poolConfig([`127.0.0.1:${port}`], { probe_delay_initial_ms: 20, probe_delay_max_ms: 50 }),
    observer: { onDestination: (state) => states.push(state) },
  });
  assert.equal(await nameOf(ask(routing, Operation.get, 'k')), 'miss');
  await server.kill();
  await until('the server is given up', async () => {
    const name = await nameOf(ask(routing, Operation.get, 'k'));
    return name === 'tko' ? true : undefined;
  });
  server = await startMemcached({ port });
  try {
    await until('the server is taken back', () => (states.at(-1) === 'up' ? true : undefined));
    assert.equal(await nameOf(ask(routing, Operation.get, 'k')), 'miss');
    assert.deepEqual(states, ['up', 'tko', 'up']);
  } finally {
    await server.kill();
  }
});

/** A server that accepts connections and says nothing, or what `answer` says. */
async function listener(
  onSocket: (socket: Socket) => void,
): Promise<AsyncDisposable & { readonly address: string }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a server that accepts and never answers is given up after N time-outs', async () => {
  await using server = await listener(() => {});
  await using routing = await Routing.open({
    config: poolConfig([server.address], { server_timeout: 40, failures_until_tko: 3 }),
  });
  const replies = await Promise.all(Array.from({ length: 20 }, () => ask(routing, Operation.get, 'k')));
  const names = new Set(replies.map((reply) => RESULT_NAMES[reply.result]));
  assert.deepEqual(
    [...names].filter((name) => name !== 'timeout' && name !== 'tko'),
    [],
  );
  const answer = nameOf(ask(routing, Operation.get, 'k'));
  const nextTurn = new Promise((resolve) => setImmediate(resolve, 'later'));
  assert.equal(await Promise.race([answer, nextTurn]), 'tko', 'a dead destination fails at once');
});

test('what a server says that is no reply is told, and the next connection is tried', async () => {
  let connections = 0;
  await using server = await listener((socket) => {
    const isFirst = connections++ === 0;
    socket.on('data', () => socket.write(isFirst ? 'HTTP/1.1 400 Bad Request\r\n' : 'END\r\n'));
  });
  await using routing = await Routing.open({ config: poolConfig([server.address], { dialect: 'larder' }) });
  const reply = await ask(routing, Operation.get, 'k');
  assert.equal(RESULT_NAMES[reply.result], 'aborted');
  assert.match(reply.message, /a line that is no reply: "HTTP/);
  assert.equal(await nameOf(ask(routing, Operation.get, 'k')), 'miss');
});

interface ConfigCase {
  readonly config: unknown;
  readonly path: string;
  readonly says: RegExp;
}
const servers = ['127.0.0.1:1'];
const badConfigs: readonly ConfigCase[] = [
  { config: '{ "a": ', path: '', says: /^line 1, column 8: value expected$/ },
  { config: '{\n  "pools": {},\n  "route": "NullRoute" x\n}', path: '', says: /^line 3, column 24: / },
  { config: {}, path: 'the configuration', says: /expected either "route" or "routes"/ },
  { config: { rote: 'NullRoute' }, path: 'the configuration', says: /does not know "rote"/ },
  { config: { route: 3 }, path: 'route', says: /expected a route/ },
  { config: { route: 'NulRoute' }, path: 'route', says: /is "NullRoute" meant/ },
  { config: { route: 'PoolRoute|A' }, path: 'route', says: /pool "A" does not exist, there are none/ },
  { config: { route: 'Pool|A' }, path: 'route', says: /expected one route, such as "PoolRoute\|A"/ },
  { config: { route: { type: 'PoolRoute' } }, path: 'route.pool', says: /is missing, expected string or/ },
  {
    config: { route: { type: 'PoolRoute', pool: 'A', pol: 1 }, pools: { A: { servers } } },
    path: 'route',
    says: /does not know "pol"/,
  },
  {
    config: { route: 'NullRoute', pools: { A: { servers, server_timeout: '1s' } } },
    path: 'pools.A.server_timeout',
    says: /expected number, received string/,
  },
  {
    config: { route: 'NullRoute', pools: { A: { servers: ['host:0'] } } },
    path: 'pools.A.servers[0]',
    says: /port 0 is not between/,
  },
  {
    config: { route: 'NullRoute', pools: { A: { servers: ['[1.2.3.4:9]:1'] } } },
    path: 'pools.A.servers[0]',
    says: /not an IPv6 address/,
  },
  { config: { route: 'NullRoute', pools: { A: {} } }, path: 'pools.A', says: /expected servers/ },
  {
    config: { route: 'NullRoute', pools: { A: { servers, weights: [1, 2] } } },
    path: 'pools.A.weights',
    says: /expected 1 numbers/,
  },
  {
    config: { route: 'NullRoute', pools: { A: { inherit: 'B' }, B: { inherit: 'A' } } },
    path: 'pools.A.inherit',
    says: /in a circle/,
  },
  {
    config: { route: 'NullRoute', pools: { A: { inherit: 'C' } } },
    path: 'pools.A.inherit',
    says: /pool "C" does not exist/,
  },
  {
    config: { route: 'NullRoute', pools: { A: { servers, tls: { ca: '/no/such/file' } } } },
    path: 'pools.A.tls.ca',
    says: /expected PEM text or a file/,
  },
  {
    config: { route: 'NullRoute', pools: { A: { servers, user: 'me' } } },
    path: 'pools.A',
    says: /user and password/,
  },
  {
    config: { route: 'NullRoute', pools: { A: { servers, operation_timeouts: { fly: 3 } } } },
    path: 'pools.A.operation_timeouts',
    says: /"fly"/,
  },
  { config: { route: '@none', macros: {} }, path: 'route', says: /macro "none" does not exist/ },
  {
    config: { routes: [{ aliases: ['a'], route: 'NullRoute' }] },
    path: 'routes[0].aliases[0]',
    says: /expected \/region\/cluster\//,
  },
  {
    config: { routes: [{ aliases: ['/a/b/', '/a/b/'], route: 'NullRoute' }] },
    path: 'routes[0].aliases[1]',
    says: /taken already/,
  },
  {
    config: { route: 'x', named_handles: [{ name: 'x', type: 'FailoverRoute', children: ['x'] }] },
    path: 'named_handles[0].children[0]',
    says: /in a circle/,
  },
  {
    config: `{"route": ${'{"type":"AllSyncRoute","children":['.repeat(100)}"NullRoute"${']}'.repeat(100)}}`,
    path: '',
    says: /nested deeper/,
  },
];
for (const { config, path, says } of badConfigs) {
  test(`refused: ${(typeof config === 'string' ? config : JSON.stringify(config)).slice(0, 70)}`, async () => {
    await assert.rejects(Routing.open({ config: config as ConfigSourceOptions }), (error: RoutingError) => {
      assert.equal(error.code, 'CONFIG');
      assert.equal(error.path, path);
      assert.match(error.message, says);
      return true;
    });
  });
}

test("mcrouter's forms: comments, inheritance, named handles, short forms, prefixes, broadcast", {
  skip,
}, async () => {
  await using one = await startMemcached();
  await using two = await startMemcached();
  const text = `{
    // Two clusters, each a pool of one server.
    "pools": {
      "base": { "servers": ["${one.address}"], "server_timeout": 500 },
      "A": { "inherit": "base" },
      "B": { "inherit": "base", "servers": ["${two.address}:ascii:plain"] }, /* a trailing comma */
    },
    "named_handles": [{ "type": "PoolRoute", "name": "second", "pool": "B" }],
    "routes": [
      { "aliases": ["/west/a/", "/west/main/"], "route": "PoolRoute|A" },
      { "aliases": ["/west/b/"], "route": "second" },
      { "aliases": ["/east/both/"], "route": "AllSyncRoute|Pool|A" },
    ],
  }`;
  await using routing = await Routing.open({ config: text });
  await using onlyOne = await Routing.open({ config: poolConfig([one.address]) });
  await using onlyTwo = await Routing.open({ config: poolConfig([two.address]) });
  const value = Buffer.from('v');
  assert.equal([...routing.destinations()].length, 2, 'equal servers are one destination');
  await ask(routing, Operation.set, 'k', { value });
  await ask(routing, Operation.set, '/west/b/k2', { value });
  assert.equal(await nameOf(ask(onlyOne, Operation.get, 'k')), 'hit');
  assert.equal(await nameOf(ask(onlyTwo, Operation.get, 'k')), 'miss');
  assert.equal(await nameOf(ask(onlyTwo, Operation.get, 'k2')), 'hit');
  assert.equal(await nameOf(ask(routing, Operation.get, '/west/main/k')), 'hit');
  assert.equal(await nameOf(ask(routing, Operation.get, '/east/both/k')), 'hit');
  const nowhere = await ask(routing, Operation.get, '/no/where/k');
  assert.deepEqual(
    [RESULT_NAMES[nowhere.result], nowhere.message],
    ['local_error', 'no route for prefix /no/where/'],
  );
  await ask(onlyTwo, Operation.set, 'k', { value });
  assert.equal(await nameOf(ask(routing, Operation.delete, '/west/*/k')), 'deleted');
  assert.equal(await nameOf(ask(onlyOne, Operation.get, 'k')), 'miss');
  assert.equal(await nameOf(ask(onlyTwo, Operation.get, 'k')), 'miss');
  assert.equal(routing.direct(Request.of(Operation.get, 'k'))?.label, one.address);
  assert.equal(routing.direct(Request.of(Operation.get, '/west/a/k')), undefined);
  assert.equal(
    await nameOf(ask(onlyOne, Operation.set, '/a/b/c', { value })),
    'stored',
    'no prefixes without routes',
  );
});

/** Asks without a pause until told to stop; counts what came back. */
function load(routing: Routing): { stop(): Promise<ReadonlyMap<string, number>> } {
  const counts = new Map<string, number>();
  let isStopped = false;
  const run = async (worker: number): Promise<void> => {
    for (let index = 0; !isStopped; index++) {
      const name = (await nameOf(ask(routing, Operation.get, `k${worker}-${index % 100}`))) ?? '';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  };
  const workers = Array.from({ length: 16 }, (_, worker) => run(worker));
  return {
    stop: async () => {
      isStopped = true;
      await Promise.all(workers);
      return counts;
    },
  };
}

test('a file that changes under load: no request fails, shared servers stay connected, bad news is told', {
  skip,
}, async () => {
  await using one = await startMemcached();
  await using two = await startMemcached();
  const file = join(folder, 'config.json');
  const write = (config: unknown): void => {
    const text = typeof config === 'string' ? config : JSON.stringify(config);
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  write(poolConfig([one.address]));
  const errors: string[] = [];
  await using routing = await Routing.open({
    config: { file },
    observer: { onConfigurationError: (error) => errors.push(error.message) },
  });
  const [first] = [...routing.destinations()];
  const running = load(routing);
  const generation = async (wanted: number): Promise<void> => {
    await until(`configuration ${wanted}`, () =>
      routing.configuration.generation === wanted ? true : undefined,
    );
  };
  write(poolConfig([one.address, two.address]));
  await generation(2);
  assert.ok([...routing.destinations()].includes(first!), 'the same server is the same destination');
  write('{ "route": "Nothing" }');
  await until('the error is told', () => (errors.length > 0 ? true : undefined));
  assert.match(errors[0]!, /^route: "Nothing" is neither/);
  assert.equal(routing.configuration.generation, 2);
  assert.match(routing.configuration.lastError?.message ?? '', /Nothing/);
  write(poolConfig([two.address]));
  await generation(3);
  assert.equal(routing.configuration.lastError, undefined);
  write(poolConfig([one.address], { server_timeout: 900 }));
  await generation(4);
  const counts = await running.stop();
  assert.deepEqual([...counts.keys()], ['miss']);
  assert.equal(first?.statistics.connects, 1);
});

test('a URL: asked with the tag of the last answer; an unreachable one keeps the old configuration', {
  skip,
}, async () => {
  await using server = await startMemcached();
  let config = poolConfig([server.address]);
  let status = 200;
  let unchanged = 0;
  const http = createServer((request, response) => {
    const text = JSON.stringify(config);
    const tag = `"${text.length}"`;
    if (status === 200 && request.headers['if-none-match'] === tag) {
      unchanged++;
      response.writeHead(304).end();
    } else response.writeHead(status, { etag: tag }).end(text);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/config.json`;
    await using routing = await Routing.open({ config: { url }, pollMs: 20 });
    await until('the configuration was found unchanged', () => (unchanged > 1 ? true : undefined));
    assert.equal(routing.configuration.generation, 1);
    config = poolConfig([server.address], { server_timeout: 100 });
    await until('the new configuration', () => (routing.configuration.generation === 2 ? true : undefined));
    status = 500;
    await until('the error', () => routing.configuration.lastError);
    assert.match(routing.configuration.lastError!.message, /cannot fetch http.* 500/);
    assert.equal(await nameOf(ask(routing, Operation.get, 'k')), 'miss');
  } finally {
    http.closeAllConnections();
    http.close();
  }
  const refused: RoutingOptions = { config: { url: `http://127.0.0.1:${await freePort()}/` } };
  await assert.rejects(Routing.open(refused), { code: 'CONFIG_SOURCE', message: /cannot fetch/ });
  await assert.rejects(Routing.open({ config: { file: join(folder, 'none') } }), { code: 'CONFIG_SOURCE' });
});

test("a source of the caller's own", async () => {
  let text = JSON.stringify(poolConfig(['10.0.0.1:1']));
  let tell = (): void => {};
  let isClosed = false;
  const source: ConfigSource = {
    label: 'discovery',
    read: () => Promise.resolve(text),
    start: (onChange) => {
      tell = onChange;
    },
    close: () => {
      isClosed = true;
    },
  };
  await using routing = await Routing.open({ config: { source } });
  assert.equal(routing.configuration.source, 'discovery');
  const [first] = [...routing.destinations()];
  text = JSON.stringify(poolConfig(['10.0.0.2:1', '10.0.0.1:1']));
  tell();
  await until('the new list', () => (routing.configuration.generation === 2 ? true : undefined));
  const after = [...routing.destinations()];
  assert.equal(after.length, 2);
  assert.ok(after.includes(first!));
  await routing.close();
  assert.ok(isClosed);
});

test('names: several addresses, new ones join, removed ones leave, a failing resolver changes nothing', async () => {
  let addresses: readonly string[] | Error = ['10.1.0.2', '10.1.0.1'];
  let asked = 0;
  await using routing = await Routing.open({
    config: { pools: { A: { servers: ['cache.example:11211', '10.2.0.1:11211'] } }, route: 'PoolRoute|A' },
    dnsRefreshMs: 10,
    resolveName: async (host) => {
      asked++;
      assert.equal(host, 'cache.example');
      if (addresses instanceof Error) throw addresses;
      return { addresses, ttlMs: undefined };
    },
  });
  const labels = (): string[] => [...routing.destinations()].map(({ label }) => label);
  assert.deepEqual(labels().sort(), ['10.1.0.1:11211', '10.1.0.2:11211', '10.2.0.1:11211']);
  addresses = ['10.1.0.2', '10.1.0.3'];
  await until('the new address', () => (labels().includes('10.1.0.3:11211') ? true : undefined));
  assert.deepEqual(labels().sort(), ['10.1.0.2:11211', '10.1.0.3:11211', '10.2.0.1:11211']);
  addresses = new Error('no name server');
  const before = asked;
  await until('it was asked again', () => (asked > before + 2 ? true : undefined));
  addresses = [];
  await until('it was asked again', () => (asked > before + 4 ? true : undefined));
  assert.equal(labels().length, 3);
  assert.equal(routing.configuration.generation, 2);
});

test('a name that cannot be resolved is a server that cannot be reached', async () => {
  const notices: string[] = [];
  await using routing = await Routing.open({
    config: poolConfig(['nowhere.invalid:11211'], { connect_timeout: 500 }),
    services: { notice: (text) => notices.push(text) },
    resolveName: () => Promise.reject(new Error('ENOTFOUND')),
  });
  const reply = await ask(routing, Operation.get, 'k');
  assert.ok(reply.isFailover);
  assert.match(notices.join(), /cannot resolve nowhere\.invalid: ENOTFOUND/);
});

test('TLS: the certificate is looked at', async () => {
  const fixture = (file: string): string =>
    readFileSync(new URL(`../../../conformance/fixtures/${file}`, import.meta.url), 'utf8');
  const cert = fixture('localhost-certificate.pem');
  const server = createTlsServer({ cert, key: fixture('localhost-key.pem') }, (socket) => {
    socket.on('data', () => socket.write('VALUE k 0 6\r\nsecret\r\nEND\r\n'));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const address = `localhost:${(server.address() as AddressInfo).port}`;
    const open = (pool: Readonly<Record<string, unknown>>): Promise<Routing> =>
      Routing.open({ config: poolConfig([address], { dialect: 'larder', ...pool }) });
    await using trusting = await open({ tls: { ca: cert } });
    assert.equal((await ask(trusting, Operation.get, 'k')).value.toString(), 'secret');
    await using strict = await open({ tls: true });
    const refused = await ask(strict, Operation.get, 'k');
    assert.equal(RESULT_NAMES[refused.result], 'connect_error');
    assert.match(refused.message, /certificate/);
    await using blind = await open({ tls: { reject_unauthorized: false } });
    assert.equal(await nameOf(ask(blind, Operation.get, 'k')), 'hit');
  } finally {
    server.close();
  }
});

test('a certificate that is renewed makes new connections, with the same configuration', async () => {
  const file = join(folder, 'ca.pem');
  writeFileSync(file, 'first');
  await using routing = await Routing.open({
    config: {
      source: {
        label: 'test',
        read: () => Promise.resolve(JSON.stringify(poolConfig(['10.0.0.1:1'], { tls: { ca: file } }))),
        start: () => {},
        close: () => {},
      },
    },
  });
  const authority = (): string | undefined => [...routing.destinations()][0]?.options.tls?.ca;
  assert.equal(authority(), 'first');
  await routing.reload();
  assert.equal(routing.configuration.generation, 1);
  writeFileSync(file, 'second');
  assert.equal(await routing.reload(), undefined);
  assert.equal(authority(), 'second');
  rmSync(file);
  assert.equal(await routing.reload(), undefined);
  assert.equal(authority(), 'second');
});

test('unix sockets', { skip }, async () => {
  const path = join(folder, 'memcached.sock');
  const { spawn } = await import('node:child_process');
  const child = spawn('memcached', ['-s', path, '-u', 'root', '-m', '16'], { stdio: 'ignore' });
  try {
    await using routing = await Routing.open({
      config: poolConfig([`unix:${path}`], { probe_delay_initial_ms: 10 }),
    });
    await until('the socket answers', async () =>
      (await nameOf(ask(routing, Operation.get, 'k'))) === 'miss' ? true : undefined,
    );
  } finally {
    child.kill('SIGKILL');
  }
});
