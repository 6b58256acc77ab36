/** How bad a result is, for handles that answer with the worst or the best of several replies (mcrouter's order). */
import { type Reply, Result } from '../reply.ts';
import { SpooledReply } from '../spool/spooled-reply.ts';

const SEVERITY: ReadonlyMap<Result, number> = new Map<Result, number>([
  [Result.miss, 2],
  [Result.hotMiss, 2],
  [Result.notStored, 2],
  [Result.timeout, 3],
  [Result.connectTimeout, 3],
  [Result.connectError, 3],
  [Result.busy, 3],
  [Result.shutdown, 3],
  [Result.tko, 3],
  [Result.aborted, 4],
  [Result.serverError, 5],
  [Result.localError, 6],
  [Result.clientError, 7],
]);
/** Everything that found, stored or deleted what was asked for. */
const SUCCESS = 1;

/** A spooled delete is answered as not found, but whoever hears it has more to do than with a real one. */
const SPOOLED = 2.5;

function severityOf(reply: Reply): number {
  return reply instanceof SpooledReply ? SPOOLED : (SEVERITY.get(reply.result) ?? SUCCESS);
}

export function isWorse(one: Reply, other: Reply): boolean {
  return severityOf(one) > severityOf(other);
}

/** The worst of the replies, the first among equals. */
export function worstOf(replies: readonly Reply[]): Reply {
  return replies.reduce((worst, reply) => (isWorse(reply, worst) ? reply : worst));
}
