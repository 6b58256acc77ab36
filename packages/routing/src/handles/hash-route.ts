/** One child, chosen by the hash of the key. */
import { z } from 'zod';
import type { Destination } from '../destination/destination.ts';
import type { KeyHash } from '../hashes/key-hash.ts';
import { createKeyHash, type HashObject, hashName, poolTargets } from '../hashes/registry.ts';
import {
  type BuildContext,
  defineRouteHandle,
  type Pool,
  type RouteHandleDefinition,
  routesJson,
} from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';
import { makeLatestRoute } from './latest-route.ts';
import { NullRoute } from './null-route.ts';
import { buildChildren, listedPool } from './spool-scope.ts';

export class HashRoute implements RouteHandle {
  readonly name: string;
  readonly children: readonly RouteHandle[];
  readonly #hash: KeyHash;

  constructor(name: string, children: readonly RouteHandle[], hash: KeyHash) {
    this.name = `${name}|${hash.name}`;
    this.children = children;
    this.#hash = hash;
  }

  route(request: Request): Promise<Reply> {
    return this.#select(request).route(request);
  }

  direct(request: Request): Destination | undefined {
    const child = this.#select(request);
    return child.direct === undefined ? undefined : child.direct(request);
  }

  mightAsk(request: Request): readonly MightAsk[] {
    return [[this.#select(request), request]];
  }

  #select(request: Request): RouteHandle {
    return this.children[this.#hash.select(request.keySource, request.keyStart, request.hashEnd)]!;
  }
}

export const hashRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'HashRoute',
  parameters: z.looseObject({ children: routesJson, hash_func: z.string().optional() }),
  restParameter: 'children',
  build: (parameters, context) => {
    const children = buildChildren(context, parameters.children, 'children');
    return makeHashRoute(children, parameters, context, listedPool(context, parameters.children, 'children'));
  },
});

/** A hash route, or what takes its place: nothing to choose from, one to choose, or `Latest`. */
function makeHashRoute(
  children: readonly RouteHandle[],
  options: HashObject,
  context: BuildContext,
  pool: Pool | undefined,
): RouteHandle {
  if (children.length === 0) return new NullRoute();
  if (hashName(options) === 'Latest') return makeLatestRoute(children, options, context, pool);
  if (children.length === 1) return children[0]!;
  const targets =
    pool === undefined ? { count: children.length, names: undefined, weights: undefined } : poolTargets(pool);
  return new HashRoute(
    'hash',
    children,
    createKeyHash(options, targets, (text) => context.fail(text, 'hash_func')),
  );
}
