/**
 * Spooling is the destinations' business: each writes down what it could not be told itself, however the tree above
 * fans out. Where the process has a spool folder every destination of a pool does so, unless it is built inside of
 * something that is not to spool: a pool that says so, or a shadow, whose requests are copies.
 */
import type { Destination } from '../destination/destination.ts';
import { type BuildContext, type Pool, poolOfList, type RoutesJson } from '../registry.ts';
import type { RouteHandle } from '../route-handle.ts';
import { Spool } from '../spool/spool.ts';
import { isDestination } from '../traverse.ts';
import { SpooledDestination } from './spooled-destination.ts';

class SpoolScope {
  isOff = false;
}

function scopeOf(context: BuildContext): SpoolScope {
  return context.keep('spool-scope', () => new SpoolScope());
}

/** Builds what is not to spool. Building is synchronous, also where it fails. */
export function withoutSpool<T>(context: BuildContext, build: () => T): T {
  const scope = scopeOf(context);
  const outer = scope.isOff;
  scope.isOff = true;
  try {
    return build();
  } finally {
    scope.isOff = outer;
  }
}

/** The process's spool, or undefined where nothing is to be spooled. */
export function spoolInForce(context: BuildContext): Spool | undefined {
  const { services } = context;
  const folder = services.spoolFolder;
  if (folder === undefined || scopeOf(context).isOff) return undefined;
  return context.keep(`spool ${folder}`, () => new Spool({ folder, ...services }));
}

/** The children a parameter describes; destinations among them spool. */
export function buildChildren(context: BuildContext, json: RoutesJson, step: string): readonly RouteHandle[] {
  return context.routes(json, step).map((route) => (isDestination(route) ? spooled(context, route) : route));
}

/** The pool whose destinations are the children, where the parameter says "Pool|A". */
export function listedPool(context: BuildContext, json: RoutesJson, step: string): Pool | undefined {
  const pool = poolOfList(json);
  return pool === undefined ? undefined : context.pool(pool, step);
}

/** The destination as it is, or what spools for it. */
export function spooled(context: BuildContext, destination: Destination): RouteHandle {
  const spool = spoolInForce(context);
  return spool === undefined ? destination : new SpooledDestination(destination, spool);
}
