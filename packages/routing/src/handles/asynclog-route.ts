/**
 * Deletes that a destination below could not be given are written to the spool, answered as not found, and
 * delivered when the destination is back.
 */
import { z } from 'zod';
import type { Destination } from '../destination/destination.ts';
import { type BuildContext, defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { Spool } from '../spool/spool.ts';
import { withSpool } from './asynclog-scope.ts';

export class AsynclogRoute implements RouteHandle {
  readonly name: string = 'asynclog';
  readonly children: readonly RouteHandle[];

  /** `target` was built with the spool in force: its destinations do the work. */
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

/** Builds with the process's spool in force, if it has a folder for one. */
export function withAsynclog<T>(context: BuildContext, build: () => T): T {
  const { services } = context;
  const folder = services.spoolFolder;
  if (folder === undefined) {
    services.notice(`${context.path}: deletes that fail are not spooled, since no spool folder is given`);
    return build();
  }
  const spool = context.keep(`spool ${folder}`, () => new Spool({ folder, ...services }));
  return withSpool(context, spool, build);
}

export const asynclogRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'AsynclogRoute',
  parameters: z.strictObject({ target: routeJson }),
  restParameter: 'target',
  build: ({ target }, context) =>
    new AsynclogRoute(withAsynclog(context, () => context.route(target, 'target'))),
});
