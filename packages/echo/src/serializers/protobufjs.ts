/**
 * protobufjs with the encoder and decoder that it compiles of the schema, which are those of its static code. Twice:
 * its writer's buffer and position are public, so that it can write straight into the memory that is sent; and as its
 * documentation shows it, with a writer per message and `finish()`, which is what most programs do.
 */
import protobuf from 'protobufjs/light.js';
import { boundOf, type EchoTree } from '../echo-tree.ts';
import { type EchoSerializer, sendInPlace, type TreeFormat, treeCodec } from './serializer.ts';

/** Tags and lengths, at most: of a message with what stands before its buffers, and of a buffer. */
const MESSAGE_HEAD_BYTES = 16;
const BUFFER_HEAD_BYTES = 8;

const ECHO: protobuf.Type = protobuf.Root.fromJSON({
  nested: {
    Echo: {
      edition: 'proto3',
      fields: {
        val: { type: 'bytes', id: 1 },
        vals: { rule: 'repeated', type: 'bytes', id: 2 },
        left: { type: 'Echo', id: 3 },
        right: { type: 'Echo', id: 4 },
      },
    },
  },
})
  .resolveAll()
  .lookupType('Echo')
  .setup();

/** Writes where it is told to; the buffer that it was made with is not kept. */
const WRITER: protobuf.Writer = protobuf.Writer.create();

const FORMAT: TreeFormat = {
  name: 'protobufjs',
  encode: (tree) => ECHO.encode(tree).finish(),
  decode: (bytes) => ECHO.decode(bytes) as EchoTree,
};

function write(tree: EchoTree, node: Buffer, at: number): number {
  WRITER.buf = node;
  WRITER.pos = at;
  ECHO.encode(tree, WRITER);
  return WRITER.pos - at;
}

export const protobufjs: EchoSerializer = {
  ...FORMAT,
  makeCodec({ arena: { node } }) {
    return treeCodec(FORMAT, (tree, output) => {
      sendInPlace(output, node, tree, boundOf(tree, MESSAGE_HEAD_BYTES, BUFFER_HEAD_BYTES), write);
    });
  },
};

const FINISH: TreeFormat = { ...FORMAT, name: 'protobufjs-finish' };

export const protobufjsFinish: EchoSerializer = { ...FINISH, makeCodec: () => treeCodec(FINISH) };
