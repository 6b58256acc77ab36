/**
 * One delete in a spool file. All numbers are little-endian.
 *
 * ```
 *   0        4        8       10    11      12         16            24
 *   ┌────────┬────────┬───────┬─────┬───────┬──────────┬─────────────┬──────────┐
 *   │ "LSPL" │ CRC-32 │ key   │ kind│ layout│ hold-off │ written at  │ key      │
 *   │        │ of the │ bytes │     │  = 1  │ seconds  │ Unix ms,    │          │
 *   │        │ rest   │ u16   │ u8  │  u8   │ u32      │ f64         │          │
 *   └────────┴────────┴───────┴─────┴───────┴──────────┴─────────────┴──────────┘
 * ```
 * A file is nothing but records one after the other. What is no record is skipped up to the next one that is, so
 * a damaged one costs itself only; a file that ends within a record was torn by a crash, which is not damage.
 */
import { KEY_BYTES_MAX } from '@larder/protocol';
import { crc32 } from '../hashes/crc32.ts';

const MAGIC = 0x4c50534c;
const LAYOUT = 1;
const HEADER_BYTES = 24;
/** Where the bytes begin that the checksum covers. */
const CHECKED_FROM = 8;
/** Keys are longer than memcached's only while they carry base64. */
const RECORD_KEY_BYTES_MAX = 2 * KEY_BYTES_MAX;
export const RECORD_BYTES_MAX: number = HEADER_BYTES + RECORD_KEY_BYTES_MAX;

export const RecordKind: { readonly delete: 1; readonly metaDeleteBase64: 2 } = {
  delete: 1,
  /** The key is base64 of a binary key: only `md … b` can say it. */
  metaDeleteBase64: 2,
};
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

export interface SpoolRecord {
  readonly kind: RecordKind;
  readonly key: Buffer;
  readonly holdOffSeconds: number;
  readonly writtenAtMs: number;
}

/** Writes the record to the start of `target` and returns its length, or 0 if its key is too long. */
export function writeRecord(record: SpoolRecord, target: Buffer): number {
  const { key } = record;
  if (key.length > RECORD_KEY_BYTES_MAX) return 0;
  const end = HEADER_BYTES + key.length;
  target.writeUInt32LE(MAGIC, 0);
  target.writeUInt16LE(key.length, 8);
  target.writeUInt8(record.kind, 10);
  target.writeUInt8(LAYOUT, 11);
  target.writeUInt32LE(record.holdOffSeconds, 12);
  target.writeDoubleLE(record.writtenAtMs, 16);
  key.copy(target, HEADER_BYTES);
  target.writeInt32LE(crc32(target, CHECKED_FROM, end), 4);
  return end;
}

/** What a file held beside its records. */
export interface ScanResult {
  /** Stretches of bytes that are no records and do not lie at the end. */
  readonly damaged: number;
  readonly damagedBytes: number;
  /** The file ends within a record. */
  readonly isTorn: boolean;
}

/** Calls back for every intact record of a file, in order. Keys are views of `bytes`. */
export function scanRecords(bytes: Buffer, visit: (record: SpoolRecord) => void): ScanResult {
  let damaged = 0;
  let damagedBytes = 0;
  let at = 0;
  while (at < bytes.length) {
    const end = recordEnd(bytes, at);
    if (end > 0) {
      visit(readRecord(bytes, at, end));
      at = end;
      continue;
    }
    const next = nextRecord(bytes, at + 1);
    if (next < 0 && isBeginning(bytes, at)) return { damaged, damagedBytes, isTorn: true };
    damaged++;
    damagedBytes += (next < 0 ? bytes.length : next) - at;
    if (next < 0) break;
    at = next;
  }
  return { damaged, damagedBytes, isTorn: false };
}

/** Where the record that begins at `at` ends, or 0 if there is none. */
function recordEnd(bytes: Buffer, at: number): number {
  if (at + HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== MAGIC) return 0;
  const end = at + HEADER_BYTES + bytes.readUInt16LE(at + 8);
  const kind = bytes[at + 10];
  const isKnown = kind === RecordKind.delete || kind === RecordKind.metaDeleteBase64;
  if (end > bytes.length || !isKnown || bytes[at + 11] !== LAYOUT) return 0;
  return bytes.readInt32LE(at + 4) === crc32(bytes, at + CHECKED_FROM, end) ? end : 0;
}

function readRecord(bytes: Buffer, at: number, end: number): SpoolRecord {
  return {
    kind: bytes[at + 10] as RecordKind,
    key: bytes.subarray(at + HEADER_BYTES, end),
    holdOffSeconds: bytes.readUInt32LE(at + 12),
    writtenAtMs: bytes.readDoubleLE(at + 16),
  };
}

/** The next place at or after `from` where an intact record begins, or -1. */
function nextRecord(bytes: Buffer, from: number): number {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(MAGIC);
  for (let at = bytes.indexOf(magic, from); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    if (recordEnd(bytes, at) > 0) return at;
  }
  return -1;
}

/** Whether the rest of the file is the beginning of a record whose end is missing. */
function isBeginning(bytes: Buffer, at: number): boolean {
  const rest = bytes.length - at;
  for (let index = 0; index < Math.min(rest, 4); index++) {
    if (bytes[at + index] !== ((MAGIC >>> (index * 8)) & 0xff)) return false;
  }
  return rest < 10 || rest < HEADER_BYTES + bytes.readUInt16LE(at + 8);
}
