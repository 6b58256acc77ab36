/** Meta text commands: mn, mg, ms, md, ma, me with every flag, and the exact bytes of each reply. */
import { strict as assert } from 'node:assert';
import { until } from '../client/until.ts';
import type { Suite } from './suite.ts';

const BAD_TOKEN = 'CLIENT_ERROR bad token in command line format\r\n';
const BAD_FORMAT = 'CLIENT_ERROR bad command line format\r\n';
const BAD_KEY = 'CLIENT_ERROR error decoding key\r\n';
const NOT_NUMERIC = 'CLIENT_ERROR cannot increment or decrement non-numeric value\r\n';
/** The first two words of memcached's texts for flags differ by version; both say which flag class failed. */
const INVALID_FLAG = /^CLIENT_ERROR (invalid flag|invalid or duplicate flag)\r\n$/;
const DUPLICATE_FLAG = /^CLIENT_ERROR (duplicate flag|invalid or duplicate flag)\r\n$/;

function base64(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64');
}

function getTests(suite: Suite): void {
  suite.test('mn answers MN', async (client) => {
    client.write('mn\r\nmn\r\nversion\r\n');
    assert.equal(await client.readLine(), 'MN');
    assert.equal(await client.readLine(), 'MN');
    assert.match(await client.readLine(), /^VERSION /);
  });

  suite.test('mg: HD without v, VA with v, EN for a miss', async (client) => {
    const key = suite.key();
    await client.expect(`mg ${key}\r\nmg ${key} v\r\n`, 'EN\r\nEN\r\n');
    await client.expect(`set ${key} 5 0 3\r\nabc\r\n`, 'STORED\r\n');
    await client.expect(`mg ${key}\r\n`, 'HD\r\n');
    await client.expect(`mg ${key} v\r\n`, 'VA 3\r\nabc\r\n');
    await client.expect(`mg ${key} f s t v\r\n`, 'VA 3 f5 s3 t-1\r\nabc\r\n');
  });

  suite.test('mg returns its flags in the order asked', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 7 100 3\r\nabc\r\n`, 'STORED\r\n');
    await client.match(
      `mg ${key} s t f c h l k O1 v\r\n`,
      new RegExp(`^VA 3 s3 t(100|99) f7 c\\d+ h0 l0 k${key} O1\\r\\nabc\\r\\n$`),
    );
    await client.match(
      `mg ${key} Oz k l h c f t s\r\n`,
      new RegExp(`^HD Oz k${key} l0 h1 c\\d+ f7 t(100|99) s3\\r\\n$`),
    );
  });

  suite.test('mg c is the token of gets', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 0 0 1\r\na\r\n`, 'STORED\r\n');
    const gets = await client.match(`gets ${key}\r\n`, /^VALUE \S+ 0 1 (\d+)\r\na\r\nEND\r\n$/);
    await client.expect(`mg ${key} c\r\n`, `HD c${gets[1]}\r\n`);
  });

  suite.test('mg h and l tell the time before this fetch; u leaves no trace', async (client) => {
    const key = suite.key();
    // What must happen within one second of the server's clock is sent in one piece.
    await client.expect(
      `set ${key} 0 0 1\r\na\r\nmg ${key} h u\r\nmg ${key} h u\r\nmg ${key} h l\r\nmg ${key} h\r\n`,
      'STORED\r\nHD h0\r\nHD h0\r\nHD h0 l0\r\nHD h1\r\n',
    );
    await until('a second since the last access', async () =>
      /l[1-9]/.test(await client.exchange(`mg ${key} l u\r\n`)),
    );
    await client.match(`mg ${key} l\r\n`, /^HD l[1-9]\d*\r\n$/);
    // memcached's maintenance notes an access a moment later, if it has the time.
    await until('the access is noted', async () => {
      const reply = await client.exchange(`mg ${key} l\r\n`);
      return reply === 'HD l0\r\n';
    });
  });

  suite.test('mg k and O come back on a miss too', async (client) => {
    const key = suite.key();
    await client.expect(`mg ${key} v k O123\r\n`, `EN k${key} O123\r\n`);
    await client.expect(`mg ${base64(key)} b O7 t c k\r\n`, `EN O7 k${base64(key)} b\r\n`);
  });

  suite.test('mg q hides a miss and nothing else', async (client) => {
    const key = suite.key();
    await client.expect(`mg ${key} q\r\nmg ${key} v q k O9\r\n`, '');
    await client.expect(`set ${key} 0 0 1\r\na\r\n`, 'STORED\r\n');
    await client.expect(`mg ${key} q\r\nmg ${key} v q\r\n`, 'HD\r\nVA 1\r\na\r\n');
  });

  suite.test('mg T touches', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 0 0 1\r\na\r\n`, 'STORED\r\n');
    await client.match(`mg ${key} T60 t\r\n`, /^HD t(60|59)\r\n$/);
    await client.match(`mg ${key} t\r\n`, /^HD t(60|59)\r\n$/);
    await client.expect(`mg ${key} T0 t\r\n`, 'HD t-1\r\n');
    await client.match(`mg ${key} T-1\r\n`, /^HD\r\n$/);
    await client.expect(`mg ${key}\r\n`, 'EN\r\n');
  });

  suite.test('P and L are accepted and ignored', async (client) => {
    const key = suite.key();
    await client.expect(`ms ${key} 1 P Lpath/to\r\na\r\n`, 'HD\r\n');
    await client.expect(`mg ${key} P Lfoo v\r\n`, 'VA 1\r\na\r\n');
    await client.expect(`ma ${key} Lfoo P\r\nmd ${key} Px L\r\n`, `${NOT_NUMERIC}HD\r\n`);
  });

  suite.test('opaque: up to 32 bytes', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 0 0 1\r\na\r\n`, 'STORED\r\n');
    const opaque = 'x'.repeat(31);
    await client.expect(`mg ${key} O${opaque}\r\n`, `HD O${opaque}\r\n`);
    const tooLong = 'CLIENT_ERROR opaque token too long\r\n';
    await client.expect(`mg ${key} O${opaque}yz\r\n`, tooLong);
    // memcached counts the flag's letter within the 32 bytes; the documentation counts the token only.
    const full = `${opaque}y`;
    await client.expect(
      `mg ${key} O${full}\r\n`,
      suite.pick({ memcached: tooLong, larder: `HD O${full}\r\n` }),
    );
  });

  suite.test('base64 keys: b names the same item as its bytes, and k returns it encoded', async (client) => {
    const key = suite.key('base64');
    const encoded = base64(key);
    await client.expect(`ms ${encoded} 2 b k F3\r\nhi\r\n`, `HD k${encoded} b\r\n`);
    await client.expect(`get ${key}\r\n`, `VALUE ${key} 3 2\r\nhi\r\nEND\r\n`);
    await client.expect(`mg ${encoded} b k v\r\n`, `VA 2 k${encoded} b\r\nhi\r\n`);
    await client.expect(`mg ${key} v\r\n`, 'VA 2\r\nhi\r\n');
    await client.expect(`md ${encoded} b k\r\n`, `HD k${encoded} b\r\n`);
    await client.expect(`mg ${encoded} b\r\n`, 'EN\r\n');
  });

  suite.test('base64 keys may hold spaces, control characters and zeros', async (client) => {
    for (const key of ['with space', 'line\r\nbreak', '\0\x01\xff', suite.key()]) {
      const encoded = base64(key);
      await client.expect(`ms ${encoded} 1 b\r\na\r\n`, 'HD\r\n');
      await client.expect(`mg ${encoded} b k v\r\n`, `VA 1 k${encoded} b\r\na\r\n`);
      await client.expect(`md ${encoded} b\r\n`, 'HD\r\n');
    }
  });

  suite.test('keys that are not base64', async (client) => {
    for (const key of ['YQ', '****', 'YQ=', 'a']) await client.expect(`mg ${key} b v\r\n`, BAD_KEY);
    await client.expect('ms **** 1 b\r\na\r\n', BAD_KEY);
    // Older memcached calls every fault of md and ma one of its flags.
    const refused = /^CLIENT_ERROR (error decoding key|invalid or duplicate flag)\r\n$/;
    await client.match('md **** b\r\n', refused);
    await client.match('ma **** b\r\n', refused);
  });

  suite.test('mg: malformed', async (client) => {
    await client.expect('mg\r\n', 'ERROR\r\n');
    await client.match('mg a !\r\n', INVALID_FLAG);
    await client.match('mg a 9\r\n', INVALID_FLAG);
    await client.match('mg a Z\r\n', INVALID_FLAG);
    await client.match('mg a k k\r\n', DUPLICATE_FLAG);
    for (const flag of ['T', 'Tx', 'N', 'Nx', 'R', 'Rx']) await client.expect(`mg a ${flag}\r\n`, BAD_TOKEN);
    await client.expect(`mg ${'k'.repeat(251)} v\r\n`, BAD_FORMAT);
  });
}

function storeTests(suite: Suite): void {
  suite.test('ms stores with flags and lifetime', async (client) => {
    const key = suite.key();
    await client.expect(`ms ${key} 3\r\nabc\r\n`, 'HD\r\n');
    await client.expect(`get ${key}\r\n`, `VALUE ${key} 0 3\r\nabc\r\nEND\r\n`);
    await client.expect(`ms ${key} 2 F4294967295 T90\r\nhi\r\n`, 'HD\r\n');
    await client.match(`mg ${key} f t v\r\n`, /^VA 2 f4294967295 t(90|89)\r\nhi\r\n$/);
    await client.expect(`ms ${key} 0 T-1\r\n\r\nmg ${key}\r\n`, 'HD\r\nEN\r\n');
  });

  suite.test('ms returns k, O and c in the order asked; c is the new token', async (client) => {
    const key = suite.key();
    const found = await client.match(
      `ms ${key} 1 O7 c k\r\na\r\n`,
      new RegExp(`^HD O7 c(\\d+) k${key}\\r\\n$`),
    );
    await client.expect(`mg ${key} c\r\n`, `HD c${found[1]}\r\n`);
  });

  suite.test('ms M: every mode by capital letter', async (client) => {
    const key = suite.key();
    await client.expect(
      `ms ${key} 1 MR\r\na\r\nms ${key} 1 MA\r\na\r\nms ${key} 1 MP\r\na\r\n`,
      'NS\r\n'.repeat(3),
    );
    await client.expect(`ms ${key} 1 ME\r\na\r\nms ${key} 1 ME\r\nb\r\n`, 'HD\r\nNS\r\n');
    await client.expect(`ms ${key} 1 MA\r\nz\r\nms ${key} 1 MP\r\nx\r\n`, 'HD\r\nHD\r\n');
    await client.expect(`mg ${key} v\r\n`, 'VA 3\r\nxaz\r\n');
    await client.expect(`ms ${key} 1 MR\r\nr\r\nms ${key} 1 MS\r\ns\r\n`, 'HD\r\nHD\r\n');
    await client.expect(`mg ${key} v\r\n`, 'VA 1\r\ns\r\n');
  });

  suite.test('ms M: unknown modes; the data block is not taken for a command', async (client) => {
    await client.expect('ms a 3 MX\r\nget\r\n', 'CLIENT_ERROR invalid mode for ms M token\r\n');
    await client.expect('ms a 3 M\r\nget\r\n', 'CLIENT_ERROR incorrect length for M token\r\n');
    await client.expect('ms a 3 MEE\r\nget\r\n', 'CLIENT_ERROR incorrect length for M token\r\n');
  });

  suite.test('ms C compares the token', async (client) => {
    const key = suite.key();
    await client.expect(`ms ${key} 1 C1\r\na\r\n`, 'NF\r\n');
    const cas = (await client.match(`ms ${key} 1 c\r\na\r\n`, /^HD c(\d+)\r\n$/))[1] ?? '';
    await client.expect(`ms ${key} 1 C${cas}9 k O2\r\nb\r\n`, `EX k${key} O2\r\n`);
    await client.expect(`ms ${key} 1 C${cas}\r\nc\r\n`, 'HD\r\n');
    await client.expect(`ms ${key} 1 C${cas}\r\nd\r\n`, 'EX\r\n');
    const next = (await client.match(`mg ${key} c v\r\n`, /^VA 1 c(\d+)\r\nc\r\n$/))[1] ?? '';
    await client.expect(`ms ${key} 1 MA C${cas}\r\nx\r\n`, 'EX\r\n');
    await client.expect(`ms ${key} 1 MA C${next}\r\nx\r\n`, 'HD\r\n');
    await client.expect(`mg ${key} v\r\n`, 'VA 2\r\ncx\r\n');
  });

  suite.test('ms I stores an older token as stale', async (client) => {
    const key = suite.key();
    const cas = Number((await client.match(`ms ${key} 1 c\r\na\r\n`, /^HD c(\d+)\r\n$/))[1]);
    await client.expect(`ms ${key} 1\r\nb\r\n`, 'HD\r\n');
    await client.expect(`ms ${key} 1 I C${cas + 100_000}\r\nc\r\n`, 'EX\r\n');
    await client.expect(`ms ${key} 1 I C${cas}\r\nd\r\n`, 'HD\r\n');
    await client.match(`mg ${key} v\r\n`, /^VA 1 (W X|X W)\r\nd\r\n$/);
    await client.match(`mg ${key} v\r\n`, /^VA 1 (Z X|X Z)\r\nd\r\n$/);
    await client.expect(`ms ${key} 1\r\ne\r\nmg ${key} v\r\n`, 'HD\r\nVA 1\r\ne\r\n');
  });

  suite.test('ms q hides HD and nothing else', async (client) => {
    const key = suite.key();
    await client.expect(`ms ${key} 1 q\r\na\r\nms ${key} 1 q k O1\r\nb\r\n`, '');
    await client.expect(`ms ${key} 1 q ME\r\nc\r\nms ${key}x 1 q C1\r\nc\r\n`, 'NS\r\nNF\r\n');
    await client.expect(`mg ${key} v\r\n`, 'VA 1\r\nb\r\n');
  });

  suite.since('1.6.19', 'ms s returns the size, also after append', async (client) => {
    const key = suite.key();
    await client.expect(`ms ${key} 3 s\r\nabc\r\nms ${key} 2 MA s\r\nde\r\n`, 'HD s3\r\nHD s5\r\n');
  });

  suite.since('1.6.19', 'ms N creates on append and prepend', async (client) => {
    const [a, b] = [suite.key(), suite.key()];
    await client.expect(`ms ${a} 1 MA N0\r\na\r\nms ${a} 1 MA N0\r\nb\r\n`, 'HD\r\nHD\r\n');
    await client.expect(`mg ${a} v t\r\n`, 'VA 2 t-1\r\nab\r\n');
    await client.expect(`ms ${b} 1 MP N80\r\na\r\nms ${b} 1 MP N5\r\nb\r\n`, 'HD\r\nHD\r\n');
    await client.match(`mg ${b} v t\r\n`, /^VA 2 t(80|79)\r\nba\r\n$/);
  });

  suite.since('1.6.19', 'E sets the token in ms, ma, md and mg', async (client) => {
    const key = suite.key();
    await client.expect(`ms ${key} 1 E1000 c\r\n1\r\nmg ${key} c\r\n`, 'HD c1000\r\nHD c1000\r\n');
    await client.expect(`ma ${key} E2000 c\r\nmg ${key} c\r\n`, 'HD c2000\r\nHD c2000\r\n');
    await client.match(`md ${key} I E3000\r\nmg ${key} c\r\n`, /^HD\r\nHD c3000 (W X|X W)\r\n$/);
    await client.match(`mg ${key}new N30 E4000 c\r\n`, /^HD c4000 W\r\n$/);
    await client.expect(`ms ${key} 1 C3000 E18446744073709551615 c\r\n2\r\n`, 'HD c18446744073709551615\r\n');
    await client.expect(`ms ${key} 1 Ex\r\n2\r\n`, BAD_TOKEN);
  });

  suite.test('ms: malformed', async (client) => {
    await client.expect('ms\r\n', 'ERROR\r\n');
    for (const length of ['x', '-1', 'S3', '2147483647'])
      await client.expect(`ms a ${length}\r\n`, BAD_FORMAT);
    await client.expect('ms a\r\n', BAD_FORMAT);
    await client.expect('ms a 3 Fx\r\nget\r\n', BAD_FORMAT);
    await client.expect('ms a 3 Tx\r\nget\r\n', BAD_TOKEN);
    await client.expect('ms a 3 Cx\r\nget\r\n', BAD_TOKEN);
    await client.match('ms a 3 !\r\nget\r\n', INVALID_FLAG);
    await client.match('ms a 3 k k\r\nget\r\n', DUPLICATE_FLAG);
    // Whether the data block of a request without a usable key is skipped differs between versions.
    await client.match(
      `ms ${'k'.repeat(251)} 3\r\nget\r\n`,
      /^CLIENT_ERROR bad command line format\r\n(ERROR\r\n)?$/,
    );
    await client.expect('ms a 3\r\nabcde\r\n'.slice(0, -2), 'CLIENT_ERROR bad data chunk\r\n');
  });
}

function deleteTests(suite: Suite): void {
  suite.test('md deletes; k and O come back; q hides HD', async (client) => {
    const key = suite.key();
    const store = `ms ${key} 1 q\r\na\r\n`;
    await client.expect(`md ${key}\r\n`, 'NF\r\n');
    await client.expect(`md ${key} k O3\r\n`, `NF k${key} O3\r\n`);
    await client.expect(`${store}md ${key} O4 k\r\nmg ${key}\r\n`, `HD O4 k${key}\r\nEN\r\n`);
    await client.expect(`${store}md ${key} q\r\nmg ${key}\r\n`, 'EN\r\n');
  });

  suite.test('md C compares the token', async (client) => {
    const key = suite.key();
    const cas = (await client.match(`ms ${key} 1 c\r\na\r\n`, /^HD c(\d+)\r\n$/))[1] ?? '';
    await client.expect(`md ${key} C${cas}1\r\nmd ${key} q C${cas}1\r\n`, 'EX\r\nEX\r\n');
    await client.expect(`md ${key} C${cas}\r\nmg ${key}\r\n`, 'HD\r\nEN\r\n');
  });

  suite.test(
    'md I marks stale: one wins, others are told, a classic get still sees the value',
    async (client) => {
      const key = suite.key();
      const cas = (await client.match(`ms ${key} 1 c F5\r\na\r\n`, /^HD c(\d+)\r\n$/))[1] ?? '';
      await client.match(
        `md ${key} I T30\r\nmg ${key} v t c\r\n`,
        /^HD\r\nVA 1 t(30|29) c\d+ (W X|X W)\r\na\r\n$/,
      );
      await client.match(`mg ${key} v c\r\n`, /^VA 1 c\d+ (Z X|X Z)\r\na\r\n$/);
      await client.expect(`ms ${key} 1 C${cas}\r\nb\r\n`, 'EX\r\n');
      const now = (await client.match(`mg ${key} c\r\n`, /^HD c(\d+) (Z X|X Z)\r\n$/))[1] ?? '';
      await client.expect(`ms ${key} 1 C${now}\r\nc\r\nmg ${key} v\r\n`, 'HD\r\nVA 1\r\nc\r\n');
    },
  );

  suite.since('1.6.22', 'md x removes value and client flags, and keeps the item', async (client) => {
    const key = suite.key();
    await client.expect(`ms ${key} 3 F5 T90\r\nabc\r\nmd ${key} x\r\n`, 'HD\r\nHD\r\n');
    await client.match(`mg ${key} v f s t\r\n`, /^VA 0 f0 s0 t(90|89)\r\n\r\n$/);
  });

  suite.test('md: malformed', async (client) => {
    await client.expect('md\r\n', 'ERROR\r\n');
    await client.match('md a !\r\n', INVALID_FLAG);
    await client.match('md a k k\r\n', DUPLICATE_FLAG);
    await client.match(
      'md a Cx\r\n',
      /^CLIENT_ERROR (bad token in command line format|invalid or duplicate flag)\r\n$/,
    );
    await client.expect(`md ${'k'.repeat(251)}\r\n`, BAD_FORMAT);
  });
}

function arithmeticTests(suite: Suite): void {
  suite.test(
    'ma: increment by 1, by D, modes by letter and sign, v and t and c and k and O',
    async (client) => {
      const key = suite.key();
      await client.expect(`ma ${key}\r\nma ${key} k O1\r\n`, `NF\r\nNF k${key} O1\r\n`);
      await client.expect(`set ${key} 3 0 2\r\n10\r\n`, 'STORED\r\n');
      await client.expect(
        `ma ${key}\r\nma ${key} v\r\nma ${key} D10 v\r\n`,
        'HD\r\nVA 2\r\n12\r\nVA 2\r\n22\r\n',
      );
      for (const [mode, value] of [
        ['MI', 23],
        ['M+', 24],
        ['MD', 23],
        ['M-', 22],
      ]) {
        await client.expect(`ma ${key} ${mode} v\r\n`, `VA 2\r\n${value}\r\n`);
      }
      const found = await client.match(
        `ma ${key} t c k O5 v\r\n`,
        new RegExp(`^VA 2 t-1 c(\\d+) k${key} O5\\r\\n23\\r\\n$`),
      );
      await client.expect(`mg ${key} c\r\n`, `HD c${found[1]}\r\n`);
      await client.match(`ma ${key} T60 t\r\n`, /^HD t(60|59)\r\n$/);
    },
  );

  suite.test('ma wraps at 2^64 and stops at 0', async (client) => {
    const key = suite.key();
    await client.expect(`ma ${key} N0 J18446744073709551615 v\r\n`, 'VA 20\r\n18446744073709551615\r\n');
    await client.expect(`ma ${key} v\r\n`, 'VA 1\r\n0\r\n');
    await client.expect(`ma ${key} MD D5 v\r\nma ${key} D3 v\r\n`, 'VA 1\r\n0\r\nVA 1\r\n3\r\n');
  });

  suite.test('ma N creates with J and the given lifetime', async (client) => {
    const [plain, seeded] = [suite.key(), suite.key()];
    await client.expect(`ma ${plain} N0 v\r\nma ${plain} N0 v\r\n`, 'VA 1\r\n0\r\nVA 1\r\n1\r\n');
    await client.match(`ma ${seeded} N90 J13 v t\r\n`, /^VA 2 t(90|89)\r\n13\r\n$/);
    await client.match(`ma ${seeded} N5 J1 v t\r\n`, /^VA 2 t(90|89)\r\n14\r\n$/);
    await client.match(`get ${seeded}\r\n`, /^VALUE \S+ 0 2\r\n14\r\nEND\r\n$/);
  });

  suite.test('ma C compares the token', async (client) => {
    const key = suite.key();
    const cas = (await client.match(`ms ${key} 1 c\r\n5\r\n`, /^HD c(\d+)\r\n$/))[1] ?? '';
    await client.expect(`ma ${key} C${cas}1 v\r\n`, 'EX\r\n');
    await client.expect(`ma ${key} C${cas} v\r\nma ${key} C${cas} v\r\n`, 'VA 1\r\n6\r\nEX\r\n');
  });

  suite.test('ma q hides HD', async (client) => {
    const key = suite.key();
    await client.expect(
      `ms ${key} 1 q\r\n5\r\nma ${key} q\r\nma ${key} q D3\r\nmg ${key} v\r\n`,
      'VA 1\r\n9\r\n',
    );
  });

  suite.test('ma of what is no number; malformed', async (client) => {
    const key = suite.key();
    await client.expect(`ms ${key} 3 q\r\nabc\r\nma ${key}\r\nma ${key} q\r\n`, NOT_NUMERIC.repeat(2));
    await client.expect(`ma ${key} Mx\r\n`, 'CLIENT_ERROR invalid mode for ma M token\r\n');
    await client.expect('ma\r\n', 'ERROR\r\n');
    for (const flag of ['!', 'Dx', 'Jx', 'Nx', 'Tx', 'Cx']) {
      await client.match(`ma ${key} ${flag}\r\n`, /^CLIENT_ERROR (invalid|bad) .*\r\n$/);
    }
    await client.match(`ma ${key} v v\r\n`, DUPLICATE_FLAG);
  });
}

function recacheTests(suite: Suite): void {
  suite.test('mg N: the first wins an empty stub, the others see Z, until a set', async (client) => {
    const key = suite.key();
    const won = await client.match(`mg ${key} s c v N30 t\r\n`, /^VA 0 s0 c(\d+) t30 W\r\n\r\n$/);
    await client.match(`mg ${key} s c v N30 t\r\n`, /^VA 0 s0 c\d+ t(30|29) Z\r\n\r\n$/);
    await client.match(`mg ${key} v\r\n`, /^VA 0 Z\r\n\r\n$/);
    await client.expect(`ms ${key} 1 C${won[1]}\r\na\r\n`, 'HD\r\n');
    await client.expect(`mg ${key} v N30\r\n`, 'VA 1\r\na\r\n');
  });

  suite.test('mg N without v answers HD W, and q does not hide it', async (client) => {
    const key = suite.key();
    await client.expect(`mg ${key} N30 q k O1\r\n`, `HD k${key} O1 W\r\n`);
    await client.expect(`mg ${key} N30\r\n`, 'HD Z\r\n');
  });

  suite.larderOnly('a classic get never sees the stub of mg N', async (client) => {
    const key = suite.key();
    await client.expect(`mg ${key} v N30\r\n`, 'VA 0 W\r\n\r\n');
    await client.expect(`get ${key}\r\ngets ${key}\r\ngat 0 ${key}\r\n`, 'END\r\nEND\r\nEND\r\n');
    await client.expect(`touch ${key} 0\r\n`, 'NOT_FOUND\r\n');
    await client.expect(`incr ${key} 1\r\n`, 'NOT_FOUND\r\n');
    await client.expect(
      `replace ${key} 0 0 1\r\na\r\nappend ${key} 0 0 1\r\na\r\n`,
      'NOT_STORED\r\nNOT_STORED\r\n',
    );
    await client.expect(
      `add ${key} 0 0 1\r\na\r\nget ${key}\r\n`,
      `STORED\r\nVALUE ${key} 0 1\r\na\r\nEND\r\n`,
    );
  });

  suite.test('mg R: below the given lifetime one wins the refresh, once', async (client) => {
    const key = suite.key();
    await client.expect(`ms ${key} 1 T100\r\na\r\n`, 'HD\r\n');
    await client.expect(`mg ${key} v R30\r\n`, 'VA 1\r\na\r\n');
    await client.expect(`mg ${key} v R300\r\n`, 'VA 1 W\r\na\r\n');
    await client.expect(`mg ${key} v R300\r\n`, 'VA 1 Z\r\na\r\n');
    await client.expect(`ms ${key} 1 T100\r\nb\r\n`, 'HD\r\n');
    await client.expect(`mg ${key} v R300\r\n`, 'VA 1 W\r\nb\r\n');
    await client.expect(`ms ${key} 1\r\nc\r\nmg ${key} v R300\r\n`, 'HD\r\nVA 1\r\nc\r\n');
  });

  suite.test('md I, then md of the stale item', async (client) => {
    const key = suite.key();
    await client.expect(
      `ms ${key} 1\r\na\r\nmd ${key} I\r\nmd ${key}\r\nmg ${key} v\r\n`,
      'HD\r\nHD\r\nHD\r\nEN\r\n',
    );
  });
}

function debugTests(suite: Suite): void {
  suite.test('me shows the item, or EN', async (client) => {
    const key = suite.key();
    await client.expect(`me ${key}\r\n`, 'EN\r\n');
    await client.expect(`set ${key} 0 0 3\r\nabc\r\n`, 'STORED\r\n');
    const line = await client.match(
      `me ${key}\r\n`,
      /^ME (\S+) exp=-1 la=\d+ cas=(\d+) fetch=no cls=\d+ size=\d+(?: [a-z]+=\S+)*\r\n$/,
    );
    assert.equal(line[1], key);
    const cas = await client.match(`mg ${key} c\r\n`, /^HD c(\d+)\r\n$/);
    assert.equal(line[2], cas[1]);
    await client.match(`me ${key}\r\n`, /^ME \S+ .* fetch=yes .*\r\n$/);
    const encoded = base64(key);
    // The documentation has the key come back encoded, memcached returns it plain when it was stored plain.
    assert.ok(
      [key, encoded].includes((await client.match(`me ${encoded} b\r\n`, /^ME (\S+) .*\r\n$/))[1] ?? ''),
    );
    await client.match('me\r\n', /^(ERROR|CLIENT_ERROR bad command line format)\r\n$/);
  });
}

export function metaSuite(suite: Suite): void {
  getTests(suite);
  storeTests(suite);
  deleteTests(suite);
  arithmeticTests(suite);
  recacheTests(suite);
  debugTests(suite);
}
