/**
 * Sends to all children at once and answers with the first reply that is no error, or else the last error. Leases
 * are taken from the first child that answers.
 */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition, routesJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { detached } from './detached.ts';
import { routeLease } from './lease-child.ts';
import { singleOr } from './null-route.ts';
import { buildChildren } from './spool-scope.ts';

export class AllFastestRoute implements RouteHandle {
  readonly name: string = 'all-fastest';
  readonly children: readonly RouteHandle[];

  constructor(children: readonly RouteHandle[]) {
    this.children = children;
  }

  route(request: Request): Promise<Reply> {
    const ofLease = routeLease(this.children, request);
    if (ofLease !== undefined) return ofLease;
    const own = detached(request);
    return new Promise((resolve) => {
      let waiting = this.children.length;
      const answer = (reply: Reply): void => {
        waiting--;
        if (!reply.isError || waiting === 0) resolve(reply);
      };
      for (const child of this.children) void child.route(own).then(answer);
    });
  }
}

export const allFastestRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'AllFastestRoute',
  parameters: z.strictObject({ children: routesJson }),
  restParameter: 'children',
  build: (parameters, context) =>
    singleOr(buildChildren(context, parameters.children, 'children'), (list) => new AllFastestRoute(list)),
});
