import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_RING_BYTES } from '../limits.ts';
import { EVENT_RING_TOTAL_BYTES, EVENT_TEXT_BYTES_MAX, EventReader, EventWriter } from './event-ring.ts';

function ring(): { writer: EventWriter; reader: () => EventReader } {
  const buffer = new SharedArrayBuffer(EVENT_RING_TOTAL_BYTES + 8);
  return { writer: new EventWriter(buffer, 8), reader: () => new EventReader(buffer, 8) };
}

function readAll(reader: EventReader): { lines: [number, string][]; lost: boolean } {
  const lines: [number, string][] = [];
  const lost = reader.read((category, text) => lines.push([category, text]));
  return { lines, lost };
}

test('every reader gets what was written after it began, in order', () => {
  const { writer, reader } = ring();
  writer.write(1, 'before');
  const first = reader();
  writer.write(1, 'a');
  const second = reader();
  writer.write(16, 'bc\xff');
  assert.deepEqual(readAll(first), {
    lines: [
      [1, 'a'],
      [16, 'bc\xff'],
    ],
    lost: false,
  });
  assert.deepEqual(readAll(second), { lines: [[16, 'bc\xff']], lost: false });
  assert.deepEqual(readAll(first), { lines: [], lost: false });
});

test('records of every length survive wrapping around the ring many times', () => {
  const { writer, reader } = ring();
  const cursor = reader();
  let bytes = 0;
  for (let index = 0; bytes < 5 * EVENT_RING_BYTES; index++) {
    const text = `${index}:${'x'.repeat(index % 700)}`;
    writer.write(index % 31, text);
    assert.deepEqual(readAll(cursor), { lines: [[index % 31, text]], lost: false });
    bytes += text.length;
  }
});

test('a reader that is lapped loses records, is told, and goes on with new ones', () => {
  const { writer, reader } = ring();
  const cursor = reader();
  for (let written = 0; written <= EVENT_RING_BYTES; written += 100) writer.write(1, 'y'.repeat(100));
  const { lost } = readAll(cursor);
  assert.equal(lost, true);
  writer.write(1, 'after');
  assert.deepEqual(readAll(cursor), { lines: [[1, 'after']], lost: false });
});

test('a full ring is not lapped', () => {
  const { writer, reader } = ring();
  const cursor = reader();
  // Records of 8 + 56 bytes fill the ring exactly.
  for (let written = 0; written < EVENT_RING_BYTES; written += 64) writer.write(2, 'z'.repeat(56));
  const { lines, lost } = readAll(cursor);
  assert.equal(lost, false);
  assert.equal(lines.length, EVENT_RING_BYTES / 64);
});

test('over-long texts are cut', () => {
  const { writer, reader } = ring();
  const cursor = reader();
  writer.write(1, 'q'.repeat(EVENT_TEXT_BYTES_MAX + 5));
  writer.write(1, 'next');
  assert.deepEqual(
    readAll(cursor).lines.map(([, text]) => text.length),
    [EVENT_TEXT_BYTES_MAX, 4],
  );
});
