/**
 * protobuf-es (@bufbuild/protobuf) with the descriptor that its compiler would put into its output; it is the one
 * that Larder's compiler has put into schema/echo.larder.ts.
 */
import { create, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { fileDesc, type GenMessage, messageDesc } from '@bufbuild/protobuf/codegenv2';
import type { EchoTree } from '../echo-tree.ts';
import { file_echo } from '../schema/echo.larder.ts';
import { type EchoSerializer, type TreeFormat, treeCodec } from './serializer.ts';

type Echo = Message<'larder.echo.Echo'> & {
  val: Uint8Array;
  vals: Uint8Array[];
  left?: Echo;
  right?: Echo;
};

const ECHO: GenMessage<Echo> = messageDesc(fileDesc(file_echo.descriptor), 0);
const NO_UNKNOWN: { readonly writeUnknownFields: false } = { writeUnknownFields: false };
const READ_NO_UNKNOWN: { readonly readUnknownFields: false } = { readUnknownFields: false };

function messageOf({ val, vals, left, right }: EchoTree): Echo {
  const message = create(ECHO);
  if (val !== null && val !== undefined) message.val = val;
  if (vals !== null && vals !== undefined) message.vals = vals as Uint8Array[];
  if (left !== null && left !== undefined) message.left = messageOf(left);
  if (right !== null && right !== undefined) message.right = messageOf(right);
  return message;
}

const FORMAT: TreeFormat = {
  name: 'protobuf-es',
  encode: (tree) => toBinary(ECHO, messageOf(tree), NO_UNKNOWN),
  decode: (bytes) => fromBinary(ECHO, bytes, READ_NO_UNKNOWN),
};

export const protobufEs: EchoSerializer = { ...FORMAT, makeCodec: () => treeCodec(FORMAT) };
