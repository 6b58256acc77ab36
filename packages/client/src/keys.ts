/**
 * Callers' keys to keys of the wire. memcache allows 1 to 250 bytes without spaces and control characters;
 * anything else is shortened to a readable head and a hash of the whole:
 *
 * ```
 *   as is      user:17
 *   hashed     report:{"from":"2026-01-01"… (180 bytes, spaces replaced by _) ~ base64url(SHA-256 of the key)
 * ```
 *
 * The head stays so that routes which select by prefix, and `/region/cluster/` in front, still work.
 * Keys of the wire are latin1 strings: one character is one byte, which is the cheapest way to a socket.
 */
import { createHash } from 'node:crypto';
import { CacheError, CacheErrorCode } from './errors.ts';
import { CHUNK_SUFFIX_BYTES_MAX, HASHED_KEY_HEAD_BYTES, KEY_BYTES_MAX } from './limits.ts';

const SPACE = 0x20;
const DELETE = 0x7f;
// Everything that may not be in a key, in a string of one character per byte.
const FORBIDDEN = /[^!-~\u0080-\u00ff]/g;

/** Whether each character is one that may go to the wire as it is. Short keys are checked without a RegExp. */
function isPlain(key: string): boolean {
  const length = key.length;
  if (length > KEY_BYTES_MAX) return false;
  for (let index = 0; index < length; index++) {
    const code = key.charCodeAt(index);
    if (code <= SPACE || code >= DELETE) return false;
  }
  return true;
}

function hashKey(bytes: string): string {
  const head = bytes.slice(0, HASHED_KEY_HEAD_BYTES).replace(FORBIDDEN, '_');
  const hash = createHash('sha256').update(bytes, 'latin1').digest('base64url');
  return `${head}~${hash}`;
}

/** The key of the wire, as one character per byte. */
export function wireKey(prefix: string, key: string): string {
  if (typeof key !== 'string' || key.length === 0) {
    throw new CacheError(CacheErrorCode.invalidKey, `a key is a string that is not empty, not ${typeof key}`);
  }
  const whole = prefix === '' ? key : prefix + key;
  if (isPlain(whole)) return whole;
  const bytes = Buffer.from(whole, 'utf8').toString('latin1');
  if (bytes.length > KEY_BYTES_MAX || bytes.search(FORBIDDEN) >= 0) return hashKey(bytes);
  return bytes;
}

/** What the keys of a split value's parts begin with: short enough for a part's suffix. */
export function chunkKeyBase(key: string): string {
  return key.length + CHUNK_SUFFIX_BYTES_MAX <= KEY_BYTES_MAX ? key : hashKey(key);
}
