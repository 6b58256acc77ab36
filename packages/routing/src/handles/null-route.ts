/** Answers at once as an empty cache would: gets miss, stores are not stored, deletes find nothing. */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition } from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { defaultReply } from './default-reply.ts';

export class NullRoute implements RouteHandle {
  readonly name: string = 'null';
  readonly children: readonly RouteHandle[] = [];

  route(request: Request): Promise<Reply> {
    return Promise.resolve(defaultReply(request));
  }
}

export const nullRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'NullRoute',
  parameters: z.strictObject({}),
  build: () => new NullRoute(),
});

/** A handle over several children needs two: one child is itself, none is a NullRoute, as in mcrouter. */
export function singleOr(
  children: readonly RouteHandle[],
  make: (children: readonly RouteHandle[]) => RouteHandle,
): RouteHandle {
  if (children.length === 0) return new NullRoute();
  return children.length === 1 ? children[0]! : make(children);
}
