/**
 * Mutated messages through a codec: each is refused by an error that says so, or answered by a message of the same
 * content. Nothing else may be thrown, and no reference may be left.
 */
import { strict as assert } from 'node:assert';
import { Memory, WireError } from '@larder/wire';
import { type EchoTree, isSameTree } from '../echo-tree.ts';
import { EchoError } from '../errors.ts';
import type { EchoSerializer } from '../serializers/serializer.ts';
import { makeAllocator } from '../transport-thread.ts';
import { MemoryOutput } from './memory-output.ts';
import { Mutator } from './mutations.ts';

const MEMORY_BYTES = 16 * 1024 * 1024;
const SEEDS: readonly EchoTree[] = [
  { val: Buffer.alloc(30, 'a') },
  { vals: [Buffer.alloc(3, 'b'), Buffer.alloc(9000, 'c'), Buffer.alloc(300, 'd')] },
  {
    val: Buffer.from('root'),
    left: { vals: [Buffer.from('x'), Buffer.from('yz')], right: { val: Buffer.alloc(200, 'e') } },
    right: { val: Buffer.from('leaf') },
  },
];

export function runHostileMessages(serializer: EchoSerializer, cases: number, seed: number): void {
  const allocator = makeAllocator('node', MEMORY_BYTES);
  const memory = Memory.ofArena(allocator.arena);
  const output = new MemoryOutput(allocator);
  const codec = serializer.makeCodec(allocator);
  const messages = SEEDS.map((tree) => serializer.encode(tree));
  const mutator = new Mutator(seed);
  let refused = 0;
  for (let index = 0; index < cases; index++) {
    const message = mutator.mutate(messages[index % messages.length]!);
    const what = `${serializer.name}, seed ${seed}, case ${index}: ${Buffer.from(message.subarray(0, 200)).toString('hex')}`;
    let answer: Uint8Array;
    try {
      answer = output.ask(codec, memory, message);
    } catch (error) {
      const isRefused =
        error instanceof WireError || (error instanceof EchoError && error.code === 'MALFORMED');
      if (!isRefused) throw new Error(what, { cause: error });
      refused++;
      continue;
    }
    assert.ok(isSameTree(serializer.decode(message), serializer.decode(answer)), what);
  }
  if (serializer.name !== 'none') assert.ok(refused > cases / 20, `${refused} of ${cases} refused`);
  // After all that an ordinary message is answered, and gives back what it refers to.
  const before = chunksInUse();
  for (const [index, message] of messages.entries()) {
    const answer = output.ask(codec, memory, message);
    assert.ok(isSameTree(serializer.decode(answer), serializer.decode(message)), `message ${index}`);
  }
  assert.ok(chunksInUse() <= before, 'a reference is left');

  function chunksInUse(): number {
    let used = 0;
    for (let each = 1; each <= allocator.classes.last; each++) used += allocator.usage(each).inUse;
    return used;
  }
}
