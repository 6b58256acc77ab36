/** Records on disk: what was written is read, what was torn or damaged is told and costs nothing else. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  RECORD_BYTES_MAX,
  RecordKind,
  type ScanResult,
  type SpoolRecord,
  scanRecords,
  writeRecord,
} from './record.ts';

const SEED = 20261122;

const record: fc.Arbitrary<SpoolRecord> = fc.record(
  {
    kind: fc.constantFrom(RecordKind.delete, RecordKind.metaDeleteBase64),
    // Keys that contain the magic bytes must not confuse the search for the next record.
    key: fc
      .oneof(fc.uint8Array({ maxLength: 250 }), fc.constant(Buffer.from('LSPL LSPLLSPL')))
      .map(Buffer.from),
    holdOffSeconds: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    writtenAtMs: fc.integer({ min: 0, max: 2 ** 45 }),
  },
  { noNullPrototype: true },
);

function fileOf(records: readonly SpoolRecord[]): { bytes: Buffer; starts: number[] } {
  const pieces: Buffer[] = [];
  const starts: number[] = [];
  let at = 0;
  for (const each of records) {
    const target = Buffer.alloc(RECORD_BYTES_MAX);
    const bytes = writeRecord(each, target);
    pieces.push(target.subarray(0, bytes));
    starts.push(at);
    at += bytes;
  }
  return { bytes: Buffer.concat(pieces), starts };
}

function scan(bytes: Buffer): { records: SpoolRecord[]; result: ScanResult } {
  const records: SpoolRecord[] = [];
  const result = scanRecords(bytes, (each) => records.push({ ...each, key: Buffer.from(each.key) }));
  return { records, result };
}

test('what was written is read', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 30 }), (records) => {
      const { records: read, result } = scan(fileOf(records).bytes);
      assert.deepEqual(read, records);
      assert.deepEqual(result, { damaged: 0, damagedBytes: 0, isTorn: false });
    }),
    { seed: SEED },
  );
});

test('a file cut anywhere keeps every whole record, and knows that it is torn', () => {
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 8 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (records, share) => {
        const { bytes, starts } = fileOf(records);
        const length = Math.floor(bytes.length * share);
        const { records: read, result } = scan(bytes.subarray(0, length));
        const whole = starts.filter((_, index) => (starts[index + 1] ?? bytes.length) <= length).length;
        assert.deepEqual(read, records.slice(0, whole));
        const end = whole === 0 ? 0 : (starts[whole] ?? bytes.length);
        assert.deepEqual(result, { damaged: 0, damagedBytes: 0, isTorn: length > end });
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});

test('a damaged record costs itself only, and is told', () => {
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 3, maxLength: 8 }),
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (records, which, where, change) => {
        const { bytes, starts } = fileOf(records);
        const index = which % (records.length - 1);
        const start = starts[index]!;
        const end = starts[index + 1]!;
        bytes[start + (where % (end - start))]! ^= change;
        const { records: read, result } = scan(bytes);
        assert.deepEqual(read, records.toSpliced(index, 1));
        assert.deepEqual(result, { damaged: 1, damagedBytes: end - start, isTorn: false });
      },
    ),
    { seed: SEED, numRuns: 500 },
  );
});

test('zeros, noise and other files are no records', () => {
  for (const bytes of [Buffer.alloc(1000), Buffer.from('LSPx'.repeat(50)), Buffer.from('{"json": true}')]) {
    const { records, result } = scan(bytes);
    assert.deepEqual(records, []);
    assert.deepEqual(result, { damaged: 1, damagedBytes: bytes.length, isTorn: false });
  }
});

test('a key that is too long is not written', () => {
  const key = Buffer.alloc(501, 'k');
  const target = Buffer.alloc(RECORD_BYTES_MAX);
  assert.equal(writeRecord({ kind: RecordKind.delete, key, holdOffSeconds: 0, writtenAtMs: 0 }, target), 0);
});
