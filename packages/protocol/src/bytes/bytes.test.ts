import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ArenaText, TEXT_AT } from '../testing/arena-text.ts';
import { wordOf } from './ascii.ts';
import { base64Decode, base64Encode, base64Length } from './base64.ts';
import {
  digitsOf,
  NOT_A_NUMBER,
  readSigned,
  readU32,
  readUnsigned,
  WideDecimal,
  writeU32,
} from './decimal.ts';
import { ByteScanner } from './scan.ts';
import { LineTokens } from './tokens.ts';

const SEED = 20_261_120;
const latin1 = fc.uint8Array({ maxLength: 70 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

test('a token ends at the first byte below 0x21, wherever it starts and whatever stands before', () => {
  const place = new ArenaText();
  const scanner = new ByteScanner(place.arena);
  fc.assert(
    fc.property(latin1, fc.integer({ min: 0, max: 7 }), (text, shift) => {
      const at = TEXT_AT + shift;
      const end = place.put(`${text}\n`, at);
      const expected = [...Buffer.from(text, 'latin1')].findIndex((byte) => byte < 0x21);
      assert.equal(scanner.tokenEnd(at), expected < 0 ? end - 1 : at + expected);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test('a newline is found inside [at, end) and nowhere else', () => {
  const place = new ArenaText();
  const scanner = new ByteScanner(place.arena);
  fc.assert(
    fc.property(latin1, fc.integer({ min: 0, max: 7 }), (text, shift) => {
      const at = TEXT_AT + shift;
      const end = place.put(text, at);
      place.put('\n\n\n\n', end);
      const expected = text.indexOf('\n');
      assert.equal(scanner.newline(at, end), expected < 0 ? -1 : at + expected);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test('scanning does not read past the arena', () => {
  const place = new ArenaText();
  const scanner = new ByteScanner(place.arena);
  for (const text of ['a\n', 'ab\n', 'abc\n', 'abcdefg\n']) {
    const at = place.arena.bytes - text.length;
    place.put(text, at);
    assert.equal(scanner.tokenEnd(at), place.arena.bytes - 1);
    assert.equal(scanner.newline(at, place.arena.bytes), place.arena.bytes - 1);
  }
  place.put('abcd', place.arena.bytes - 4);
  assert.equal(scanner.tokenEnd(place.arena.bytes - 4), place.arena.bytes);
});

test('unsigned numbers read as they are written, and only as such', () => {
  const place = new ArenaText();
  const u8 = place.arena.u8;
  const read = (text: string): number => readU32(u8, TEXT_AT, place.put(text));
  fc.assert(
    fc.property(fc.nat({ max: 0xffff_ffff }), (value) => {
      assert.equal(read(String(value)), value);
      assert.equal(read(`+00${value}`), value);
      const end = writeU32(u8, TEXT_AT, value);
      assert.equal(place.text(TEXT_AT, end - TEXT_AT), String(value));
      assert.equal(digitsOf(value), String(value).length);
    }),
    { seed: SEED },
  );
  for (const bad of [
    '',
    '+',
    '-1',
    '1x',
    'x',
    ' 1',
    '4294967296',
    '99999999999999999999999',
    '0x10',
    '1.5',
  ]) {
    assert.equal(read(bad), NOT_A_NUMBER, bad);
  }
  assert.equal(readUnsigned(u8, TEXT_AT, place.put('101'), 100), NOT_A_NUMBER);
});

test('signed numbers are clamped, because as times they all mean the same out there', () => {
  const place = new ArenaText();
  const read = (text: string): number => readSigned(place.arena.u8, TEXT_AT, place.put(text));
  assert.deepEqual(['0', '-1', '+7', '-0', '2592001'].map(read), [0, -1, 7, 0, 2592001]);
  assert.equal(read('99999999999999999999'), 0xffff_ffff);
  assert.equal(read('-99999999999999999999'), -0xffff_ffff);
  for (const bad of ['', '-', '+', '--1', '1-', 'a']) assert.equal(read(bad), NOT_A_NUMBER, bad);
});

test('64-bit numbers keep every bit', () => {
  const place = new ArenaText();
  const wide = new WideDecimal();
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
      assert.ok(wide.read(place.arena.u8, TEXT_AT, place.put(String(value))));
      assert.equal(wide.toBigInt(), value);
      const end = wide.write(place.arena.u8, TEXT_AT + 100, wide.low, wide.high);
      assert.equal(place.text(TEXT_AT + 100, end - TEXT_AT - 100), String(value));
    }),
    { seed: SEED, numRuns: 1000 },
  );
  for (const bad of ['18446744073709551616', '99999999999999999999999', '', '-1', '1a']) {
    assert.ok(!wide.read(place.arena.u8, TEXT_AT, place.put(bad)), bad);
  }
});

test('base64 is what Buffer makes of it, decoded in place', () => {
  const place = new ArenaText();
  const u8 = place.arena.u8;
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
      const expected = Buffer.from(bytes).toString('base64');
      u8.set(bytes, TEXT_AT);
      const end = base64Encode(u8, TEXT_AT, bytes.length, 1000);
      assert.equal(place.text(1000, end - 1000), expected);
      assert.equal(base64Length(bytes.length), expected.length);
      assert.equal(base64Decode(u8, 1000, end, 1000), bytes.length);
      assert.deepEqual(u8.slice(1000, 1000 + bytes.length), bytes);
    }),
    { seed: SEED },
  );
  for (const bad of ['', 'YQ', 'YQ=', '====', 'Y===', '****', 'YQ==YQ==', 'Y Q=', 'YQ=\n']) {
    assert.equal(base64Decode(u8, TEXT_AT, place.put(bad), 2000), 0, bad);
  }
});

test('tokens are what stands between spaces', () => {
  const place = new ArenaText();
  const tokens = new LineTokens(place.arena);
  const word = fc.stringMatching(/^[!-~\x80-\xff]{1,12}$/);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(word, fc.integer({ min: 1, max: 3 })), { maxLength: 24 }),
      fc.boolean(),
      (words, bare) => {
        const text = words.map(([text, spaces]) => text + ' '.repeat(spaces)).join('');
        const end = place.put(text + (bare ? '\n' : '\r\n'));
        assert.equal(tokens.split(TEXT_AT, end - 1), words.length);
        for (const [index, [text]] of words.entries()) assert.equal(tokens.text(index), text);
        assert.ok(!tokens.hasControl && !tokens.truncated);
      },
    ),
    { seed: SEED },
  );
});

test('a control character inside a line is noticed, and more tokens than are wanted', () => {
  const place = new ArenaText();
  for (const text of ['get a\tb', 'get a\rb', 'get \x01', 'get a\0']) {
    place.line(text);
    assert.ok(place.tokens.hasControl, JSON.stringify(text));
    assert.equal(place.tokens.count, 2);
  }
  place.line('x '.repeat(30));
  assert.equal(place.tokens.count, 24);
  assert.ok(place.tokens.truncated);
});

test('words are the bytes as they are read', () => {
  const place = new ArenaText();
  place.put('get ');
  assert.equal(place.arena.view.getInt32(TEXT_AT, true), wordOf('get '));
});
