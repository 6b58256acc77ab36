import assert from 'node:assert/strict';
import test from 'node:test';
import { SessionHarness } from './testing/session-harness.ts';

function script(harness: SessionHarness, lines: readonly (readonly [string, string | RegExp])[]): void {
  const client = harness.connect();
  for (const [request, reply] of lines) {
    const answer = client.ask(request);
    if (typeof reply === 'string') assert.equal(answer, reply, JSON.stringify(request));
    else assert.match(answer, reply, JSON.stringify(request));
  }
}

test('meta set and get with what they return, in the order asked', () => {
  script(new SessionHarness(), [
    ['mg a\r\n', 'EN\r\n'],
    ['mg a k O7 v\r\n', 'EN ka O7\r\n'],
    ['mg a v q\r\n', ''],
    ['ms a 2 T90 F5 c k O1\r\nhi\r\n', /^HD c\d+ ka O1\r\n$/],
    ['mg a\r\n', 'HD\r\n'],
    ['mg a s t f k O9 v h l q\r\n', 'VA 2 s2 t90 f5 ka O9 h1 l0\r\nhi\r\n'],
    ['ms a 2 q O1 k\r\nho\r\n', ''],
    ['ms a 2 ME q\r\nhu\r\n', 'NS\r\n'],
    ['ms a 2 MA s\r\n!!\r\n', 'HD s4\r\n'],
    ['ms a 1 MP\r\n<\r\n', 'HD\r\n'],
    ['mg a v t\r\n', 'VA 5 t-1\r\n<ho!!\r\n'],
    ['ms b 1 MR\r\nx\r\n', 'NS\r\n'],
    ['ms b 1 MA N60\r\nx\r\n', 'HD\r\n'],
    ['mg b v t\r\n', 'VA 1 t60\r\nx\r\n'],
    ['mn\r\n', 'MN\r\n'],
  ]);
});

test('a data block that comes late is answered like one that comes at once', () => {
  const harness = new SessionHarness();
  const client = harness.connect();
  const other = harness.connect();
  assert.equal(client.ask('ms YWJj 4 k O1 b c\r\nxx'), '');
  assert.equal(other.ask('ms z 3 O22 k s F1\r\nab'), '');
  assert.equal(other.ask('c\r\n'), 'HD O22 kz s3\r\n', 'the notes of two sets at once are kept apart');
  assert.match(client.ask('yy\r\n'), /^HD kYWJj b O1 c\d+\r\n$/);
  assert.equal(client.ask('mg abc v\r\n'), 'VA 4\r\nxxyy\r\n');
});

test('binary keys', () => {
  const key = Buffer.from('a b\r\n\0\xff', 'latin1').toString('base64');
  script(new SessionHarness(), [
    [`ms ${key} 1 b k\r\nx\r\n`, `HD k${key} b\r\n`],
    [`mg ${key} b k v\r\n`, `VA 1 k${key} b\r\nx\r\n`],
    [`me ${key} b\r\n`, new RegExp(`^ME ${key.replaceAll('+', '\\+')} exp=-1 `)],
    [
      'lru_crawler metadump all\r\n',
      /^key=a%20b%0D%0A%00%FF exp=-1 la=\d+ cas=\d+ fetch=yes cls=\d+ size=\d+\nEND\r\n$/,
    ],
    [`md ${key} b k O2\r\n`, `HD k${key} b O2\r\n`],
    [`md ${key} b k\r\n`, `NF k${key} b\r\n`],
    ['mg !!! b\r\n', 'CLIENT_ERROR error decoding key\r\n'],
  ]);
});

test('compare, replace and invalidate by CAS', () => {
  const harness = new SessionHarness();
  script(harness, [
    ['ms a 1 E1000 c\r\n1\r\n', 'HD c1000\r\n'],
    ['mg a c C1000 v\r\n', 'HD c1000\r\n'],
    ['mg a c C999 v\r\n', 'VA 1 c1000\r\n1\r\n'],
    ['ms a 1 C5 c\r\n2\r\n', 'EX c0\r\n'],
    ['ms b 1 C5\r\n2\r\n', 'NF\r\n'],
    ['ms a 1 C1000 E2000\r\n2\r\n', 'HD\r\n'],
    ['ms a 1 C1999 I E2001\r\n3\r\n', 'HD\r\n'],
    ['mg a v c\r\n', 'VA 1 c2001 X W\r\n3\r\n'],
    ['mg a v c\r\n', 'VA 1 c2001 Z X\r\n3\r\n'],
    ['md a C1\r\n', 'EX\r\n'],
    ['md a C2001\r\nmg a\r\n', 'HD\r\nEN\r\n'],
  ]);
  assert.deepEqual(
    ['cas_badval', 'cas_misses'].map((name) => harness.counter(name)),
    [1, 1],
  );
});

test('stale values and stubs: one wins, the others are told', () => {
  script(new SessionHarness(), [
    ['ms a 1\r\n1\r\nmd a I T30\r\n', 'HD\r\nHD\r\n'],
    ['mg a v t\r\n', 'VA 1 t30 X W\r\n1\r\n'],
    ['mg a v t\r\n', 'VA 1 t30 Z X\r\n1\r\n'],
    ['ms a 1\r\n2\r\nmg a v\r\n', 'HD\r\nVA 1\r\n2\r\n'],
    ['mg n v N30 t\r\n', 'VA 0 t30 W\r\n\r\n'],
    ['mg n v N30 t\r\n', 'VA 0 t30 Z\r\n\r\n'],
    ['get n\r\n', 'END\r\n'],
    ['ms r 1 T20\r\nx\r\nmg r R30\r\nmg r R30\r\n', 'HD\r\nHD W\r\nHD Z\r\n'],
    ['ms x 3 F7 T50\r\nabc\r\nmd x x\r\nmg x v f s\r\n', 'HD\r\nHD\r\nVA 0 f0 s0\r\n\r\n'],
  ]);
});

test('meta arithmetic', () => {
  script(new SessionHarness(), [
    ['ma n\r\n', 'NF\r\n'],
    ['ma n k O1 q\r\n', 'NF kn O1\r\n'],
    ['ma n N90 J13 v t k\r\n', 'VA 2 t90 kn\r\n13\r\n'],
    [
      'ma n v\r\nma n D10 v\r\nma n MD v\r\nma n M- D99 v\r\n',
      'VA 2\r\n14\r\nVA 2\r\n24\r\nVA 2\r\n23\r\nVA 1\r\n0\r\n',
    ],
    ['ma n q\r\nma n\r\n', 'HD\r\n'],
    ['ma n C1\r\n', 'EX\r\n'],
    ['ma n E77 c\r\n', 'HD c77\r\n'],
    [
      'set s 0 0 1\r\nx\r\nma s q\r\n',
      'STORED\r\nCLIENT_ERROR cannot increment or decrement non-numeric value\r\n',
    ],
  ]);
});

test('mistakes in meta sets throw their data block away', () => {
  const long = 'o'.repeat(33);
  script(new SessionHarness(), [
    ['ms a 5 Z\r\nget a\r\nmn\r\n', 'CLIENT_ERROR invalid flag\r\nMN\r\n'],
    [`ms a 5 O${long}\r\nget a\r\nmn\r\n`, 'CLIENT_ERROR opaque token too long\r\nMN\r\n'],
    ['ms a 5 MX q\r\nget a\r\nmn\r\n', 'CLIENT_ERROR invalid mode for ms M token\r\nMN\r\n'],
    ['ms a x\r\nmn\r\n', 'CLIENT_ERROR bad command line format\r\nMN\r\n'],
    ['ms a 2 q\r\nabcd\r\n', 'CLIENT_ERROR bad data chunk\r\nERROR\r\n'],
    ['mg a\r\n', 'EN\r\n'],
  ]);
});
