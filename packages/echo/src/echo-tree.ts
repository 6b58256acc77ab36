/** An echo message as objects, the same for all serializers: schema/echo.proto in plain TypeScript. */
import { EchoError } from './errors.ts';
import { TREE_DEPTH_MAX } from './limits.ts';

/** Absent and empty are the same. */
export interface EchoTree {
  readonly val?: Uint8Array | null | undefined;
  readonly vals?: readonly Uint8Array[] | null | undefined;
  readonly left?: EchoTree | null | undefined;
  readonly right?: EchoTree | null | undefined;
}

/** Throws `MALFORMED` for trees that are deeper than any message may be. */
export function checkDepth({ left, right }: EchoTree, depth: number = 0): void {
  if (depth > TREE_DEPTH_MAX) {
    throw new EchoError('MALFORMED', `messages are nested more than ${TREE_DEPTH_MAX} deep`);
  }
  if (left !== null && left !== undefined) checkDepth(left, depth + 1);
  if (right !== null && right !== undefined) checkDepth(right, depth + 1);
}

/** An upper bound of a message's length, from what a message and a buffer add at most. */
export function boundOf(tree: EchoTree, messageHeadBytes: number, bufferHeadBytes: number): number {
  const { val, vals, left, right } = tree;
  let bytes = messageHeadBytes + (val === null || val === undefined ? 0 : val.length + bufferHeadBytes);
  if (vals !== null && vals !== undefined) {
    for (let index = 0; index < vals.length; index++) bytes += vals[index]!.length + bufferHeadBytes;
  }
  if (left !== null && left !== undefined) bytes += boundOf(left, messageHeadBytes, bufferHeadBytes);
  if (right !== null && right !== undefined) bytes += boundOf(right, messageHeadBytes, bufferHeadBytes);
  return bytes;
}

const NO_BYTES = new Uint8Array(0);

/** Whether two messages have the same content. */
export function isSameTree(one: EchoTree, other: EchoTree): boolean {
  const ones = one.vals ?? [];
  const others = other.vals ?? [];
  return (
    isSameBytes(one.val ?? NO_BYTES, other.val ?? NO_BYTES) &&
    ones.length === others.length &&
    ones.every((val, index) => isSameBytes(val, others[index]!)) &&
    isSameChild(one.left, other.left) &&
    isSameChild(one.right, other.right)
  );
}

function isSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  // What some libraries give for an absent buffer is empty, and not even an array of bytes.
  return one.length === other.length && (one.length === 0 || Buffer.compare(one, other) === 0);
}

function isSameChild(one: EchoTree['left'], other: EchoTree['left']): boolean {
  if (one === null || one === undefined || other === null || other === undefined) {
    return (one ?? undefined) === (other ?? undefined);
  }
  return isSameTree(one, other);
}
