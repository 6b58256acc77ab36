/**
 * FlatBuffers with one builder that is used again, and accessors that make the same calls as flatc's TypeScript
 * output for schema/echo.fbs. The builder writes backwards into memory of its own, so a message is copied once more
 * to where it is sent from.
 */
import * as flatbuffers from 'flatbuffers';
import type { EchoTree } from '../echo-tree.ts';
import { checkFlatbuffers, DATA, LEFT, RIGHT, VAL, VALS } from './flatbuffers-check.ts';
import { type EchoSerializer, type TreeFormat, treeCodec } from './serializer.ts';

const BUILDER_BYTES = 32 * 1024;
const OFFSET_BYTES = 4;
const ECHO_FIELDS = 4;
const VALUE_FIELDS = 1;

const BUILDER: flatbuffers.Builder = new flatbuffers.Builder(BUILDER_BYTES);

/** Where a field of a table lies, 0 when it is absent. */
function fieldAt(bb: flatbuffers.ByteBuffer, table: number, field: number): number {
  const offset = bb.__offset(table, 4 + 2 * field);
  return offset === 0 ? 0 : table + offset;
}

function bytesAt(bb: flatbuffers.ByteBuffer, at: number): Uint8Array | undefined {
  if (at === 0) return undefined;
  const all = bb.bytes();
  return new Uint8Array(all.buffer, all.byteOffset + bb.__vector(at), bb.__vector_len(at));
}

function valsAt(bb: flatbuffers.ByteBuffer, at: number): Uint8Array[] | undefined {
  if (at === 0) return undefined;
  const vector = bb.__vector(at);
  const vals: Uint8Array[] = [];
  for (let index = 0, count = bb.__vector_len(at); index < count; index++) {
    const value = bb.__indirect(vector + index * OFFSET_BYTES);
    vals.push(bytesAt(bb, fieldAt(bb, value, DATA)) ?? new Uint8Array(0));
  }
  return vals;
}

function treeAt(bb: flatbuffers.ByteBuffer, table: number): EchoTree {
  const left = fieldAt(bb, table, LEFT);
  const right = fieldAt(bb, table, RIGHT);
  return {
    val: bytesAt(bb, fieldAt(bb, table, VAL)),
    vals: valsAt(bb, fieldAt(bb, table, VALS)),
    left: left === 0 ? undefined : treeAt(bb, bb.__indirect(left)),
    right: right === 0 ? undefined : treeAt(bb, bb.__indirect(right)),
  };
}

/** What a table refers to is built before it. */
function build({ val, vals, left, right }: EchoTree): number {
  const leftAt = left === null || left === undefined ? 0 : build(left);
  const rightAt = right === null || right === undefined ? 0 : build(right);
  const valsAt = vals === null || vals === undefined ? 0 : buildVals(vals);
  const valAt = val === null || val === undefined ? 0 : BUILDER.createByteVector(val);
  BUILDER.startObject(ECHO_FIELDS);
  BUILDER.addFieldOffset(VAL, valAt, 0);
  BUILDER.addFieldOffset(VALS, valsAt, 0);
  BUILDER.addFieldOffset(LEFT, leftAt, 0);
  BUILDER.addFieldOffset(RIGHT, rightAt, 0);
  return BUILDER.endObject();
}

function buildVals(vals: readonly Uint8Array[]): number {
  const offsets = vals.map((val) => {
    const data = BUILDER.createByteVector(val);
    BUILDER.startObject(VALUE_FIELDS);
    BUILDER.addFieldOffset(DATA, data, 0);
    return BUILDER.endObject();
  });
  BUILDER.startVector(OFFSET_BYTES, offsets.length, OFFSET_BYTES);
  for (let index = offsets.length - 1; index >= 0; index--) BUILDER.addOffset(offsets[index]!);
  return BUILDER.endVector();
}

/** The bytes of a message, until the next one is built. */
function encode(tree: EchoTree): Uint8Array {
  BUILDER.clear();
  BUILDER.finish(build(tree));
  return BUILDER.asUint8Array();
}

const FORMAT: TreeFormat = {
  name: 'flatbuffers',
  encode: (tree) => encode(tree).slice(),
  decode(bytes) {
    checkFlatbuffers(bytes);
    const bb = new flatbuffers.ByteBuffer(bytes as Uint8Array<ArrayBuffer>);
    return treeAt(bb, bb.readInt32(0));
  },
};

export const flatbuffersEcho: EchoSerializer = {
  ...FORMAT,
  makeCodec: () => treeCodec(FORMAT, (tree, output) => output.sendBytes(encode(tree))),
};
