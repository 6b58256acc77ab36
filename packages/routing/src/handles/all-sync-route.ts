/** Sends to all children at once, waits for all, and answers with the worst reply. */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition, routesJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { singleOr } from './null-route.ts';
import { worstOf } from './severity.ts';
import { buildChildren } from './spool-scope.ts';

export class AllSyncRoute implements RouteHandle {
  readonly name: string = 'all-sync';
  readonly children: readonly RouteHandle[];

  constructor(children: readonly RouteHandle[]) {
    this.children = children;
  }

  route(request: Request): Promise<Reply> {
    return Promise.all(this.children.map((child) => child.route(request))).then(worstOf);
  }
}

export const allSyncRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'AllSyncRoute',
  parameters: z.strictObject({ children: routesJson }),
  restParameter: 'children',
  build: (parameters, context) =>
    singleOr(buildChildren(context, parameters.children, 'children'), (list) => new AllSyncRoute(list)),
});
