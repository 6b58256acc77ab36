/** One destination of a pool, chosen by the key's hash. */
import { z } from 'zod';
import type { Destination } from '../destination/destination.ts';
import type { KeyHash } from '../hashes/key-hash.ts';
import { createKeyHash, hashJson, poolTargets } from '../hashes/registry.ts';
import { defineRouteHandle, type RouteHandleDefinition } from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';

export class PoolRoute implements RouteHandle {
  readonly name: string;
  readonly children: readonly Destination[];
  readonly #hash: KeyHash;

  constructor(poolName: string, destinations: readonly Destination[], hash: KeyHash) {
    this.name = `pool|${poolName}|${hash.name}`;
    this.children = destinations;
    this.#hash = hash;
  }

  route(request: Request): Promise<Reply> {
    return this.direct(request).route(request);
  }

  direct(request: Request): Destination {
    return this.children[this.#hash.select(request.keySource, request.keyStart, request.hashEnd)]!;
  }
}

export const poolRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'PoolRoute',
  parameters: z.strictObject({
    pool: z.union([z.string(), z.record(z.string(), z.unknown())]),
    hash: hashJson.optional(),
  }),
  restParameter: 'pool',
  build: (parameters, context) => {
    const pool = context.pool(parameters.pool, 'pool');
    const hash = createKeyHash(parameters.hash, poolTargets(pool), (text) => context.fail(text, 'hash'));
    return new PoolRoute(pool.name, pool.destinations, hash);
  },
});
