/** The standalone memcache router: `startRouter`, its options, and what it returns. */
export { RouterError } from './errors.ts';
export { DEFAULT_PORT } from './options/resolve.ts';
export type { RouterOptions, RouterSettings } from './options/router-options.ts';
export type { DestinationRow, RouteRow, RunningRouter } from './running-router.ts';
export { checkRouter, startRouter } from './start-router.ts';
