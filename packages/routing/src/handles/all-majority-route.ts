/**
 * Sends to all children at once and answers with the most common result as soon as more than half agree, or when
 * all have answered; of equally common results with the worse one. Leases are taken from the first child that answers.
 */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition, routesJson } from '../registry.ts';
import type { Reply, Result } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { detached } from './detached.ts';
import { routeLease } from './lease-child.ts';
import { singleOr } from './null-route.ts';
import { isWorse } from './severity.ts';
import { buildChildren } from './spool-scope.ts';

export class AllMajorityRoute implements RouteHandle {
  readonly name: string = 'all-majority';
  readonly children: readonly RouteHandle[];

  constructor(children: readonly RouteHandle[]) {
    this.children = children;
  }

  route(request: Request): Promise<Reply> {
    const ofLease = routeLease(this.children, request);
    if (ofLease !== undefined) return ofLease;
    const own = detached(request);
    const majority = Math.floor(this.children.length / 2) + 1;
    return new Promise((resolve) => {
      const counts = new Map<Result, number>();
      let waiting = this.children.length;
      let best: Reply | undefined;
      let bestCount = 0;
      const answer = (reply: Reply): void => {
        waiting--;
        const count = (counts.get(reply.result) ?? 0) + 1;
        counts.set(reply.result, count);
        if (best === undefined || count > bestCount || (count === bestCount && isWorse(reply, best))) {
          best = reply;
          bestCount = count;
        }
        if (bestCount === majority || waiting === 0) resolve(best);
      };
      for (const child of this.children) void child.route(own).then(answer);
    });
  }
}

export const allMajorityRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'AllMajorityRoute',
  parameters: z.strictObject({ children: routesJson }),
  restParameter: 'children',
  build: (parameters, context) =>
    singleOr(buildChildren(context, parameters.children, 'children'), (list) => new AllMajorityRoute(list)),
});
