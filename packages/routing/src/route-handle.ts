/**
 * The one interface of routing: something that turns a request into a reply, mostly by handing it on to its
 * children. A configuration is a tree of these with destinations as its leaves.
 */
import type { Destination } from './destination/destination.ts';
import type { Reply } from './reply.ts';
import type { Request } from './request.ts';

export interface RouteHandle {
  /** mcrouter's short name and what distinguishes this one, as admin pages show it: `hash|Ch3`, `failover`. */
  readonly name: string;
  /** Every handle that a request may be handed on to. */
  readonly children: readonly RouteHandle[];
  /**
   * Answers, always: failures are replies, and the promise is never rejected. A handle that only selects
   * returns its child's promise as it is.
   */
  route(request: Request): Promise<Reply>;
  /**
   * The one destination that this request would be sent to unchanged and whose reply would be the answer as it
   * is, or undefined when there is more to it. Without side effects, so that it may be asked instead of `route`.
   * Only handles that purely select have it.
   */
  direct?(request: Request): Destination | undefined;
  /**
   * The children that this request might be handed on to, each with the request that it would get. Without side
   * effects. Handles that have it not might ask all their children, with the request as it is.
   */
  mightAsk?(request: Request): readonly MightAsk[];
}

/** A child, and what it would be asked. */
export type MightAsk = readonly [child: RouteHandle, request: Request];
