/**
 * Which spool the destinations that are being built now belong to. An AsynclogRoute enters its spool while its
 * target is built; pools and lists of destinations below it ask here, so that each destination spools what it
 * could not be told itself, however the tree between fans out. Below a shadow nothing spools: those are copies.
 */
import type { Destination } from '../destination/destination.ts';
import type { BuildContext, RoutesJson } from '../registry.ts';
import type { RouteHandle } from '../route-handle.ts';
import type { Spool } from '../spool/spool.ts';
import { SpooledDestination } from './spooled-destination.ts';

class AsynclogScope {
  spool: Spool | 'off' | undefined;
}

function scopeOf(context: BuildContext): AsynclogScope {
  return context.keep('asynclog-scope', () => new AsynclogScope());
}

/** Builds with this spool in force, or with none; inside of what is off it stays off. Building is synchronous. */
export function withSpool<T>(context: BuildContext, spool: Spool | 'off', build: () => T): T {
  const scope = scopeOf(context);
  const outer = scope.spool;
  if (outer !== 'off') scope.spool = spool;
  try {
    return build();
  } finally {
    scope.spool = outer;
  }
}

/** The children a parameter describes; destinations among them spool if they stand below an AsynclogRoute. */
export function buildChildren(context: BuildContext, json: RoutesJson, step: string): readonly RouteHandle[] {
  return context.routes(json, step).map((route) => (isDestination(route) ? spooled(context, route) : route));
}

/** The destination as it is, or what spools for it. */
export function spooled(context: BuildContext, destination: Destination): RouteHandle {
  const { spool } = scopeOf(context);
  return spool === undefined || spool === 'off' ? destination : new SpooledDestination(destination, spool);
}

/** Whether destinations that are built now spool. */
export function isSpooling(context: BuildContext): boolean {
  const { spool } = scopeOf(context);
  return spool !== undefined && spool !== 'off';
}

function isDestination(route: RouteHandle): route is Destination {
  return 'submit' in route && 'forward' in route;
}
