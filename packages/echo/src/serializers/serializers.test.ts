/** Every serializer without sockets: round trips, and messages that are none. */
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { Memory } from '@larder/wire';
import fc from 'fast-check';
import { type EchoTree, isSameTree } from '../echo-tree.ts';
import { TREE_DEPTH_MAX } from '../limits.ts';
import { arbitraryTree } from '../testing/arbitrary-tree.ts';
import { runHostileMessages } from '../testing/hostile-messages.ts';
import { MemoryOutput } from '../testing/memory-output.ts';
import { makeAllocator } from '../transport-thread.ts';
import { loadSerializer } from './registry.ts';
import { SERIALIZERS } from './serializer-list.ts';

const MEMORY_BYTES = 16 * 1024 * 1024;
const HOSTILE_CASES = 3000;

function nested(levels: number): EchoTree {
  return levels === 0 ? { val: Buffer.from('leaf') } : { left: nested(levels - 1) };
}

for (const { name } of SERIALIZERS) {
  describe(name, async () => {
    const serializer = await loadSerializer(name);

    test('a message comes back with its content', () => {
      const allocator = makeAllocator('node', MEMORY_BYTES);
      const output = new MemoryOutput(allocator);
      const codec = serializer.makeCodec(allocator);
      const memory = Memory.ofArena(allocator.arena);
      assert.equal(codec.name, name);
      fc.assert(
        fc.property(arbitraryTree(), (tree) => {
          const message = serializer.encode(tree);
          if (name !== 'none') assert.ok(isSameTree(tree, serializer.decode(message)));
          const answer = output.ask(codec, memory, message);
          assert.ok(isSameTree(serializer.decode(message), serializer.decode(answer)));
        }),
        { seed: 21, numRuns: 60 },
      );
    });

    test('a message that is none is refused, and harms nobody', () => {
      runHostileMessages(serializer, HOSTILE_CASES, 7);
    });

    test('depth has a limit', { skip: name === 'none' ? 'nobody looks' : false }, () => {
      const allocator = makeAllocator('node', MEMORY_BYTES);
      const output = new MemoryOutput(allocator);
      const codec = serializer.makeCodec(allocator);
      const memory = Memory.ofArena(allocator.arena);
      const deepest = nested(TREE_DEPTH_MAX - 2);
      const answer = output.ask(codec, memory, serializer.encode(deepest));
      assert.ok(isSameTree(serializer.decode(answer), deepest));
      let tooDeep: Uint8Array;
      try {
        tooDeep = serializer.encode(nested(TREE_DEPTH_MAX + 30));
      } catch {
        // The serializer does not even write it.
        return;
      }
      assert.throws(() => output.ask(codec, memory, tooDeep), { code: /^(MALFORMED|DEPTH)$/ });
    });
  });
}

test('an unknown serializer is an error that names those there are', async () => {
  await assert.rejects(loadSerializer('xml'), { code: 'OPTION', message: /"xml".*larder.*none/ });
  await assert.rejects(loadSerializer('__proto__'), { code: 'OPTION' });
});
