/**
 * At most `max_outstanding` requests at a time are with the target; the others wait, one client after the other,
 * so that a client with many does not keep the others waiting. Beyond a bound on waiting ones it answers busy.
 */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import { Reply, Result } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';

/** Requests that may wait (mcrouter knows no bound). */
const WAITING_MAX = 65_536;

interface Waiting {
  readonly request: Request;
  readonly resolve: (reply: Reply) => void;
}

export class OutstandingLimitRoute implements RouteHandle {
  readonly name: string;
  readonly children: readonly RouteHandle[];
  readonly #limit: number;
  readonly #waitingMax: number;
  #outstanding = 0;
  #waiting = 0;
  /** The waiting requests of each client; the map's order is whose turn it is. */
  readonly #queues: Map<string, Waiting[]> = new Map();

  constructor(target: RouteHandle, limit: number, waitingMax: number = WAITING_MAX) {
    this.name = `outstanding-limit|limit=${limit}`;
    this.children = [target];
    this.#limit = limit;
    this.#waitingMax = waitingMax;
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  get waiting(): number {
    return this.#waiting;
  }

  route(request: Request): Promise<Reply> {
    if (this.#outstanding < this.#limit) return this.#send(request);
    if (this.#waiting >= this.#waitingMax) {
      return Promise.resolve(Reply.of(Result.busy, 'too many requests wait for their turn'));
    }
    return new Promise((resolve) => {
      const queue = this.#queues.get(request.clientId);
      if (queue === undefined) this.#queues.set(request.clientId, [{ request, resolve }]);
      else queue.push({ request, resolve });
      this.#waiting++;
    });
  }

  #send(request: Request): Promise<Reply> {
    this.#outstanding++;
    return this.children[0]!.route(request).then((reply) => {
      this.#outstanding--;
      this.#next();
      return reply;
    });
  }

  #next(): void {
    for (const [client, queue] of this.#queues) {
      const { request, resolve } = queue.shift()!;
      this.#waiting--;
      // The client's turn is over: what else it has waits behind the others.
      this.#queues.delete(client);
      if (queue.length > 0) this.#queues.set(client, queue);
      void this.#send(request).then(resolve);
      return;
    }
  }
}

export const outstandingLimitRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'OutstandingLimitRoute',
  parameters: z.strictObject({ target: routeJson, max_outstanding: z.int().nonnegative() }),
  build: (parameters, context) => {
    const target = context.route(parameters.target, 'target');
    // 0 is no limit, as in mcrouter.
    return parameters.max_outstanding === 0
      ? target
      : new OutstandingLimitRoute(target, parameters.max_outstanding);
  },
});
