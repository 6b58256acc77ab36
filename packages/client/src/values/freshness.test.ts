import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { ValueCodec } from './codec.ts';
import { ValueFlag } from './flags.ts';
import { staleMoment, withStaleMoment } from './freshness.ts';

const DAY_MS = 86_400_000;

test('the moment is read as it was written, as long as the value lives, and is never early', () => {
  const seed = 20_261_120;
  fc.assert(
    fc.property(
      fc.double({ min: 1_000, max: 90 * DAY_MS, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1.7e12, max: 2.5e12 }),
      (freshMs, share, now) => {
        const { flags } = withStaleMoment(
          { bytes: Buffer.from('x'), flags: ValueFlag.json },
          now + freshMs,
          now,
        );
        assert.equal(flags & 0x7ff, ValueFlag.json);
        // From when it was stored to long after it has become stale.
        const moment = staleMoment(flags, now + freshMs * share * 1.9);
        assert.ok(moment !== undefined && moment.unitMs <= Math.max(1000, freshMs / 2000));
        assert.ok(moment.atMs >= now + freshMs && moment.atMs < now + freshMs + moment.unitMs);
      },
    ),
    { seed },
  );
});

test('what never becomes stale, or in years, has no moment', () => {
  const value = { bytes: Buffer.from('x'), flags: 0 };
  for (const staleAt of [Infinity, 400 * DAY_MS]) assert.equal(withStaleMoment(value, staleAt, 0), value);
  assert.equal(staleMoment(0, 0), undefined);
  assert.equal(staleMoment(0xabcd_0001, 0), undefined, 'a dictionary is no moment');
});

test('a dated value keeps its dictionary', () => {
  const dictionary = Buffer.from('{"name":"somebody","city":"somewhere"}'.repeat(4));
  const codec = new ValueCodec({ compression: { fromBytes: 10, dictionary } });
  const value = { name: 'somebody', city: 'somewhere', pets: 3 };
  const plain = codec.encode(value);
  assert.ok(plain.flags >>> 16 !== 0, 'it is compressed with the dictionary');
  const dated = withStaleMoment(plain, 100_000, 0);
  assert.equal(staleMoment(dated.flags, 0)?.atMs, 100_000);
  assert.deepEqual(codec.decode(Buffer.from(dated.bytes), dated.flags), value);
  const stranger = new ValueCodec({ compression: true });
  assert.throws(() => stranger.decode(Buffer.from(dated.bytes), dated.flags), /needs the zstd dictionary/);
});
