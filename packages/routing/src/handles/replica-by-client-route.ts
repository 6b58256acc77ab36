/**
 * The replica that belongs to the asking client; deletes and flushes go to all replicas, with the worst reply
 * (nsdi13 3.2.3).
 *
 * Each child holds all keys. A client is known by its address, so that its gets stay together in one multiget and
 * the load of a hot family is split by clients instead of by keys. Values are stored in the client's own replica
 * and reach the others by misses; invalidations reach all of them.
 */
import { z } from 'zod';
import type { Destination } from '../destination/destination.ts';
import { defineRouteHandle, type RouteHandleDefinition, routesJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import { isDelete, Operation, type Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';
import { clientIndex } from './client-index.ts';
import { singleOr } from './null-route.ts';
import { worstOf } from './severity.ts';
import { buildChildren } from './spool-scope.ts';

export class ReplicaByClientRoute implements RouteHandle {
  readonly name: string = 'replica-by-client';
  readonly children: readonly RouteHandle[];
  readonly #ownReplica: number;

  /** `clientId` stands in for requests that do not say who asks. */
  constructor(children: readonly RouteHandle[], clientId: string) {
    this.children = children;
    this.#ownReplica = clientIndex(clientId, children.length);
  }

  route(request: Request): Promise<Reply> {
    return this.#isForAll(request)
      ? Promise.all(this.children.map((child) => child.route(request))).then(worstOf)
      : this.#replicaOf(request).route(request);
  }

  direct(request: Request): Destination | undefined {
    if (this.#isForAll(request)) return undefined;
    const child = this.#replicaOf(request);
    return child.direct === undefined ? undefined : child.direct(request);
  }

  mightAsk(request: Request): readonly MightAsk[] {
    const children = this.#isForAll(request) ? this.children : [this.#replicaOf(request)];
    return children.map((child) => [child, request]);
  }

  #isForAll(request: Request): boolean {
    return isDelete(request.operation) || request.operation === Operation.flushAll;
  }

  #replicaOf(request: Request): RouteHandle {
    const { clientId } = request;
    const index = clientId === '' ? this.#ownReplica : clientIndex(clientId, this.children.length);
    return this.children[index]!;
  }
}

export const replicaByClientRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'ReplicaByClientRoute',
  parameters: z.strictObject({ children: routesJson }),
  restParameter: 'children',
  build: (parameters, context) =>
    singleOr(
      buildChildren(context, parameters.children, 'children'),
      (list) => new ReplicaByClientRoute(list, context.services.clientId),
    ),
});
