import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../bytes/writer.ts';
import { RequestStatus } from '../classic/status.ts';
import { ArenaText, TEXT_AT } from '../testing/arena-text.ts';
import { MetaArithmeticRequest } from './arithmetic.ts';
import { MetaDebugRequest } from './debug.ts';
import { MetaDeleteRequest } from './delete.ts';
import { FLAG_C, FLAG_E, FLAG_LOWER_B, FLAG_LOWER_V, FLAG_N, FLAG_T } from './flags.ts';
import { composeMeta, MetaGetRequest } from './get.ts';
import { composeMetaNoop } from './noop.ts';
import { composeMetaSet, MetaSetRequest } from './set.ts';

const SEED = 20_261_120;
const KEY_AT = 4096;
const place: ArenaText = new ArenaText();
const get: MetaGetRequest = new MetaGetRequest(place.arena);
const set: MetaSetRequest = new MetaSetRequest(place.arena);

function parse(request: { parse(tokens: ArenaText['tokens']): RequestStatus }, text: string): RequestStatus {
  place.line(text);
  return request.parse(place.tokens);
}

test('flags and their tokens', () => {
  assert.equal(parse(get, 'mg key v T30 N-1 R5 C18446744073709551615 E7 Oabc k'), RequestStatus.ok);
  const { flags } = get;
  assert.ok(
    flags.has(FLAG_LOWER_V) &&
      flags.has(FLAG_T) &&
      flags.has(FLAG_N) &&
      flags.has(FLAG_C) &&
      flags.has(FLAG_E),
  );
  assert.ok(!flags.has(FLAG_LOWER_B));
  assert.deepEqual([flags.ttlSeconds, flags.vivifySeconds, flags.recacheSeconds], [30, -1, 5]);
  assert.equal(flags.compareCas.toBigInt(), 2n ** 64n - 1n);
  assert.equal(flags.newCas.low, 7);
  assert.equal(place.text(flags.opaqueOffset, flags.opaqueBytes), 'Oabc');
  assert.equal(String.fromCharCode(...flags.order.subarray(0, flags.orderCount)), 'vTNRCEOk');
  assert.equal(parse(get, 'mg key'), RequestStatus.ok);
  assert.deepEqual([flags.orderCount, flags.opaqueBytes, flags.has(FLAG_LOWER_V)], [0, 0, false]);
});

test('what memcached says to wrong flags', () => {
  const long = 'x'.repeat(33);
  const cases: [string, RequestStatus][] = [
    ['mg', RequestStatus.error],
    ['mg key v v', RequestStatus.duplicateFlag],
    ['mg key \x80', RequestStatus.duplicateFlag],
    ['mg key y', RequestStatus.invalidFlag],
    ['mg key B', RequestStatus.invalidFlag],
    ['mg key 1', RequestStatus.invalidFlag],
    ['mg key N', RequestStatus.badToken],
    ['mg key Tx', RequestStatus.badToken],
    ['mg key C-1', RequestStatus.badToken],
    ['mg key Fx', RequestStatus.badFormat],
    ['mg key MAB', RequestStatus.badModeLength],
    ['mg key Jx', RequestStatus.badInitial],
    ['mg key Dx', RequestStatus.badMetaDelta],
    ['mg !!!! b', RequestStatus.badKeyEncoding],
    ['mg key Tx y', RequestStatus.invalidFlag],
    [`mg key O${long}`, RequestStatus.opaqueTooLong],
    [`mg key O${long} Tx`, RequestStatus.badToken],
    [`mg ${'k'.repeat(251)} v`, RequestStatus.badFormat],
    ['mg k\ty v', RequestStatus.badFormat],
    ['mg key b c f h k l q s t u v O P L N1 R1 T1 C1 E1', RequestStatus.flagsTooMany],
  ];
  for (const [text, status] of cases) assert.equal(parse(get, text), status, text);
  assert.equal(parse(get, `mg key O${'x'.repeat(32)}`), RequestStatus.ok);
});

test('keys in base64 are decoded in place', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 187 }), (bytes) => {
      place.arena.u8.set(bytes, KEY_AT);
      const writer = new ByteWriter(place.arena, TEXT_AT, TEXT_AT + 2048);
      composeMeta(writer, 'mg', KEY_AT, bytes.length, true, 'v');
      place.tokens.split(TEXT_AT, writer.at - 1);
      assert.equal(get.parse(place.tokens), RequestStatus.ok);
      assert.deepEqual(
        place.arena.u8.slice(get.flags.keyOffset, get.flags.keyOffset + get.flags.keyBytes),
        bytes,
      );
      assert.ok(get.flags.has(FLAG_LOWER_B));
    }),
    { seed: SEED },
  );
});

test('meta set lines, and whether their data block is known', () => {
  const keyBytes = place.put('key', KEY_AT) - KEY_AT;
  const writer = new ByteWriter(place.arena, TEXT_AT, TEXT_AT + 2048);
  composeMetaSet(writer, KEY_AT, keyBytes, false, 12, 'T5 ME');
  place.tokens.split(TEXT_AT, writer.at - 1);
  assert.equal(set.parse(place.tokens), RequestStatus.ok);
  assert.deepEqual([set.valueBytes, set.flags.ttlSeconds, set.flags.mode], [12, 5, 69]);
  const cases: [string, RequestStatus, number][] = [
    ['ms', RequestStatus.error, -1],
    ['ms a', RequestStatus.badFormat, -1],
    ['ms a x', RequestStatus.badFormat, -1],
    ['ms a -1', RequestStatus.badFormat, -1],
    ['ms a 2147483647', RequestStatus.badFormat, -1],
    ['ms a 3 MX', RequestStatus.badSetMode, 3],
    ['ms a 3 Z', RequestStatus.invalidFlag, 3],
  ];
  for (const [text, status, bytes] of cases) {
    assert.equal(parse(set, text), status, text);
    assert.equal(set.valueBytes, bytes, text);
  }
});

test('meta delete and arithmetic call every fault one of the flags', () => {
  const remove = new MetaDeleteRequest(place.arena);
  const arithmetic = new MetaArithmeticRequest(place.arena);
  for (const [request, name] of [
    [remove, 'md'],
    [arithmetic, 'ma'],
  ] as const) {
    assert.equal(parse(request, name), RequestStatus.error);
    assert.equal(parse(request, `${name} a k O1`), RequestStatus.ok);
    assert.equal(parse(request, `${name} a k k`), RequestStatus.invalidOrDuplicateFlag);
    assert.equal(parse(request, `${name} a Cx`), RequestStatus.invalidOrDuplicateFlag);
    assert.equal(parse(request, `${name} ${'k'.repeat(251)}`), RequestStatus.badFormat);
  }
  const modes: [string, boolean][] = [
    ['', false],
    ['MI', false],
    ['M+', false],
    ['MD', true],
    ['M-', true],
  ];
  for (const [mode, decrement] of modes) {
    assert.equal(parse(arithmetic, `ma a D5 J6 ${mode}`), RequestStatus.ok);
    assert.equal(arithmetic.decrement, decrement);
    assert.deepEqual([arithmetic.flags.delta.low, arithmetic.flags.initial.low], [5, 6]);
  }
  assert.equal(parse(arithmetic, 'ma a'), RequestStatus.ok);
  assert.deepEqual([arithmetic.flags.delta.low, arithmetic.flags.initial.low], [1, 0]);
  assert.equal(parse(arithmetic, 'ma a MX'), RequestStatus.badArithmeticMode);
});

test('meta debug and no-op', () => {
  const debug = new MetaDebugRequest(place.arena);
  assert.equal(parse(debug, 'me'), RequestStatus.badFormat);
  assert.equal(parse(debug, 'me a b'), RequestStatus.badFormat);
  assert.equal(parse(debug, 'me YQ== b'), RequestStatus.ok);
  assert.equal(place.text(debug.keyOffset, debug.keyBytes), 'a');
  const writer = new ByteWriter(place.arena, TEXT_AT, TEXT_AT + 10);
  composeMetaNoop(writer);
  assert.equal(place.text(TEXT_AT, 4), 'mn\r\n');
});
