/** Hands the request on and tells the operator of every request and its reply. */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import { RESULT_NAMES, type Reply } from '../reply.ts';
import { OPERATION_NAMES, type Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { NullRoute } from './null-route.ts';

export class LoggingRoute implements RouteHandle {
  readonly name: string = 'logging';
  readonly children: readonly RouteHandle[];
  readonly #notice: (text: string) => void;

  constructor(target: RouteHandle, notice: (text: string) => void) {
    this.children = [target];
    this.#notice = notice;
  }

  route(request: Request): Promise<Reply> {
    // Taken now: a scratch request may have another key by the time the reply comes.
    const asked = `${OPERATION_NAMES[request.operation]} key=${request.routingPrefix}${request.keyText}`;
    const client = request.clientId === '' ? 'N/A' : request.clientId;
    return this.children[0]!.route(request).then((reply) => {
      this.#notice(
        `request ${asked} result=${RESULT_NAMES[reply.result]} value_bytes=${reply.valueBytes} client=${client}`,
      );
      return reply;
    });
  }
}

export const loggingRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'LoggingRoute',
  parameters: z.strictObject({ target: routeJson.optional() }),
  restParameter: 'target',
  build: ({ target }, context) =>
    new LoggingRoute(
      target === undefined ? new NullRoute() : context.route(target, 'target'),
      context.services.notice,
    ),
});
