/**
 * Requests that are still on their way when their asker already has its answer: the asker may use its memory
 * again, so the value has to be the request's own.
 */
import { NO_BYTES, type Request } from '../request.ts';

export function detached(request: Request): Request {
  if (request.value.length === 0) return request;
  const copy = request.copy();
  copy.value = Buffer.from(request.value);
  return copy;
}

/** The same request as another operation, with its key and client and nothing else. */
export function bareCopy(request: Request): Request {
  const copy = request.copy();
  copy.value = NO_BYTES;
  copy.flags = 0;
  copy.exptime = 0;
  copy.cas = 0n;
  copy.token = 0n;
  copy.issuer = undefined;
  copy.delta = 0n;
  copy.holdOffSeconds = 0;
  copy.staleSeconds = 0;
  copy.metaFlags = NO_BYTES;
  copy.noreply = false;
  return copy;
}
