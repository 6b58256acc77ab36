/**
 * The target, for a configuration that wants failed deletes to be spooled: wherever the process has a spool folder
 * they are anyway, and where it has none, the operator is told.
 */
import { z } from 'zod';
import type { Destination } from '../destination/destination.ts';
import { type BuildContext, defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';

export class AsynclogRoute implements RouteHandle {
  readonly name: string = 'asynclog';
  readonly children: readonly RouteHandle[];

  constructor(target: RouteHandle) {
    this.children = [target];
  }

  route(request: Request): Promise<Reply> {
    return this.children[0]!.route(request);
  }

  direct(request: Request): Destination | undefined {
    const target = this.children[0]!;
    return target.direct === undefined ? undefined : target.direct(request);
  }
}

/** Tells the operator if there is no place for a spool. */
export function expectSpool(context: BuildContext): void {
  const { notice, spoolFolder } = context.services;
  if (spoolFolder !== undefined) return;
  notice(`${context.path}: deletes that fail are not spooled, since no spool folder is given`);
}

export const asynclogRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'AsynclogRoute',
  parameters: z.strictObject({ target: routeJson }),
  restParameter: 'target',
  build: ({ target }, context) => {
    expectSpool(context);
    return new AsynclogRoute(context.route(target, 'target'));
  },
});
