/** One child, chosen at random for every request; what a lease's token fills goes to the child that gave it. */
import { z } from 'zod';
import type { Random } from '../clock.ts';
import type { Destination } from '../destination/destination.ts';
import { defineRouteHandle, type RouteHandleDefinition, routesJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { childOfIssuer } from './lease-child.ts';
import { singleOr } from './null-route.ts';
import { buildChildren } from './spool-scope.ts';

export class RandomRoute implements RouteHandle {
  readonly name: string = 'random';
  readonly children: readonly RouteHandle[];
  readonly #random: Random;

  constructor(children: readonly RouteHandle[], random: Random) {
    this.children = children;
    this.#random = random;
  }

  route(request: Request): Promise<Reply> {
    return this.#select(request).route(request);
  }

  direct(request: Request): Destination | undefined {
    const child = this.#select(request);
    return child.direct === undefined ? undefined : child.direct(request);
  }

  #select(request: Request): RouteHandle {
    const { children } = this;
    return childOfIssuer(children, request) ?? children[Math.floor(this.#random() * children.length)]!;
  }
}

export const randomRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'RandomRoute',
  parameters: z.strictObject({ children: routesJson }),
  restParameter: 'children',
  build: (parameters, context) =>
    singleOr(
      buildChildren(context, parameters.children, 'children'),
      (list) => new RandomRoute(list, context.services.random),
    ),
});
