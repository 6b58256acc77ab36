/** A meta delete as a classic one, for what only that can carry: a hold-off. */
import { Operation, type Request } from '../request.ts';
import { metaFlag } from './meta-flags.ts';

/** Flags that change nothing of what is deleted; `I` and `T` say how long the value stays as stale. */
const CARRIED = /^[OkqIT]/;
const RETURNED = /^[Ok]/;

function wordsOf(request: Request): string[] {
  return request.metaFlags.length === 0 ? [] : request.metaFlags.toString('latin1').split(' ');
}

/** The delete as a classic one to be changed, or undefined when that cannot say the same. */
export function classicDelete(request: Request): Request | undefined {
  if (request.operation === Operation.metaDelete && !wordsOf(request).every((word) => CARRIED.test(word))) {
    return undefined;
  }
  const classic = request.copy();
  if (request.operation === Operation.metaDelete) {
    classic.operation = Operation.delete;
    classic.staleSeconds = Number(metaFlag(request.metaFlags, 'T') ?? 0);
  }
  return classic;
}

/** What a server returns of the flags of a meta delete. */
export function deleteReturnFlags(request: Request): Buffer {
  const returned = wordsOf(request).filter((word) => RETURNED.test(word));
  return Buffer.from(returned.map((word) => (word === 'k' ? `k${request.keyText}` : word)).join(' '), 'utf8');
}
