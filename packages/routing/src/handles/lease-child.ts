/**
 * A lease is one server's. Asked at once, each of several would give one, and all but the one whose answer is taken
 * would be nobody's: whoever meets them waits for a fill that never comes.
 */
import type { Reply } from '../reply.ts';
import { Operation, type Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { reachable } from '../traverse.ts';
import { metaFlag } from './meta-flags.ts';

/** The child below which the server is that gave what the request brings back. */
export function childOfIssuer(children: readonly RouteHandle[], request: Request): RouteHandle | undefined {
  const issuer = request.issuer?.destination;
  return issuer === undefined ? undefined : children.find((each) => reachable(each, request).has(issuer));
}

/**
 * Routes what is about a lease, for handles that ask all of their children: back to who gave it, or else to the
 * first that can give one. Undefined for everything else.
 */
export function routeLease(children: readonly RouteHandle[], request: Request): Promise<Reply> | undefined {
  const issuer = childOfIssuer(children, request);
  if (issuer !== undefined) return issuer.route(request);
  return isOfLease(request) ? firstSound(children, request) : undefined;
}

function isOfLease({ operation, metaFlags }: Request): boolean {
  if (operation === Operation.leaseGet || operation === Operation.leaseSet) return true;
  return operation === Operation.metaGet && metaFlag(metaFlags, 'N') !== undefined;
}

/** There is at least one child. */
async function firstSound(children: readonly RouteHandle[], request: Request): Promise<Reply> {
  // It is changed by its caller when that has been answered by somebody else.
  const own = request.copy();
  let reply = await children[0]!.route(own);
  for (const child of children.slice(1)) {
    if (!reply.isError) break;
    reply = await child.route(own);
  }
  return reply;
}
