/**
 * The 64 bytes at the beginning of every shard, which say what it is whatever the file is called:
 *
 *   0  "LARDERSH"     8  version (u32)     12  node (u32)     16  set (16 bytes)
 *   32  first 32 bytes of SHA-256 over the bytes before: all of it
 *
 * The set is a random number that all shards of one encoding share. Numbers are little-endian. The
 * symbols follow: for every stripe the node's ω symbols.
 */
import { createHash } from 'node:crypto';

export const SHARD_HEADER_BYTES = 64;
export const SET_BYTES = 16;

const MAGIC = Buffer.from('LARDERSH', 'latin1');
const VERSION = 1;
const VERSION_AT = 8;
const NODE_AT = 12;
const SET_AT = 16;
const CHECKSUM_AT = SET_AT + SET_BYTES;

export interface ShardHeader {
  readonly node: number;
  /** Hexadecimal. */
  readonly set: string;
}

export function composeShardHeader(header: ShardHeader): Buffer {
  const bytes = Buffer.alloc(SHARD_HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(VERSION, VERSION_AT);
  bytes.writeUInt32LE(header.node, NODE_AT);
  bytes.write(header.set, SET_AT, SET_BYTES, 'hex');
  checksumOf(bytes).copy(bytes, CHECKSUM_AT);
  return bytes;
}

/** The header, or what is wrong with it. */
export function parseShardHeader(bytes: Buffer): ShardHeader | string {
  if (bytes.length < SHARD_HEADER_BYTES) return `it is too short to be a shard (${bytes.length} bytes)`;
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return 'it is not a shard (wrong first bytes)';
  if (!bytes.subarray(CHECKSUM_AT, SHARD_HEADER_BYTES).equals(checksumOf(bytes)))
    return 'its header is damaged';
  const version = bytes.readUInt32LE(VERSION_AT);
  if (version !== VERSION) return `it has version ${version}, this program reads ${VERSION}`;
  return { node: bytes.readUInt32LE(NODE_AT), set: bytes.toString('hex', SET_AT, CHECKSUM_AT) };
}

function checksumOf(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes.subarray(0, CHECKSUM_AT)).digest();
}
