/** Answers at once as an empty cache would, and counts what it swallowed. */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition } from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { defaultReply } from './default-reply.ts';

/** Requests that DevNullRoutes swallowed; kept across reloads. */
export class DevNullCount {
  requests = 0;
}

export class DevNullRoute implements RouteHandle {
  readonly name: string = 'devnull';
  readonly children: readonly RouteHandle[] = [];
  readonly count: DevNullCount;

  constructor(count: DevNullCount) {
    this.count = count;
  }

  route(request: Request): Promise<Reply> {
    this.count.requests++;
    return Promise.resolve(defaultReply(request));
  }
}

export const devNullRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'DevNullRoute',
  parameters: z.strictObject({}),
  build: (_, context) => new DevNullRoute(context.keep('devnull', () => new DevNullCount())),
});
