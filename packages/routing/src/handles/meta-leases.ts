/**
 * What a meta get has found when it asked for a lease (`N`): a stub that memcached makes for the key is a hit on the
 * line, but there is no value, only the right to fill it (`W`), or another one's (`Z`). Routes that look elsewhere on
 * a miss have to see through that, or they never look.
 */
import { Dialect } from '../destination/destination-options.ts';
import { type Reply, Result } from '../reply.ts';
import { Operation, type Request } from '../request.ts';
import { bareCopy } from './detached.ts';
import { metaFlag, withMetaFlag } from './meta-flags.ts';

/** Whether a retrieval found no value, be it that a lease was given or is out. */
export function isMissing(request: Request, reply: Reply): boolean {
  return reply.result === Result.miss || isStub(request, reply);
}

function isStub(request: Request, reply: Reply): boolean {
  if (request.operation !== Operation.metaGet || reply.result !== Result.hit || reply.valueBytes > 0)
    return false;
  const { metaFlags } = reply;
  if (metaFlag(request.metaFlags, 'N') === undefined || metaFlag(metaFlags, 'X') !== undefined) return false;
  if (reply.hasValue) return metaFlag(metaFlags, 'W') !== undefined || metaFlag(metaFlags, 'Z') !== undefined;
  // Without `v` a hit that is refreshed early (`R`) looks the same.
  return metaFlag(metaFlags, 'W') !== undefined && metaFlag(request.metaFlags, 'R') === undefined;
}

/** The same question without asking for a lease. */
export function withoutLease(request: Request): Request {
  if (request.operation !== Operation.metaGet || metaFlag(request.metaFlags, 'N') === undefined)
    return request;
  const question = request.copy();
  question.metaFlags = withMetaFlag(request.metaFlags, 'N', undefined);
  return question;
}

/** Whether the key is as the client meant it: a key in base64 (`b`) is another one in a classic request. */
export function hasPlainKey(request: Request): boolean {
  return metaFlag(request.metaFlags, 'b') === undefined;
}

/**
 * Stores a value that was found elsewhere where `missed` came from, unless there is newer data. Larder's add does
 * that, with a lease out too, and minds the hold-off of a delete. Plain memcached's fails on a stub, so there the lease
 * fills; undefined when it cannot, since the client has not asked for its CAS.
 */
export function fillAfter(
  request: Request,
  missed: Reply,
  value: Buffer,
  flags: number,
  exptime: number,
): Request | undefined {
  const fill = bareCopy(request);
  fill.operation = Operation.add;
  fill.value = value;
  fill.flags = flags;
  fill.exptime = exptime;
  if (missed.destination?.dialect === Dialect.larder) return fill;
  if (missed.token !== 0n) {
    fill.operation = Operation.leaseSet;
    fill.token = missed.token;
    fill.issuer = missed.issuer;
  } else if (isStub(request, missed)) {
    const cas = metaFlag(missed.metaFlags, 'c');
    if (cas === undefined || metaFlag(missed.metaFlags, 'W') === undefined) return undefined;
    fill.operation = Operation.metaSet;
    fill.metaFlags = Buffer.from(`C${cas} F${flags} T${exptime}`, 'latin1');
    fill.issuer = missed.issuer;
  }
  return fill;
}
