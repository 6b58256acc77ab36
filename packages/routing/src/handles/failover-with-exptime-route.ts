/**
 * The gutter: `normal`, and when that fails `failover` in order, where everything stored expires within
 * `failover_exptime` seconds (nsdi13 3.3).
 *
 * Keys of a failed server are not spread over the surviving ones, whose load they could double: they go to a few
 * idle machines, and a short life there stands in for invalidation.
 */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition, routeJson, routesJson } from '../registry.ts';
import { failoverParameters, GUTTER_NAME, makeFailoverRoute } from './failover-route.ts';
import { ExptimeAction, ModifyExptimeRoute } from './modify-exptime-route.ts';
import { buildChildren } from './spool-scope.ts';

const FAILOVER_EXPTIME_SECONDS = 60;

export const failoverWithExptimeRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'FailoverWithExptimeRoute',
  parameters: z.strictObject({
    normal: routeJson,
    failover: routesJson.optional(),
    failover_exptime: z.int().nonnegative().optional(),
    ...failoverParameters,
  }),
  build: (parameters, context) => {
    const seconds = parameters.failover_exptime ?? FAILOVER_EXPTIME_SECONDS;
    const normal = context.route(parameters.normal, 'normal');
    const failover =
      parameters.failover === undefined ? [] : buildChildren(context, parameters.failover, 'failover');
    const capped = failover.map((route) =>
      seconds === 0
        ? route
        : new ModifyExptimeRoute(route, seconds, ExptimeAction.min, context.services.clock),
    );
    return makeFailoverRoute(GUTTER_NAME, [normal, ...capped], parameters, context);
  },
});
