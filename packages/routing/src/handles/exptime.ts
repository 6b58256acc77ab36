/** Changes a request's expiry time, wherever its operation carries one. */
import type { Clock } from '../clock.ts';
import { Operation, type Request } from '../request.ts';
import { metaFlag, withMetaFlag } from './meta-flags.ts';

/** Above this an expiry time is a Unix time (memcached's 30 days). */
const RELATIVE_SECONDS_MAX = 60 * 60 * 24 * 30;

/** Gives the new expiry time for an old one, both as on the wire. */
export type ExptimeRule = (exptime: number) => number;

/** The flags of each meta command that are expiry times. `md`'s T is how long a stale value stays, not one. */
const META_TIMES: ReadonlyMap<Operation, readonly string[]> = new Map<Operation, readonly string[]>([
  [Operation.metaSet, ['T']],
  [Operation.metaGet, ['T', 'N']],
  [Operation.metaArithmetic, ['T', 'N']],
]);
const CLASSIC: ReadonlySet<Operation> = new Set<Operation>([
  Operation.set,
  Operation.add,
  Operation.replace,
  Operation.append,
  Operation.prepend,
  Operation.cas,
  Operation.leaseSet,
  Operation.touch,
  Operation.gat,
  Operation.gats,
]);

/** The request with the rule applied, or the very same one when that changes nothing. */
export function withExptime(request: Request, rule: ExptimeRule): Request {
  if (CLASSIC.has(request.operation)) {
    const exptime = rule(request.exptime);
    if (exptime === request.exptime) return request;
    const copy = request.copy();
    copy.exptime = exptime;
    return copy;
  }
  const times = META_TIMES.get(request.operation);
  return times === undefined ? request : withMetaTimes(request, times, rule);
}

function withMetaTimes(request: Request, letters: readonly string[], rule: ExptimeRule): Request {
  let flags = request.metaFlags;
  for (const letter of letters) {
    const argument = metaFlag(flags, letter);
    // An ms without T never expires; a missing T or N of the others changes no expiry time.
    if (argument === undefined && request.operation !== Operation.metaSet) continue;
    const exptime = Number(argument ?? 0);
    const changed = rule(exptime);
    if (changed !== exptime) flags = withMetaFlag(flags, letter, String(changed));
  }
  if (flags === request.metaFlags) return request;
  const copy = request.copy();
  copy.metaFlags = flags;
  return copy;
}

/** The sooner of the request's own time and `seconds` from now; 0, which is never, counts as later than any. */
export function capExptime(seconds: number, clock: Clock): ExptimeRule {
  return (exptime) => {
    if (exptime < 0) return exptime;
    const now = Math.floor(clock.wallNow() / 1000);
    // More than 30 days can only be said as a Unix time.
    const capped = seconds > RELATIVE_SECONDS_MAX ? now + seconds : seconds;
    if (exptime === 0) return capped;
    const remaining = exptime > RELATIVE_SECONDS_MAX ? exptime - now : exptime;
    return remaining > seconds ? capped : exptime;
  };
}
