/**
 * From JSON to route handles.
 *
 * ```
 *   "PoolRoute|A" ─▶ expand ─▶ { type: PoolRoute, pool: "A" } ─▶ schema of its definition ─▶ build(parameters, context)
 *                                                                                              │ children by
 *                                                                                              ▼ context.route(…)
 * ```
 */
import { z } from 'zod';
import {
  type BuildContext,
  POOL_LIST,
  type Pool,
  poolOfList,
  type RouteHandleDefinition,
  type RouteJson,
  type RoutesJson,
  type RoutingServices,
} from '../registry.ts';
import type { RouteHandle } from '../route-handle.ts';
import { configError, formatPath, type Step } from './document.ts';
import { IGNORED_AS_UNKNOWN, IGNORED_OF_HANDLES, ignoredIn } from './ignored.ts';
import type { PoolFactory } from './pools.ts';
import { type ConfigJson, issueError } from './schema.ts';
import { parseWithout } from './unknown.ts';

/** Names that mcrouter has had for the same thing. */
const OTHER_NAMES: Readonly<Record<string, string>> = { PrefixPolicyRoute: 'OperationSelectorRoute' };

/** State that handles keep from one configuration to the next. */
export type KeptState = Map<string, object>;

export interface BuilderOptions {
  readonly config: ConfigJson;
  readonly pools: PoolFactory;
  readonly definitions: ReadonlyMap<string, RouteHandleDefinition>;
  readonly services: RoutingServices;
  /** What the configuration before this one kept. */
  readonly kept: KeptState;
  /** A route says something that has no meaning here. */
  readonly onIgnored: (steps: readonly Step[], reason: string) => void;
}

export class RouteBuilder {
  /** What this configuration keeps; holds objects of the one before where the ids are the same. */
  readonly kept: KeptState = new Map();
  readonly #options: BuilderOptions;
  readonly #named: Map<string, RouteHandle> = new Map();
  /** Names being built, to find circles. */
  readonly #open: string[] = [];

  constructor(options: BuilderOptions) {
    this.#options = options;
  }

  route(json: RouteJson, steps: readonly Step[]): RouteHandle {
    if (typeof json !== 'string') return this.#object(json, steps);
    const bar = json.indexOf('|');
    if (bar < 0) return this.#name(json, steps);
    const type = json.slice(0, bar);
    const rest = json.slice(bar + 1);
    if (type === POOL_LIST) {
      throw configError(
        steps,
        `"${json}" is a list of destinations: expected one route, such as "PoolRoute|${rest}"`,
      );
    }
    const definition = this.#definition(type, json, steps);
    if (definition.restParameter === undefined) {
      throw configError(steps, `"${json}": ${type} takes nothing behind the bar`);
    }
    return this.#build(definition, { [definition.restParameter]: rest }, steps, true);
  }

  routes(json: RoutesJson, steps: readonly Step[]): readonly RouteHandle[] {
    if (isList(json)) {
      return json.flatMap((each, index) => this.routes(each, [...steps, index]));
    }
    const pool = poolOfList(json);
    return pool === undefined ? [this.route(json, steps)] : this.#options.pools.get(pool, steps).destinations;
  }

  #name(name: string, steps: readonly Step[]): RouteHandle {
    const built = this.#named.get(name);
    if (built !== undefined) return built;
    const entry = this.#options.config.namedHandles.get(name);
    if (entry !== undefined) {
      if (this.#open.includes(name)) {
        throw configError(
          steps,
          `routes refer to each other in a circle: ${[...this.#open, name].join(', ')}`,
        );
      }
      this.#open.push(name);
      const handle = this.route(entry.json, entry.steps);
      this.#open.pop();
      this.#named.set(name, handle);
      return handle;
    }
    return this.#build(this.#definition(name, name, steps), {}, steps, true);
  }

  #object(json: { readonly [name: string]: unknown }, steps: readonly Step[]): RouteHandle {
    const { type, name } = json;
    if (typeof type !== 'string') {
      const named = typeof name === 'string' ? this.#named.get(name) : undefined;
      if (named !== undefined) return named;
      throw configError([...steps, 'type'], 'expected the type of a route');
    }
    const handle = this.#build(
      this.#definition(type, type, [...steps, 'type']),
      without(json, 'type', 'name'),
      steps,
      false,
    );
    // Whatever is given a name may be referred to by it further on.
    if (typeof name === 'string' && !this.#options.config.namedHandles.has(name))
      this.#named.set(name, handle);
    return handle;
  }

  #definition(type: string, text: string, steps: readonly Step[]): RouteHandleDefinition {
    const { definitions } = this.#options;
    const other = Object.hasOwn(OTHER_NAMES, type) ? OTHER_NAMES[type]! : `${type}Route`;
    const definition = definitions.get(type) ?? definitions.get(other);
    if (definition !== undefined) return definition;
    const near = [...definitions.keys(), ...this.#options.config.namedHandles.keys()].filter((each) =>
      each.toLowerCase().startsWith(type.slice(0, 3).toLowerCase()),
    );
    const hint = near.length > 0 ? `, is ${near.map((each) => `"${each}"`).join(' or ')} meant?` : '';
    throw configError(steps, `"${text}" is neither a route's type nor the name of one${hint}`);
  }

  #build(
    definition: RouteHandleDefinition,
    parameters: Readonly<Record<string, unknown>>,
    steps: readonly Step[],
    isShort: boolean,
  ): RouteHandle {
    const names = IGNORED_OF_HANDLES[definition.type];
    const ignored = ignoredIn(parameters, names);
    for (const name of ignored) this.#options.onIgnored([...steps, name], names![name]!);
    const schema = definition.parameters;
    const known = [
      ...(schema instanceof z.ZodObject ? Object.keys(schema.shape) : []),
      ...Object.keys(names ?? {}),
    ];
    const parsed = parseWithout(
      schema,
      without(parameters, ...ignored),
      steps,
      (path) => (path.length === 0 ? known : undefined),
      (each) => this.#options.onIgnored(each, IGNORED_AS_UNKNOWN),
    );
    if (!parsed.success) throw issueError(parsed.error, steps);
    // In a short form the parameter has no place of its own.
    return definition.build(
      parsed.data,
      this.#context(steps, isShort ? definition.restParameter : undefined),
    );
  }

  #context(steps: readonly Step[], restParameter: string | undefined): BuildContext {
    const into = (more: readonly Step[]): readonly Step[] =>
      more[0] === restParameter ? [...steps, ...more.slice(1)] : [...steps, ...more];
    return {
      services: this.#options.services,
      path: formatPath(steps),
      route: (json, ...more) => this.route(json, into(more)),
      routes: (json, ...more) => this.routes(json, into(more)),
      pool: (json, ...more): Pool => this.#options.pools.get(json, into(more)),
      keep: (id, create) => this.#keep(id, create),
      ignore: (reason, ...more) => this.#options.onIgnored(into(more), reason),
      fail: (message, ...more): never => {
        throw configError(into(more), message);
      },
    };
  }

  #keep<T extends object>(id: string, create: () => T): T {
    const known = this.kept.get(id) ?? this.#options.kept.get(id);
    const value = known ?? create();
    this.kept.set(id, value);
    // Whoever asks for an id is the one who made it.
    return value as T;
  }
}

/** Closes what `kept` has and `keep` has not. */
export function closeUnkept(kept: KeptState, keep: KeptState): void {
  for (const [id, value] of kept) {
    if (keep.get(id) !== value && 'close' in value && typeof value.close === 'function') void value.close();
  }
}

function isList(json: RoutesJson): json is readonly RouteJson[] {
  return Array.isArray(json);
}

function without(
  json: { readonly [name: string]: unknown },
  ...names: readonly string[]
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(json).filter(([name]) => !names.includes(name)));
}
