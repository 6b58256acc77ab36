/** Echo messages of any shape. */
import fc from 'fast-check';
import type { EchoTree } from '../echo-tree.ts';

const BUFFER: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.integer({ min: 0, max: 20_000 }).map((bytes) => Buffer.alloc(bytes, `${bytes}:`)),
);

export function arbitraryTree(levels: number = 3): fc.Arbitrary<EchoTree> {
  const child =
    levels === 0 ? fc.constant(undefined) : fc.option(arbitraryTree(levels - 1), { nil: undefined });
  return fc.record({
    val: fc.option(BUFFER, { nil: undefined, freq: 2 }),
    vals: fc.option(fc.array(BUFFER, { maxLength: 6 }), { nil: undefined, freq: 2 }),
    left: child,
    right: child,
  });
}
