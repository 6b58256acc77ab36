import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetaDeleteOptions, MetaGetOptions } from './meta.ts';
import {
  LeaseOutcome,
  META_SENT,
  META_STALE,
  META_VIVIFIED,
  META_WON,
  StoreMode,
  StoreResult,
} from './result.ts';
import { StoreHarness } from './testing/harness.ts';

interface Lease {
  outcome: LeaseOutcome;
  value: string | null;
  low: number;
  high: number;
}

function leaseGet(h: StoreHarness, key: string): Lease {
  const at = h.key(key);
  const item = h.store.leaseGet(at, h.keyBytes, h.hash);
  const lease = { outcome: h.store.leaseOutcome, low: h.store.lastCasLow, high: h.store.lastCasHigh };
  const value = item === 0 ? null : h.value(item);
  if (item !== 0) h.store.release(item);
  return { ...lease, value };
}

function leaseSet(h: StoreHarness, key: string, value: string, lease: Lease): StoreResult {
  return h.store.leaseSet(h.create(key, value), lease.low, lease.high);
}

test('one caller gets the token, the others wait, and the token sets', () => {
  const h = new StoreHarness();
  const first = leaseGet(h, 'k');
  assert.equal(first.outcome, LeaseOutcome.token);
  assert.notEqual(first.high * 2 ** 32 + first.low, 0);
  for (let i = 0; i < 5; i++) assert.equal(leaseGet(h, 'k').outcome, LeaseOutcome.hot);
  assert.equal(h.get('k'), null, 'a classic get does not see the stub');
  assert.equal(h.store.totals().currItems, 0);
  assert.equal(leaseSet(h, 'k', 'filled', first), StoreResult.stored);
  assert.deepEqual([leaseGet(h, 'k').outcome, leaseGet(h, 'k').value], [LeaseOutcome.hit, 'filled']);
  assert.equal(leaseSet(h, 'k', 'again', first), StoreResult.notStored, 'a token is used up');
});

test('a token and a CAS value of another life are none in this one', () => {
  const [one, other] = [new StoreHarness(), new StoreHarness()];
  // The same requests in the same order, as a server gets them that was restarted, or a gutter server beside it.
  const [theirs, ours] = [leaseGet(one, 'k'), leaseGet(other, 'k')];
  assert.notEqual(leaseSet(other, 'k', 'of another life', theirs), StoreResult.stored);
  assert.equal(leaseSet(other, 'k', 'filled', ours), StoreResult.stored);
  one.put(StoreMode.set, 'n', 'theirs');
  other.put(StoreMode.set, 'n', 'ours');
  assert.equal(other.put(StoreMode.cas, 'n', 'x', 0, 0, one.cas('n')), StoreResult.exists);
  assert.ok(Number.isSafeInteger(one.cas('n')) && Number.isSafeInteger(other.cas('n')));
});

test('CAS values never come twice, across the blocks in which they are taken', () => {
  const h = new StoreHarness();
  const seen = new Set<number>();
  for (let i = 0; i < 2000; i++) {
    h.put(StoreMode.set, 'k', `${i}`);
    seen.add(h.cas('k'));
  }
  assert.equal(seen.size, 2000);
});

test('the token comes again after its own time, not when the stub ends', () => {
  const h = new StoreHarness({ leaseTokenSeconds: 3 });
  const first = leaseGet(h, 'k');
  h.advance(3);
  assert.equal(leaseGet(h, 'k').outcome, LeaseOutcome.hot, 'the first second may have been a short one');
  h.advance(1);
  const second = leaseGet(h, 'k');
  assert.equal(second.outcome, LeaseOutcome.token);
  assert.notEqual(second.low, first.low);
  assert.notEqual(leaseSet(h, 'k', 'late', first), StoreResult.stored, 'the token that ran out is void');
  assert.equal(leaseSet(h, 'k', 'filled', second), StoreResult.stored);
});

test('a delete voids the token: a stale set is not taken for the truth', () => {
  const h = new StoreHarness();
  const first = leaseGet(h, 'k');
  h.delete('k');
  assert.equal(leaseSet(h, 'k', 'old truth', first), StoreResult.staleStored);
  assert.equal(h.get('k'), null);
  const second = leaseGet(h, 'k');
  assert.deepEqual([second.outcome, second.value], [LeaseOutcome.token, 'old truth']);
  assert.equal(leaseSet(h, 'k', 'new truth', second), StoreResult.stored);
  assert.equal(h.get('k'), 'new truth');
});

test('a deleted value is stale for those who ask, then gone', () => {
  const h = new StoreHarness({ staleSeconds: 5, leaseTokenSeconds: 2 });
  h.put(StoreMode.set, 'k', 'value', 9);
  assert.equal(h.delete('k'), StoreResult.deleted);
  assert.equal(h.delete('k'), StoreResult.notFound);
  assert.equal(h.get('k'), null);
  assert.equal(h.store.totals().currItems, 0);
  const token = leaseGet(h, 'k');
  assert.deepEqual([token.outcome, token.value], [LeaseOutcome.token, 'value']);
  const hot = leaseGet(h, 'k');
  assert.deepEqual([hot.outcome, hot.value, hot.low], [LeaseOutcome.hot, 'value', 0]);
  h.advance(5);
  assert.deepEqual(leaseGet(h, 'k').value, null);
});

test('without stale values a delete removes at once and a void token stores nothing', () => {
  const h = new StoreHarness({ staleSeconds: 0 });
  h.put(StoreMode.set, 'k', 'value');
  h.delete('k');
  const lease = leaseGet(h, 'k');
  assert.equal(lease.value, null);
  h.delete('k');
  assert.equal(leaseSet(h, 'k', 'x', lease), StoreResult.notStored);
});

test('token 0 never sets', () => {
  const h = new StoreHarness();
  leaseGet(h, 'k');
  assert.equal(
    leaseSet(h, 'k', 'x', { outcome: LeaseOutcome.hot, value: null, low: 0, high: 0 }),
    StoreResult.notStored,
  );
});

test('a hold-off makes add fail for its time, and only add', () => {
  const h = new StoreHarness();
  for (const existing of [true, false]) {
    const key = `k${existing}`;
    if (existing) h.put(StoreMode.set, key, 'x');
    h.delete(key, 3);
    assert.equal(h.put(StoreMode.add, key, 'y'), StoreResult.notStored);
    h.advance(2);
    assert.equal(h.put(StoreMode.add, key, 'y'), StoreResult.notStored);
    h.advance(1);
    assert.equal(h.put(StoreMode.add, key, 'y'), StoreResult.stored);
    h.delete(key, 3);
    assert.equal(h.put(StoreMode.set, key, 'z'), StoreResult.stored);
    assert.equal(h.get(key), 'z');
  }
  h.put(StoreMode.set, 'long', 'x');
  h.delete('long', 60);
  h.advance(59);
  assert.equal(h.put(StoreMode.add, 'long', 'y'), StoreResult.notStored);
  h.advance(1);
  assert.equal(h.put(StoreMode.add, 'long', 'y'), StoreResult.stored);
});

const PLAIN_GET: MetaGetOptions = {
  touchExpiry: -1,
  vivifyExpiry: -1,
  recacheSeconds: -1,
  noBump: false,
  hasNewCas: false,
  newCasLow: 0,
  newCasHigh: 0,
};
const PLAIN_DELETE: MetaDeleteOptions = {
  compareCas: false,
  casLow: 0,
  casHigh: 0,
  invalidate: false,
  touchExpiry: -1,
  dropValue: false,
  hasNewCas: false,
  newCasLow: 0,
  newCasHigh: 0,
};

function metaGet(
  h: StoreHarness,
  key: string,
  options: Partial<MetaGetOptions> = {},
): [string | null, number] {
  const at = h.key(key);
  const item = h.store.metaGet(at, h.keyBytes, h.hash, { ...PLAIN_GET, ...options });
  if (item === 0) return [null, h.store.metaOutcome];
  const value = h.value(item);
  h.store.release(item);
  return [value, h.store.metaOutcome & ~16];
}

function metaDelete(h: StoreHarness, key: string, options: Partial<MetaDeleteOptions> = {}): StoreResult {
  const at = h.key(key);
  return h.store.metaDelete(at, h.keyBytes, h.hash, { ...PLAIN_DELETE, ...options });
}

test('mg N: the winner vivifies, the others are told so, a classic get misses', () => {
  const h = new StoreHarness({ leaseTokenSeconds: 3 });
  const expiry = h.store.expiryFrom(30);
  assert.deepEqual(metaGet(h, 'k'), [null, 0]);
  assert.deepEqual(metaGet(h, 'k', { vivifyExpiry: expiry }), ['', META_WON | META_VIVIFIED]);
  assert.deepEqual(metaGet(h, 'k', { vivifyExpiry: expiry }), ['', META_SENT]);
  assert.deepEqual(metaGet(h, 'k'), ['', META_SENT]);
  assert.equal(h.get('k'), null);
  h.advance(4);
  assert.deepEqual(
    metaGet(h, 'k', { vivifyExpiry: expiry }),
    ['', META_WON],
    'the token ran out before the stub did',
  );
});

test('md I: stale for the winner and the others, until it is set again', () => {
  const h = new StoreHarness();
  h.put(StoreMode.set, 'k', 'value');
  const before = h.cas('k');
  assert.equal(
    metaDelete(h, 'k', { invalidate: true, touchExpiry: h.store.expiryFrom(30) }),
    StoreResult.deleted,
  );
  assert.notEqual(h.cas('k'), before);
  assert.deepEqual(metaGet(h, 'k'), ['value', META_STALE | META_WON]);
  assert.deepEqual(metaGet(h, 'k'), ['value', META_STALE | META_SENT]);
  assert.equal(h.get('k'), null);
  h.put(StoreMode.set, 'k', 'fresh');
  assert.deepEqual(metaGet(h, 'k'), ['fresh', 0]);
  assert.equal(h.store.totals().currItems, 1);
});

test('mg R: one early refresh when little time is left', () => {
  const h = new StoreHarness();
  h.put(StoreMode.set, 'k', 'value', 0, 20);
  assert.deepEqual(metaGet(h, 'k', { recacheSeconds: 10 }), ['value', 0]);
  h.advance(11);
  assert.deepEqual(metaGet(h, 'k', { recacheSeconds: 10 }), ['value', META_WON]);
  assert.deepEqual(metaGet(h, 'k', { recacheSeconds: 10 }), ['value', META_SENT]);
  assert.equal(h.get('k'), 'value');
});

test('after a plain delete mg misses, unless it speaks leases (N): then it gets the stale value', () => {
  const h = new StoreHarness();
  h.put(StoreMode.set, 'k', 'value');
  assert.equal(metaDelete(h, 'k'), StoreResult.deleted);
  assert.equal(metaDelete(h, 'k'), StoreResult.notFound);
  assert.deepEqual(metaGet(h, 'k'), [null, 0]);
  const expiry = h.store.expiryFrom(30);
  assert.deepEqual(metaGet(h, 'k', { vivifyExpiry: expiry }), ['value', META_STALE | META_WON]);
  assert.deepEqual(metaGet(h, 'k', { vivifyExpiry: expiry }), ['value', META_STALE | META_SENT]);
});

test('md with C deletes only the version it names; x keeps the key without its value', () => {
  const h = new StoreHarness();
  h.put(StoreMode.set, 'k', 'value', 7);
  const cas = h.cas('k');
  const version = (cas: number): Partial<MetaDeleteOptions> => ({
    compareCas: true,
    casLow: cas >>> 0,
    casHigh: Math.floor(cas / 2 ** 32),
  });
  assert.equal(metaDelete(h, 'k', version(cas + 1)), StoreResult.exists);
  assert.equal(metaDelete(h, 'k', { dropValue: true }), StoreResult.deleted);
  assert.equal(h.reply('k'), 'VALUE k 0 0\r\n\r\n');
  assert.equal(metaDelete(h, 'k', version(h.cas('k'))), StoreResult.deleted);
  assert.equal(h.get('k'), null);
});
