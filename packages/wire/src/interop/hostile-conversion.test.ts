/** Conversions make objects of everything: a message that shares its parts is refused before that takes memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../index.ts';
import { toJson, toProtobuf } from '../protobuf.ts';
import { KitchenSink, KitchenSinkSchema, KitchenSinkView } from '../testing/kitchen-sink.larder.ts';

/**
 * `{ inners: [the same object, `width` times] }`, where that object is a chain of `depth` others: a message of a few
 * kilobytes that has width × depth objects.
 */
function sharing(width: number, depth: number): Uint8Array {
  const bytes = new Uint8Array(16 + 8 * width + 16 * depth + 8);
  const view = new DataView(bytes.buffer);
  const header = (at: number, bit: number, count: number, target: number): void => {
    [1, 1 << bit, count, target].forEach((word, index) => {
      view.setUint32(at + 4 * index, word, true);
    });
  };
  header(0, 19, width, 16);
  const chain = 16 + 8 * width;
  for (let index = 0; index < width; index++) view.setUint32(20 + 8 * index, chain, true);
  for (let link = 0; link < depth; link++) header(chain + 16 * link, 1, 0, chain + 16 * (link + 1));
  view.setUint32(chain + 16 * depth, 1, true);
  return bytes;
}

test('a message of 50 KB with 370 000 objects is not converted, one with 3000 is', () => {
  const hostile = KitchenSinkView.read(sharing(6000, 60));
  for (const convert of [toJson, toProtobuf]) {
    const before = process.memoryUsage().heapUsed;
    assert.throws(() => convert(KitchenSinkSchema, hostile), { code: 'TRAVERSAL' });
    assert.ok(process.memoryUsage().heapUsed - before < 30_000_000);
  }
  assert.equal(hostile.inners.at(5999).child!.child!.name, '', 'it can be read');
  const json = toJson(KitchenSinkSchema, KitchenSinkView.read(sharing(50, 60))) as { inners: unknown[] };
  assert.equal(json.inners.length, 50);
});

test('long honest messages of the smallest parts are converted, again and again', () => {
  const count = 100_000;
  const init = {
    inners: Array.from({ length: count }, () => ({})),
    flags: new Array<boolean>(2_000_000).fill(true),
    texts: Array.from({ length: count }, () => ''),
    counts: Array.from({ length: count }, (_, index) => [String(index), 0] as const),
  };
  const view = KitchenSinkView.read(encode(KitchenSink.from(init)));
  for (let time = 0; time < 3; time++) {
    const json = toJson(KitchenSinkSchema, view) as { inners: unknown[]; flags: unknown[] };
    assert.deepEqual([json.inners.length, json.flags.length], [count, init.flags.length]);
  }
});
