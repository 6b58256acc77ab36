import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../random/random.ts';
import { drawGoogleList, drawGoogleSize, GOOGLE_BUCKETS, normalQuantile } from './sizes.ts';
import { keyBytes, makeKeyTable, makeTrace, writeKey } from './trace.ts';
import { REPLY_VALUE_BYTES_MAX, reduced, SEGMENT_BYTES, WORKLOADS, type Workload } from './workload.ts';

function workload(name: string): Workload {
  return WORKLOADS.find((each) => each.name === name)!;
}

test("Google's sizes have the shares of the reference, uniform inside a bucket", () => {
  const random = new Random(1);
  const draws = 200_000;
  const counts = GOOGLE_BUCKETS.map(() => 0);
  let smallest = 0;
  for (let draw = 0; draw < draws; draw++) {
    const bytes = drawGoogleSize(random);
    const bucket = GOOGLE_BUCKETS.findIndex(({ least, most }) => bytes >= least && bytes <= most);
    counts[bucket]!++;
    if (bytes <= 4) smallest++;
  }
  GOOGLE_BUCKETS.forEach(({ percent, most }, index) => {
    assert.ok(Math.abs((100 * counts[index]!) / draws - percent) < 0.35, `up to ${most}: ${counts[index]}`);
  });
  assert.ok(Math.abs((100 * smallest) / draws - 16.9) < 0.35);
});

test('lists are of every length alike, and never longer than a reply', () => {
  const random = new Random(2);
  const lengths = Array.from({ length: 9 }, () => 0);
  for (let draw = 0; draw < 40_000; draw++) {
    const sizes = drawGoogleList(random, 8, REPLY_VALUE_BYTES_MAX);
    lengths[sizes.length]!++;
    assert.ok(sizes.reduce((sum, bytes) => sum + bytes, 0) <= REPLY_VALUE_BYTES_MAX);
  }
  assert.equal(lengths[0], 0);
  for (const count of lengths.slice(1)) assert.ok(Math.abs(count - 5000) < 300, String(count));
});

test('the quantiles of the normal distribution', () => {
  for (const [probability, value] of [
    [0.5, 0],
    [0.841_344_746, 1],
    [0.977_249_868, 2],
    [0.001_349_898, -3],
  ] as const) {
    assert.ok(Math.abs(normalQuantile(probability) - value) < 1e-4);
  }
});

test("Twitter's requests: a third hits 512 bytes and more, 8% are puts, the mean value is 2439 bytes", () => {
  const twitter = workload('twitter');
  const table = makeKeyTable(twitter);
  let bytes = 0;
  for (const size of table.sizes) bytes += size;
  assert.ok(Math.abs(bytes / twitter.objects / 2439 - 1) < 0.1, String(bytes / twitter.objects));
  const trace = makeTrace(twitter, table);
  // By objects asked for, not by the segments they are split into.
  const objectOf = new Map<number, number>();
  for (let object = 0; object < twitter.objects; object++) objectOf.set(table.firstKey[object]!, object);
  let requests = 0;
  let large = 0;
  let puts = 0;
  for (let index = 0; index < trace.keys.length; index++) {
    const object = objectOf.get(trace.keys[index]!);
    if (object === undefined) continue;
    requests++;
    puts += trace.puts[index]!;
    if (table.sizes[table.first[trace.keys[index]!]!]! >= 512) large++;
  }
  assert.ok(Math.abs(large / requests - 0.32) < 0.04, String(large / requests));
  assert.ok(Math.abs(puts / requests - 0.08) < 0.01, String(puts / requests));
});

test('CDN objects have 20 KB on average, and their segments are asked for in sequence', () => {
  const cdn = workload('cdn');
  const table = makeKeyTable(cdn);
  let bytes = 0;
  for (const size of table.sizes) bytes += size;
  assert.ok(bytes / cdn.objects > 14_000 && bytes / cdn.objects < 26_000, String(bytes / cdn.objects));
  assert.ok(bytes >= 5 * 32 * 2 ** 20);
  assert.ok(table.sizes.every((size) => size <= SEGMENT_BYTES));
  const trace = makeTrace(cdn, table);
  for (let index = 1; index < trace.keys.length; index++) {
    const isNext = trace.keys[index] === trace.keys[index - 1];
    if (isNext && trace.segments[index] !== 1)
      assert.equal(trace.segments[index], trace.segments[index - 1]! + 1);
    else assert.equal(trace.segments[index], 1);
  }
});

test('YCSB-C asks for few keys often', () => {
  const ycsb = workload('ycsb-1x4096');
  const trace = makeTrace(ycsb, makeKeyTable(ycsb));
  const counts = new Map<number, number>();
  for (const key of trace.keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  const top = [...counts.values()].sort((a, b) => b - a).slice(0, 10);
  // Zipf 0.99 over 100 000: rank 1 has 1 / (sum of k^-0.99), about 7.9%.
  assert.ok(Math.abs(top[0]! / trace.keys.length - 0.079) < 0.01, String(top[0]));
});

test('every workload is the same whenever it is made, keys differ, and have their length', () => {
  for (const each of WORKLOADS) {
    const small = reduced(each, 500, 2000);
    const table = makeKeyTable(small);
    assert.deepEqual(makeKeyTable(small), table);
    assert.deepEqual(makeTrace(small, table), makeTrace(small, table));
    const target = new Uint8Array(100);
    const seen = new Set<string>();
    for (let key = 0; key < table.first.length - 1; key++) {
      const bytes = writeKey(small, key, target, 0);
      assert.equal(bytes, keyBytes(small, key));
      assert.ok(bytes >= each.keyBytesMin && bytes <= each.keyBytesMax);
      seen.add(Buffer.from(target.subarray(0, bytes)).toString('latin1'));
    }
    assert.equal(seen.size, table.first.length - 1);
  }
});
