/** Answers at once as an empty cache would: gets miss, stores are not stored, deletes find nothing. */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition } from '../registry.ts';
import { Reply, Result } from '../reply.ts';
import { isStore, type Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';

export class NullRoute implements RouteHandle {
  readonly name: string = 'null';
  readonly children: readonly RouteHandle[] = [];

  route(request: Request): Promise<Reply> {
    return Promise.resolve(Reply.of(isStore(request.operation) ? Result.notStored : Result.miss));
  }
}

export const nullRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'NullRoute',
  parameters: z.strictObject({}),
  build: () => new NullRoute(),
});
