/** Answers every request at once with an error. */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition } from '../registry.ts';
import { Reply, Result } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';

export class ErrorRoute implements RouteHandle {
  readonly name: string;
  readonly children: readonly RouteHandle[] = [];
  readonly #message: string;

  constructor(message: string) {
    this.name = message === '' ? 'error' : `error|${message}`;
    this.#message = message;
  }

  route(_request: Request): Promise<Reply> {
    return Promise.resolve(Reply.of(Result.localError, this.#message));
  }
}

export const errorRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'ErrorRoute',
  parameters: z.strictObject({ response: z.string().optional() }),
  restParameter: 'response',
  build: (parameters) => new ErrorRoute(parameters.response ?? ''),
});
