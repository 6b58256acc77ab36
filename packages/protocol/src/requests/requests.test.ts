/** What is composed here has to be what the parsers of this package read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '@larder/datapath';
import fc from 'fast-check';
import { ByteScanner } from '../bytes/scan.ts';
import { LineTokens } from '../bytes/tokens.ts';
import { ArithmeticRequest } from '../classic/arithmetic.ts';
import { DeleteRequest } from '../classic/delete.ts';
import { LeaseSetRequest } from '../classic/lease.ts';
import { RequestStatus } from '../classic/status.ts';
import { StoreRequest } from '../classic/store.ts';
import { TouchRequest } from '../classic/touch.ts';
import { MetaSetRequest } from '../meta/set.ts';
import {
  addKey,
  beginRetrieval,
  putArithmetic,
  putDelete,
  putLeaseSet,
  putMeta,
  putStore,
  putTouch,
  REQUEST_LINE_BYTES_MAX,
} from './compose.ts';
import { putKey, putLineEnd, putNumber, putWide, wordBytes } from './put.ts';

const SEED = 20132;
const arena = Arena.portable(1 << 20);
const AT = 64;
const tokens = new LineTokens(arena);
const scanner = new ByteScanner(arena);

const key = fc
  .uint8Array({ minLength: 1, maxLength: 250 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte <= 32 || byte === 127 ? 0x61 : byte))));
const u32 = fc.nat(0xffff_ffff);
const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const exptime = fc.integer({ min: -1, max: 0x7fff_ffff });
const length = fc.nat(1 << 30);

/** Splits what lies at AT up to `end` and returns where the key should be. */
function split(end: number): void {
  assert.ok(end - AT <= REQUEST_LINE_BYTES_MAX);
  assert.equal(arena.node.toString('latin1', end - 2, end), '\r\n');
  tokens.split(AT, scanner.newline(AT, end));
}
function keyOf(request: { keyOffset: number; keyBytes: number }): Buffer {
  return arena.node.subarray(request.keyOffset, request.keyOffset + request.keyBytes);
}

function wideOf(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

test('storage, lease-set, delete, touch, incr: the parser reads what was composed', () => {
  fc.assert(
    fc.property(key, u32, exptime, length, u64, fc.boolean(), (name, flags, time, bytes, wide, isCas) => {
      const word = wordBytes(isCas ? 'cas ' : 'set ');
      split(
        putStore(arena.node, AT, word, name, 0, name.length, flags, time, bytes, isCas ? wide : undefined),
      );
      const store = new StoreRequest(arena);
      assert.equal(store.parse(tokens, isCas), RequestStatus.ok);
      assert.deepEqual(keyOf(store), name);
      assert.deepEqual([store.flags, store.exptime, store.valueBytes], [flags, time, bytes]);
      if (isCas) assert.equal(wideOf(store.casLow, store.casHigh), wide);

      split(putLeaseSet(arena.node, AT, name, 0, name.length, wide, flags, time, bytes));
      const lease = new LeaseSetRequest(arena);
      assert.equal(lease.parse(tokens), RequestStatus.ok);
      assert.equal(wideOf(lease.tokenLow, lease.tokenHigh), wide);
      assert.equal(lease.valueBytes, bytes);

      split(putDelete(arena.node, AT, name, 0, name.length, flags % 1000));
      const deletion = new DeleteRequest(arena);
      assert.equal(deletion.parse(tokens), RequestStatus.ok);
      assert.equal(deletion.holdoffSeconds, flags % 1000);

      split(putTouch(arena.node, AT, name, 0, name.length, time));
      const touch = new TouchRequest(arena);
      assert.equal(touch.parse(tokens), RequestStatus.ok);
      assert.equal(touch.exptime, time);

      split(putArithmetic(arena.node, AT, wordBytes('incr '), name, 0, name.length, wide));
      const arithmetic = new ArithmeticRequest(arena);
      assert.equal(arithmetic.parse(tokens), RequestStatus.ok);
      assert.equal(arithmetic.delta.toBigInt(), wide);

      split(putMeta(arena.node, AT, wordBytes('ms '), name, 0, name.length, bytes, wordBytes(`T${flags} c`)));
      const meta = new MetaSetRequest(arena);
      assert.equal(meta.parse(tokens), RequestStatus.ok);
      assert.equal(meta.valueBytes, bytes);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test('numbers are written as JavaScript writes them', () => {
  const target = Buffer.alloc(64);
  fc.assert(
    fc.property(fc.maxSafeInteger(), u64, (number, wide) => {
      assert.equal(target.toString('latin1', 3, putNumber(target, 3, number)), String(number));
      assert.equal(target.toString('latin1', 3, putWide(target, 3, wide)), String(wide));
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test('retrievals key by key', () => {
  const target = Buffer.alloc(100);
  let at = beginRetrieval(target, 0, wordBytes('gat'), -1);
  at = addKey(target, at, Buffer.from('xaby'), 1, 3);
  at = addKey(target, at, Buffer.from('c'), 0, 1);
  assert.equal(target.toString('latin1', 0, putLineEnd(target, at)), 'gat -1 ab c\r\n');
});

test('what would become another request is refused', () => {
  const target = Buffer.alloc(4096);
  for (const text of ['', 'a b', 'a\r\nflush_all', 'a\0', 'a\x7f', 'k'.repeat(251)]) {
    const bytes = Buffer.from(text, 'latin1');
    assert.equal(putKey(target, 0, bytes, 0, bytes.length), -1, JSON.stringify(text));
    assert.equal(putDelete(target, 0, bytes, 0, bytes.length, 0), -1);
    assert.equal(addKey(target, 0, bytes, 0, bytes.length), -1);
  }
  const good = Buffer.from('k');
  assert.equal(putMeta(target, 0, wordBytes('mg '), good, 0, 1, undefined, wordBytes('v\r\nmd k')), -1);
  assert.equal(putMeta(target, 0, wordBytes('mg '), good, 0, 1, undefined, Buffer.alloc(2040, 0x61)), -1);
  assert.ok(putMeta(target, 0, wordBytes('mg '), good, 0, 1, undefined, wordBytes('v f')) > 0);
});
