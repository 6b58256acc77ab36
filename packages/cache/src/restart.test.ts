import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '@larder/datapath';
import { SUPER_LAYOUT, SUPER_STATE, SUPERBLOCK_BYTES } from './layout.ts';
import { whyNotRestartable } from './restart.ts';
import { StoreMode, StoreResult } from './result.ts';
import { StoreHarness } from './testing/harness.ts';

/** A copy of the memory, as the next process would map it. */
function copyOf(h: StoreHarness): Arena {
  return new Arena(h.arena.u8.slice().buffer, 0);
}

test('a clean stop and start keeps items, flags, expiry and CAS, and the store goes on', () => {
  const h = new StoreHarness();
  for (let i = 0; i < 500; i++) h.put(StoreMode.set, `k${i}`, `value ${i}`, i, i % 2 === 0 ? 0 : 100 + i);
  h.delete('k7');
  const cas = h.cas('k42');
  h.store.close();
  const next = new StoreHarness({}, copyOf(h), h.seconds + 30);
  assert.equal(next.store.totals().currItems, 499);
  for (let i = 0; i < 500; i++) {
    if (i !== 7)
      assert.equal(next.reply(`k${i}`), `VALUE k${i} ${i} ${`value ${i}`.length}\r\nvalue ${i}\r\n`);
  }
  assert.equal(next.cas('k42'), cas);
  assert.equal(next.put(StoreMode.cas, 'k42', 'new', 0, 0, cas), StoreResult.stored);
  assert.ok(next.cas('k42') > cas, 'CAS values go on');
  next.advance(71);
  assert.equal(next.get('k1'), null, 'the time between counts');
  assert.equal(next.get('k51'), 'value 51');
  for (let i = 0; i < 20_000; i++)
    assert.equal(next.put(StoreMode.set, `n${i}`, 'x'.repeat(800)), StoreResult.stored);
});

test('what cannot be used is refused with the reason', () => {
  const h = new StoreHarness();
  h.put(StoreMode.set, 'k', 'v');
  const refusal = (change: (arena: Arena) => void, options = {}): string => {
    const arena = copyOf(h);
    change(arena);
    try {
      new StoreHarness(options, arena);
    } catch (error) {
      return (error as Error).message;
    }
    return 'not refused';
  };
  assert.match(
    refusal(() => {}),
    /did not stop cleanly/,
  );
  h.store.close();
  assert.equal(
    refusal(() => {}),
    'not refused',
  );
  assert.match(
    refusal((arena) => {
      arena.i32[SUPER_STATE] = 1;
    }),
    /did not stop cleanly/,
  );
  assert.match(
    refusal((arena) => {
      arena.i32[SUPER_LAYOUT]! += 1;
    }),
    /layout version/,
  );
  assert.match(
    refusal((arena) => {
      arena.i32[0] = 0;
    }),
    /not a Larder memory file/,
  );
  assert.match(
    refusal(() => {}, { slabGrowth: 1.25 }),
    /other memory options/,
  );
  const head = h.arena.u8.slice(0, SUPERBLOCK_BYTES);
  assert.match(whyNotRestartable(head, 12_345_678, h.store.layout) ?? '', /12345678 bytes/);
  assert.match(whyNotRestartable(head.slice(0, 10), 10, h.store.layout) ?? '', /shorter/);
});
