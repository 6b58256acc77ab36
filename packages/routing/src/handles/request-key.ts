/** Copies of requests with another key. */
import { KEY_BYTES_MAX } from '@larder/protocol';
import type { Request } from '../request.ts';

/** The request with `key` behind `routingPrefix`, to be changed further by the caller. */
export function withKey(request: Request, routingPrefix: Buffer, key: Buffer): Request {
  const copy = request.copy();
  const bytes = routingPrefix.length === 0 ? key : Buffer.concat([routingPrefix, key]);
  copy.setKey(bytes, 0, bytes.length);
  copy.takePrefix(routingPrefix.length);
  return copy;
}

/** The request with `suffix` behind its key; the routing prefix stays. */
export function withKeySuffix(request: Request, suffix: string): Request {
  return withKey(
    request,
    routingPrefixOf(request),
    Buffer.concat([request.key, Buffer.from(suffix, 'latin1')]),
  );
}

export function routingPrefixOf(request: Request): Buffer {
  return request.keySource.subarray(request.prefixStart, request.keyStart);
}

/** Whether a key of that many bytes more is still one. */
export function hasRoom(request: Request, bytes: number): boolean {
  return request.keyBytes + bytes <= KEY_BYTES_MAX;
}
