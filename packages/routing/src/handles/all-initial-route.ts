/** Sends to all children at once and answers with the first child's reply; the others finish unheard. */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition, routesJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { detached } from './detached.ts';
import { singleOr } from './null-route.ts';
import { buildChildren } from './spool-scope.ts';

export class AllInitialRoute implements RouteHandle {
  readonly name: string = 'all-initial';
  readonly children: readonly RouteHandle[];

  constructor(children: readonly RouteHandle[]) {
    this.children = children;
  }

  route(request: Request): Promise<Reply> {
    const own = detached(request);
    const reply = this.children[0]!.route(own);
    for (let index = 1; index < this.children.length; index++) void this.children[index]!.route(own);
    return reply;
  }
}

export const allInitialRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'AllInitialRoute',
  parameters: z.strictObject({ children: routesJson }),
  restParameter: 'children',
  build: (parameters, context) =>
    singleOr(buildChildren(context, parameters.children, 'children'), (list) => new AllInitialRoute(list)),
});
