import assert from 'node:assert/strict';
import test from 'node:test';
import { SessionHarness } from './testing/session-harness.ts';

const BAD_FORMAT = 'CLIENT_ERROR bad command line format\r\n';

/** Runs lines of [request, reply] on one connection. */
function script(harness: SessionHarness, lines: readonly (readonly [string, string])[]): void {
  const client = harness.connect();
  for (const [request, reply] of lines) assert.equal(client.ask(request), reply, JSON.stringify(request));
}

test('storing and reading', () => {
  script(new SessionHarness(), [
    ['get a\r\n', 'END\r\n'],
    ['set a 5 0 3\r\nabc\r\n', 'STORED\r\n'],
    ['get a\r\n', 'VALUE a 5 3\r\nabc\r\nEND\r\n'],
    ['get a\n', 'VALUE a 5 3\r\nabc\r\nEND\r\n'],
    ['get b a b a\r\n', 'VALUE a 5 3\r\nabc\r\nVALUE a 5 3\r\nabc\r\nEND\r\n'],
    ['add a 0 0 1\r\nx\r\n', 'NOT_STORED\r\n'],
    ['add b 0 0 1\r\nx\r\n', 'STORED\r\n'],
    ['replace c 0 0 1\r\nx\r\n', 'NOT_STORED\r\n'],
    ['replace b 1 0 1\r\ny\r\n', 'STORED\r\n'],
    ['append a 9 9 2\r\nde\r\n', 'STORED\r\n'],
    ['prepend a 9 9 1\r\n_\r\n', 'STORED\r\n'],
    ['get a b\r\n', 'VALUE a 5 6\r\n_abcde\r\nVALUE b 1 1\r\ny\r\nEND\r\n'],
    ['set a 0 0 0\r\n\r\n', 'STORED\r\n'],
    ['get a\r\n', 'VALUE a 0 0\r\n\r\nEND\r\n'],
    ['set a 0 0 2 noreply\r\n\r\n\r\nget a\r\n', 'VALUE a 0 2\r\n\r\n\r\nEND\r\n'],
    ['delete a\r\ndelete a\r\ndelete b noreply\r\nget a b\r\n', 'DELETED\r\nNOT_FOUND\r\nEND\r\n'],
  ]);
});

test('gets, cas, gat, gats, touch', () => {
  const harness = new SessionHarness();
  const client = harness.connect();
  client.ask('set a 1 0 1\r\nx\r\n');
  const cas = /^VALUE a 1 1 (\d+)\r\nx\r\nEND\r\n$/.exec(client.ask('gets a nope\r\n'))?.[1];
  assert.ok(cas !== undefined);
  assert.equal(client.ask(`cas a 0 0 1 ${cas}1\r\ny\r\n`), 'EXISTS\r\n');
  assert.equal(client.ask(`cas nope 0 0 1 ${cas}\r\ny\r\n`), 'NOT_FOUND\r\n');
  assert.equal(client.ask(`cas a 2 0 1 ${cas}\r\ny\r\n`), 'STORED\r\n');
  assert.equal(client.ask('gat 100 a b\r\n'), 'VALUE a 2 1\r\ny\r\nEND\r\n');
  assert.match(client.ask('gats 10 a\r\n'), /^VALUE a 2 1 \d+\r\ny\r\nEND\r\n$/);
  harness.advance(9);
  assert.equal(client.ask('touch a 20\r\ntouch b 20\r\n'), 'TOUCHED\r\nNOT_FOUND\r\n');
  harness.advance(19);
  assert.equal(client.ask('get a\r\n'), 'VALUE a 2 1\r\ny\r\nEND\r\n');
  harness.advance(1);
  assert.equal(client.ask('get a\r\n'), 'END\r\n');
  assert.deepEqual(
    ['cmd_touch', 'touch_hits', 'touch_misses', 'cas_hits', 'cas_misses', 'cas_badval'].map((name) =>
      harness.counter(name),
    ),
    [5, 3, 2, 1, 1, 1],
  );
});

test('counting', () => {
  script(new SessionHarness(), [
    ['incr n 1\r\n', 'NOT_FOUND\r\n'],
    ['set n 0 0 2\r\n10\r\nincr n 5\r\ndecr n 6\r\n', 'STORED\r\n15\r\n9\r\n'],
    ['get n\r\n', 'VALUE n 0 2\r\n9 \r\nEND\r\n'],
    ['incr n 18446744073709551615\r\n', '8\r\n'],
    ['decr n 100\r\nincr n 1 noreply\r\nget n\r\n', '0\r\nVALUE n 0 2\r\n1 \r\nEND\r\n'],
    ['incr n 18446744073709551616\r\n', 'CLIENT_ERROR invalid numeric delta argument\r\n'],
    [
      'set n 0 0 1\r\nx\r\nincr n 1\r\n',
      'STORED\r\nCLIENT_ERROR cannot increment or decrement non-numeric value\r\n',
    ],
  ]);
});

test('malformed requests are answered as memcached does', () => {
  const long = 'k'.repeat(251);
  script(new SessionHarness(), [
    ['\r\n\n', 'ERROR\r\nERROR\r\n'],
    ['get\r\nget \r\nGET a\r\nbogus\r\n', 'ERROR\r\n'.repeat(4)],
    ['set a 0 0\r\n', 'ERROR\r\n'],
    ['set a x 0 1\r\n', BAD_FORMAT],
    ['set a x 0 1 noreply\r\n', ''],
    ['set a 0 0 -1\r\n', BAD_FORMAT],
    ['set a 0 0 1\r\nxyz\r\n', 'CLIENT_ERROR bad data chunk\r\nERROR\r\n'],
    ['set a 0 0 1\r\nxy\r\n', 'CLIENT_ERROR bad data chunk\r\nERROR\r\n'],
    ['get a\r\n', 'END\r\n'],
    [`get ${long}\r\n`, BAD_FORMAT],
    [`set ${long} 0 0 1\r\n`, BAD_FORMAT],
    [`delete ${long}\r\ntouch ${long} 1\r\nincr ${long} 1\r\n`, BAD_FORMAT.repeat(3)],
    ['gat\r\ngat x a\r\n', 'ERROR\r\nCLIENT_ERROR invalid exptime argument\r\n'],
    ['get a\tb\r\nget a\rb\r\nget \0\r\n', BAD_FORMAT.repeat(3)],
    ['version\r\n', 'VERSION 1.6.45-larder-0.0.0\r\n'],
  ]);
});

test('a bad key takes back what its line was answered with, but not what came before', () => {
  const harness = new SessionHarness({ sendBufferBytes: 2048 });
  const client = harness.connect();
  client.ask('set a 0 0 5\r\nabcde\r\n');
  client.ask(`set big 0 0 9000\r\n${'b'.repeat(9000)}\r\n`);
  const long = 'k'.repeat(251);
  const value = 'VALUE a 0 5\r\nabcde\r\n';
  assert.equal(
    client.ask(`get a\r\nget a a ${long} a\r\nget a\r\n`),
    `${value}END\r\n${BAD_FORMAT}${value}END\r\n`,
  );
  assert.equal(client.ask(`get a big ${long}\r\nget a\r\n`), `${BAD_FORMAT}${value}END\r\n`);
  assert.equal(client.ask(`get ${'a '.repeat(200)}${long}\r\nget a\r\n`), `${BAD_FORMAT}${value}END\r\n`);
});

test('a multiget longer than many send buffers loses nothing', () => {
  const harness = new SessionHarness({ sendBufferBytes: 1024 });
  const client = harness.connect();
  let line = 'get';
  let expected = '';
  for (let index = 0; index < 300; index++) {
    const value = String(index).repeat(1 + (index % 17) * 20);
    client.ask(`set key${index} ${index} 0 ${value.length}\r\n${value}\r\n`);
    line += ` key${index}`;
    expected += `VALUE key${index} ${index} ${value.length}\r\n${value}\r\n`;
  }
  assert.equal(client.ask(`${line}\r\n`), `${expected}END\r\n`);
  assert.deepEqual(
    ['cmd_get', 'get_hits', 'get_misses'].map((name) => harness.counter(name)),
    [300, 300, 0],
  );
});

test('values that are too large are refused and their data block thrown away', () => {
  const harness = new SessionHarness();
  const client = harness.connect();
  const large = 'x'.repeat(1_100_000);
  client.ask('set a 0 0 1\r\na\r\nset b 0 0 1\r\nb\r\n');
  const refused = 'SERVER_ERROR object too large for cache\r\n';
  assert.equal(
    client.ask(`set a 0 0 ${large.length}\r\n${large}\r\nget a\r\n`),
    `${refused}END\r\n`,
    'a failed set removes',
  );
  assert.equal(
    client.ask(`add b 0 0 ${large.length}\r\n${large}\r\nget b\r\n`),
    `${refused}VALUE b 0 1\r\nb\r\nEND\r\n`,
  );
  assert.equal(
    client.ask(`set b 0 0 ${large.length} noreply\r\n${large}\r\nversion\r\n`),
    'VERSION 1.6.45-larder-0.0.0\r\n',
  );
  assert.equal(client.ask(`ms b ${large.length} q\r\n${large}\r\nmn\r\n`), `${refused}MN\r\n`);
  assert.equal(harness.counter('store_too_large'), 4);
  assert.equal(harness.store.totals().currItems, 0);
});

test('a value streams into its item, and an item that is never completed leaves nothing behind', () => {
  const harness = new SessionHarness();
  const value = Buffer.alloc(700_000, 'abcdefghij\r\n').toString('latin1');
  const client = harness.connect();
  const request = `set big 3 0 ${value.length}\r\n${value}\r\nget big\r\n`;
  const bytes = harness.store.totals().currBytes;
  const half = harness.connect();
  half.ask(request.slice(0, 350_000));
  assert.equal(half.restBytes, 0, 'nothing of the value waits outside its item');
  half.close();
  assert.equal(harness.store.totals().currBytes, bytes);
  assert.equal(
    client.ask(request, [10, 3, 1, 1, 5, 9000]),
    `STORED\r\nVALUE big 3 ${value.length}\r\n${value}\r\nEND\r\n`,
  );
  assert.ok(client.connection.references > 0, 'long values are referenced');
  assert.equal(
    client.ask('set big 0 0 5\r\nshort\r\nget big\r\n'),
    'STORED\r\nVALUE big 0 5\r\nshort\r\nEND\r\n',
  );
  client.close();
});

test('without memory a set is refused and nothing else is harmed', () => {
  const harness = new SessionHarness({
    store: { memoryBytes: 4 << 20, evict: false, itemBytesMax: 100_000 },
  });
  const client = harness.connect();
  const value = 'v'.repeat(90_000);
  let refused = 0;
  for (let index = 0; index < 100; index++) {
    const reply = client.ask(`set k${index} 0 0 ${value.length}\r\n${value}\r\n`);
    if (reply === 'SERVER_ERROR out of memory storing object\r\n') refused++;
    else assert.equal(reply, 'STORED\r\n');
  }
  assert.ok(refused > 50);
  assert.equal(harness.counter('store_no_memory'), refused);
  assert.match(client.ask('get k0\r\n'), /^VALUE k0 0 90000\r\nv+\r\nEND\r\n$/);
});

test('lines without end are cut off, retrievals only much later', () => {
  const tooLong = 'CLIENT_ERROR line too long\r\n';
  for (const text of [
    'x'.repeat(2048),
    `${'x'.repeat(3000)}\r\nversion\r\n`,
    `${' '.repeat(101)}get ${'k '.repeat(2000)}`,
  ]) {
    const client = new SessionHarness().connect();
    assert.equal(client.ask(text), tooLong);
    assert.ok(client.connection.isEnded);
    assert.equal(client.ask('version\r\n'), '', 'what comes behind is not looked at');
  }
  const client = new SessionHarness().connect();
  assert.equal(client.ask(`${'x'.repeat(2047)}\n`), 'ERROR\r\n');
  assert.equal(client.ask(`get ${'k '.repeat(2500)}\r\n`), 'END\r\n');
  assert.equal(client.ask(`   gets ${'k '.repeat(2500)}\r\n`, [1, 2, 3, 100]), 'END\r\n');
});

test('a client that sends byte by byte is answered the same', () => {
  const text = 'set a 0 0 5\r\na\r\nbc\r\nget a b a\r\nms b 2 c\r\nhi\r\nmg b v\r\nincr a 1\r\n';
  const whole = new SessionHarness().ask(text).replace(/ c\d+/g, '');
  const single = new SessionHarness()
    .connect()
    .ask(text, new Array(text.length).fill(1))
    .replace(/ c\d+/g, '');
  assert.equal(single, whole);
  assert.match(whole, /^STORED\r\nVALUE a 0 5\r\na\r\nbc\r\nVALUE a/);
});
