import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../bytes/writer.ts';
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../limits.ts';
import { ArenaText, TEXT_AT } from '../testing/arena-text.ts';
import { FlushRequest, NumberRequest } from './admin.ts';
import { ArithmeticRequest, composeArithmetic } from './arithmetic.ts';
import { Command, CommandTable } from './command.ts';
import { composeDelete, DeleteRequest } from './delete.ts';
import { composeGet, composeGetAndTouch, composeKey, KeyList, KeyStep } from './get.ts';
import { composeLeaseSet, LeaseSetRequest } from './lease.ts';
import { RequestStatus, STATUS_TEXTS } from './status.ts';
import { composeCas, composeStore, StoreRequest } from './store.ts';
import { composeTouch, TouchRequest } from './touch.ts';

const SEED = 20_261_120;
const KEY_AT = 4096;
const key = fc.stringMatching(/^[!-~\x80-\xff]{1,40}$/);
const LONG_KEY = 'k'.repeat(KEY_BYTES_MAX + 1);

/** Composes with `compose`, splits the line, and leaves the tokens in `place`. */
function roundTrip(
  place: ArenaText,
  keyText: string,
  compose: (writer: ByteWriter, keyBytes: number) => void,
): void {
  const keyBytes = place.put(keyText, KEY_AT) - KEY_AT;
  const writer = new ByteWriter(place.arena, TEXT_AT, TEXT_AT + 2048);
  compose(writer, keyBytes);
  place.tokens.split(TEXT_AT, writer.at - 1);
}

test('every status has its text', () => {
  assert.equal(STATUS_TEXTS.length, Object.keys(RequestStatus).length);
  for (const text of STATUS_TEXTS.slice(1)) assert.match(text, /^(CLIENT_)?ERROR/);
});

test('commands are known by their whole name', () => {
  const place = new ArenaText();
  const table = new CommandTable(place.arena);
  const find = (text: string): Command => {
    place.line(text);
    return table.find(place.tokens);
  };
  const names = ['get', 'gets', 'gat', 'gats', 'set', 'add', 'replace', 'append', 'prepend', 'cas', 'delete'];
  const more = [
    'incr',
    'decr',
    'touch',
    'lease-get',
    'lease-set',
    'mg',
    'ms',
    'md',
    'ma',
    'mn',
    'me',
    'flush_all',
  ];
  const rest = [
    'version',
    'verbosity',
    'quit',
    'shutdown',
    'stats',
    'watch',
    'lru_crawler',
    'lru',
    'slabs',
    'cache_memlimit',
  ];
  const found = [...names, ...more, ...rest].map(find);
  assert.deepEqual(
    found,
    Array.from({ length: found.length }, (_, index) => index + 1),
  );
  assert.equal(find('bget'), Command.get);
  for (const other of [
    '',
    'ge',
    'GET',
    'getx',
    'se',
    'sets',
    'm',
    'mx',
    'replacement',
    'versio',
    'lease-gets',
    'flush_al1',
  ]) {
    assert.equal(find(other), Command.unknown, other);
  }
});

test('storage lines round-trip', () => {
  const place = new ArenaText();
  const request = new StoreRequest(place.arena);
  const numbers = fc.tuple(
    fc.nat({ max: 0xffff_ffff }),
    fc.integer({ min: -100, max: 2 ** 31 }),
    fc.nat({ max: VALUE_BYTES_MAX }),
  );
  fc.assert(
    fc.property(key, numbers, fc.boolean(), (text, [flags, exptime, bytes], noreply) => {
      roundTrip(place, text, (writer, keyBytes) => {
        composeStore(writer, 'set', KEY_AT, keyBytes, flags, exptime, bytes, noreply);
      });
      assert.equal(request.parse(place.tokens, false), RequestStatus.ok);
      assert.equal(place.text(request.keyOffset, request.keyBytes), text);
      assert.deepEqual(
        [request.flags, request.exptime, request.valueBytes, request.noreply],
        [flags, exptime, bytes, noreply],
      );
      roundTrip(place, text, (writer, keyBytes) =>
        composeCas(writer, KEY_AT, keyBytes, flags, exptime, bytes, 7, 9),
      );
      assert.equal(request.parse(place.tokens, true), RequestStatus.ok);
      assert.deepEqual([request.casLow, request.casHigh], [7, 9]);
    }),
    { seed: SEED },
  );
});

test('a usual storage line is read in one pass, to the same effect', () => {
  const place = new ArenaText();
  const quick = new StoreRequest(place.arena);
  const whole = new StoreRequest(place.arena);
  const field = fc.oneof(
    fc.nat({ max: 0xffff_ffff }).map(String),
    fc.constantFrom(
      '0',
      '',
      '-1',
      'x',
      '+1',
      '007',
      '4294967296',
      '2147483645',
      '2147483646',
      '0'.repeat(400),
    ),
  );
  const behind = fc.constantFrom('', '', ' noreply', ' noreplx', '  noreply', ' noreply ', ' x', ' ', '\r');
  let usual = 0;
  fc.assert(
    fc.property(key, field, field, field, behind, (text, flags, exptime, bytes, end) => {
      const newline = place.line(`set ${text} ${flags} ${exptime} ${bytes}${end}`);
      const next = quick.parseUsual(TEXT_AT + 4);
      const status = whole.parse(place.tokens, false);
      if (next === 0) return;
      usual++;
      assert.equal(status, RequestStatus.ok);
      assert.equal(next, newline + 1);
      const fields = (request: StoreRequest): unknown[] => [
        request.keyOffset,
        request.keyBytes,
        request.flags,
        request.exptime,
        request.valueBytes,
        request.noreply,
      ];
      assert.deepEqual(fields(quick), fields(whole));
    }),
    { seed: SEED, numRuns: 3000 },
  );
  assert.ok(usual > 100, `${usual} were usual`);
  for (const text of ['set  a 0 0 1', `set ${LONG_KEY} 0 0 1`, 'set a\tb 0 0 1', 'set', 'set a']) {
    place.line(text);
    assert.equal(quick.parseUsual(TEXT_AT + 4), 0, text);
  }
});

test('storage lines that are wrong', () => {
  const place = new ArenaText();
  const request = new StoreRequest(place.arena);
  const parse = (text: string, hasCas = false): RequestStatus => {
    place.line(text);
    return request.parse(place.tokens, hasCas);
  };
  for (const text of ['set', 'set a 0 0', 'set a 0 0 1 noreply x'])
    assert.equal(parse(text), RequestStatus.error, text);
  const bad = [
    'set a x 0 1',
    'set a 0 x 1',
    'set a 0 0 x',
    'set a 0 0 -1',
    'set a 0 0 2147483646',
    'set a -1 0 1',
    `set ${LONG_KEY} 0 0 1`,
    'set a\tb 0 0 1',
  ];
  for (const text of bad) assert.equal(parse(text), RequestStatus.badFormat, text);
  assert.equal(parse('set a 0 0 2147483645'), RequestStatus.ok);
  assert.equal(parse('cas a 0 0 1', true), RequestStatus.error);
  assert.equal(parse('cas a 0 0 1 x', true), RequestStatus.badFormat);
  assert.equal(parse('set a x 0 1 noreply'), RequestStatus.badFormat);
  assert.ok(request.noreply, 'noreply counts for errors as well');
});

test('delete, with the hold-off', () => {
  const place = new ArenaText();
  const request = new DeleteRequest(place.arena);
  const parse = (text: string): [RequestStatus, number, boolean] => {
    place.line(text);
    return [request.parse(place.tokens), request.holdoffSeconds, request.noreply];
  };
  assert.deepEqual(parse('delete a'), [RequestStatus.ok, 0, false]);
  assert.deepEqual(parse('delete a 5'), [RequestStatus.ok, 5, false]);
  assert.deepEqual(parse('delete a noreply'), [RequestStatus.ok, 0, true]);
  assert.deepEqual(parse('delete a 5 noreply'), [RequestStatus.ok, 5, true]);
  for (const text of ['delete a x', 'delete a -1', 'delete a 5 5', 'delete a 2592001']) {
    assert.equal(parse(text)[0], RequestStatus.badDelete, text);
  }
  assert.equal(parse('delete')[0], RequestStatus.error);
  assert.equal(parse('delete a 0 noreply x')[0], RequestStatus.error);
  assert.equal(parse(`delete ${LONG_KEY}`)[0], RequestStatus.badFormat);
  roundTrip(place, 'kk', (writer, keyBytes) => composeDelete(writer, KEY_AT, keyBytes, 9, true));
  assert.deepEqual(
    [request.parse(place.tokens), request.holdoffSeconds, request.noreply],
    [RequestStatus.ok, 9, true],
  );
});

test('incr, decr and touch', () => {
  const place = new ArenaText();
  const arithmetic = new ArithmeticRequest(place.arena);
  const touch = new TouchRequest(place.arena);
  roundTrip(place, 'n', (writer, keyBytes) =>
    composeArithmetic(writer, 'incr', KEY_AT, keyBytes, 0xffff_ffff, 0xffff_ffff),
  );
  assert.equal(arithmetic.parse(place.tokens), RequestStatus.ok);
  assert.equal(arithmetic.delta.toBigInt(), 2n ** 64n - 1n);
  for (const [text, status] of [
    ['incr a', RequestStatus.error],
    ['incr a x', RequestStatus.badDelta],
    ['incr a -1', RequestStatus.badDelta],
    ['incr a 18446744073709551616', RequestStatus.badDelta],
    [`incr ${LONG_KEY} 1`, RequestStatus.badFormat],
  ] as const) {
    place.line(text);
    assert.equal(arithmetic.parse(place.tokens), status, text);
  }
  roundTrip(place, 'n', (writer, keyBytes) => composeTouch(writer, KEY_AT, keyBytes, -5));
  assert.equal(touch.parse(place.tokens), RequestStatus.ok);
  assert.equal(touch.exptime, -5);
  place.line('touch a x');
  assert.equal(touch.parse(place.tokens), RequestStatus.badExptime);
});

test('keys of a retrieval, one by one', () => {
  const place = new ArenaText();
  const keys = new KeyList(place.arena);
  fc.assert(
    fc.property(fc.array(key, { minLength: 1, maxLength: 60 }), (texts) => {
      const writer = new ByteWriter(place.arena, TEXT_AT, TEXT_AT + 8192);
      composeGet(writer, 'get');
      for (const text of texts) composeKey(writer, 200_000, place.put(text, 200_000) - 200_000);
      writer.crlf();
      keys.at = TEXT_AT + 3;
      assert.ok(keys.restIsValid());
      const read: string[] = [];
      while (keys.next() === KeyStep.key) read.push(place.text(keys.keyOffset, keys.keyBytes));
      assert.deepEqual(read, texts);
      assert.equal(keys.at, writer.at);
    }),
    { seed: SEED },
  );
});

test('a bad key is found where it stands', () => {
  const place = new ArenaText();
  const keys = new KeyList(place.arena);
  const steps = (text: string): number[] => {
    place.put(`${text}\r\n`);
    keys.at = TEXT_AT;
    const found: KeyStep[] = [];
    for (let step = keys.next(); ; step = keys.next()) {
      found.push(step);
      if (step !== KeyStep.key) return found;
    }
  };
  assert.deepEqual(steps(`a ${LONG_KEY} b`), [1, -1]);
  assert.deepEqual(steps('a b\tc d'), [1, 1, -1]);
  assert.deepEqual(steps('a\rb'), [1, -1]);
  assert.deepEqual(steps('  a  b  '), [1, 1, 0]);
  assert.deepEqual(steps(''), [0]);
  keys.at = TEXT_AT;
  place.put(`a ${LONG_KEY}\r\n`);
  assert.ok(!keys.restIsValid());
  assert.equal(keys.at, TEXT_AT);
});

test('get-and-touch lines', () => {
  const place = new ArenaText();
  const writer = new ByteWriter(place.arena, TEXT_AT, TEXT_AT + 100);
  composeGetAndTouch(writer, 'gats', -10);
  writer.crlf();
  assert.equal(place.text(TEXT_AT, writer.at - TEXT_AT), 'gats -10\r\n');
});

test('lease-set round-trips', () => {
  const place = new ArenaText();
  const request = new LeaseSetRequest(place.arena);
  roundTrip(place, 'k', (writer, keyBytes) => composeLeaseSet(writer, KEY_AT, keyBytes, 5, 6, 7, 8, 9));
  assert.equal(request.parse(place.tokens), RequestStatus.ok);
  assert.deepEqual(
    [request.tokenLow, request.tokenHigh, request.flags, request.exptime, request.valueBytes],
    [5, 6, 7, 8, 9],
  );
  for (const text of [
    'lease-set a x 0 0 1',
    'lease-set a 1 x 0 1',
    'lease-set a 1 0 x 1',
    'lease-set a 1 0 0 x',
  ]) {
    place.line(text);
    assert.equal(request.parse(place.tokens), RequestStatus.badFormat, text);
  }
  place.line('lease-set a 1 0 0');
  assert.equal(request.parse(place.tokens), RequestStatus.error);
});

test('flush_all and the commands with one number', () => {
  const place = new ArenaText();
  const flush = new FlushRequest(place.arena);
  const number = new NumberRequest(place.arena);
  const flushed = (text: string): [RequestStatus, number, boolean] => {
    place.line(text);
    return [flush.parse(place.tokens), flush.delaySeconds, flush.noreply];
  };
  assert.deepEqual(flushed('flush_all'), [RequestStatus.ok, 0, false]);
  assert.deepEqual(flushed('flush_all 10'), [RequestStatus.ok, 10, false]);
  assert.deepEqual(flushed('flush_all noreply'), [RequestStatus.ok, 0, true]);
  assert.deepEqual(flushed('flush_all 10 noreply'), [RequestStatus.ok, 10, true]);
  assert.deepEqual(flushed('flush_all -1'), [RequestStatus.ok, 0, false]);
  assert.equal(flushed('flush_all x')[0], RequestStatus.badExptime);
  assert.equal(flushed('flush_all 1 2 3')[0], RequestStatus.error);
  place.line('verbosity 1 noreply');
  assert.equal(number.parse(place.tokens), RequestStatus.ok);
  assert.deepEqual([number.value, number.noreply], [1, true]);
  place.line('verbosity');
  assert.equal(number.parse(place.tokens), RequestStatus.error);
});
