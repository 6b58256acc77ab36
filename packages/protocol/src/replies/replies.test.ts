import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { REPLY_LINE_BYTES_MAX, REPLY_VALUE_BYTES_MAX } from '../limits.ts';
import { ReplyFault, ReplyItem, ReplyReader, readWide } from './reply-reader.ts';
import { ReplyScanner } from './reply-scanner.ts';
import { ReplyShape } from './reply-shape.ts';

const SEED = 20131;

/** What an item comes to, as plain data. */
interface Read {
  readonly kind: ReplyItem;
  readonly key?: string;
  readonly flags?: number;
  readonly value?: string;
  readonly wide?: bigint;
  readonly text?: string;
}

function describe(reader: ReplyReader, bytes: Buffer): Read {
  const text = (start: number, end: number): string => bytes.toString('latin1', start, end);
  const { kind } = reader;
  if (kind === ReplyItem.value || kind === ReplyItem.leaseValue) {
    const wide =
      reader.wideEnd > reader.wideStart
        ? { wide: readWide(bytes, reader.wideStart, reader.wideEnd) }
        : undefined;
    return {
      kind,
      key: text(reader.keyStart, reader.keyEnd),
      flags: reader.flags,
      value: text(reader.valueStart, reader.valueEnd),
      ...wide,
    };
  }
  if (kind === ReplyItem.metaValue) {
    return {
      kind,
      value: text(reader.valueStart, reader.valueEnd),
      text: text(reader.textStart, reader.textEnd),
    };
  }
  if (kind === ReplyItem.end) return { kind, text: '' };
  if (kind === ReplyItem.number) return { kind, wide: readWide(bytes, reader.wideStart, reader.wideEnd) };
  return { kind, text: text(reader.textStart, reader.textEnd) };
}

const WORDS: readonly (readonly [ReplyItem, string])[] = [
  [ReplyItem.end, 'END'],
  [ReplyItem.stored, 'STORED'],
  [ReplyItem.notStored, 'NOT_STORED'],
  [ReplyItem.exists, 'EXISTS'],
  [ReplyItem.notFound, 'NOT_FOUND'],
  [ReplyItem.leaseHot, 'NOT_FOUND_HOT'],
  [ReplyItem.deleted, 'DELETED'],
  [ReplyItem.touched, 'TOUCHED'],
  [ReplyItem.ok, 'OK'],
  [ReplyItem.reset, 'RESET'],
  [ReplyItem.staleStored, 'STALE_STORED'],
  [ReplyItem.error, 'ERROR'],
  [ReplyItem.clientError, 'CLIENT_ERROR'],
  [ReplyItem.serverError, 'SERVER_ERROR'],
  [ReplyItem.metaHit, 'HD'],
  [ReplyItem.metaMiss, 'EN'],
  [ReplyItem.metaNotStored, 'NS'],
  [ReplyItem.metaExists, 'EX'],
  [ReplyItem.metaNotFound, 'NF'],
  [ReplyItem.metaNoop, 'MN'],
];
const TEXTS: readonly (readonly [ReplyItem, string])[] = [
  [ReplyItem.clientError, 'CLIENT_ERROR'],
  [ReplyItem.serverError, 'SERVER_ERROR'],
  [ReplyItem.statistic, 'STAT'],
  [ReplyItem.version, 'VERSION'],
  [ReplyItem.metaHit, 'HD'],
  [ReplyItem.metaMiss, 'EN'],
];

const key = fc.string({ unit: fc.constantFrom(...'abc:|#/-_09'), minLength: 1, maxLength: 40 });
const data = fc
  .uint8Array({ maxLength: 90 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'))
  .chain((text) => fc.constantFrom(text, '\r\nEND\r\n', 'VALUE a 0 1\r\n'));
const u32 = fc.nat(0xffff_ffff);
const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const word = fc.string({ unit: fc.constantFrom(...'abcZWX09 '), maxLength: 30 }).map((text) => text.trim());

/** An item and the bytes it comes from. */
const item: fc.Arbitrary<{ readonly expected: Read; readonly wire: string }> = fc.oneof(
  fc.tuple(key, u32, data).map(([name, flags, value]) => ({
    expected: { kind: ReplyItem.value, key: name, flags, value },
    wire: `VALUE ${name} ${flags} ${value.length}\r\n${value}\r\n`,
  })),
  fc.tuple(key, u32, data, u64).map(([name, flags, value, wide]) => ({
    expected: { kind: ReplyItem.value, key: name, flags, value, wide },
    wire: `VALUE ${name} ${flags} ${value.length} ${wide}\r\n${value}\r\n`,
  })),
  fc.tuple(key, u32, data, u64).map(([name, flags, value, wide]) => ({
    expected: { kind: ReplyItem.leaseValue, key: name, flags, value, wide },
    wire: `LVALUE ${name} ${wide} ${flags} ${value.length}\r\n${value}\r\n`,
  })),
  fc.tuple(data, word).map(([value, text]) => ({
    expected: { kind: ReplyItem.metaValue, value, text },
    wire: `VA ${value.length}${text === '' ? '' : ` ${text}`}\r\n${value}\r\n`,
  })),
  u64.map((wide) => ({ expected: { kind: ReplyItem.number, wide }, wire: `${wide}\r\n` })),
  fc.constantFrom(...WORDS).map(([kind, name]) => ({ expected: { kind, text: '' }, wire: `${name}\r\n` })),
  fc
    .tuple(
      fc.constantFrom(...TEXTS),
      word.filter((text) => text !== ''),
    )
    .map(([[kind, name], text]) => ({ expected: { kind, text }, wire: `${name} ${text}\r\n` })),
);

test('any sequence of replies is read alike however it is cut', () => {
  fc.assert(
    fc.property(fc.array(item, { minLength: 1, maxLength: 12 }), fc.array(fc.nat(60)), (items, cuts) => {
      const stream = Buffer.from(items.map(({ wire }) => wire).join(''), 'latin1');
      const reader = new ReplyReader();
      const found: Read[] = [];
      let at = 0;
      let end = 0;
      let cut = 0;
      while (at < stream.length) {
        const consumed = reader.read(stream, at, end);
        assert.ok(
          consumed >= 0,
          `fault "${reader.fault}" at ${at} of ${JSON.stringify(stream.toString('latin1'))}`,
        );
        if (consumed === 0) {
          assert.ok(end < stream.length, 'more is wanted than there is');
          if (reader.needed > 0) assert.ok(at + reader.needed <= stream.length, 'needed is not too much');
          end = Math.min(stream.length, end + 1 + (cuts[cut++ % Math.max(1, cuts.length)] ?? 0));
        } else {
          found.push(describe(reader, stream));
          at += consumed;
        }
      }
      assert.deepEqual(
        found,
        items.map(({ expected }) => expected),
      );
    }),
    { seed: SEED, numRuns: 1500 },
  );
});

test('random bytes are read or refused, never more than there is, and never wait for ever', () => {
  const pieces = fc.constantFrom(
    'VALUE ',
    'LVALUE ',
    'VA ',
    'END',
    '\r\n',
    ' ',
    '12',
    'k',
    'STAT',
    'HD',
    '\n',
    '\0',
    '9'.repeat(30),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 5 })), { maxLength: 40 }), (parts) => {
      const bytes = Buffer.from(`${parts.join('')}${'\r\n'.repeat(2)}`, 'latin1');
      const reader = new ReplyReader();
      for (let at = 0; at < bytes.length; ) {
        const consumed = reader.read(bytes, at, bytes.length);
        assert.ok(at + consumed <= bytes.length);
        if (consumed < 0) {
          assert.notEqual(reader.fault, ReplyFault.none);
          return;
        }
        // Every line here ends, so that only a data block can be waited for.
        if (consumed === 0) {
          assert.ok(reader.needed > bytes.length - at);
          return;
        }
        at += consumed;
      }
    }),
    { seed: SEED, numRuns: 3000 },
  );
});

const faults: readonly (readonly [string, ReplyFault])[] = [
  ['HELLO\r\n', ReplyFault.unknownLine],
  ['\r\n', ReplyFault.unknownLine],
  ['\n', ReplyFault.unknownLine],
  ['VA\r\n', ReplyFault.unknownLine],
  ['VALUE k x 1\r\n', ReplyFault.badValueLine],
  ['VALUE k 0\r\n', ReplyFault.badValueLine],
  ['VALUE  0 1\r\n', ReplyFault.badValueLine],
  ['VALUEk 0 1\r\n', ReplyFault.badValueLine],
  [`VALUE ${'k'.repeat(251)} 0 1\r\n`, ReplyFault.badValueLine],
  ['VALUE k 4294967296 1\r\n', ReplyFault.badValueLine],
  ['VALUE k 0 1 2 3\r\n', ReplyFault.badValueLine],
  ['VA -1\r\n', ReplyFault.badValueLine],
  [`VALUE k 0 ${REPLY_VALUE_BYTES_MAX + 1}\r\n`, ReplyFault.valueTooLong],
  ['VALUE k 0 1\r\nab\r\n', ReplyFault.badDataEnd],
  ['VA 1\r\nab\r\n', ReplyFault.badDataEnd],
  ['STAT '.padEnd(REPLY_LINE_BYTES_MAX + 1, 'x'), ReplyFault.lineTooLong],
  ['VALUE k 0 '.padEnd(REPLY_LINE_BYTES_MAX + 1, '1'), ReplyFault.lineTooLong],
  ['123456789012345678901\r\n', ReplyFault.unknownLine],
];
for (const [wire, fault] of faults) {
  test(`refused: ${JSON.stringify(wire.slice(0, 40))}`, () => {
    const bytes = Buffer.from(wire, 'latin1');
    // Behind other bytes and in front, so that offset 0 is nothing special.
    for (const lead of [0, 3]) {
      const reader = new ReplyReader();
      const shifted = Buffer.concat([Buffer.alloc(lead, 0x0a), bytes]);
      assert.equal(reader.read(shifted, lead, shifted.length), -1);
      assert.equal(reader.fault, fault);
    }
  });
}

test('the scanner finds the end of each shape, and what does not belong there', () => {
  const cases: readonly (readonly [ReplyShape, string])[] = [
    [ReplyShape.line, 'STORED\r\n'],
    [ReplyShape.line, '42\r\n'],
    [ReplyShape.line, 'VERSION 1.6\r\n'],
    [ReplyShape.values, 'END\r\n'],
    [ReplyShape.values, 'VALUE a 0 5\r\nEND\r\n\r\nVALUE b 0 0 7\r\n\r\nEND\r\n'],
    [ReplyShape.values, 'SERVER_ERROR out of memory\r\n'],
    [ReplyShape.leases, 'LVALUE a 7 0 0\r\n\r\nNOT_FOUND_HOT\r\nVALUE b 0 1\r\nx\r\nEND\r\n'],
    [ReplyShape.meta, 'VA 2 c1 W\r\nhi\r\n'],
    [ReplyShape.meta, 'HD\r\n'],
    [ReplyShape.statistics, 'STAT a 1\r\nSTAT b 2\r\nEND\r\n'],
  ];
  for (const [shape, wire] of cases) {
    const stream = Buffer.from(`${wire}STORED\r\n`, 'latin1');
    const scanner = new ReplyScanner();
    for (let end = 0; end < wire.length; end++) assert.equal(scanner.scan(stream, 0, end, shape), 0, wire);
    assert.equal(scanner.scan(stream, 0, stream.length, shape), wire.length);
    assert.equal(scanner.scan(stream, wire.length, stream.length, ReplyShape.line), 8);
  }
  const scanner = new ReplyScanner();
  assert.equal(scanner.scan(Buffer.from('STORED\r\n'), 0, 8, ReplyShape.values), -1);
  assert.equal(scanner.fault, ReplyFault.outOfPlace);
  assert.equal(scanner.scan(Buffer.from('VALUE a 0 0\r\n\r\n'), 0, 15, ReplyShape.line), -1);
});
