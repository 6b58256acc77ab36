/** A destination whose failed deletes are written to the spool and answered as not found. */
import type { Destination } from '../destination/destination.ts';
import { type Reply, Result } from '../reply.ts';
import { isDelete, type Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import type { Spool } from '../spool/spool.ts';
import { SpooledReply } from '../spool/spooled-reply.ts';

export class SpooledDestination implements RouteHandle {
  readonly name: string;
  readonly children: readonly RouteHandle[];
  readonly spool: Spool;
  readonly #destination: Destination;

  constructor(destination: Destination, spool: Spool) {
    this.name = destination.name;
    this.children = [destination];
    this.#destination = destination;
    this.spool = spool;
    spool.attach(destination);
  }

  route(request: Request): Promise<Reply> {
    const reply = this.#destination.route(request);
    return isDelete(request.operation) ? reply.then((answer) => this.#settle(request, answer)) : reply;
  }

  direct(request: Request): Destination | undefined {
    return isDelete(request.operation) ? undefined : this.#destination;
  }

  #settle(request: Request, reply: Reply): Reply {
    // A malformed request would be malformed again.
    if (!reply.isError || reply.result === Result.clientError) return reply;
    if (!this.spool.append(this.#destination, request)) return reply;
    return new SpooledReply(reply);
  }
}

/** The spool that handles below this one write to, for its statistics; undefined when none does. */
export function findSpool(root: RouteHandle): Spool | undefined {
  const seen = new Set<RouteHandle>();
  const waiting = [root];
  for (let route = waiting.pop(); route !== undefined; route = waiting.pop()) {
    if (route instanceof SpooledDestination) return route.spool;
    if (seen.has(route)) continue;
    seen.add(route);
    waiting.push(...route.children);
  }
  return undefined;
}
