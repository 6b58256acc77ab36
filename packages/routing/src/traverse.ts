/**
 * Where a request would go: every handle that it might pass and every destination that it might reach, as mcrouter's
 * `route(operation,key)` tells. Nothing is sent. A failover might ask all of its children, so all are told; of a hash
 * only the child that the key chooses.
 */
import type { Destination } from './destination/destination.ts';
import { TRAVERSED_MAX } from './limits.ts';
import type { Request } from './request.ts';
import type { RouteHandle } from './route-handle.ts';

/** A handle that a request might pass. */
export interface PassedHandle {
  readonly handle: RouteHandle;
  /** 0 for the root. */
  readonly depth: number;
  /** The request as this handle would get it: with another key, or without its routing prefix. */
  readonly request: Request;
}

/**
 * Every handle that the request might pass, from the root down, in the order in which they might be asked. The first
 * TRAVERSED_MAX of them.
 */
export function traverse(root: RouteHandle, request: Request): PassedHandle[] {
  const passed: PassedHandle[] = [];
  const visit = (handle: RouteHandle, own: Request, depth: number): void => {
    if (passed.length >= TRAVERSED_MAX) return;
    passed.push({ handle, depth, request: own });
    if (handle.mightAsk === undefined) for (const child of handle.children) visit(child, own, depth + 1);
    else for (const [child, next] of handle.mightAsk(own)) visit(child, next, depth + 1);
  };
  visit(root, request, 0);
  return passed;
}

/** Every destination that the request might reach, each once. */
export function reachable(root: RouteHandle, request: Request): Set<Destination> {
  const found = new Set<Destination>();
  for (const { handle } of traverse(root, request)) if (isDestination(handle)) found.add(handle);
  return found;
}

/** Every destination that any request might reach. */
export function destinationsOf(root: RouteHandle): Set<Destination> {
  const found = new Set<Destination>();
  const seen = new Set<RouteHandle>();
  const walk = (each: RouteHandle): void => {
    if (seen.has(each)) return;
    seen.add(each);
    if (isDestination(each)) found.add(each);
    for (const child of each.children) walk(child);
  };
  walk(root);
  return found;
}

/** How many ways lead from the root to its leaves. */
export function pathsOf(root: RouteHandle): number {
  const known = new Map<RouteHandle, number>();
  const count = (each: RouteHandle): number => {
    const before = known.get(each);
    if (before !== undefined) return before;
    let paths = each.children.length === 0 ? 1 : 0;
    for (const child of each.children) paths += count(child);
    known.set(each, paths);
    return paths;
  };
  return count(root);
}

export function isDestination(handle: RouteHandle): handle is Destination {
  return 'submit' in handle && 'forward' in handle;
}
