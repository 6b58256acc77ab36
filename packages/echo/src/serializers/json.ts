/**
 * JSON: bytes in base64, since JSON has none. Both texts are read and written as Latin-1, which base64 and the names
 * of the fields are, so that no character has to be looked at.
 */
import type { EchoTree } from '../echo-tree.ts';
import { EchoError } from '../errors.ts';
import { TREE_DEPTH_MAX } from '../limits.ts';
import { type EchoSerializer, sendInPlace, type TreeFormat, treeCodec } from './serializer.ts';

/** What the Buffer type of Node does not name: text without a choice of the encoding at run time. */
interface FastBuffer {
  latin1Slice(start: number, end: number): string;
  base64Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number, length: number): number;
}

interface JsonEcho {
  readonly val?: string | undefined;
  readonly vals?: readonly string[] | undefined;
  readonly left?: JsonEcho | undefined;
  readonly right?: JsonEcho | undefined;
}

function fastBuffer(bytes: Uint8Array): FastBuffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) as unknown as FastBuffer;
}

function textOf(bytes: Uint8Array): string {
  return fastBuffer(bytes).base64Slice(0, bytes.length);
}

/** Node skips what is not base64; then the text is not as long as it should be. */
function bytesOf(text: unknown): Uint8Array {
  if (typeof text !== 'string') throw malformed('a buffer is no string');
  const bytes = Buffer.from(text, 'base64');
  if (text.length !== Math.ceil(bytes.length / 3) * 4) throw malformed('a buffer is not base64');
  return bytes;
}

function malformed(text: string): EchoError {
  return new EchoError('MALFORMED', `no message of json: ${text}`);
}

function treeOf(value: unknown, depth: number): EchoTree {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > TREE_DEPTH_MAX) {
    throw malformed('a message is no object, or too deep');
  }
  const { val, vals, left, right } = value as { [K in keyof EchoTree]: unknown };
  if (vals !== undefined && !Array.isArray(vals)) throw malformed('vals is no array');
  return {
    val: val === undefined ? undefined : bytesOf(val),
    vals: vals === undefined ? undefined : (vals as unknown[]).map(bytesOf),
    left: left === undefined ? undefined : treeOf(left, depth + 1),
    right: right === undefined ? undefined : treeOf(right, depth + 1),
  };
}

function jsonOf({ val, vals, left, right }: EchoTree): JsonEcho {
  return {
    val: val === null || val === undefined ? undefined : textOf(val),
    vals: vals === null || vals === undefined ? undefined : vals.map(textOf),
    left: left === null || left === undefined ? undefined : jsonOf(left),
    right: right === null || right === undefined ? undefined : jsonOf(right),
  };
}

const FORMAT: TreeFormat = {
  name: 'json',
  encode: (tree) => Buffer.from(JSON.stringify(jsonOf(tree)), 'latin1'),
  decode: (bytes) => treeOf(JSON.parse(fastBuffer(bytes).latin1Slice(0, bytes.length)), 0),
};

function write(text: string, node: Buffer, at: number): number {
  return (node as unknown as FastBuffer).latin1Write(text, at, text.length);
}

export const json: EchoSerializer = {
  ...FORMAT,
  makeCodec({ arena: { node } }) {
    return treeCodec(FORMAT, (tree, output) => {
      const text = JSON.stringify(jsonOf(tree));
      sendInPlace(output, node, text, text.length, write);
    });
  },
};
