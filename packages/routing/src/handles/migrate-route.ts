/**
 * From one child to another, by the clock: until `start_time` + `interval` requests go to `from`, then to `to`;
 * deletes go to both from `start_time` to `start_time` + 2 x `interval`, with the worse reply.
 */
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Destination } from '../destination/destination.ts';
import { defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import { isDelete, type Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';
import { worstOf } from './severity.ts';

const INTERVAL_SECONDS = 3600;

export class MigrateRoute implements RouteHandle {
  readonly name: string = 'migrate';
  readonly children: readonly RouteHandle[];
  readonly #from: RouteHandle;
  readonly #to: RouteHandle;
  readonly #startSeconds: number;
  readonly #intervalSeconds: number;
  readonly #clock: Clock;

  constructor(
    from: RouteHandle,
    to: RouteHandle,
    startSeconds: number,
    intervalSeconds: number,
    clock: Clock,
  ) {
    this.children = [from, to];
    this.#from = from;
    this.#to = to;
    this.#startSeconds = startSeconds;
    this.#intervalSeconds = intervalSeconds;
    this.#clock = clock;
  }

  route(request: Request): Promise<Reply> {
    const child = this.#select(request);
    return child === undefined
      ? Promise.all([this.#from.route(request), this.#to.route(request)]).then(worstOf)
      : child.route(request);
  }

  direct(request: Request): Destination | undefined {
    const child = this.#select(request);
    return child?.direct === undefined ? undefined : child.direct(request);
  }

  mightAsk(request: Request): readonly MightAsk[] {
    const child = this.#select(request);
    const children = child === undefined ? [this.#from, this.#to] : [child];
    return children.map((each) => [each, request]);
  }

  /** The one child, or undefined for both. */
  #select(request: Request): RouteHandle | undefined {
    const elapsed = this.#clock.wallNow() / 1000 - this.#startSeconds;
    if (!isDelete(request.operation)) return elapsed < this.#intervalSeconds ? this.#from : this.#to;
    if (elapsed < 0) return this.#from;
    return elapsed < 2 * this.#intervalSeconds ? undefined : this.#to;
  }
}

export const migrateRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'MigrateRoute',
  parameters: z.strictObject({
    from: routeJson,
    to: routeJson,
    start_time: z.int(),
    interval: z.int().nonnegative().optional(),
  }),
  build: (parameters, context) =>
    new MigrateRoute(
      context.route(parameters.from, 'from'),
      context.route(parameters.to, 'to'),
      parameters.start_time,
      parameters.interval ?? INTERVAL_SECONDS,
      context.services.clock,
    ),
});
