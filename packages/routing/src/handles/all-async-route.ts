/** Sends to all children at once and answers immediately as an empty cache would. */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition, routesJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { defaultReply } from './default-reply.ts';
import { detached } from './detached.ts';
import { buildChildren } from './spool-scope.ts';

export class AllAsyncRoute implements RouteHandle {
  readonly name: string = 'all-async';
  readonly children: readonly RouteHandle[];

  constructor(children: readonly RouteHandle[]) {
    this.children = children;
  }

  route(request: Request): Promise<Reply> {
    const own = detached(request);
    for (const child of this.children) void child.route(own);
    return Promise.resolve(defaultReply(request));
  }
}

export const allAsyncRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'AllAsyncRoute',
  parameters: z.strictObject({ children: routesJson }),
  restParameter: 'children',
  build: (parameters, context) => new AllAsyncRoute(buildChildren(context, parameters.children, 'children')),
});
