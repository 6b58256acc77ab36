/**
 * capnp-es, with classes that make the same calls as its compiler's output for schema/echo.capnp. A message is built
 * in a segment of its own, whose bytes are sent without the framing header; reading copies the message, as the
 * library does with memory that is not its own.
 */
import * as capnp from 'capnp-es';
import type { EchoTree } from '../echo-tree.ts';
import { checkCapnp, DATA, ECHO_POINTERS, LEFT, RIGHT, VAL, VALS, VALUE_POINTERS } from './capnp-check.ts';
import { type EchoSerializer, type TreeFormat, treeCodec } from './serializer.ts';

const { utils } = capnp;

interface StructMeta {
  readonly displayName: string;
  readonly id: string;
  readonly size: capnp.ObjectSize;
}

class Value extends capnp.Struct {
  static override readonly _capnp: StructMeta = {
    displayName: 'Value',
    id: 'b9d3a1c07f5e2468',
    size: new capnp.ObjectSize(0, VALUE_POINTERS),
  };
}
class Echo extends capnp.Struct {
  static override readonly _capnp: StructMeta = {
    displayName: 'Echo',
    id: 'e41f6c82a0d7935b',
    size: new capnp.ObjectSize(0, ECHO_POINTERS),
  };
}
const VALUES: ReturnType<typeof capnp.CompositeList<Value>> = capnp.CompositeList(Value as never);

type Root = Parameters<typeof capnp.Message.prototype.getRoot<Echo>>[0];
const ROOT = Echo as unknown as Root;

/** A list as these calls see it. */
interface Values {
  readonly length: number;
  get(index: number): Value;
}

function isAbsent(index: number, message: capnp.Struct): boolean {
  return utils.isNull(utils.getPointer(index, message));
}

function dataOf(index: number, message: capnp.Struct): Uint8Array {
  // Reading a pointer that is null would write an empty list into the message.
  return isAbsent(index, message) ? new Uint8Array(0) : utils.getData(index, message).toUint8Array();
}

function treeOf(message: Echo): EchoTree {
  const child = (index: number): EchoTree | undefined =>
    isAbsent(index, message) ? undefined : treeOf(utils.getStruct(index, Echo as never, message) as Echo);
  return { val: dataOf(VAL, message), vals: valsOf(message), left: child(LEFT), right: child(RIGHT) };
}

function valsOf(message: Echo): Uint8Array[] {
  const vals: Uint8Array[] = [];
  if (isAbsent(VALS, message)) return vals;
  const list = utils.getList(VALS, VALUES as never, message) as unknown as Values;
  for (let index = 0, count = list.length; index < count; index++) vals.push(dataOf(DATA, list.get(index)));
  return vals;
}

function fill(message: Echo, { val, vals, left, right }: EchoTree): void {
  if (val !== null && val !== undefined && val.length > 0) {
    utils.initData(VAL, val.length, message).copyBuffer(val);
  }
  if (vals !== null && vals !== undefined && vals.length > 0) {
    const list = utils.initList(VALS, VALUES as never, vals.length, message) as unknown as Values;
    for (let index = 0; index < vals.length; index++) {
      const bytes = vals[index]!;
      if (bytes.length > 0) utils.initData(DATA, bytes.length, list.get(index)).copyBuffer(bytes);
    }
  }
  if (left !== null && left !== undefined) {
    fill(utils.initStructAt(LEFT, Echo as never, message) as Echo, left);
  }
  if (right !== null && right !== undefined) {
    fill(utils.initStructAt(RIGHT, Echo as never, message) as Echo, right);
  }
}

const FORMAT: TreeFormat = {
  name: 'capnp-es',
  encode(tree) {
    const message = new capnp.Message();
    fill(message.initRoot(ROOT) as Echo, tree);
    const segment = message.getSegment(0);
    return new Uint8Array(segment.buffer, 0, segment.byteLength);
  },
  decode(bytes) {
    checkCapnp(bytes);
    return treeOf(new capnp.Message(bytes, false, true).getRoot(ROOT) as Echo);
  },
};

export const capnpEs: EchoSerializer = { ...FORMAT, makeCodec: () => treeCodec(FORMAT) };
