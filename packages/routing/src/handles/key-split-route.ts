/**
 * A hot key in several places: each client uses one of `replicas` names of the key (`key`, `key::1`, `key::2` …),
 * which hash to different servers. Deletes go to all names, stores too with `all_sync`; with `first_hit` a get asks
 * all names and takes the first hit.
 */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import { type Reply, Result } from '../reply.ts';
import { isDelete, Operation, type Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';
import { clientIndex } from './client-index.ts';
import { detached } from './detached.ts';
import { hasRoom, withKeySuffix } from './request-key.ts';

const REPLICAS_MIN = 2;
const REPLICAS_MAX = 1000;
const SEPARATOR = '::';
const SUFFIX_BYTES_MAX = SEPARATOR.length + 3;

export class KeySplitRoute implements RouteHandle {
  readonly name: string;
  readonly children: readonly RouteHandle[];
  readonly #replicas: number;
  readonly #allSync: boolean;
  readonly #firstHit: boolean;
  readonly #ownReplica: number;

  /** `clientId` stands in for requests that do not say who asks. */
  constructor(child: RouteHandle, replicas: number, allSync: boolean, firstHit: boolean, clientId: string) {
    this.name = `keysplit|replicas=${replicas}|all-sync=${allSync}|first-hit=${firstHit}`;
    this.children = [child];
    this.#replicas = replicas;
    this.#allSync = allSync;
    this.#firstHit = firstHit;
    this.#ownReplica = clientIndex(clientId, replicas);
  }

  route(request: Request): Promise<Reply> {
    if (!isSplit(request)) return this.children[0]!.route(request);
    const replica = this.#replicaOf(request);
    if (this.#isForFastest(request)) return this.#fastest(request);
    if (this.#isForAll(request)) {
      // As mcrouter: the own replica's reply is the answer, the others finish unheard.
      const own = detached(request);
      for (let other = 0; other < this.#replicas; other++) {
        if (other !== replica) void this.#send(own, other);
      }
    }
    return this.#send(request, replica);
  }

  mightAsk(request: Request): readonly MightAsk[] {
    const child = this.children[0]!;
    if (!isSplit(request)) return [[child, request]];
    const own = this.#replicaOf(request);
    if (!this.#isForFastest(request) && !this.#isForAll(request)) return [[child, named(request, own)]];
    return Array.from({ length: this.#replicas }, (_, replica) => [child, named(request, replica)]);
  }

  #replicaOf({ clientId }: Request): number {
    return clientId === '' ? this.#ownReplica : clientIndex(clientId, this.#replicas);
  }

  #isForFastest({ operation }: Request): boolean {
    const isGet = operation === Operation.get || operation === Operation.leaseGet;
    return this.#firstHit && (isGet || operation === Operation.leaseSet);
  }

  #isForAll({ operation }: Request): boolean {
    const isSet = operation === Operation.set || operation === Operation.metaSet;
    return isDelete(operation) || (this.#allSync && isSet);
  }

  #fastest(request: Request): Promise<Reply> {
    const own = detached(request);
    return new Promise((resolve) => {
      let waiting = this.#replicas;
      const answer = (reply: Reply): void => {
        waiting--;
        const isFirst = reply.result === Result.hit || reply.result === Result.stored;
        if (isFirst || waiting === 0) resolve(reply);
      };
      for (let replica = 0; replica < this.#replicas; replica++) void this.#send(own, replica).then(answer);
    });
  }

  #send(request: Request, replica: number): Promise<Reply> {
    return this.children[0]!.route(named(request, replica));
  }
}

function isSplit(request: Request): boolean {
  return request.operation < Operation.flushAll && hasRoom(request, SUFFIX_BYTES_MAX);
}

function named(request: Request, replica: number): Request {
  return replica === 0 ? request : withKeySuffix(request, SEPARATOR + replica);
}

export const keySplitRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'KeySplitRoute',
  parameters: z.strictObject({
    destination: routeJson,
    replicas: z.int().min(REPLICAS_MIN).max(REPLICAS_MAX),
    all_sync: z.boolean(),
    first_hit: z.boolean().optional(),
  }),
  build: (parameters, context) =>
    new KeySplitRoute(
      context.route(parameters.destination, 'destination'),
      parameters.replicas,
      parameters.all_sync,
      parameters.first_hit === true,
      context.services.clientId,
    ),
});
