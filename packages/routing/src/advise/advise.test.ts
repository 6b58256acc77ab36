/** Traffic read, counted and judged: lines of both kinds, the numbers of the paper, a watched server. */
import { strict as assert } from 'node:assert';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { parseAddress } from '../destination/address.ts';
import { RoutingError } from '../errors.ts';
import { Operation, Request } from '../request.ts';
import { Routing } from '../routing.ts';
import { freePort, memcachedMissing, startLarder, startMemcached, until } from '../testing/servers.ts';
import { formatAdvice } from './advice-report.ts';
import { familyByList, familyByPrefix } from './key-family.ts';
import { advisePools, type Deployment, PoolVerdict } from './pool-advice.ts';
import { parseTrafficLine } from './traffic-event.ts';
import { type FamilyTraffic, TrafficSample } from './traffic-sample.ts';
import { watchServer } from './watch-source.ts';

const GIB = 2 ** 30;

test('lines of watch and of traces are read, others are not', () => {
  assert.deepEqual(
    parseTrafficLine(
      'ts=1795172165.394035 gid=6 type=item_get key=user%3A7 status=found clsid=1 cfd=24 size=5',
    ),
    { kind: 'get', atSeconds: 1795172165.394035, key: 'user:7', isHit: true, valueBytes: 5, asker: '24' },
  );
  assert.deepEqual(
    parseTrafficLine('ts=1.5 gid=4 type=item_store key=a status=stored cmd=set ttl=0 clsid=1 cfd=24 size=9'),
    { kind: 'store', atSeconds: 1.5, key: 'a', isHit: false, valueBytes: 9, asker: '24' },
  );
  assert.deepEqual(parseTrafficLine('ts=1 gid=2 type=conn_new rip=10.0.0.7 rport=5 transport=tcp cfd=24'), {
    kind: 'connect',
    asker: '24',
    address: '10.0.0.7',
  });
  assert.deepEqual(parseTrafficLine('skipped=12'), { kind: 'skipped', lines: 12 });
  assert.deepEqual(parseTrafficLine('1000,user:7,6,250,31,get,0'), {
    kind: 'get',
    atSeconds: 1000,
    key: 'user:7',
    isHit: true,
    valueBytes: 250,
    asker: '31',
  });
  assert.equal(parseTrafficLine('5,k,1,0,1,delete,0')?.kind, 'delete');
  assert.equal(parseTrafficLine('5,k,1,10,1,set,0')?.kind, 'store');
  const others = [
    '',
    'OK',
    'ts=1 gid=1 type=conn_close cfd=3',
    'ts=x type=item_get key=a',
    'a,b,c,d,e,f,g',
    'skipped=x',
  ];
  for (const line of others) assert.equal(parseTrafficLine(line), undefined, line);
});

test('families are prefixes', () => {
  const one = familyByPrefix();
  assert.deepEqual(['user:7:name', 'user/7', 'item123', 'plain', '123'].map(one), [
    'user:',
    'user/',
    'item',
    '(other)',
    '(other)',
  ]);
  assert.equal(familyByPrefix(2)('user:7:name'), 'user:7:');
  assert.equal(familyByPrefix(1, '#')('user:7#x'), 'user:7#');
  const listed = familyByList(['u:', 'u:1:']);
  assert.deepEqual(['u:1:x', 'u:2', 'v'].map(listed), ['u:1:', 'u:', '(other)']);
});

function sampleOf(lines: readonly string[], trackedKeysMax?: number): TrafficSample {
  const sample = new TrafficSample({
    familyOf: familyByPrefix(),
    ...(trackedKeysMax === undefined ? {} : { trackedKeysMax }),
  });
  for (const line of lines) {
    const event = parseTrafficLine(line);
    if (event !== undefined) sample.add(event);
  }
  return sample;
}

const get = (at: number, key: string, cfd: number, size = 100): string =>
  `ts=${at.toFixed(6)} gid=1 type=item_get key=${key} status=${size > 0 ? 'found' : 'not_found'} clsid=1 cfd=${cfd} size=${size}`;

test('a sample counts rates, sizes, clients and batches', () => {
  const sample = sampleOf([
    'ts=0 gid=0 type=conn_new rip=10.0.0.1 rport=1 transport=tcp cfd=1',
    'ts=0 gid=0 type=conn_new rip=10.0.0.1 rport=2 transport=tcp cfd=2',
    'ts=0 gid=0 type=conn_new rip=10.0.0.2 rport=1 transport=tcp cfd=3',
    // Two batches of two keys of one host over two connections, and single gets of another host.
    get(1, 'a:1', 1, 100),
    get(1.00005, 'a:2', 1, 300),
    get(2, 'a:1', 2, 100),
    get(2.00005, 'a:2', 2, 300),
    get(3, 'a:1', 3, 100),
    get(3, 'b:1', 3, 0),
    'ts=3.5 gid=9 type=item_store key=b:1 status=stored cmd=set ttl=0 clsid=1 cfd=3 size=1000',
    get(11, 'b:1', 9, 1000),
    'nonsense',
  ]);
  const [a, b] = sample.families();
  assert.deepEqual(a, {
    family: 'a:',
    getsPerSecond: 0.5,
    storesPerSecond: 0,
    hitRate: 1,
    keys: 2,
    medianValueBytes: 200,
    meanValueBytes: 200,
    medianClients: 1.5,
    keysPerRequest: 5 / 3,
    storedBytesPerSecond: 0,
  });
  assert.deepEqual(
    [b?.getsPerSecond, b?.storesPerSecond, b?.hitRate, b?.medianClients, b?.storedBytesPerSecond],
    [0.2, 0.1, 0.5, 2, 100],
  );
});

test('the look-up that memcached notes within a store is not a get', () => {
  const store = 'ts=1.000006 gid=4 type=item_store key=a:1 status=stored cmd=set ttl=0 clsid=1 cfd=24 size=5';
  const own = sampleOf([get(1, 'a:1', 24, 0), store, get(2, 'a:1', 24, 5)]);
  assert.equal(own.families()[0]?.hitRate, 1);
  assert.equal(own.families()[0]?.keysPerRequest, 1);
  const aside = sampleOf([get(0.999, 'a:1', 24, 0), store, get(2, 'a:1', 24, 5)]);
  assert.equal(aside.families()[0]?.hitRate, 0.5, 'a client that misses and then stores');
});

test('requests that follow each other at once are not one request', () => {
  const lines: string[] = [];
  // As memcached notes a pipeline of `get a:1 a:2`, `set s:1` and `get a:1`, again and again.
  for (let round = 0; round < 50; round++) {
    const at = 1 + round * 0.00004;
    lines.push(
      get(at, 'a:1', 24),
      get(at + 0.000003, 'a:2', 24),
      get(at + 0.00001, 's:1', 24, 0),
      `ts=${(at + 0.000015).toFixed(6)} gid=4 type=item_store key=s:1 status=stored cmd=set ttl=0 clsid=1 cfd=24 size=5`,
      get(at + 0.00002, 'a:1', 24),
    );
  }
  const [a, stored] = sampleOf(lines).families();
  assert.equal(a?.keysPerRequest, 150 / 100);
  assert.equal(stored?.keysPerRequest, 0, 'what a store looks up is no request');
  // A key of the batch under way begins another one; so does an answer's way back and forth.
  const twice = sampleOf(['a:1', 'a:2', 'a:1', 'a:2'].map((key, at) => get(1 + at / 1e6, key, 1)));
  assert.equal(twice.families()[0]?.keysPerRequest, 2);
  const waiting = sampleOf(['a:1', 'a:2', 'a:3', 'a:4'].map((key, at) => get(1 + at * 0.0002, key, 1)));
  assert.equal(waiting.families()[0]?.keysPerRequest, 1);
});

test('lines that were skipped count as if they were like the others', () => {
  const lines = Array.from({ length: 11 }, (_, index) => get(index, `a:${index}`, 1));
  const [whole] = sampleOf(lines).families();
  const [skipped] = sampleOf([...lines, 'skipped=33']).families();
  assert.equal(skipped?.getsPerSecond, (whole?.getsPerSecond ?? 0) * 4);
});

test('memory is bounded, and the number of keys is still known about', () => {
  const sample = sampleOf(
    Array.from({ length: 40_000 }, (_, index) =>
      get(index / 1000, `${index % 4 === 0 ? 'b' : 'a'}:${index}`, 1),
    ),
    1000,
  );
  const [a, b] = sample.families();
  assert.ok(Math.abs((a?.keys ?? 0) - 30_000) < 4500, `${a?.keys}`);
  assert.ok(Math.abs((b?.keys ?? 0) - 10_000) < 2500, `${b?.keys}`);
  const many = sampleOf(
    Array.from({ length: 3000 }, (_, index) => get(index, `f${'x'.repeat(index % 7)}${index}y:1`, 1)),
  );
  assert.ok(many.families().length <= 1001);
});

const DEPLOYMENT: Deployment = { clusters: 3, serverBytes: 64 * GIB, serverGetsPerSecond: 500_000, scale: 1 };

function traffic(family: string, change: Partial<FamilyTraffic>): FamilyTraffic {
  return {
    family,
    getsPerSecond: 1000,
    storesPerSecond: 10,
    hitRate: 0.95,
    keys: 1000,
    medianValueBytes: 100,
    meanValueBytes: 100,
    medianClients: 10,
    keysPerRequest: 1,
    storedBytesPerSecond: 1000,
    ...change,
  };
}

test('table 1: family B goes to a regional pool, family A does not', () => {
  // Gets, sizes and users are the table's; B holds a quarter of the memory (4.2), A and the rest what is left.
  const families = [
    traffic('A', {
      getsPerSecond: 3.26e6,
      medianValueBytes: 10_700,
      meanValueBytes: 10_700,
      medianClients: 30,
      keys: (25 * GIB) / 10_700,
      storedBytesPerSecond: 5e6,
    }),
    traffic('B', {
      getsPerSecond: 458e3,
      medianValueBytes: 4340,
      meanValueBytes: 4340,
      medianClients: 1,
      keys: (25 * GIB) / 4340,
      storedBytesPerSecond: 5e5,
    }),
    traffic('rest', { getsPerSecond: 10e6, keys: (50 * GIB) / 100, storedBytesPerSecond: 10e6 }),
  ];
  const advice = advisePools(families, DEPLOYMENT);
  assert.deepEqual(
    advice.map((each) => each.verdict),
    [PoolVerdict.stay, PoolVerdict.regional, PoolVerdict.stay],
  );
  const [, regional] = advice;
  assert.ok(Math.abs((regional?.memoryShare ?? 0) - 0.25) < 1e-9);
  assert.ok(Math.abs((regional?.savedBytes ?? 0) - 50 * GIB) < 1, 'two of three copies');
  const sent = 458e3 * 0.95 * 4340;
  assert.ok(Math.abs((regional?.crossBytesPerSecond ?? 0) - (sent * 2) / 3) < 1);
  const report = formatAdvice(advice);
  assert.match(report, /^B +458 k .* regional pool$/m);
  assert.match(report, /^B: regional pool: asked for by 1 client\(s\), 25\.0% of the memory/m);
  assert.equal(
    advisePools(families, { ...DEPLOYMENT, clusters: 1 })[1]?.verdict,
    PoolVerdict.stay,
    'no copies to save',
  );
});

test('a hot, small family that is asked for in batches is replicated', () => {
  const hot = {
    getsPerSecond: 1.2e6,
    keysPerRequest: 40,
    keys: 100_000,
    medianValueBytes: 66,
    meanValueBytes: 66,
  };
  const judge = (change: Partial<FamilyTraffic>, scale = 1): string | undefined =>
    advisePools([traffic('hot', { ...hot, ...change }), traffic('rest', { getsPerSecond: 1e6 })], {
      ...DEPLOYMENT,
      scale,
    })[0]?.verdict;
  assert.equal(judge({}), PoolVerdict.replicate);
  assert.equal(advisePools([traffic('hot', hot)], DEPLOYMENT)[0]?.replicas, 3);
  assert.equal(judge({ keysPerRequest: 2 }), PoolVerdict.stay, 'single gets are spread by key');
  assert.equal(judge({ getsPerSecond: 400_000 }), PoolVerdict.stay, 'one server bears it');
  assert.equal(
    judge({ getsPerSecond: 400_000 }, 3),
    PoolVerdict.replicate,
    'only a third of the servers was watched',
  );
  assert.equal(judge({ keys: 3e9 }), PoolVerdict.stay, 'does not fit two servers');
});

test('a family that is mostly written gets a pool of its own', () => {
  const advice = advisePools(
    [
      traffic('read', { getsPerSecond: 9000, storedBytesPerSecond: 1000, keys: 1e6 }),
      traffic('churn', { getsPerSecond: 500, storedBytesPerSecond: 9000 }),
    ],
    DEPLOYMENT,
  );
  assert.deepEqual(
    advice.map((each) => each.verdict),
    [PoolVerdict.stay, PoolVerdict.own],
  );
});

test('no traffic is no advice', () => {
  assert.deepEqual(advisePools(sampleOf([]).families(), DEPLOYMENT), []);
  assert.match(formatAdvice([]), /No family needs to be moved/);
  assert.equal(sampleOf([get(1, 'a:1', 1)]).families()[0]?.getsPerSecond, 0, 'one moment has no rate');
});

for (const kind of ['larder', 'memcached'] as const) {
  const skip = kind === 'memcached' ? (memcachedMissing() ?? false) : false;
  test(`a watched ${kind} gives the traffic it had`, { skip }, async () => {
    await using server = kind === 'larder' ? await startLarder() : await startMemcached();
    const sample = new TrafficSample({ familyOf: familyByPrefix() });
    const abort = new AbortController();
    const watched = watchServer({
      address: parseAddress(server.address).address,
      signal: abort.signal,
      onLine: (line) => {
        const event = parseTrafficLine(line);
        if (event !== undefined) sample.add(event, server.address);
      },
    });
    await using routing = await Routing.open({
      config: { pools: { A: { servers: [server.address] } }, route: 'PoolRoute|A' },
    });
    const ask = (operation: Operation, key: string, value = ''): Promise<unknown> => {
      const request = Request.of(operation, key);
      request.value = Buffer.from(value);
      return routing.route(request);
    };
    await until('the watch has begun', async () => {
      await ask(Operation.get, 'probe:1');
      return sample.events > 0 ? true : undefined;
    });
    for (const key of ['user:1', 'user:2']) await ask(Operation.set, key, 'x'.repeat(50));
    for (let turn = 0; turn < 5; turn++) {
      await Promise.all(['user:1', 'user:2', 'user:3'].map((key) => ask(Operation.get, key)));
    }
    const user = await until('all of it was seen', () => {
      const found = sample.families().find(({ family }) => family === 'user:');
      const gets = Math.round((found?.getsPerSecond ?? 0) * sample.seconds);
      return gets >= 15 && (found?.storesPerSecond ?? 0) > 0 ? { ...found, gets } : undefined;
    });
    assert.equal(user.gets, 15);
    assert.ok(Math.abs((user.hitRate ?? 0) - 2 / 3) < 1e-9, `${user.hitRate}`);
    assert.deepEqual([user.keys, user.medianValueBytes, user.medianClients], [3, 50, 1]);
    abort.abort();
    await watched;
  });
}

test('a watch that the server ends is begun again', async () => {
  let connections = 0;
  const server = createServer((socket) => {
    const isFirst = ++connections === 1;
    socket.on('error', () => {});
    socket.on('data', () => {
      socket.write(isFirst ? 'OK\r\nfirst\r\n' : 'OK\r\nsecond\r\n');
      if (isFirst) socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const abort = new AbortController();
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
    if (lines.length === 2) abort.abort();
  };
  await watchServer({ address: parseAddress(`127.0.0.1:${port}`).address, signal: abort.signal, onLine });
  assert.deepEqual(lines, ['first', 'second']);
  server.close();
});

test('what cannot be watched is told', async () => {
  const signal = new AbortController().signal;
  const watch = (port: number): Promise<void> =>
    watchServer({ address: parseAddress(`127.0.0.1:${port}`).address, signal, onLine: () => {} });
  await assert.rejects(
    watch(await freePort()),
    (error) => error instanceof RoutingError && error.code === 'ECONNREFUSED',
  );
  const answers = async (text: string, thenEnds: boolean): Promise<number> => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        socket.write(text);
        if (thenEnds) socket.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    server.unref();
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  await assert.rejects(
    watch(await answers('CLIENT_ERROR watch commands not allowed\r\n', false)),
    /does not let itself be watched: CLIENT_ERROR/,
  );
  await assert.rejects(watch(await answers('ERROR\r\n', true)), /does not let itself be watched: ERROR/);
  await assert.rejects(watch(await answers('OK\r\n', true)), /ended the watch/);
});
