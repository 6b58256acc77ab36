/**
 * Model-based test: random commands against the store and against a small model of what memcached promises,
 * over expiry, CAS, leases, arithmetic, flushes and warm restarts. A second one lets the store evict: then it
 * may miss, but must never answer anything else than the model.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '@larder/datapath';
import fc from 'fast-check';
import { LeaseOutcome, StoreMode, StoreResult } from './result.ts';
import { StoreHarness } from './testing/harness.ts';

const SEED = 20_240_601;
const START = 1_700_000_000;
/** Enough that nothing is ever evicted: every size class that occurs may have a page of its own. */
const OPTIONS = { memoryBytes: 40 << 20, staleSeconds: 5, leaseTokenSeconds: 3 };

interface Entry {
  value: string;
  flags: number;
  expires: number;
  version: number;
}

/** What a client may rely on. Versions stand for CAS values, which are compared by meaning only. */
class Model {
  readonly entries = new Map<string, Entry>();
  now = START;
  #versions = 0;

  live(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined || entry.expires > this.now) return entry;
    this.entries.delete(key);
    return undefined;
  }

  put(key: string, value: string, flags: number, ttl: number): void {
    const expires = ttl === 0 ? Number.POSITIVE_INFINITY : this.now + ttl;
    this.entries.set(key, { value, flags, expires, version: ++this.#versions });
  }

  change(entry: Entry, value: string): void {
    entry.value = value;
    entry.version = ++this.#versions;
  }
}

type Step =
  | { op: 'put'; mode: StoreMode; key: string; value: string; flags: number; ttl: number }
  | { op: 'cas'; key: string; value: string; stale: boolean }
  | { op: 'get' | 'lease' | 'fill' | 'incr' | 'decr'; key: string }
  | { op: 'delete'; key: string; holdoff: number }
  | { op: 'touch'; key: string; ttl: number }
  | { op: 'advance'; seconds: number }
  | { op: 'flush' | 'restart' };

const key = fc.constantFrom('a', 'bb', 'key-3', 'x'.repeat(250), 'n1', 'n2');
const value = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 40, unit: 'grapheme-ascii' }) },
  { weight: 2, arbitrary: fc.nat({ max: 2000 }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom(500, 60_000).map((n) => 'long value '.repeat(n)) },
);
const ttl = fc.constantFrom(0, 0, 1, 3, 100);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    op: fc.constant('put' as const),
    mode: fc.constantFrom(
      StoreMode.set,
      StoreMode.set,
      StoreMode.add,
      StoreMode.replace,
      StoreMode.append,
      StoreMode.prepend,
    ),
    key,
    value,
    flags: fc.constantFrom(0, 1, 4_294_967_295),
    ttl,
  }),
  fc.record({ op: fc.constant('cas' as const), key, value, stale: fc.boolean() }),
  fc.record({
    op: fc.constantFrom('get' as const, 'lease' as const, 'fill' as const, 'incr' as const, 'decr' as const),
    key,
  }),
  fc.record({ op: fc.constant('delete' as const), key, holdoff: fc.constantFrom(0, 0, 2, 20) }),
  fc.record({ op: fc.constant('touch' as const), key, ttl }),
  fc.record({ op: fc.constant('advance' as const), seconds: fc.constantFrom(1, 2, 50) }),
  fc.record({ op: fc.constantFrom('flush' as const, 'restart' as const) }),
);

/** Runs steps on both and compares every answer. */
class Comparison {
  h = new StoreHarness(OPTIONS, undefined, START);
  readonly model = new Model();
  /** Hold-offs and tokens, which the model keeps beside the entries. */
  readonly holdoffs = new Map<string, number>();
  readonly tokens = new Map<string, { low: number; high: number; given: number }>();

  run(step: Step): void {
    switch (step.op) {
      case 'put':
        this.put(step.mode, step.key, step.value, step.flags, step.ttl);
        break;
      case 'cas':
        this.cas(step.key, step.value, step.stale);
        break;
      case 'get':
        this.get(step.key);
        break;
      case 'lease':
        this.lease(step.key);
        break;
      case 'fill':
        this.fill(step.key);
        break;
      case 'incr':
      case 'decr':
        this.arithmetic(step.key, step.op === 'decr');
        break;
      case 'delete':
        this.delete(step.key, step.holdoff);
        break;
      case 'touch':
        this.touch(step.key, step.ttl);
        break;
      case 'advance':
        this.model.now += step.seconds;
        this.h.advance(step.seconds);
        break;
      case 'flush':
        this.model.entries.clear();
        this.holdoffs.clear();
        this.tokens.clear();
        this.h.store.flushAll(0);
        break;
      case 'restart':
        this.h.store.close();
        this.h = new StoreHarness(OPTIONS, new Arena(this.h.arena.u8.slice().buffer, 0), this.model.now);
    }
  }

  /** A value arrived, so neither a token nor a hold-off is left. */
  stored(key: string): void {
    this.holdoffs.delete(key);
    this.tokens.delete(key);
  }

  put(mode: StoreMode, key: string, value: string, flags: number, ttl: number): void {
    const entry = this.model.live(key);
    const result = this.h.put(mode, key, value, flags, ttl);
    const heldOff = (this.holdoffs.get(key) ?? 0) > this.model.now;
    const extends_ = mode === StoreMode.append || mode === StoreMode.prepend;
    const stores =
      mode === StoreMode.set ||
      (mode === StoreMode.add ? entry === undefined && !heldOff : entry !== undefined);
    if (extends_ && entry !== undefined && entry.value.length + value.length > 1 << 20) {
      assert.equal(result, StoreResult.tooLarge);
      return;
    }
    assert.equal(result, stores ? StoreResult.stored : StoreResult.notStored);
    if (!stores) return;
    if (mode === StoreMode.append) this.model.change(entry!, entry!.value + value);
    else if (mode === StoreMode.prepend) this.model.change(entry!, value + entry!.value);
    else this.model.put(key, value, flags, ttl);
    this.stored(key);
  }

  cas(key: string, value: string, stale: boolean): void {
    const entry = this.model.live(key);
    const cas = entry === undefined ? 1 : this.h.cas(key) - (stale ? 1 : 0);
    const result = this.h.put(StoreMode.cas, key, value, 5, 0, cas);
    if (entry === undefined) assert.equal(result, StoreResult.notFound);
    else if (stale) assert.equal(result, StoreResult.exists);
    else {
      assert.equal(result, StoreResult.stored);
      this.model.put(key, value, 5, 0);
    }
  }

  get(key: string): void {
    const entry = this.model.live(key);
    const expected =
      entry === undefined ? null : `VALUE ${key} ${entry.flags} ${entry.value.length}\r\n${entry.value}\r\n`;
    assert.equal(this.h.reply(key), expected);
  }

  lease(key: string): void {
    const at = this.h.key(key);
    const item = this.h.store.leaseGet(at, this.h.keyBytes, this.h.hash);
    const { leaseOutcome, lastCasLow, lastCasHigh } = this.h.store;
    if (item !== 0) this.h.store.release(item);
    const given = this.tokens.get(key)?.given ?? Number.NEGATIVE_INFINITY;
    if (this.model.live(key) !== undefined) assert.equal(leaseOutcome, LeaseOutcome.hit);
    else if (this.model.now - given <= OPTIONS.leaseTokenSeconds)
      assert.equal(leaseOutcome, LeaseOutcome.hot);
    else {
      assert.equal(leaseOutcome, LeaseOutcome.token);
      this.tokens.set(key, { low: lastCasLow, high: lastCasHigh, given: this.model.now });
    }
  }

  fill(key: string): void {
    const token = this.tokens.get(key);
    if (token === undefined) return;
    const result = this.h.store.leaseSet(this.h.create(key, 'filled', 3), token.low, token.high);
    const isValid = this.model.live(key) === undefined && this.model.now - token.given < 60;
    assert.equal(result, isValid ? StoreResult.stored : StoreResult.notStored);
    if (isValid) {
      this.model.put(key, 'filled', 3, 0);
      this.stored(key);
    }
  }

  arithmetic(key: string, decrement: boolean): void {
    const entry = this.model.live(key);
    const at = this.h.key(key);
    const result = this.h.store.arithmetic(at, this.h.keyBytes, this.h.hash, decrement, 7n, null);
    if (entry === undefined) assert.equal(result, StoreResult.notFound);
    else if (!/^[0-9]{1,19} *$/.test(entry.value)) assert.equal(result, StoreResult.notNumber);
    else {
      const old = BigInt(entry.value.trim());
      const number = decrement ? (old < 7n ? 0n : old - 7n) : old + 7n;
      assert.equal(result, StoreResult.ok);
      assert.equal(this.h.store.lastNumber, number);
      this.model.change(entry, number.toString().padEnd(entry.value.length, ' '));
    }
  }

  delete(key: string, holdoff: number): void {
    const existed = this.model.live(key) !== undefined;
    assert.equal(this.h.delete(key, holdoff), existed ? StoreResult.deleted : StoreResult.notFound);
    this.model.entries.delete(key);
    this.tokens.delete(key);
    if (holdoff > 0) this.holdoffs.set(key, this.model.now + holdoff);
  }

  touch(key: string, ttl: number): void {
    const entry = this.model.live(key);
    const at = this.h.key(key);
    const item = this.h.store.acquireAndTouch(at, this.h.keyBytes, this.h.hash, this.h.store.expiryFrom(ttl));
    assert.equal(item !== 0, entry !== undefined);
    if (item !== 0) this.h.store.release(item);
    if (entry !== undefined) entry.expires = ttl === 0 ? Number.POSITIVE_INFINITY : this.model.now + ttl;
  }
}

test('random commands answer as the model does', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
      const comparison = new Comparison();
      for (const each of steps) comparison.run(each);
      for (const each of ['a', 'bb', 'key-3', 'x'.repeat(250), 'n1', 'n2']) comparison.get(each);
      comparison.h.settle();
      assert.equal(comparison.h.store.totals().currItems >= 0, true);
    }),
    { seed: SEED, numRuns: 60 },
  );
});

test('under eviction a get misses or answers what was stored last, and the counts stay right', () => {
  const random = fc.sample(fc.array(fc.nat({ max: 1 << 30 }), { minLength: 60_000, maxLength: 60_000 }), {
    seed: SEED,
    numRuns: 1,
  })[0]!;
  const h = new StoreHarness({ memoryBytes: 6 << 20 });
  const last = new Map<string, string>();
  for (let i = 0; i < random.length; i++) {
    const pick = random[i]!;
    const name = `key-${pick % 3000}`;
    const kind = (pick >> 12) % 10;
    if (kind < 5) {
      const text = `${name}:${i}:`.padEnd(10 + ((pick >> 5) % ((pick & 7) === 0 ? 60_000 : 3000)), 'abcdefg');
      assert.equal(h.put(StoreMode.set, name, text, 0, (pick & 31) === 0 ? 3 : 0), StoreResult.stored);
      last.set(name, text);
    } else if (kind < 9) {
      const found = h.get(name);
      if (found !== null) assert.equal(found, last.get(name));
    } else if (kind === 9) {
      h.delete(name);
      last.delete(name);
      assert.equal(h.get(name), null);
    }
    if (i % 500 === 0) {
      h.seconds += 1;
      h.store.maintain(5);
    }
  }
  assert.ok(h.store.totals().evictions + h.store.totals().slabEvictions > 1000);
  const { currItems } = h.store.totals();
  let live = 0;
  for (
    let cursor = h.store.walk(0, 4096, () => live++);
    cursor !== 0;
    cursor = h.store.walk(cursor, 4096, () => live++)
  );
  assert.ok(live <= currItems, 'counted items include those that expired and were not met yet');
  assert.ok(currItems - live < 3000);
  h.store.flushAll(0);
  h.advance(20);
  for (let i = 0; i < 200; i++) h.store.maintain(20);
  h.advance(61);
  for (let i = 0; i < 200; i++) h.store.maintain(20);
  assert.equal(h.store.totals().currItems, 0);
  assert.equal(h.store.totals().currBytes, 0);
  for (const usage of h.store.slabStatistics())
    assert.equal(usage.usedChunks, 0, `class ${usage.slabClass} leaks`);
});
