/** Hands the request on with its expiry time set to `exptime`, or cut to it. */
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { capExptime, type ExptimeRule, withExptime } from './exptime.ts';

export const ExptimeAction: { readonly set: 'set'; readonly min: 'min' } = { set: 'set', min: 'min' };
export type ExptimeAction = (typeof ExptimeAction)[keyof typeof ExptimeAction];

export class ModifyExptimeRoute implements RouteHandle {
  readonly name: string;
  readonly children: readonly RouteHandle[];
  readonly #rule: ExptimeRule;

  /** `seconds` is as on the wire; with `min` it is a number of seconds above 0. */
  constructor(target: RouteHandle, seconds: number, action: ExptimeAction, clock: Clock) {
    this.name = `modify-exptime|${action}|exptime=${seconds}`;
    this.children = [target];
    this.#rule = action === ExptimeAction.set ? () => seconds : capExptime(seconds, clock);
  }

  route(request: Request): Promise<Reply> {
    return this.children[0]!.route(withExptime(request, this.#rule));
  }
}

export const modifyExptimeRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'ModifyExptimeRoute',
  parameters: z.strictObject({
    target: routeJson,
    exptime: z.int(),
    action: z.enum(['set', 'min']).optional(),
  }),
  build: (parameters, context) => {
    const target = context.route(parameters.target, 'target');
    const action = parameters.action ?? ExptimeAction.set;
    // 0 is never: cutting to it changes nothing.
    if (action === ExptimeAction.min && parameters.exptime === 0) return target;
    if (action === ExptimeAction.min && parameters.exptime < 0) {
      return context.fail('expected a number of seconds, since the action is min', 'exptime');
    }
    return new ModifyExptimeRoute(target, parameters.exptime, action, context.services.clock);
  },
});
