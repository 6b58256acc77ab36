/** The hash functions that configurations may name, and what they are made from. */
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import type { Pool } from '../registry.ts';
import type { KeyHash } from './key-hash.ts';

/** `"hash": "Crc32"`, or an object with `hash_func` and what that function takes. */
export type HashJson = string | { readonly hash_func?: string | undefined };
export const hashJson: z.ZodType<HashJson> = z.union([
  z.string(),
  z.looseObject({ hash_func: z.string().optional() }),
]);

/** The hash function for the pool; `fail` refuses what does not exist. */
export function createKeyHash(
  json: HashJson | undefined,
  pool: Pool,
  fail: (message: string) => never,
): KeyHash {
  const name = (typeof json === 'string' ? json : json?.hash_func) ?? 'Crc32';
  if (name !== 'Crc32') fail(`hash function "${name}" does not exist, expected Crc32`);
  const count = pool.destinations.length;
  return {
    name,
    select: (bytes, start, end) => ((crc32(bytes.subarray(start, end)) >>> 16) & 0x7fff) % count,
  };
}
