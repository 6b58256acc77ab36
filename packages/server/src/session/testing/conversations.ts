/** Random requests of every kind, and the properties that hold for all of them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SessionHarness } from './session-harness.ts';

const SEED = 20_261_120;
const STORE = { memoryBytes: 8 << 20, itemBytesMax: 200_000 };

const key = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('a', 'b', 'c', 'key:1', 'YWJj', '\xe9t\xe9') },
  { weight: 1, arbitrary: fc.constantFrom('k'.repeat(250), 'k'.repeat(251), 'a\tb', '\x01') },
);
const number = fc.constantFrom(
  '0',
  '1',
  '5',
  '60',
  '-1',
  'x',
  '',
  '4294967296',
  '18446744073709551615',
  '99999999999999999999',
);
const value = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[0-9a-z\r\n ]{0,30}$/) },
  { weight: 2, arbitrary: fc.constantFrom('12', '0', '18446744073709551615', 'get a\r\n') },
  { weight: 1, arbitrary: fc.nat({ max: 30_000 }).map((length) => 'v\r\n'.repeat(length).slice(0, length)) },
);
const space = fc.constantFrom(' ', ' ', ' ', '  ');
const end = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n');
const noreply = fc.constantFrom('', '', '', ' noreply');
/** Usually the real length; sometimes one that is wrong. */
const lengthError = fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1, -1, 3, 300_000);

const storage = fc
  .tuple(
    fc.constantFrom('set', 'set', 'set', 'add', 'replace', 'append', 'prepend', 'cas', 'lease-set'),
    key,
    value,
    number,
    lengthError,
    noreply,
    end,
    space,
  )
  .map(([name, key, value, exptime, error, quiet, end, space]) => {
    const bytes = value.length + error;
    const cas = name === 'cas' ? `${space}${exptime === '' ? 1 : exptime}` : '';
    const token = name === 'lease-set' ? `${space}1` : '';
    return `${name}${space}${key}${token}${space}3${space}${exptime}${space}${bytes}${cas}${quiet}${end}${value}\r\n`;
  });
const retrieval = fc
  .tuple(
    fc.constantFrom('get', 'get', 'get', 'gets', 'gat 60', 'gats 0', 'lease-get', 'gat x', 'bget'),
    fc.array(key, { maxLength: 40 }),
    space,
    end,
  )
  .map(([name, keys, space, end]) => `${name}${keys.map((key) => space + key).join('')}${end}`);
const change = fc
  .tuple(fc.constantFrom('delete', 'incr', 'decr', 'touch'), key, number, noreply, end)
  .map(([name, key, amount, quiet, end]) => `${name} ${key} ${amount}${quiet}${end}`);
const flag = fc.constantFrom(
  ...'b c f h k l q s t u v x I Oabc O P Lx T60 T0 T-1 N30 R30 C1 E77 F9 D2 J5 MS ME MA MP MR MI MD Mx MXX Tx y 1 k'.split(
    ' ',
  ),
);
const meta = fc
  .tuple(fc.constantFrom('mg', 'mg', 'md', 'ma', 'me', 'mn'), key, fc.array(flag, { maxLength: 8 }), end)
  .map(([name, key, flags, end]) => `${[name, key, ...flags].join(' ')}${end}`);
const metaSet = fc
  .tuple(key, value, lengthError, fc.array(flag, { maxLength: 8 }), end)
  .map(
    ([key, value, error, flags, end]) =>
      `${['ms', key, value.length + error, ...flags].join(' ')}${end}${value}\r\n`,
  );
const administration = fc.constantFrom(
  'version\r\n',
  'stats\r\n',
  'stats items\r\n',
  'flush_all\r\n',
  'flush_all 10 noreply\r\n',
  'verbosity 1\r\n',
  'lru_crawler metadump all\r\n',
  'lru_crawler crawl all\r\n',
  'slabs automove 1\r\n',
  'cache_memlimit 64\r\n',
  'shutdown never\r\n',
  '\r\n',
  'bogus\r\n',
);
const garbage = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const garbageLine = garbage.map((text) => `${text.replaceAll('\n', '')}\r\n`);

const request = fc.oneof(
  { weight: 8, arbitrary: storage },
  { weight: 8, arbitrary: retrieval },
  { weight: 4, arbitrary: change },
  { weight: 6, arbitrary: meta },
  { weight: 5, arbitrary: metaSet },
  { weight: 1, arbitrary: administration },
  { weight: 1, arbitrary: garbageLine },
);
/** A request of the binary protocol: usually sound, sometimes with parts that do not belong or lengths that lie. */
const binaryRequest = fc
  .record({
    opcode: fc.integer({ min: 0, max: 0x26 }),
    key: fc.oneof({ weight: 6, arbitrary: key }, { weight: 1, arbitrary: fc.constant('') }),
    extrasBytes: fc.constantFrom(0, 4, 8, 8, 8, 20),
    extras: fc.uint8Array({ minLength: 20, maxLength: 20 }),
    value: fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 3, arbitrary: value }),
    cas: fc.constantFrom(0n, 0n, 0n, 1n, 2n),
    lie: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, -1, 1000),
  })
  .map(({ opcode, key, extrasBytes, extras, value, cas, lie }) => {
    const header = Buffer.alloc(24);
    header[0] = 0x80;
    header[1] = opcode;
    header.writeUInt16BE(key.length, 2);
    header[4] = extrasBytes;
    header.writeUInt32BE(Math.max(0, extrasBytes + key.length + value.length + lie), 8);
    header.writeBigUInt64BE(cas, 16);
    return (
      header.toString('latin1') +
      Buffer.from(extras.subarray(0, extrasBytes)).toString('latin1') +
      key +
      value
    );
  });
const binaryConversation = fc.array(binaryRequest, { maxLength: 25 }).map((requests) => requests.join(''));
const textConversation = fc.array(request, { maxLength: 25 }).map((requests) => requests.join(''));
const conversation = fc.oneof(
  { weight: 3, arbitrary: textConversation },
  { weight: 1, arbitrary: binaryConversation },
);
const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3000 })), {
  maxLength: 60,
});

/** What was answered, and what is stored afterwards. */
function outcome(text: string, pieces: readonly number[], sendBufferBytes: number): string {
  const harness = new SessionHarness({ store: STORE, sendBufferBytes });
  const client = harness.connect();
  const answered = client.ask(text, pieces);
  const ended = client.connection.isEnded ? '<ended>' : '';
  client.close();
  const { currItems, currBytes } = harness.store.totals();
  return `${answered}${ended}\n${currItems} ${currBytes}`;
}

/** Short requests, so that what is remembered of one would show in the next. */
const brief = fc.constantFrom(
  'get a\r\n',
  'get a b c dddddddd\r\n',
  'set a 0 0 1\r\nx\r\n',
  'set bbbbbbbbbb 0 0 3 noreply\r\n\n\r\n\r\n',
  'gets a\n',
  'mn\r\n',
  'mg a v\r\n',
  'ms a 2\r\nhi\r\n',
  'delete a\r\n',
  'incr a 1\r\n',
  '\r\n',
);

export function fuzzSplits(numRuns: number): void {
  test(`brief requests, cut in two at every byte (${numRuns} conversations, seed ${SEED})`, () => {
    const harness = new SessionHarness({ store: STORE });
    fc.assert(
      fc.property(fc.array(brief, { minLength: 1, maxLength: 6 }), (requests) => {
        const text = requests.join('');
        const reply = (pieces: readonly number[]): string => {
          harness.ask('delete a noreply\r\ndelete bbbbbbbbbb noreply\r\nset a 0 0 1\r\n0\r\n');
          const client = harness.connect();
          const answered = client.ask(text, pieces);
          client.close();
          return answered.replace(/^(VALUE a 0 \d+) \d+/gm, '$1 cas');
        };
        const whole = reply([]);
        for (let cut = 1; cut < text.length; cut++) assert.equal(reply([cut]), whole, `cut at ${cut}`);
      }),
      { seed: SEED, numRuns },
    );
  });

  test(`replies do not depend on how the bytes are cut (${numRuns} conversations, seed ${SEED})`, () => {
    fc.assert(
      fc.property(conversation, cuts, (text, pieces) => {
        assert.equal(outcome(text, pieces, 16_000), outcome(text, [], 16_000));
      }),
      { seed: SEED, numRuns },
    );
  });

  test(`nor on where send buffers end (${numRuns} conversations, seed ${SEED})`, () => {
    fc.assert(
      fc.property(conversation, fc.integer({ min: 1100, max: 3000 }), (text, bytes) => {
        assert.equal(outcome(text, [], bytes), outcome(text, [], 16_000));
      }),
      { seed: SEED, numRuns },
    );
  });
}

export function fuzzGarbage(numRuns: number): void {
  test(`garbage never throws and leaves other connections alone (${numRuns} runs, seed ${SEED})`, () => {
    const harness = new SessionHarness({ store: STORE });
    const other = harness.connect();
    const probe = (): string => other.ask('set probe 0 0 2\r\nok\r\nget probe\r\n');
    fc.assert(
      fc.property(
        fc.array(fc.oneof(garbage, garbageLine, request, binaryRequest), { maxLength: 12 }),
        cuts,
        (parts, pieces) => {
          const client = harness.connect();
          client.ask(parts.join(''), pieces);
          client.close();
          assert.equal(probe(), 'STORED\r\nVALUE probe 0 2\r\nok\r\nEND\r\n');
          harness.advance(1);
        },
      ),
      { seed: SEED, numRuns },
    );
    harness.ask('flush_all\r\n');
    harness.advance(3600);
    assert.equal(harness.store.totals().currItems, 0);
  });
}
