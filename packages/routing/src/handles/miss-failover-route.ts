/** The first hit, asking the children in order; otherwise the last reply. Stores go to the first child only. */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition, routesJson } from '../registry.ts';
import { type Reply, Result } from '../reply.ts';
import { isDelete, isRetrieval, type Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';
import { isMissing, withoutLease } from './meta-leases.ts';
import { singleOr } from './null-route.ts';
import { isWorse } from './severity.ts';
import { buildChildren } from './spool-scope.ts';

export class MissFailoverRoute implements RouteHandle {
  readonly name: string = 'miss-failover';
  readonly children: readonly RouteHandle[];
  readonly #returnBestOnError: boolean;

  constructor(children: readonly RouteHandle[], returnBestOnError: boolean) {
    this.children = children;
    this.#returnBestOnError = returnBestOnError;
  }

  route(request: Request): Promise<Reply> {
    const first = this.children[0]!.route(request);
    if (!isRetrieval(request.operation) && !isDelete(request.operation)) return first;
    return first.then((reply) => (isHit(request, reply) ? reply : this.#failover(request, reply)));
  }

  mightAsk(request: Request): readonly MightAsk[] {
    const isForAll = isRetrieval(request.operation) || isDelete(request.operation);
    return this.children.slice(0, isForAll ? undefined : 1).map((child) => [child, request]);
  }

  async #failover(request: Request, first: Reply): Promise<Reply> {
    let best = first;
    // The first child gives the lease, where stores go; of the others the value is wanted.
    const isLease = !first.isError && first.result !== Result.miss;
    const question = withoutLease(request);
    for (let index = 1; index < this.children.length; index++) {
      const reply = await this.children[index]!.route(question);
      if (isHit(question, reply)) return reply;
      if (isLease) continue;
      if (!this.#returnBestOnError || !isWorse(reply, best)) best = reply;
    }
    return best;
  }
}

function isHit(request: Request, reply: Reply): boolean {
  if (reply.result === Result.hit) return !isMissing(request, reply);
  return reply.result === Result.deleted;
}

export const missFailoverRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'MissFailoverRoute',
  parameters: z.strictObject({ children: routesJson, return_best_on_error: z.boolean().optional() }),
  restParameter: 'children',
  build: (parameters, context) =>
    singleOr(
      buildChildren(context, parameters.children, 'children'),
      (list) => new MissFailoverRoute(list, parameters.return_best_on_error === true),
    ),
});
