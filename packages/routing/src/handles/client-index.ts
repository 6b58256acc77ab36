/** Which of `count` a client belongs to: stable for a client, even over clients, minimal movement with `count`. */
import { jumpBucket } from '../hashes/jump.ts';

const PRIME = 0x01000193;
const SPREAD = 0x9e3779b1 | 0;

export function clientIndex(clientId: string, count: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = 0; at < clientId.length; at++) hash = Math.imul(hash ^ clientId.charCodeAt(at), PRIME);
  hash = Math.imul(hash ^ (hash >>> 15), SPREAD);
  return jumpBucket(hash, Math.imul(hash ^ (hash >>> 13), SPREAD), count);
}
