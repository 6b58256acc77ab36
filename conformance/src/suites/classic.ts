/** Classic text commands: every command and option, with the exact bytes of its reply. */
import { strict as assert } from 'node:assert';
import { readStats } from '../client/statistics.ts';
import { until } from '../client/until.ts';
import type { Suite } from './suite.ts';

const UINT64_MAX = '18446744073709551615';
const BAD_FORMAT = 'CLIENT_ERROR bad command line format\r\n';
const NOT_NUMERIC = 'CLIENT_ERROR cannot increment or decrement non-numeric value\r\n';
const BAD_DELTA = 'CLIENT_ERROR invalid numeric delta argument\r\n';
const FLUSH_STEP_MS = 3_000;
const BAD_EXPTIME = 'CLIENT_ERROR invalid exptime argument\r\n';

function storageTests(suite: Suite): void {
  suite.test('set stores value and flags, get returns them', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 4294967295 0 5\r\nhello\r\n`, 'STORED\r\n');
    await client.expect(`get ${key}\r\n`, `VALUE ${key} 4294967295 5\r\nhello\r\nEND\r\n`);
  });

  suite.test('set replaces value and flags of every length', async (client) => {
    const key = suite.key();
    for (const length of [0, 1, 7, 100, 2000, 40000, 3]) {
      const value = 'x'.repeat(length);
      await client.expect(`set ${key} ${length} 0 ${length}\r\n${value}\r\n`, 'STORED\r\n');
      await client.expect(`get ${key}\r\n`, `VALUE ${key} ${length} ${length}\r\n${value}\r\nEND\r\n`);
    }
  });

  suite.test('a value may hold every byte, CRLF and command text included', async (client) => {
    const key = suite.key();
    const every = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));
    const value = `${every}\r\nget ${key}\r\nEND\r\n`;
    await client.expect(`set ${key} 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n');
    await client.expect(`get ${key}\r\n`, `VALUE ${key} 0 ${value.length}\r\n${value}\r\nEND\r\n`);
  });

  suite.test('add stores only what is absent, replace only what is present', async (client) => {
    const key = suite.key();
    await client.expect(`replace ${key} 0 0 1\r\na\r\n`, 'NOT_STORED\r\n');
    await client.expect(`add ${key} 1 0 1\r\nb\r\n`, 'STORED\r\n');
    await client.expect(`add ${key} 2 0 1\r\nc\r\n`, 'NOT_STORED\r\n');
    await client.expect(`get ${key}\r\n`, `VALUE ${key} 1 1\r\nb\r\nEND\r\n`);
    await client.expect(`replace ${key} 3 0 2\r\ndd\r\n`, 'STORED\r\n');
    await client.expect(`get ${key}\r\n`, `VALUE ${key} 3 2\r\ndd\r\nEND\r\n`);
  });

  suite.test('append and prepend keep flags and change only the data', async (client) => {
    const key = suite.key();
    await client.expect(`append ${key} 0 0 1\r\na\r\n`, 'NOT_STORED\r\n');
    await client.expect(`prepend ${key} 0 0 1\r\na\r\n`, 'NOT_STORED\r\n');
    await client.expect(`set ${key} 7 0 1\r\nm\r\n`, 'STORED\r\n');
    await client.expect(`append ${key} 9 1 2\r\nyz\r\n`, 'STORED\r\n');
    await client.expect(`prepend ${key} 9 1 2\r\nab\r\n`, 'STORED\r\n');
    await client.expect(`get ${key}\r\n`, `VALUE ${key} 7 5\r\nabmyz\r\nEND\r\n`);
  });

  suite.test('cas stores with the current token only, and every change makes a new token', async (client) => {
    const key = suite.key();
    await client.expect(`cas ${key} 0 0 1 1\r\na\r\n`, 'NOT_FOUND\r\n');
    await client.expect(`set ${key} 0 0 1\r\na\r\n`, 'STORED\r\n');
    const token = async (): Promise<string> =>
      (await client.match(`gets ${key}\r\n`, /^VALUE \S+ 0 \d+ (\d+)\r\n.*\r\nEND\r\n$/))[1] ?? '';
    const first = await token();
    await client.expect(`cas ${key} 0 0 1 ${first}\r\nb\r\n`, 'STORED\r\n');
    await client.expect(`cas ${key} 0 0 1 ${first}\r\nc\r\n`, 'EXISTS\r\n');
    const second = await token();
    assert.notEqual(second, first);
    await client.expect(`append ${key} 0 0 1\r\nd\r\n`, 'STORED\r\n');
    await client.expect(`cas ${key} 0 0 1 ${second}\r\ne\r\n`, 'EXISTS\r\n');
    const third = await token();
    await client.expect(`touch ${key} 100\r\n`, 'TOUCHED\r\n');
    assert.equal(await token(), third, 'touch keeps the token');
    await client.expect(`get ${key}\r\n`, `VALUE ${key} 0 2\r\nbd\r\nEND\r\n`);
  });

  suite.test('noreply: every storage command is silent, and takes effect', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 1 0 1 noreply\r\na\r\n`, '');
    await client.expect(`add ${key} 1 0 1 noreply\r\nb\r\n`, '');
    await client.expect(`append ${key} 1 0 1 noreply\r\nc\r\n`, '');
    await client.expect(`prepend ${key} 1 0 1 noreply\r\nd\r\n`, '');
    await client.expect(`get ${key}\r\n`, `VALUE ${key} 1 3\r\ndac\r\nEND\r\n`);
    await client.expect(`replace ${key} 2 0 1 noreply\r\ne\r\n`, '');
    await client.expect(`cas ${key} 1 0 1 999999 noreply\r\nf\r\n`, '');
    await client.expect(`get ${key}\r\n`, `VALUE ${key} 2 1\r\ne\r\nEND\r\n`);
  });

  suite.test('a negative expiry stores an item that is already gone', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 0 0 1\r\na\r\n`, 'STORED\r\n');
    await client.expect(`set ${key} 0 -1 1\r\nb\r\n`, 'STORED\r\n');
    await client.expect(`get ${key}\r\n`, 'END\r\n');
    await client.expect(`add ${key} 0 0 1\r\nc\r\n`, 'STORED\r\n');
  });

  suite.test('keys of 1 and of 250 bytes, high bytes included', async (client) => {
    for (const key of ['!', 'k'.repeat(250), `${'\xe9\xff\x80'.repeat(40)}#${suite.key()}`]) {
      await client.expect(`set ${key} 0 0 1\r\na\r\n`, 'STORED\r\n');
      await client.expect(`get ${key}\r\n`, `VALUE ${key} 0 1\r\na\r\nEND\r\n`);
      await client.expect(`delete ${key}\r\n`, 'DELETED\r\n');
    }
  });

  suite.test('lines may end with a bare LF, and the fields be apart by several spaces', async (client) => {
    const key = suite.key();
    await client.expect(`set  ${key}  0  0   1\na\r\n`, 'STORED\r\n');
    await client.expect(`get ${key}\n`, `VALUE ${key} 0 1\r\na\r\nEND\r\n`);
    await client.expect(` get   ${key} \r\n`, `VALUE ${key} 0 1\r\na\r\nEND\r\n`);
  });
}

function retrievalTests(suite: Suite): void {
  suite.test('get of many keys answers hits in the order asked, repeated keys repeatedly', async (client) => {
    const [a, b] = [suite.key(), suite.key()];
    await client.expect(`set ${a} 1 0 1\r\na\r\nset ${b} 2 0 2\r\nbb\r\n`, 'STORED\r\nSTORED\r\n');
    const [valueA, valueB] = [`VALUE ${a} 1 1\r\na\r\n`, `VALUE ${b} 2 2\r\nbb\r\n`];
    await client.expect(`get ${b} nothing ${a} ${b}\r\n`, `${valueB}${valueA}${valueB}END\r\n`);
    await client.expect(`get nothing here\r\n`, 'END\r\n');
  });

  suite.test('get of 300 keys in one line', async (client) => {
    const keys = Array.from({ length: 300 }, () => suite.key('many'));
    await client.expect(keys.map((key) => `set ${key} 0 0 3 noreply\r\n${key.slice(-3)}\r\n`).join(''), '');
    const expected = keys.map((key) => `VALUE ${key} 0 3\r\n${key.slice(-3)}\r\n`).join('');
    await client.expect(`get ${keys.join(' ')}\r\n`, `${expected}END\r\n`);
  });

  suite.test('gets returns a token per key', async (client) => {
    const [a, b] = [suite.key(), suite.key()];
    await client.expect(`set ${a} 0 0 1\r\na\r\nset ${b} 0 0 1\r\nb\r\n`, 'STORED\r\nSTORED\r\n');
    const found = await client.match(
      `gets ${a} nothing ${b}\r\n`,
      /^VALUE \S+ 0 1 (\d+)\r\na\r\nVALUE \S+ 0 1 (\d+)\r\nb\r\nEND\r\n$/,
    );
    assert.notEqual(found[1], found[2]);
  });

  suite.test('gat and gats return values and set a new expiry', async (client) => {
    const [a, b] = [suite.key(), suite.key()];
    await client.expect(`set ${a} 5 0 1\r\na\r\nset ${b} 6 0 1\r\nb\r\n`, 'STORED\r\nSTORED\r\n');
    await client.expect(
      `gat 100 ${a} nothing ${b}\r\n`,
      `VALUE ${a} 5 1\r\na\r\nVALUE ${b} 6 1\r\nb\r\nEND\r\n`,
    );
    await client.match(`mg ${a} t\r\n`, /^HD t(100|99)\r\n$/);
    await client.match(`gats 0 ${a}\r\n`, /^VALUE \S+ 5 1 \d+\r\na\r\nEND\r\n$/);
    await client.expect(`mg ${a} t\r\n`, 'HD t-1\r\n');
    await client.expect(`gat -1 ${a}\r\n`, `VALUE ${a} 5 1\r\na\r\nEND\r\n`);
    await client.expect(`get ${a}\r\n`, 'END\r\n');
    await client.expect(`gat\r\ngat x ${b}\r\n`, `ERROR\r\n${BAD_EXPTIME}`);
    // memcached counts its words wrongly here and answers END; either is no hit.
    await client.match('gat 0\r\n', /^(ERROR|END)\r\n$/);
  });

  suite.test('touch sets a new expiry without a fetch', async (client) => {
    const key = suite.key();
    await client.expect(`touch ${key} 0\r\n`, 'NOT_FOUND\r\n');
    await client.expect(`set ${key} 0 0 1\r\na\r\n`, 'STORED\r\n');
    await client.expect(`touch ${key} 200\r\n`, 'TOUCHED\r\n');
    await client.match(`mg ${key} t\r\n`, /^HD t(200|199)\r\n$/);
    await client.expect(`touch ${key} 0 noreply\r\n`, '');
    await client.expect(`mg ${key} t\r\n`, 'HD t-1\r\n');
    await client.expect(`touch ${key}\r\ntouch ${key} x\r\n`, `ERROR\r\n${BAD_EXPTIME}`);
    await client.expect(`touch ${key} -1\r\nget ${key}\r\n`, 'TOUCHED\r\nEND\r\n');
  });

  suite.test('delete, with noreply and with the old time argument of 0', async (client) => {
    const key = suite.key();
    const store = `set ${key} 0 0 1\r\na\r\n`;
    await client.expect(`delete ${key}\r\n`, 'NOT_FOUND\r\n');
    await client.expect(`${store}delete ${key}\r\nget ${key}\r\n`, 'STORED\r\nDELETED\r\nEND\r\n');
    await client.expect(`${store}delete ${key} 0\r\nget ${key}\r\n`, 'STORED\r\nDELETED\r\nEND\r\n');
    await client.expect(`${store}delete ${key} noreply\r\nget ${key}\r\n`, 'STORED\r\nEND\r\n');
    await client.expect(`${store}delete ${key} 0 noreply\r\nget ${key}\r\n`, 'STORED\r\nEND\r\n');
    await client.expect('delete\r\n', 'ERROR\r\n');
  });
}

function arithmeticTests(suite: Suite): void {
  suite.test('incr and decr: reply, growth, and padding with spaces', async (client) => {
    const key = suite.key();
    await client.expect(`incr ${key} 1\r\ndecr ${key} 1\r\n`, 'NOT_FOUND\r\nNOT_FOUND\r\n');
    await client.expect(`set ${key} 3 0 1\r\n9\r\n`, 'STORED\r\n');
    await client.expect(`incr ${key} 1\r\nget ${key}\r\n`, `10\r\nVALUE ${key} 3 2\r\n10\r\nEND\r\n`);
    await client.expect(`decr ${key} 1\r\nget ${key}\r\n`, `9\r\nVALUE ${key} 3 2\r\n9 \r\nEND\r\n`);
    await client.expect(`incr ${key} 991\r\nget ${key}\r\n`, `1000\r\nVALUE ${key} 3 4\r\n1000\r\nEND\r\n`);
    await client.expect(`decr ${key} 5000\r\nget ${key}\r\n`, `0\r\nVALUE ${key} 3 4\r\n0   \r\nEND\r\n`);
  });

  suite.test('incr wraps at 2^64, decr stops at 0', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 0 0 20\r\n${UINT64_MAX}\r\n`, 'STORED\r\n');
    await client.expect(
      `incr ${key} 1\r\nget ${key}\r\n`,
      `0\r\nVALUE ${key} 0 20\r\n0${' '.repeat(19)}\r\nEND\r\n`,
    );
    await client.expect(`incr ${key} ${UINT64_MAX}\r\n`, `${UINT64_MAX}\r\n`);
    await client.expect(`incr ${key} 12\r\n`, '11\r\n');
    await client.expect(`decr ${key} ${UINT64_MAX}\r\n`, '0\r\n');
    await client.expect(`set ${key} 0 0 19\r\n9007199254740993123\r\n`, 'STORED\r\n');
    await client.expect(`incr ${key} 1\r\n`, '9007199254740993124\r\n');
  });

  suite.test('incr of what is no number, and by what is no number', async (client) => {
    const key = suite.key();
    for (const value of ['abc', '', '-1', '12a', '118446744073709551615', '18446744073709551616']) {
      await client.expect(`set ${key} 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n');
      await client.expect(`incr ${key} 1\r\ndecr ${key} 1\r\n`, `${NOT_NUMERIC}${NOT_NUMERIC}`);
    }
    await client.expect(`set ${key} 0 0 2\r\n10\r\n`, 'STORED\r\n');
    for (const delta of ['x', '-1', '1x', '18446744073709551616', '1.5']) {
      await client.expect(`incr ${key} ${delta}\r\n`, BAD_DELTA);
      await client.expect(`decr ${key} ${delta}\r\n`, BAD_DELTA);
    }
    await client.expect(`incr ${key}\r\nincr\r\nincr ${key} 1\r\n`, 'ERROR\r\nERROR\r\n11\r\n');
  });

  suite.test('numbers are read as the C library reads them', async (client) => {
    const key = suite.key();
    for (const value of [' 5', '+5', ' \t+05', '5 apples', '000000000000000000000005']) {
      await client.expect(`set ${key} 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n');
      const rest = ' '.repeat(value.length - 1);
      await client.expect(
        `incr ${key} 1\r\nget ${key}\r\n`,
        `6\r\nVALUE ${key} 0 ${value.length}\r\n6${rest}\r\nEND\r\n`,
      );
    }
  });

  suite.test('incr and decr with noreply; the token changes', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 0 0 2\r\n10\r\n`, 'STORED\r\n');
    const before = await client.match(`gets ${key}\r\n`, /^VALUE \S+ 0 2 (\d+)\r\n10\r\nEND\r\n$/);
    await client.expect(`incr ${key} 5 noreply\r\ndecr ${key} 1 noreply\r\n`, '');
    const later = await client.match(`gets ${key}\r\n`, /^VALUE \S+ 0 2 (\d+)\r\n14\r\nEND\r\n$/);
    assert.notEqual(later[1], before[1]);
  });
}

function expiryTests(suite: Suite): void {
  suite.test('items expire by relative, absolute and touched time', async (client) => {
    const [relative, absolute, touched, fetched, kept] = [1, 2, 3, 4, 5].map(() => suite.key('expiry'));
    const now = Math.floor(Date.now() / 1000);
    await client.expect(`set ${relative} 0 1 1\r\na\r\n`, 'STORED\r\n');
    await client.expect(`set ${absolute} 0 ${now + 1} 1\r\na\r\n`, 'STORED\r\n');
    await client.expect(`set ${touched} 0 0 1\r\na\r\ntouch ${touched} 1\r\n`, 'STORED\r\nTOUCHED\r\n');
    await client.match(
      `set ${fetched} 0 0 1\r\na\r\ngat 1 ${fetched}\r\n`,
      /^STORED\r\nVALUE .*\r\na\r\nEND\r\n$/,
    );
    await client.expect(`set ${kept} 0 ${now + 3600} 1\r\na\r\n`, 'STORED\r\n');
    const all = `get ${relative} ${absolute} ${touched} ${fetched} ${kept}\r\n`;
    await until(
      'only the kept item is left',
      async () => (await client.exchange(all)) === `VALUE ${kept} 0 1\r\na\r\nEND\r\n`,
    );
    await client.match(`mg ${kept} t\r\n`, /^HD t35\d\d\r\n$/);
    await client.expect(`add ${relative} 0 0 1\r\nb\r\n`, 'STORED\r\n');
  });

  suite.test('an absolute time in the past is expired, 30 days is still relative', async (client) => {
    const key = suite.key();
    const past = Math.floor(Date.now() / 1000) - 100;
    await client.expect(`set ${key} 0 ${past} 1\r\na\r\nget ${key}\r\n`, 'STORED\r\nEND\r\n');
    await client.expect(`set ${key} 0 2592000 1\r\na\r\n`, 'STORED\r\n');
    await client.match(`mg ${key} t\r\n`, /^HD t(2592000|2591999)\r\n$/);
    await client.expect(`set ${key} 0 2592001 1\r\na\r\nget ${key}\r\n`, 'STORED\r\nEND\r\n');
  });
}

function administrationTests(suite: Suite): void {
  suite.test('version, with and without further words', async (client) => {
    await client.match('version\r\n', /^VERSION \d+\.\d+\.\d+\S*\r\n$/);
    await client.match('version x\r\n', /^VERSION \S+\r\n$/);
  });

  suite.test('verbosity', async (client) => {
    await client.expect('verbosity\r\n', 'ERROR\r\n');
    await client.expect('verbosity 1\r\nverbosity 0\r\n', 'OK\r\nOK\r\n');
    await client.expect('verbosity 0 noreply\r\n', '');
    await client.expect('verbosity x\r\n', BAD_FORMAT);
  });

  suite.test('quit closes the connection and answers nothing', async (client) => {
    client.write('version\r\nquit\r\nversion\r\n');
    assert.match(await client.untilClosed(), /^VERSION \S+\r\n$/);
  });

  suite.test('shutdown is refused unless enabled', async (client) => {
    await client.expect('shutdown\r\nshutdown graceful\r\n', 'ERROR: shutdown not enabled\r\n'.repeat(2));
  });

  suite.serverOnly('shutdown ends a server that allows it, gracefully when told so', async () => {
    for (const command of ['shutdown\r\n', 'shutdown graceful\r\n']) {
      const server = await suite.start({ letters: ['-A'] });
      await using client = await suite.connect(server);
      client.write(command);
      await client.untilClosed();
      await server.exited;
    }
  });

  suite.test('unknown and empty commands, and command names in capitals', async (client) => {
    await client.expect('bogus\r\n\r\n\nGET a\r\nSet a 0 0 1\r\n', 'ERROR\r\n'.repeat(5));
    await client.expect('get\r\ngets\r\nget  \r\n', 'ERROR\r\n'.repeat(3));
  });

  suite.serverOnly('cache_memlimit takes megabytes; what cannot be is refused', async (client) => {
    await client.expect('cache_memlimit 32\r\n', 'OK\r\n');
    assert.equal((await readStats(client)).get('limit_maxbytes'), String(32 * 1024 * 1024));
    await client.expect('cache_memlimit 64\r\n', 'OK\r\n');
    await client.match('cache_memlimit x\r\n', /^(ERROR|CLIENT_ERROR .*|MEMLIMIT_ADJUST_FAILED .*)\r\n$/);
    await client.expect('cache_memlimit\r\n', 'ERROR\r\n');
  });
}

/** flush_all has a server of its own, because it empties whatever the other tests have stored. */
function flushTests(suite: Suite): void {
  suite.test('flush_all at once, with noreply, and with bad arguments', async () => {
    await using client = await suite.connect(await suite.start({}));
    const store = 'set a 0 0 1\r\na\r\nset b 0 0 1\r\nb\r\n';
    for (const command of ['flush_all', 'flush_all 0']) {
      await client.expect(`${store}${command}\r\nget a b\r\n`, 'STORED\r\nSTORED\r\nOK\r\nEND\r\n');
    }
    for (const command of ['flush_all noreply', 'flush_all 0 noreply']) {
      await client.expect(`${store}${command}\r\nget a b\r\n`, 'STORED\r\nSTORED\r\nEND\r\n');
    }
    await client.expect('flush_all x\r\n', BAD_EXPTIME);
    await client.expect(`${store}get a\r\n`, 'STORED\r\nSTORED\r\nVALUE a 0 1\r\na\r\nEND\r\n');
  });

  suite.test(
    'flush_all with a delay drops at that time what is older, and leaves what is younger',
    async () => {
      await using client = await suite.connect(await suite.start({}));
      await client.expect('set a 0 0 1\r\na\r\nflush_all 2\r\n', 'STORED\r\nOK\r\n');
      await client.expect('get a\r\n', 'VALUE a 0 1\r\na\r\nEND\r\n');
      await until('the flush has come', async () => (await client.exchange('get a\r\n')) === 'END\r\n');
      // memcached's clock has steps of a second: what is stored within the second of the flush may still go.
      const store = 'set b 0 0 1\r\nb\r\nget b\r\n';
      const stored = 'STORED\r\nVALUE b 0 1\r\nb\r\nEND\r\n';
      await until('items live again', async () => (await client.exchange(store)) === stored, FLUSH_STEP_MS);
    },
  );

  suite.test('flush_all can be disabled with -F', async () => {
    await using client = await suite.connect(await suite.start({ letters: ['-F'] }));
    await client.expect(
      'set a 0 0 1\r\na\r\nflush_all\r\nget a\r\n',
      'STORED\r\nCLIENT_ERROR flush_all not allowed\r\nVALUE a 0 1\r\na\r\nEND\r\n',
    );
  });
}

/** Malformed lines whose data block, if any, is then read as a command, as memcached does. */
function malformedTests(suite: Suite): void {
  suite.test('storage lines with missing or bad fields', async (client) => {
    await client.expect('set\r\nset a\r\nset a 0\r\nset a 0 0\r\n', 'ERROR\r\n'.repeat(4));
    for (const line of ['set a 0 0 x', 'set a x 0 1', 'set a -1 0 1', 'set a 0 x 1', 'set a 0 0 1x']) {
      await client.expect(`${line}\r\n`, BAD_FORMAT);
    }
    await client.expect('set a 0 0 1 noreply extra\r\n', 'ERROR\r\n');
    await client.expect('cas a 0 0 1\r\n', 'ERROR\r\n');
    for (const token of ['x', '-1', '18446744073709551616']) {
      await client.expect(`cas a 0 0 1 ${token}\r\n`, BAD_FORMAT);
    }
  });

  suite.test('a malformed set does not swallow the next command', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 0 0 bad\r\nset ${key} 0 0 1\r\na\r\n`, `${BAD_FORMAT}STORED\r\n`);
  });
}

export function classicSuite(suite: Suite): void {
  storageTests(suite);
  retrievalTests(suite);
  arithmeticTests(suite);
  expiryTests(suite);
  administrationTests(suite);
  flushTests(suite);
  malformedTests(suite);
}
