/** The child with the longest prefix of the key in `policies`, otherwise `wildcard`. */
import { z } from 'zod';
import type { Destination } from '../destination/destination.ts';
import { defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';
import { NullRoute } from './null-route.ts';

/** A node of the trie of prefixes, one byte per level. */
interface TrieNode {
  route: RouteHandle | undefined;
  next: (TrieNode | undefined)[] | undefined;
}

export class PrefixSelectorRoute implements RouteHandle {
  readonly name: string = 'prefix-selector';
  readonly children: readonly RouteHandle[];
  readonly #root: TrieNode;
  readonly #wildcard: RouteHandle;

  constructor(policies: ReadonlyMap<string, RouteHandle>, wildcard: RouteHandle) {
    this.children = [...new Set([...policies.values(), wildcard])];
    this.#wildcard = wildcard;
    this.#root = { route: undefined, next: undefined };
    for (const [prefix, route] of policies) {
      let node = this.#root;
      for (const byte of Buffer.from(prefix)) {
        node.next ??= new Array<TrieNode | undefined>(256).fill(undefined);
        node = node.next[byte] ??= { route: undefined, next: undefined };
      }
      node.route = route;
    }
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
    const { keySource, keyEnd } = request;
    let found = this.#root.route ?? this.#wildcard;
    let node: TrieNode | undefined = this.#root;
    for (let at = request.keyStart; at < keyEnd; at++) {
      node = node.next?.[keySource[at]!];
      if (node === undefined) break;
      if (node.route !== undefined) found = node.route;
    }
    return found;
  }
}

export const prefixSelectorRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'PrefixSelectorRoute',
  parameters: z.strictObject({
    policies: z.record(z.string(), routeJson).optional(),
    wildcard: routeJson.optional(),
  }),
  restParameter: 'wildcard',
  build: (parameters, context) => {
    const { policies, wildcard } = parameters;
    if (policies === undefined && wildcard === undefined) {
      return context.fail('expected policies or wildcard');
    }
    const routes = new Map<string, RouteHandle>();
    for (const prefix of Object.keys(policies ?? {}).sort()) {
      routes.set(prefix, context.route(policies?.[prefix] ?? '', 'policies', prefix));
    }
    const fallback = wildcard === undefined ? new NullRoute() : context.route(wildcard, 'wildcard');
    return routes.size === 0 ? fallback : new PrefixSelectorRoute(routes, fallback);
  },
});
