import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '@larder/datapath';
import fc from 'fast-check';
import type { SizeDistribution } from '../random/size-distribution.ts';
import { KeySpace } from './key-space.ts';
import { GET, ReplyReader, type ReplySink, SET } from './reply-reader.ts';

const INPUT = 0x10_0000;
const REQUEST = 0x08_0000;

class Answers implements ReplySink {
  readonly seen: { dueMs: number; keys: number; misses: number }[] = [];

  answered(dueMs: number, keys: number, misses: number): void {
    this.seen.push({ dueMs, keys, misses });
  }
}

function makeSpace(sizes: SizeDistribution, keys = 20): KeySpace {
  const plan = { seed: 9, keys, keyBytes: 15, sizes };
  return new KeySpace(Arena.portable(4 << 20), 64, plan);
}

function ask(reader: ReplyReader, operation: number, keys: readonly number[], dueMs: number): void {
  keys.forEach((key, index) => {
    reader.keys[(reader.keyNext + index) & reader.keyMask] = key;
  });
  reader.expect(operation, keys.length, dueMs);
}

function valueText(space: KeySpace, key: number): string {
  const start = space.valueOffset(key);
  return space.arena.node.toString('latin1', start, start + space.valueBytes[key]!);
}

function hit(space: KeySpace, key: number): string {
  return `VALUE ${space.keyText(key)} 0 ${space.valueBytes[key]}\r\n${valueText(space, key)}\r\n`;
}

/** Delivers text in pieces as a transport does: what was not consumed comes again in front of what follows. */
function deliver(space: KeySpace, reader: ReplyReader, text: string, cuts: readonly number[]): void {
  let rest = '';
  let from = 0;
  for (const cut of [...cuts, text.length]) {
    const input = rest + text.slice(from, cut);
    from = cut;
    if (input === '') continue;
    space.arena.node.write(input, INPUT, 'latin1');
    const done = reader.read(INPUT, INPUT + input.length);
    rest = input.slice(done - INPUT);
    assert.ok(rest.length < 64, 'only an incomplete line may be left over');
  }
  assert.equal(rest, '');
}

const MIXED: SizeDistribution = {
  kind: 'log-normal',
  meanBytes: 300,
  sigma: 1.5,
  bytesMin: 0,
  bytesMax: 5000,
};

test('requests have the protocol bytes', () => {
  const space = makeSpace({ kind: 'fixed', bytes: 32 });
  const { node } = space.arena;
  const end = space.composeGet(REQUEST, Int32Array.of(3, 17), 1, 1, 2);
  assert.equal(node.toString('latin1', REQUEST, end), 'get kkkkk0000000017 kkkkk0000000003\r\n');
  const head = space.composeSetHead(REQUEST, 4);
  assert.equal(node.toString('latin1', REQUEST, head), 'set kkkkk0000000004 0 0 32\r\n');
});

test('values differ from key to key and are the same in another process', () => {
  const one = makeSpace(MIXED);
  const other = makeSpace(MIXED);
  assert.equal(valueText(one, 7), valueText(other, 7));
  assert.notEqual(valueText(one, 7).slice(0, 16), valueText(one, 8).slice(0, 16));
});

test('any split of any mix of replies is understood', () => {
  const space = makeSpace(MIXED);
  const request = fc.record({
    set: fc.boolean(),
    keys: fc.array(fc.record({ key: fc.nat(19), missing: fc.boolean() }), { minLength: 1, maxLength: 6 }),
  });
  fc.assert(
    fc.property(
      fc.array(request, { minLength: 1, maxLength: 8 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
      (requests, places) => {
        const answers = new Answers();
        const reader = new ReplyReader(space, answers, 8, 6, true);
        let text = '';
        const expected = requests.map(({ set, keys }, index) => {
          const distinct = [...new Map(keys.map((entry) => [entry.key, entry])).values()];
          const asked = set ? distinct.slice(0, 1) : distinct;
          ask(
            reader,
            set ? SET : GET,
            asked.map((entry) => entry.key),
            index,
          );
          const found = set ? [] : asked.filter((entry) => !entry.missing);
          text += set ? 'STORED\r\n' : `${found.map((entry) => hit(space, entry.key)).join('')}END\r\n`;
          return { dueMs: index, keys: asked.length, misses: set ? 0 : asked.length - found.length };
        });
        const cuts = places.map((place) => Math.floor(place * text.length)).sort((a, b) => a - b);
        deliver(space, reader, text, cuts);
        assert.deepEqual(answers.seen, expected);
        assert.equal(reader.outstanding, 0);
      },
    ),
    { seed: 20_240_501, numRuns: 300 },
  );
});

test('a changed byte anywhere in a reply is noticed', () => {
  for (const bytes of [3, 8, 32, 2500]) {
    const space = makeSpace({ kind: 'fixed', bytes });
    const text = `${hit(space, 2)}${hit(space, 5)}END\r\n`;
    const step = bytes > 100 ? 61 : 1;
    for (let place = 0; place < text.length; place += step) {
      const reader = new ReplyReader(space, new Answers(), 1, 2, true);
      ask(reader, GET, [2, 5], 0);
      const changed =
        text.slice(0, place) + String.fromCharCode(text.charCodeAt(place) ^ 0x80) + text.slice(place + 1);
      space.arena.node.write(changed, INPUT, 'latin1');
      const read = (): number => reader.read(INPUT, INPUT + changed.length);
      // A damaged line feed may look like a line that is not complete yet; then nothing was answered.
      try {
        read();
        assert.equal(reader.outstanding, 1, `byte ${place} of ${text.length}`);
      } catch (error) {
        assert.match(String(error), /BenchError/);
      }
    }
  }
});

test('eight bytes that are not a number are not taken for a value', () => {
  const space = makeSpace({ kind: 'fixed', bytes: 32 });
  const reader = new ReplyReader(space, new Answers(), 1, 1, false);
  ask(reader, GET, [2], 0);
  const text = `${hit(space, 2)}END\r\n`;
  space.arena.node.write(text, INPUT, 'latin1');
  const valueAt = INPUT + text.indexOf('\n') + 1;
  space.arena.u8.fill(0xff, valueAt, valueAt + 16);
  assert.throws(() => reader.read(INPUT, INPUT + text.length), /wrong value of kkkkk0000000002/);
});

test("another key's value, misses where none are allowed, errors and unasked bytes fail", () => {
  const space = makeSpace({ kind: 'fixed', bytes: 32 });
  const failure = (operation: number, keys: readonly number[], text: string): (() => void) => {
    const reader = new ReplyReader(space, new Answers(), 2, 4, false);
    if (keys.length > 0) ask(reader, operation, keys, 0);
    space.arena.node.write(text, INPUT, 'latin1');
    return () => reader.read(INPUT, INPUT + text.length);
  };
  const swapped = hit(space, 1).replace(valueText(space, 1), valueText(space, 2));
  assert.throws(failure(GET, [1], swapped), /wrong value/);
  assert.throws(failure(GET, [1], 'END\r\n'), /1 of 1 keys missing/);
  assert.throws(failure(GET, [1, 2], `${hit(space, 2)}END\r\n`), /1 keys missing/);
  assert.throws(failure(GET, [1], hit(space, 3)), /not asked for/);
  assert.throws(failure(GET, [1], 'SERVER_ERROR out of memory\r\n'), /not VALUE or END/);
  assert.throws(failure(SET, [1], 'ERROR\r\n'), /not STORED/);
  assert.throws(failure(SET, [1], 'SERVER_ERROR out of memory storing object\r\n'), /not STORED/);
  assert.throws(failure(GET, [], 'END\r\n'), /nobody asked/);
});

test('values in any order are accepted once each when the plan says so, and only then', () => {
  const space = makeSpace({ kind: 'fixed', bytes: 32 });
  const reading = (anyOrder: boolean, text: string): Answers => {
    const answers = new Answers();
    const reader = new ReplyReader(space, answers, 1, 4, false, anyOrder);
    ask(reader, GET, [1, 2, 3, 4], 7);
    deliver(space, reader, text, [60, 130]);
    return answers;
  };
  const shuffled = `${hit(space, 3)}${hit(space, 1)}${hit(space, 4)}${hit(space, 2)}END\r\n`;
  assert.deepEqual(reading(true, shuffled).seen, [{ dueMs: 7, keys: 4, misses: 0 }]);
  assert.throws(() => reading(false, shuffled), /2 keys missing/);
  const twice = `${hit(space, 3)}${hit(space, 3)}${hit(space, 4)}${hit(space, 2)}END\r\n`;
  assert.throws(() => reading(true, twice), /not asked for/);
  assert.throws(() => reading(true, `${hit(space, 3)}${hit(space, 2)}END\r\n`), /2 of 4 keys missing/);
});
