import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena, MIB, PageTable, SlabAllocator, SlabClasses } from '@larder/datapath';
import fc from 'fast-check';
import { MemoryOutput } from '../server/reply-output.ts';
import { makeSerializer, NO_SERIALIZER, OWN_NAMES, PEER_NAMES } from './registry.ts';
import { KvRequest, type Serializer } from './serializer.ts';

const SCRATCH = 1024;
const PAIRS_WORD = 32_768;
const REQUEST = 256 * 1024;
const OUTPUT = MIB;
const COPY = 2 * MIB;
const FIRST_PAGE = 3;
const CHUNK_BYTES = 200_000;

interface Bench {
  readonly arena: Arena;
  readonly allocator: SlabAllocator;
  /** Where the bytes of values begin. */
  readonly values: number;
  readonly serializer: Serializer;
  readonly output: MemoryOutput;
}

async function setUp(name: string): Promise<Bench> {
  const arena = Arena.portable(8 * MIB);
  const allocator = new SlabAllocator(new PageTable(arena, 64, FIRST_PAGE), 512 * 1024, 1, new SlabClasses());
  allocator.setPageLimit(8 - FIRST_PAGE);
  const values = allocator.allocate(allocator.classFor(CHUNK_BYTES)) + 16;
  for (let index = 0; index < CHUNK_BYTES - 16; index++) {
    arena.u8[values + index] = (index * 31 + (index >> 8)) & 0xff;
  }
  const serializer = await makeSerializer(name, { arena, allocator, scratchOffset: SCRATCH }, 1000);
  const output = new MemoryOutput(arena, OUTPUT + 3, (owner) => serializer.onRelease(owner), true);
  return { arena, allocator, values, serializer, output };
}

/** Writes values into the pairs; returns what they are. */
function layOut(
  arena: Arena,
  values: number,
  sizes: readonly number[],
): { vals: Uint8Array[]; bytes: number } {
  let at = values;
  let bytes = 0;
  const vals = sizes.map((size, index) => {
    arena.i32[PAIRS_WORD + 2 * index] = at;
    arena.i32[PAIRS_WORD + 2 * index + 1] = size;
    const val = arena.u8.slice(at, at + size);
    at += size + 5;
    bytes += size;
    return val;
  });
  return { vals, bytes };
}

/** The body of the last reply, as it would be on the wire. */
function body(arena: Arena, output: MemoryOutput): Uint8Array {
  const parts = [arena.u8.slice(output.bodyOffset, output.bodyOffset + output.copiedBytes)];
  for (let index = 0; index < output.references.length; index += 2) {
    const offset = output.references[index]!;
    parts.push(arena.u8.slice(offset, offset + output.references[index + 1]!));
  }
  return Buffer.concat(parts);
}

for (const name of [...OWN_NAMES, ...PEER_NAMES, NO_SERIALIZER]) {
  test(`${name}: replies round-trip, whatever the number and the size of their buffers`, async () => {
    const { arena, allocator, values, serializer, output } = await setUp(name);
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 8192 })), {
      minLength: 1,
      maxLength: 16,
    });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 2 ** 31 - 1 }), (each, id) => {
        const { vals, bytes } = layOut(arena, values, each);
        serializer.writeReply(output, id, PAIRS_WORD, each.length, bytes);
        const encoded = body(arena, output);
        assert.equal(encoded.length, output.copiedBytes + output.referencedBytes);
        // Every reference came back: only the values' own is left.
        assert.equal(allocator.references(values - 16), 1);
        const reply = serializer.decodeReply(encoded);
        if (reply === undefined) {
          assert.equal(encoded.length, bytes + 4);
          return;
        }
        assert.equal(reply.id, id);
        assert.equal(reply.vals.length, vals.length);
        assert.ok(reply.vals.every((val, index) => Buffer.from(val).equals(Buffer.from(vals[index]!))));
        arena.u8.set(encoded, COPY);
        assert.equal(serializer.readReply(COPY, COPY + encoded.length), bytes);
      }),
      { seed: 11, numRuns: 60 },
    );
  });

  test(`${name}: requests round-trip into offsets of the arena`, async () => {
    const { arena, values, serializer, output } = await setUp(name);
    const request = new KvRequest();
    const key = Buffer.from('b-------------------------------------------------------------ab');
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.integer({ min: 0, max: 3000 }),
        fc.integer({ min: 1, max: 8192 }),
        (id, segment, valueBytes) => {
          const get = serializer.encodeGet(id, key, segment);
          arena.u8.set(get, REQUEST + 16);
          serializer.readGet(REQUEST + 16, REQUEST + 16 + get.length, request);
          assert.deepEqual([request.id, request.segment, request.keyBytes], [id, segment, key.length]);
          assert.equal(
            arena.node.toString('latin1', request.keyOffset, request.keyOffset + key.length),
            key.toString(),
          );
          const value = arena.u8.slice(values, values + valueBytes);
          const put = serializer.encodePut(id, key, value);
          arena.u8.set(put, REQUEST + 24);
          serializer.readPut(REQUEST + 24, REQUEST + 24 + put.length, request);
          assert.deepEqual([request.id, request.keyBytes, request.valueBytes], [id, key.length, valueBytes]);
          assert.equal(
            arena.node.toString('latin1', request.keyOffset, request.keyOffset + key.length),
            key.toString(),
          );
          const read = arena.u8.slice(request.valueOffset, request.valueOffset + valueBytes);
          assert.ok(Buffer.from(read).equals(Buffer.from(value)));
          serializer.writePutReply(output, id);
          assert.equal(serializer.decodePutReply(body(arena, output)), id);
        },
      ),
      { seed: 12, numRuns: 60 },
    );
  });
}

test('an unknown serializer is an error', async () => {
  const { arena, allocator } = await setUp('none');
  assert.throws(() => makeSerializer('xml', { arena, allocator, scratchOffset: 0 }, 1), { code: 'USAGE' });
});
