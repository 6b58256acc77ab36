/**
 * The gutter: `normal`, and when that fails `failover` in order, where everything stored expires within
 * `failover_exptime` seconds (nsdi13 3.3).
 *
 * Keys of a failed server are not spread over the surviving ones, whose load they could double: they go to a few
 * idle machines, and a short life there stands in for invalidation.
 */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition, routeJson, routesJson } from '../registry.ts';
import type { FailoverErrorsJson } from './failover-errors.ts';
import { failoverParameters, GUTTER_NAME, makeFailoverRoute } from './failover-route.ts';
import { ExptimeAction, ModifyExptimeRoute } from './modify-exptime-route.ts';
import { buildChildren } from './spool-scope.ts';

const FAILOVER_EXPTIME_SECONDS = 60;

/** Whether operations fail over: all alike, or each kind of them; deletes do not by default. */
interface Operations {
  readonly gets?: boolean | undefined;
  readonly updates?: boolean | undefined;
  readonly deletes?: boolean | undefined;
}
const operations = {
  gets: z.boolean().optional(),
  updates: z.boolean().optional(),
  deletes: z.boolean().optional(),
};
const forError = z
  .union([z.boolean(), z.strictObject(operations)], {
    error: 'expected true, false, or an object with gets, updates, deletes',
  })
  .optional();

/** mcrouter's older form of `failover_errors`: by the kind of error, on top of what is said for all of them. */
const failoverSettings = z.strictObject({
  ...operations,
  tko: forError,
  connectTimeout: forError,
  dataTimeout: forError,
  failover_tag: z.boolean().optional(),
});
type FailoverSettings = z.output<typeof failoverSettings>;

const DEFAULTS: Required<Operations> = { gets: true, updates: true, deletes: false };

function errorsOf(settings: FailoverSettings): FailoverErrorsJson {
  const { gets, updates, deletes } = settings;
  const all = withOverrides(DEFAULTS, { gets, updates, deletes });
  const kinds: readonly (readonly [Required<Operations>, readonly string[]])[] = [
    [withOverrides(all, settings.tko), ['tko', 'connect_error', 'busy', 'try_again']],
    [withOverrides(all, settings.connectTimeout), ['connect_timeout']],
    [withOverrides(all, settings.dataTimeout), ['timeout', 'remote_error']],
    [DEFAULTS, ['shutdown', 'local_error']],
  ];
  const listOf = (name: keyof Operations): string[] =>
    kinds.flatMap(([chosen, errors]) => (chosen[name] ? errors : []));
  return { gets: listOf('gets'), updates: listOf('updates'), deletes: listOf('deletes') };
}

function withOverrides(
  base: Required<Operations>,
  given: boolean | Operations | undefined,
): Required<Operations> {
  const {
    gets = base.gets,
    updates = base.updates,
    deletes = base.deletes,
  } = typeof given === 'boolean' ? { gets: given, updates: given, deletes: given } : (given ?? {});
  return { gets, updates, deletes };
}

export const failoverWithExptimeRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'FailoverWithExptimeRoute',
  parameters: z.strictObject({
    normal: routeJson,
    failover: routesJson.optional(),
    failover_exptime: z.int().nonnegative().optional(),
    settings: failoverSettings.optional(),
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
    const { settings, ...options } = parameters;
    const { failover_errors = settings && errorsOf(settings), failover_tag = settings?.failover_tag } =
      options;
    const all = { ...options, failover_errors, failover_tag };
    return makeFailoverRoute(GUTTER_NAME, [normal, ...capped], all, context);
  },
});
