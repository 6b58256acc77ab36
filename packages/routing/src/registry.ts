/**
 * How a route handle declares itself: its name in configurations, the schema of its parameters, and how it is
 * built from them. `handles/index.ts` lists all of them; `config/build.ts` looks them up here.
 *
 * ```
 *   { "type": "FailoverRoute", "children": ["PoolRoute|A", "PoolRoute|B"] }      the object form
 *   "PoolRoute|A"                  { "type": "PoolRoute", "pool": "A" }           restParameter: 'pool'
 *   "AllSyncRoute|Pool|A"          { "type": "AllSyncRoute", "children": "Pool|A" }   restParameter: 'children'
 *   "Pool|A"                       the list of the pool's destinations
 *   "NullRoute"                    { "type": "NullRoute" }
 *   "name"                         the entry of named_handles
 * ```
 */
import { z } from 'zod';
import type { Clock, Random } from './clock.ts';
import type { Destination } from './destination/destination.ts';
import type { RouteHandle } from './route-handle.ts';

/** The type that stands for a list of destinations. */
export const POOL_LIST: string = 'Pool';
const POOL_LIST_SHORT = `${POOL_LIST}|`;

/** The JSON of one handle, in either form; checked further when it is built. */
export type RouteJson = string | { readonly [name: string]: unknown };
/** The JSON of several: a list, or a short form that stands for one ("Pool|A"). */
export type RoutesJson = RouteJson | readonly RouteJson[];

export const routeJson: z.ZodType<RouteJson> = z.union([z.string(), z.record(z.string(), z.unknown())], {
  error: 'expected a route: a name, a short form such as "PoolRoute|A", or an object with a type',
});
export const routesJson: z.ZodType<RoutesJson> = z.union([routeJson, z.array(routeJson)], {
  error: 'expected a list of routes, or a route',
});

/** A server as a pool names it. */
export interface PoolServer {
  /** `host:port` as it is configured. */
  readonly name: string;
  /** One, or one for each address of a name, sorted. */
  readonly destinations: readonly Destination[];
}

/** What "Pool|A" and its object form name: the pool; undefined for anything else. */
export function poolOfList(json: RoutesJson): string | Readonly<Record<string, unknown>> | undefined {
  if (typeof json === 'string') {
    return json.startsWith(POOL_LIST_SHORT) ? json.slice(POOL_LIST_SHORT.length) : undefined;
  }
  if (!('type' in json) || json.type !== POOL_LIST) return undefined;
  const { type: _, ...pool } = json;
  return pool;
}

/** A pool as handles see it. */
export interface Pool {
  readonly name: string;
  /** In the configuration's order. */
  readonly servers: readonly PoolServer[];
  /** Those of all servers in a row. */
  readonly destinations: readonly Destination[];
  /** The weight of each server, where the configuration gives any. */
  readonly weights: readonly number[] | undefined;
  /** The pool as it was written, `inherit` resolved, for handles with options there. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** What may be kept from one configuration to the next, where it has something to close. */
export interface Kept {
  close?(): void | Promise<void>;
}

/** What handles are given by whoever runs the routing. */
export interface RoutingServices {
  readonly clock: Clock;
  readonly random: Random;
  /** Who asks, where a request does not say (ReplicaByClient): this host's address or name. */
  readonly clientId: string;
  /** Where AsynclogRoute keeps undelivered deletes; undefined when there is no such place. */
  readonly spoolFolder: string | undefined;
  /** Something an operator should know. */
  readonly notice: (text: string) => void;
}

export interface BuildContext {
  readonly services: RoutingServices;
  /** Where in the document this handle stands, `route.children[1]`: unique, and stable while it is not moved. */
  readonly path: string;
  /** Builds the handle that parameter `step` describes. */
  route(json: RouteJson, ...step: readonly (string | number)[]): RouteHandle;
  /** Builds the handles that parameter `step` describes: a list, "Pool|A", or a single one. */
  routes(json: RoutesJson, ...step: readonly (string | number)[]): readonly RouteHandle[];
  /** The pool of that name, or the one that is described in place (`{ "name": …, "servers": […] }`). */
  pool(json: string | Readonly<Record<string, unknown>>, ...step: readonly (string | number)[]): Pool;
  /**
   * State that survives a reload (counters, buckets, spools): the same object as long as each configuration asks
   * for the same id; its `close()`, if it has one, is called when one no longer does. Use `${context.path}` in the id, and what would make the state useless when it changes.
   */
  keep<T extends object>(id: string, create: () => T): T;
  /** Tells the operator that parameter `step` is accepted and has no meaning here. */
  ignore(reason: string, ...step: readonly (string | number)[]): void;
  /** Refuses the configuration: `message` says what was expected at parameter `step`. */
  fail(message: string, ...step: readonly (string | number)[]): never;
}

/** A handle's entry in the registry. */
export interface RouteHandleDefinition {
  /** The `type` in configurations: `FailoverRoute`. */
  readonly type: string;
  /** The parameters of the object form, without `type` and `name`. */
  readonly parameters: z.ZodType;
  /** The parameter that the rest of a short form (or a list in place of the object) stands for. */
  readonly restParameter: string | undefined;
  /** Builds it from parameters that `parameters` has accepted. */
  readonly build: (parameters: unknown, context: BuildContext) => RouteHandle;
}

/** Declares a handle with typed parameters. */
export function defineRouteHandle<S extends z.ZodType>(definition: {
  readonly type: string;
  readonly parameters: S;
  readonly restParameter?: string;
  readonly build: (parameters: z.output<S>, context: BuildContext) => RouteHandle;
}): RouteHandleDefinition {
  return {
    type: definition.type,
    parameters: definition.parameters,
    restParameter: definition.restParameter,
    // `config/build.ts` passes only what `parameters` has returned.
    build: (parameters, context) => definition.build(parameters as z.output<S>, context),
  };
}
