/** Destinations on links to nowhere: what is sent, what replies mean, when a server is given up and taken back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplyShape } from '@larder/protocol';
import { RESULT_NAMES, type Reply, type Result } from '../reply.ts';
import { Operation, Request } from '../request.ts';
import { FakeClock, settle } from '../testing/fake-clock.ts';
import { type FakeLink, FakeLinks } from '../testing/fake-links.ts';
import { parseAddress } from './address.ts';
import { DestinationState, type ForwardSink } from './destination.ts';
import { DESTINATION_DEFAULTS, type DestinationOptions, Dialect } from './destination-options.ts';
import { Destinations } from './destinations.ts';
import type { ServerDestination } from './server-destination.ts';

interface Bench {
  readonly clock: FakeClock;
  readonly links: FakeLinks;
  readonly destination: ServerDestination;
  readonly states: DestinationState[];
  link(): FakeLink;
  ask(operation: Operation, key: string, more?: Partial<Request>): Promise<Reply>;
}

function bench(options: Partial<DestinationOptions> = {}): Bench {
  const clock = new FakeClock();
  const links = new FakeLinks();
  const destinations = new Destinations({ clock, random: () => 0.5, links });
  const destination = destinations.get(parseAddress('10.0.0.1:11211').address, {
    ...DESTINATION_DEFAULTS,
    dialect: Dialect.larder,
    ...options,
  });
  const states: DestinationState[] = [];
  destination.onState((state) => states.push(state));
  const ask = (operation: Operation, key: string, more: Partial<Request> = {}): Promise<Reply> =>
    destination.route(Object.assign(Request.of(operation, key), more));
  return { clock, links, destination, states, link: () => links.last, ask };
}

/** What a promise has come to by now. */
async function settled(promise: Promise<Reply>): Promise<Reply | undefined> {
  await settle();
  return Promise.race([promise, Promise.resolve(undefined)]);
}

function names(replies: readonly (Reply | undefined)[]): (string | undefined)[] {
  return replies.map((reply) => (reply === undefined ? undefined : RESULT_NAMES[reply.result]));
}

test('gets of one turn make one line; values are matched by key, the others are missing', async () => {
  const { ask, link } = bench();
  const replies = Promise.all(['a', 'b', 'c', 'a'].map((key) => ask(Operation.get, key)));
  assert.equal(link().sent(), 'get a b c a\r\n');
  // A proxy may answer in another order.
  link().reply('VALUE b 7 2\r\nhi\r\nVALUE a 0 1\r\nx\r\nVALUE a 0 1\r\nx\r\nEND\r\n');
  const [a, b, c, again] = await replies;
  assert.deepEqual(names([a, b, c, again]), ['hit', 'hit', 'miss', 'hit']);
  assert.equal(b?.value.toString(), 'hi');
  assert.equal(b?.flags, 7);
  assert.equal(again?.value.toString(), 'x');
});

test('a get joins only a get, and not one that has left', async () => {
  const { ask, link } = bench();
  const all = [ask(Operation.get, 'a'), ask(Operation.gets, 'b'), ask(Operation.get, 'c')];
  all.push(
    ask(Operation.set, 'd', { value: Buffer.from('v') }),
    ask(Operation.get, 'e'),
    ask(Operation.gat, 'f'),
  );
  assert.equal(link().sent(), 'get a\r\ngets b\r\nget c\r\nset d 0 0 1\r\nv\r\nget e\r\ngat 0 f\r\n');
  all.push(ask(Operation.get, 'g'));
  assert.equal(link().sent(), 'get g\r\n');
  link().reply('END\r\nVALUE b 0 1 99\r\nx\r\nEND\r\nEND\r\nSTORED\r\nEND\r\nEND\r\nEND\r\n');
  const replies = await Promise.all(all);
  assert.deepEqual(names(replies), ['miss', 'hit', 'miss', 'stored', 'miss', 'miss', 'miss']);
  assert.equal(replies[1]?.cas, 99n);
});

test('a key that cannot be sent is refused and leaves the line whole', async () => {
  const { ask, link } = bench();
  const all = [
    ask(Operation.get, 'a'),
    ask(Operation.get, 'b c'),
    ask(Operation.get, 'd'),
    ask(Operation.set, '\r\n'),
  ];
  assert.equal(link().sent(), 'get a d\r\n');
  link().reply('END\r\n');
  assert.deepEqual(names(await Promise.all(all)), ['miss', 'client_error', 'miss', 'client_error']);
});

test('values stay what they are when the input memory is used again', async () => {
  const { ask, link } = bench();
  const first = ask(Operation.get, 'a');
  link().reply('VALUE a 0 5\r\nfirst\r\nEND\r\n');
  const second = ask(Operation.get, 'b');
  link().reply('VALUE b 0 6\r\nse');
  link().reply('cond\r\nEND\r\n');
  assert.equal((await first).value.toString(), 'first');
  assert.equal((await second).value.toString(), 'second');
});

test('leases of Larder and of plain memcached', async () => {
  const larder = bench();
  const asked = Promise.all(['a', 'b', 'c', 'd'].map((key) => larder.ask(Operation.leaseGet, key)));
  assert.equal(larder.link().sent(), 'lease-get a b c d\r\n');
  larder
    .link()
    .reply('VALUE a 1 1\r\nx\r\nLVALUE b 77 0 0\r\n\r\nNOT_FOUND_HOT\r\nLVALUE d 0 3 5\r\nstale\r\nEND\r\n');
  const [a, b, c, d] = await asked;
  assert.deepEqual(names([a, b, c, d]), ['hit', 'miss', 'hot_miss', 'hot_miss']);
  assert.equal(b?.token, 77n);
  assert.deepEqual([d?.isStale, d?.value.toString(), d?.flags], [true, 'stale', 3]);

  const plain = bench({ dialect: Dialect.memcached });
  const mapped = Promise.all(['a', 'b', 'c', 'd'].map((key) => plain.ask(Operation.leaseGet, key)));
  assert.equal(plain.link().sent(), ['a', 'b', 'c', 'd'].map((key) => `mg ${key} v c f N10\r\n`).join(''));
  plain
    .link()
    .reply('VA 1 c5 f1\r\nx\r\nVA 0 c77 f0 W\r\n\r\nVA 0 c8 f0 Z\r\n\r\nVA 5 c9 f3 X W\r\nstale\r\n');
  const replies = await mapped;
  assert.deepEqual(names(replies), ['hit', 'miss', 'hot_miss', 'miss']);
  assert.equal(replies[1]?.token, 77n);
  assert.deepEqual(
    [replies[3]?.isStale, replies[3]?.value.toString(), replies[3]?.token],
    [true, 'stale', 9n],
  );

  const set = plain.ask(Operation.leaseSet, 'b', {
    token: 77n,
    flags: 2,
    exptime: 60,
    value: Buffer.from('v'),
  });
  assert.equal(plain.link().sent(), 'ms b 1 C77 F2 T60\r\nv\r\n');
  plain.link().reply('EX\r\n');
  assert.deepEqual(names([await set]), ['not_stored']);
});

test('an empty value of plain memcached is asked about: it may be the stub of a lease', async () => {
  const { ask, link } = bench({ dialect: Dialect.memcached });
  const asked = Promise.all([
    ask(Operation.get, 'stub'),
    ask(Operation.get, 'empty'),
    ask(Operation.get, 'full'),
  ]);
  assert.equal(link().sent(), 'get stub empty full\r\n');
  link().reply('VALUE stub 0 0\r\n\r\nVALUE empty 0 0\r\n\r\nVALUE full 0 1\r\nx\r\nEND\r\n');
  assert.equal(link().sent(), 'mg stub v f c\r\nmg empty v f c\r\n');
  link().reply('VA 0 f0 c1 Z\r\n\r\nVA 0 f0 c2\r\n\r\n');
  assert.deepEqual(names(await asked), ['miss', 'hit', 'hit']);
});

test('what depends on the kind of server waits until the server has said what it is', async () => {
  const { ask, link } = bench({ dialect: Dialect.auto });
  const asked = [
    ask(Operation.leaseGet, 'a'),
    ask(Operation.get, 'b'),
    ask(Operation.delete, 'c', { holdOffSeconds: 2 }),
  ];
  assert.equal(link().sent(), 'version\r\nget b\r\n');
  link().reply('VERSION 1.6.45-larder-0.1.0\r\nEND\r\n');
  assert.equal(link().sent(), 'lease-get a\r\ndelete c 2\r\n');
  link().reply('LVALUE a 5 0 0\r\n\r\nEND\r\nDELETED\r\n');
  assert.deepEqual(names(await Promise.all(asked)), ['miss', 'miss', 'deleted']);

  const plain = bench({ dialect: Dialect.auto });
  const deleted = plain.ask(Operation.delete, 'c', { staleSeconds: 30 });
  plain.link().sent();
  plain.link().reply('VERSION 1.6.18\r\n');
  assert.equal(plain.link().sent(), 'md c I T30\r\n');
  plain.link().reply('HD\r\n');
  assert.deepEqual(names([await deleted]), ['deleted']);
});

test('authentication comes first; a refusal is told', async () => {
  const { ask, link } = bench({ credentials: { user: 'me', password: 'secret' } });
  const asked = ask(Operation.get, 'a');
  assert.equal(link().sent(), 'set auth 0 0 9\r\nme secret\r\nget a\r\n');
  link().open();
  link().reply('CLIENT_ERROR authentication failure\r\n');
  const reply = await asked;
  assert.equal(RESULT_NAMES[reply.result], 'aborted');
  assert.match(reply.message, /authentication failure/);
});

test('every kind of reply', async () => {
  const { ask, link } = bench();
  const cases: readonly (readonly [Operation, Partial<Request>, string, string, string])[] = [
    [Operation.add, {}, 'add k 0 0 0\r\n\r\n', 'NOT_STORED\r\n', 'not_stored'],
    [Operation.cas, { cas: 7n }, 'cas k 0 0 0 7\r\n\r\n', 'EXISTS\r\n', 'exists'],
    [Operation.leaseSet, { token: 3n }, 'lease-set k 3 0 0 0\r\n\r\n', 'STALE_STORED\r\n', 'stale_stored'],
    [Operation.delete, { holdOffSeconds: 2 }, 'delete k 2\r\n', 'NOT_FOUND\r\n', 'miss'],
    [Operation.touch, { exptime: -1 }, 'touch k -1\r\n', 'TOUCHED\r\n', 'touched'],
    [Operation.incr, { delta: 18446744073709551615n }, 'incr k 18446744073709551615\r\n', '7\r\n', 'number'],
    [Operation.flushAll, {}, 'flush_all\r\n', 'OK\r\n', 'ok'],
    [Operation.metaGet, { metaFlags: Buffer.from('v q k') }, 'mg k v k\r\n', 'EN\r\n', 'miss'],
    [Operation.metaSet, { metaFlags: Buffer.from('T1') }, 'ms k 0 T1\r\n\r\n', 'NS\r\n', 'not_stored'],
    [Operation.metaDelete, {}, 'md k\r\n', 'HD\r\n', 'deleted'],
    [Operation.metaArithmetic, {}, 'ma k\r\n', 'VA 1\r\n5\r\n', 'number'],
    [Operation.set, {}, 'set k 0 0 0\r\n\r\n', 'SERVER_ERROR out of memory\r\n', 'server_error'],
    [Operation.set, {}, 'set k 0 0 0\r\n\r\n', 'ERROR\r\n', 'client_error'],
    [Operation.get, {}, 'get k\r\n', 'SERVER_ERROR busy\r\n', 'server_error'],
    [
      Operation.stats,
      { statsArguments: 'items' },
      'stats items\r\n',
      'STAT a 1\r\nSTAT b 2\r\nEND\r\n',
      'ok',
    ],
  ];
  for (const [operation, more, sent, answer, result] of cases) {
    const asked = ask(operation, 'k', more);
    assert.equal(link().sent(), sent);
    link().reply(answer);
    const reply = await asked;
    assert.equal(RESULT_NAMES[reply.result], result, sent);
    if (operation === Operation.stats) assert.equal(reply.message, 'a 1\nb 2\n');
  }
});

test('a malformed reply ends its connection and no other', async () => {
  const { ask, links, destination } = bench({ connections: 2, failuresUntilTko: 10 });
  const first = ask(Operation.get, 'a');
  const second = ask(Operation.get, 'b');
  const [one, other] = links.opened;
  one!.open();
  other!.open();
  one!.reply('HELLO\r\n');
  const reply = await first;
  assert.equal(RESULT_NAMES[reply.result], 'aborted');
  assert.match(reply.message, /a line that is no reply: "HELLO\\r\\n"/);
  assert.ok(one!.isClosed);
  assert.ok(!other!.isClosed);
  other!.reply('END\r\n');
  assert.deepEqual(names([await second]), ['miss']);
  assert.equal(destination.statistics.malformed, 1);
  const third = ask(Operation.get, 'c');
  links.last.reply('END\r\n');
  assert.deepEqual(names([await third]), ['miss']);
});

for (const answer of [
  'STORED\r\n',
  'VALUE other 0 1\r\nx\r\nEND\r\n',
  'VALUE a 0 1\r\nxyz\r\n',
  'VA 1\r\nx\r\n',
  '7\r\n',
]) {
  test(`a get is not answered by ${JSON.stringify(answer)}`, async () => {
    const { ask, link } = bench();
    const asked = ask(Operation.get, 'a');
    link().open();
    link().reply(answer);
    assert.deepEqual(names([await asked]), ['aborted']);
    assert.ok(link().isClosed);
  });
}

test('time-outs: answered in time, the late reply is dropped, the others go on', async () => {
  const { ask, link, clock, destination } = bench({ timeoutMs: 200 });
  const first = ask(Operation.get, 'a');
  link().open();
  link().sent();
  clock.advance(100);
  const second = ask(Operation.set, 'b', { timeoutMs: 400 });
  clock.advance(90);
  assert.equal(await settled(first), undefined);
  clock.advance(60);
  assert.deepEqual(names([await settled(first), await settled(second)]), ['timeout', undefined]);
  assert.equal(destination.state, DestinationState.new);
  link().reply('VALUE a 0 1\r\nx\r\nEND\r\nSTORED\r\n');
  assert.deepEqual(names([await second]), ['stored']);
  assert.equal(destination.statistics.timeouts, 1);
  assert.equal(destination.statistics.outstanding, 0);
});

test('each operation may have its own time; forwarded requests that of the form of their reply', async () => {
  const timeoutsMs: number[] = [];
  timeoutsMs[Operation.get] = 100;
  timeoutsMs[Operation.set] = 500;
  const { ask, link, clock, destination } = bench({ timeoutMs: 200, timeoutsMs, failuresUntilTko: 100 });
  const sink = new Collector();
  const asked = [Operation.get, Operation.delete, Operation.set].map((operation) => ask(operation, 'k'));
  destination.forward(Buffer.from('mg k\r\n'), 0, 6, ReplyShape.meta, sink, 1);
  destination.forward(Buffer.from('delete k\r\n'), 0, 10, ReplyShape.line, sink, 2);
  link().open();
  const done: string[] = [];
  for (const [index, each] of asked.entries()) void each.then(() => done.push(`${index}`));
  const seen = async (): Promise<string> => {
    await settle();
    return [...done, ...sink.seen].join();
  };
  clock.advance(150);
  assert.equal(await seen(), '0');
  clock.advance(100);
  assert.equal(await seen(), '0,1,1 timeout');
  clock.advance(200);
  assert.equal(await seen(), '0,1,1 timeout');
  clock.advance(100);
  assert.equal(await seen(), '0,1,2,1 timeout,2 timeout');
});

test('what a destination is known by does not tell its secrets', () => {
  const { destination } = bench({ credentials: { user: 'me', password: 'secret' } });
  assert.match(destination.key, /^10\.0\.0\.1:11211 [0-9a-f]{16}$/);
});

test('a process that could not run does not take its own stall for time-outs', async () => {
  const { ask, link, clock } = bench({ timeoutMs: 500 });
  const reply = ask(Operation.get, 'a');
  link().open();
  clock.stall(2000);
  assert.equal(await settled(reply), undefined);
  link().reply('END\r\n');
  assert.deepEqual(names([await reply]), ['miss']);
  const late = ask(Operation.get, 'b');
  clock.advance(2000);
  assert.deepEqual(names([await late]), ['timeout']);
});

test('TKO after so many time-outs in a row, at once for the ones behind; a reply in between starts anew', async () => {
  const { ask, link, clock, destination, states } = bench({ timeoutMs: 200, failuresUntilTko: 3 });
  const failOne = async (): Promise<void> => {
    const asked = ask(Operation.get, 'a');
    clock.advance(300);
    assert.deepEqual(names([await asked]), ['timeout']);
  };
  const warm = ask(Operation.get, 'a');
  link().open();
  link().reply('END\r\n');
  await warm;
  await failOne();
  await failOne();
  link().reply('END\r\n'.repeat(2));
  const good = ask(Operation.get, 'b');
  link().reply('END\r\n');
  await good;
  await failOne();
  await failOne();
  assert.equal(destination.state, DestinationState.up);
  const last = ask(Operation.get, 'c');
  clock.advance(100);
  const behind = ask(Operation.get, 'd');
  clock.advance(200);
  assert.deepEqual(names([await last, await behind]), ['timeout', 'tko']);
  assert.equal(destination.state, DestinationState.tko);
  const refused = ask(Operation.get, 'e');
  assert.deepEqual(names([await refused]), ['tko']);
  assert.match((await refused).message, /10\.0\.0\.1:11211 is given up for now: no reply in 200 ms/);
  assert.deepEqual(states, ['up', 'tko']);
});

test('a refused connection is TKO at once; probes wait longer and longer; an answer brings it back', async () => {
  const { ask, links, clock, destination, states } = bench({
    probeDelayInitialMs: 1000,
    probeDelayMaxMs: 3000,
  });
  const asked = ask(Operation.get, 'a');
  links.last.end(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
  const reply = await asked;
  assert.deepEqual(names([reply]), ['connect_error']);
  assert.match(reply.message, /ECONNREFUSED/);
  assert.deepEqual(names([await ask(Operation.get, 'a')]), ['tko']);
  const delays: number[] = [];
  for (let probe = 0; probe < 5; probe++) {
    const before = links.opened.length;
    let waited = 0;
    while (links.opened.length === before) {
      clock.advance(50);
      waited += 50;
    }
    delays.push(waited);
    links.last.end(new Error('connect ECONNREFUSED'));
  }
  assert.deepEqual(delays, [1000, 1500, 2250, 3000, 3000]);
  clock.advance(3000);
  links.last.open();
  assert.equal(links.last.sent(), 'version\r\n');
  assert.equal(destination.state, DestinationState.tko);
  links.last.reply('VERSION 1.6\r\n');
  assert.equal(destination.state, DestinationState.up);
  const after = ask(Operation.get, 'a');
  assert.equal(links.last.sent(), 'get a\r\n');
  links.last.reply('END\r\n');
  assert.deepEqual(names([await after]), ['miss']);
  assert.deepEqual(states, ['tko', 'up']);
  assert.equal(destination.statistics.probes, 6);
});

test('a probe that connects and gets no answer has failed', async () => {
  const { ask, links, clock, destination } = bench({ probeDelayInitialMs: 1000, timeoutMs: 200 });
  const asked = ask(Operation.get, 'a');
  links.last.end(new Error('refused'));
  await asked;
  clock.advance(1000);
  const probe = links.last;
  probe.open();
  clock.advance(400);
  assert.ok(probe.isClosed);
  assert.equal(destination.state, DestinationState.tko);
  clock.advance(1600);
  assert.notEqual(links.last, probe);
});

test('a server that answers probes only is asked ever more rarely; one that was well for a while at once', async () => {
  const options = { probeDelayInitialMs: 1000, timeoutMs: 200, failuresUntilTko: 1 };
  const { ask, links, clock, destination } = bench(options);
  const failOnce = async (): Promise<number> => {
    const asked = ask(Operation.get, 'a');
    links.last.open();
    clock.advance(300);
    assert.deepEqual(names([await asked]), ['timeout']);
    const from = clock.now();
    const before = links.opened.length;
    while (links.opened.length === before) clock.advance(10);
    links.last.open();
    links.last.reply('VERSION 1\r\n');
    assert.equal(destination.state, DestinationState.up);
    return Math.round((clock.now() - from) / 100) * 100;
  };
  const delays: number[] = [];
  for (let round = 0; round < 4; round++) delays.push(await failOnce());
  clock.advance(20_000);
  delays.push(await failOnce());
  assert.deepEqual(delays, [900, 1400, 2200, 3300, 900]);
});

test('a destination that a new configuration does not name leaves when it owes nothing', async () => {
  const clock = new FakeClock();
  const links = new FakeLinks();
  const destinations = new Destinations({ clock, random: () => 0.5, links });
  const { address } = parseAddress('10.0.0.1:1');
  const options = {
    ...DESTINATION_DEFAULTS,
    dialect: Dialect.larder,
    timeoutMs: 1e6,
    connectTimeoutMs: 1000,
  };
  const destination = destinations.get(address, options);
  assert.equal(destinations.get(address, { ...options }), destination);
  assert.notEqual(destinations.get(address, { ...options, timeoutMs: 1 }), destination);
  const asked = destination.route(Request.of(Operation.get, 'a'));
  links.last.open();
  destinations.retain(new Set());
  assert.equal([...destinations.all()].length, 0);
  clock.advance(1_001_000 - 50_000);
  links.last.reply('END\r\n');
  assert.deepEqual(names([await asked]), ['miss']);
  assert.equal(destination.state, DestinationState.up);
  clock.advance(1_001_000);
  assert.equal(destination.state, DestinationState.closed);
  assert.ok(links.last.isClosed);
});

test('connecting takes too long', async () => {
  const { ask, links, clock } = bench({ connectTimeoutMs: 300, timeoutMs: 5000 });
  const asked = ask(Operation.get, 'a');
  clock.advance(400);
  assert.deepEqual(names([await asked]), ['connect_timeout']);
  assert.ok(links.last.isClosed);
});

test('a server that closes idle connections is not given up; one that drops requests is', async () => {
  const { ask, links, destination } = bench({ failuresUntilTko: 2 });
  for (let round = 0; round < 5; round++) {
    const asked = ask(Operation.get, 'a');
    links.last.open();
    links.last.reply('END\r\n');
    await asked;
    links.last.end();
  }
  assert.equal(destination.state, DestinationState.up);
  for (let round = 0; round < 2; round++) {
    const asked = ask(Operation.get, 'a');
    links.last.open();
    links.last.end();
    assert.deepEqual(names([await asked]), ['aborted']);
  }
  assert.equal(destination.state, DestinationState.tko);
});

test('limits: outstanding requests, connections', async () => {
  const { ask, links, destination } = bench({ outstandingMax: 3, connections: 2 });
  const asked = ['a', 'b', 'c', 'd'].map((key) => ask(Operation.get, key));
  assert.equal(links.opened.length, 2);
  assert.deepEqual(names([await asked[3]!]), ['busy']);
  assert.deepEqual(
    links.opened.map((link) => link.sent()),
    ['get a c\r\n', 'get b\r\n'],
  );
  links.opened[0]!.reply('END\r\n');
  links.opened[1]!.reply('END\r\n');
  await Promise.all(asked);
  assert.equal(destination.statistics.outstanding, 0);
  const queued = links.opened.map((link) => Object.assign(link, { queuedBytes: 1 << 30 }));
  assert.equal(queued.length, 2);
  assert.deepEqual(names([await ask(Operation.get, 'e')]), ['busy']);
});

test('closing answers what waits', async () => {
  const { ask, destination, link } = bench();
  const asked = ask(Operation.get, 'a');
  destination.close();
  assert.deepEqual(names([await asked, await ask(Operation.get, 'b')]), ['shutdown', 'shutdown']);
  assert.ok(link().isClosed);
});

class Collector implements ForwardSink {
  readonly seen: string[] = [];

  onBytes(tag: number, bytes: Buffer, start: number, end: number): void {
    this.seen.push(`${tag} ${bytes.toString('latin1', start, end)}`);
  }

  onFailure(tag: number, result: Result): void {
    this.seen.push(`${tag} ${RESULT_NAMES[result]}`);
  }
}

test('forwarding: bytes in, bytes out, in order, beside requests of objects', async () => {
  const { ask, link, destination, clock } = bench({ timeoutMs: 200 });
  const sink = new Collector();
  const forward = (text: string, shape: ReplyShape, tag: number): Result | undefined => {
    const bytes = Buffer.from(`--${text}--`, 'latin1');
    return destination.forward(bytes, 2, bytes.length - 2, shape, sink, tag);
  };
  assert.equal(forward('get a b\r\n', ReplyShape.values, 1), undefined);
  const object = ask(Operation.get, 'c');
  forward('set d 0 0 1\r\nx\r\n', ReplyShape.line, 2);
  forward('mg e v\r\n', ReplyShape.meta, 3);
  forward('get late\r\n', ReplyShape.values, 4);
  assert.equal(link().sent(), 'get a b\r\nget c\r\nset d 0 0 1\r\nx\r\nmg e v\r\nget late\r\n');
  link().open();
  const stream = 'VALUE a 0 5\r\nEND\r\n\r\nVALUE b 0 1\r\nx\r\nEND\r\nEND\r\nSTORED\r\nVA 1 c2\r\ny\r\n';
  for (const byte of stream) link().reply(byte);
  assert.deepEqual(names([await object]), ['miss']);
  clock.advance(300);
  link().reply('END\r\n');
  assert.deepEqual(sink.seen, [
    '1 VALUE a 0 5\r\nEND\r\n\r\nVALUE b 0 1\r\nx\r\nEND\r\n',
    '2 STORED\r\n',
    '3 VA 1 c2\r\ny\r\n',
    '4 timeout',
  ]);
  forward('get a\r\n', ReplyShape.values, 5);
  link().end();
  assert.equal(sink.seen.at(-1), '5 aborted');
});

test('forwarding to plain memcached: the stubs of leases are no values there either', async () => {
  const { link, destination } = bench({ dialect: Dialect.memcached });
  const sink = new Collector();
  const forward = (text: string, tag: number): void => {
    const bytes = Buffer.from(text, 'latin1');
    assert.equal(destination.forward(bytes, 0, bytes.length, ReplyShape.values, sink, tag), undefined);
  };
  forward('gets a b c\r\n', 1);
  forward('get d\r\n', 2);
  link().open();
  link().sent();
  link().reply(
    'VALUE a 0 0 7\r\n\r\nVALUE b 5 0 8\r\n\r\nVALUE c 0 0 9\r\n\r\nEND\r\nVALUE d 0 0\r\n\r\nEND\r\n',
  );
  assert.deepEqual(sink.seen, []);
  assert.equal(link().sent(), 'mg a v f c\r\nmg c v f c\r\nmg d v f c\r\n');
  link().reply('VA 0 f0 c7 Z\r\n\r\nVA 0 f0 c9\r\n\r\nEN\r\n');
  assert.deepEqual(sink.seen, ['1 VALUE b 5 0 8\r\n\r\nVALUE c 0 0 9\r\n\r\nEND\r\n', '2 END\r\n']);
  assert.equal(destination.statistics.outstanding, 0);
  forward('get e\r\n', 3);
  link().reply('VALUE e 0 0\r\n\r\nEND\r\n');
  link().end();
  assert.equal(sink.seen.at(-1), '3 aborted');
});

test('a token fills only at the server that gave it, and not after a restart', async () => {
  const { ask, link, links, destination } = bench();
  const other = bench().destination;
  const look = ask(Operation.metaGet, 'k', { metaFlags: Buffer.from('v c N30') });
  link().open();
  link().sent();
  link().reply('VA 0 c77 W\r\n\r\n');
  const { issuer } = await look;
  assert.equal(issuer?.destination, destination);
  const flags = { metaFlags: Buffer.from('C77'), issuer };
  const refused = await other.route(Object.assign(Request.of(Operation.metaSet, 'k'), flags));
  assert.deepEqual(names([refused]), ['exists']);
  const fill = ask(Operation.metaSet, 'k', flags);
  assert.match(link().sent(), /^ms k 0 C77\r\n/);
  link().reply('HD\r\n');
  assert.deepEqual(names([await fill]), ['stored']);
  link().end();
  const late = await Promise.all([
    ask(Operation.metaSet, 'k', flags),
    ask(Operation.metaDelete, 'k', flags),
    ask(Operation.leaseSet, 'k', { token: 77n, issuer }),
  ]);
  assert.deepEqual(names(late), ['exists', 'exists', 'not_stored']);
  assert.equal(links.opened.length, 1, 'nothing was sent to the server that may be another one now');
});
