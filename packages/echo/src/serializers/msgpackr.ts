/**
 * msgpackr with a record that both sides know, so that no message names its fields. Its packr writes into a buffer
 * that it is given, at a position that it is given: straight into the memory that is sent.
 */
import { Packr, RESERVE_START_SPACE, REUSE_BUFFER_MODE } from 'msgpackr';
import { boundOf, type EchoTree } from '../echo-tree.ts';
import { checkMsgpack } from './msgpack-check.ts';
import { type EchoSerializer, sendInPlace, type TreeFormat, treeCodec } from './serializer.ts';

/** Of a message with what stands before its buffers, and of a buffer. */
const MESSAGE_HEAD_BYTES = 32;
const BUFFER_HEAD_BYTES = 8;

/** The record's fields; absent ones are null. */
interface EchoRecord {
  readonly val: Uint8Array | null;
  readonly vals: readonly Uint8Array[] | null;
  readonly left: EchoRecord | null;
  readonly right: EchoRecord | null;
}

interface Position {
  position: number;
  offset: number;
}

function makePackr(): Packr {
  return new Packr({ structures: [['val', 'vals', 'left', 'right']] as unknown as object[] });
}

const PACKR: Packr = makePackr();
/** For messages in memory of their own: one that writes where it is told to must not be told otherwise. */
const ALLOCATING: Packr = makePackr();
const UNPACKR: Packr = makePackr();

function recordOf({ val, vals, left, right }: EchoTree): EchoRecord {
  return {
    val: val ?? null,
    vals: vals ?? null,
    left: left === null || left === undefined ? null : recordOf(left),
    right: right === null || right === undefined ? null : recordOf(right),
  };
}

function write(tree: EchoTree, node: Buffer, at: number): number {
  const packr = PACKR as Packr & Position;
  packr.useBuffer(node);
  // A message begins at a multiple of 8; space reserved at its start moves it to where it belongs.
  packr.position = at & ~7;
  packr.pack(recordOf(tree), REUSE_BUFFER_MODE | RESERVE_START_SPACE | (at & 7));
  return packr.offset - at;
}

const FORMAT: TreeFormat = {
  name: 'msgpackr',
  encode: (tree) => Uint8Array.from(ALLOCATING.pack(recordOf(tree))),
  decode(bytes) {
    checkMsgpack(bytes);
    return UNPACKR.unpack(bytes) as EchoTree;
  },
};

export const msgpackr: EchoSerializer = {
  ...FORMAT,
  makeCodec({ arena: { node } }) {
    return treeCodec(FORMAT, (tree, output) => {
      sendInPlace(output, node, tree, boundOf(tree, MESSAGE_HEAD_BYTES, BUFFER_HEAD_BYTES), write);
    });
  },
};
