/**
 * The top of every tree: routing prefixes.
 *
 * ```
 *   key                         goes to
 *   k                           the default route
 *   /region/cluster/k           the route with that alias, as k
 *   /region/‹any›/k             every route with a matching alias, as k: gets to the first,
 *                               everything else to all; the answer is the first one's, or an error if there was one
 * ```
 *
 * A configuration with a single `route` has no prefixes: its keys may begin with a slash. Where the default route's
 * servers are to see a prefix on every key, keys without one get the default route's.
 */

import type { Destination } from '../destination/destination.ts';
import { withKey } from '../handles/request-key.ts';
import { Reply, Result } from '../reply.ts';
import { isRetrieval, type Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';

const SLASH = 0x2f;
const PREFIX_TEXT_BYTES_MAX = 250;

export interface PrefixedRoute {
  /** `/region/cluster/`. */
  readonly prefix: string;
  readonly route: RouteHandle;
}

export class RootRoute implements RouteHandle {
  readonly name: string = 'root';
  readonly children: readonly RouteHandle[];
  readonly #fallback: RouteHandle;
  readonly #byPrefix: ReadonlyMap<string, RouteHandle>;
  /** What keys without a prefix get; empty for nothing. */
  readonly #attached: Buffer;

  /** `fallback` takes keys without a prefix; without prefixed routes it takes everything. */
  constructor(fallback: RouteHandle, prefixed: readonly PrefixedRoute[], attachedPrefix: string = '') {
    this.#attached = Buffer.from(attachedPrefix);
    this.#fallback = fallback;
    this.#byPrefix = new Map(prefixed.map(({ prefix, route }) => [prefix, route]));
    this.children = [...new Set([fallback, ...this.#byPrefix.values()])];
  }

  route(request: Request): Promise<Reply> {
    if (this.#byPrefix.size === 0 || request.keySource[request.keyStart] !== SLASH) {
      return this.#fallback.route(this.#withDefault(request));
    }
    return this.#routePrefixed(request);
  }

  direct(request: Request): Destination | undefined {
    // A prefix has to be taken off the key, so that the request would not be sent unchanged.
    if (this.#byPrefix.size > 0 && request.keySource[request.keyStart] === SLASH) return undefined;
    return this.#attached.length > 0 ? undefined : this.#fallback.direct?.(request);
  }

  mightAsk(request: Request): readonly MightAsk[] {
    const bytes = this.#prefixBytes(request);
    if (bytes === 0) return [[this.#fallback, this.#withDefault(request)]];
    const stripped = withoutPrefix(request, bytes);
    return this.#targets(request, bytes).map((target) => [target, stripped]);
  }

  #routePrefixed(request: Request): Promise<Reply> {
    const bytes = this.#prefixBytes(request);
    if (bytes === 0) return this.#fallback.route(this.#withDefault(request));
    const targets = this.#targets(request, bytes);
    const first = targets[0];
    if (first === undefined) {
      return Promise.resolve(Reply.of(Result.localError, `no route for prefix ${prefixOf(request, bytes)}`));
    }
    const stripped = withoutPrefix(request, bytes);
    if (targets.length === 1) return first.route(stripped);
    return Promise.all(targets.map((target) => target.route(stripped))).then(
      (replies) => replies.find((reply) => reply.isError) ?? replies[0]!,
    );
  }

  #withDefault(request: Request): Request {
    return this.#attached.length === 0 ? request : withKey(request, this.#attached, request.key);
  }

  /** Of a configuration without prefixes every key is whole. */
  #prefixBytes(request: Request): number {
    const isPrefixed = this.#byPrefix.size > 0 && request.keySource[request.keyStart] === SLASH;
    return isPrefixed ? prefixBytes(request) : 0;
  }

  #targets(request: Request, bytes: number): readonly RouteHandle[] {
    const prefix = prefixOf(request, bytes);
    const exact = this.#byPrefix.get(prefix);
    if (exact !== undefined) return [exact];
    if (!prefix.includes('*')) return [];
    const pattern = new RegExp(`^${prefix.split('*').map(escaped).join('[^/]*')}$`);
    const found = new Set<RouteHandle>();
    for (const [each, route] of this.#byPrefix) if (pattern.test(each)) found.add(route);
    return isRetrieval(request.operation) ? [...found].slice(0, 1) : [...found];
  }
}

function prefixOf(request: Request, bytes: number): string {
  return request.keySource.toString('latin1', request.keyStart, request.keyStart + bytes);
}

function withoutPrefix(request: Request, bytes: number): Request {
  const stripped = request.copy();
  stripped.takePrefix(bytes);
  return stripped;
}

/** The length of `/region/cluster/` at the key's beginning, 0 when there is none (or no key behind it). */
function prefixBytes(request: Request): number {
  const { keySource, keyStart } = request;
  const end = Math.min(request.keyEnd, keyStart + PREFIX_TEXT_BYTES_MAX);
  let slashes = 0;
  for (let at = keyStart; at < end; at++) {
    if (keySource[at] !== SLASH) continue;
    slashes++;
    if (slashes === 3) return at + 1 < request.keyEnd ? at + 1 - keyStart : 0;
  }
  return 0;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
