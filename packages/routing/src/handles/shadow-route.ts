/** Sends every request to `target`, and copies of some of them to `shadows`, whose replies nobody hears. */
import { z } from 'zod';
import type { Random } from '../clock.ts';
import { IGNORED_OF_SHADOWS, ignoredIn } from '../config/ignored.ts';
import { Spooky32 } from '../hashes/spooky32.ts';
import {
  type BuildContext,
  defineRouteHandle,
  type RouteHandleDefinition,
  type RouteJson,
  routeJson,
} from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';
import { detached } from './detached.ts';
import { withoutSpool } from './spool-scope.ts';

const HASH_MAX = 0xffffffff;

export interface ShadowJson {
  readonly target: RouteJson;
  /** Which of the pool's servers are shadowed, first and last; only where shadows are a pool's. */
  readonly index_range?: readonly number[] | undefined;
  /** Which part of the keys, by their hash, from and to in [0, 1]. */
  readonly key_fraction_range?: readonly number[] | undefined;
  /** Only these keys. */
  readonly keys_to_shadow?: readonly string[] | undefined;
  /** Which share of the requests, at random. */
  readonly requests_fraction?: number | undefined;
}

export const shadowJson: z.ZodType<ShadowJson> = z
  .strictObject({
    target: routeJson,
    index_range: z.tuple([z.int().nonnegative(), z.int().nonnegative()]).optional(),
    key_fraction_range: z.tuple([z.number(), z.number()]).optional(),
    keys_to_shadow: z.array(z.string()).optional(),
    requests_fraction: z.number().min(0).max(1).optional(),
    ...Object.fromEntries(Object.keys(IGNORED_OF_SHADOWS).map((name) => [name, z.unknown().optional()])),
  })
  .refine((each) => isRange(each.index_range) && isRange(each.key_fraction_range), {
    message: 'expected ranges whose end is not before their start',
  })
  .refine(
    (each) =>
      (each.keys_to_shadow ?? []).length === 0 ||
      (each.index_range === undefined && each.key_fraction_range === undefined),
    { message: 'expected keys_to_shadow without ranges beside it' },
  );

function isRange(range: readonly number[] | undefined): boolean {
  return range === undefined || range[0]! <= range[1]!;
}

/** One shadow and who is let through to it. */
export class Shadow {
  readonly route: RouteHandle;
  readonly #from: number;
  readonly #to: number;
  readonly #keys: ReadonlySet<string> | undefined;
  readonly #fraction: number;
  readonly #random: Random;

  constructor(route: RouteHandle, json: ShadowJson, random: Random) {
    this.route = route;
    const [from = 0, to = 1] = json.key_fraction_range ?? [];
    this.#from = Math.floor(from * HASH_MAX);
    this.#to = Math.floor(to * HASH_MAX);
    const keys = json.keys_to_shadow ?? [];
    this.#keys = keys.length === 0 ? undefined : new Set(keys);
    this.#fraction = json.requests_fraction ?? 1;
    this.#random = random;
  }

  /** Whether it is about this key; `keyHash` is the hash of the part of it that chooses the server. */
  isFor(request: Request, keyHash: number): boolean {
    if (keyHash < this.#from || keyHash > this.#to) return false;
    return this.#keys === undefined || this.#keys.has(routingKey(request));
  }

  /** The same, and drawn. */
  wants(request: Request, keyHash: number): boolean {
    return this.isFor(request, keyHash) && (this.#fraction >= 1 || this.#random() < this.#fraction);
  }
}

function routingKey(request: Request): string {
  return request.keySource.toString('utf8', request.keyStart, request.hashEnd);
}

export class ShadowRoute implements RouteHandle {
  readonly name: string = 'shadow';
  readonly children: readonly RouteHandle[];
  readonly #target: RouteHandle;
  readonly #shadows: readonly Shadow[];
  readonly #spooky = new Spooky32();

  constructor(target: RouteHandle, shadows: readonly Shadow[]) {
    this.children = [target, ...shadows.map((shadow) => shadow.route)];
    this.#target = target;
    this.#shadows = shadows;
  }

  mightAsk(request: Request): readonly MightAsk[] {
    const keyHash = this.#spooky.hash(request.keySource, request.keyStart, request.hashEnd, 0);
    const shadows = this.#shadows.filter((shadow) => shadow.isFor(request, keyHash));
    return [this.#target, ...shadows.map(({ route }) => route)].map((child) => [child, request]);
  }

  route(request: Request): Promise<Reply> {
    const keyHash = this.#spooky.hash(request.keySource, request.keyStart, request.hashEnd, 0);
    let copy: Request | undefined;
    for (const shadow of this.#shadows) {
      if (!shadow.wants(request, keyHash)) continue;
      copy ??= detached(request);
      void shadow.route.route(copy);
    }
    return this.#target.route(request);
  }
}

/** Builds the shadows of a configuration, outside any spool: a shadow's failed delete is nobody's loss. */
export function buildShadows(
  context: BuildContext,
  shadows: readonly ShadowJson[],
): readonly { readonly shadow: Shadow; readonly json: ShadowJson }[] {
  return withoutSpool(context, () =>
    shadows.flatMap((json, index) => {
      const outside = json.key_fraction_range?.find((each) => each < 0 || each > 1);
      if (outside !== undefined) {
        context.ignore(`${outside} is no part of the keys, which are 0 to 1`, 'shadows', index);
        return [];
      }
      for (const name of ignoredIn(json, IGNORED_OF_SHADOWS)) {
        context.ignore(IGNORED_OF_SHADOWS[name]!, 'shadows', index, name);
      }
      const route = context.route(json.target, 'shadows', index, 'target');
      return [{ shadow: new Shadow(route, json, context.services.random), json }];
    }),
  );
}

export const shadowRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'ShadowRoute',
  parameters: z.strictObject({
    target: routeJson,
    shadows: z.array(shadowJson),
    shadow_policy: z.enum(['default']).optional(),
  }),
  build: (parameters, context) => {
    const target = context.route(parameters.target, 'target');
    const shadows = buildShadows(context, parameters.shadows).map(({ shadow }) => shadow);
    return shadows.length === 0 ? target : new ShadowRoute(target, shadows);
  },
});
