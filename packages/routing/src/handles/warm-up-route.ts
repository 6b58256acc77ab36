/**
 * Gets from `cold`, and on a miss from `warm`, whose value is added to `cold`; everything else goes to `cold` only
 * (nsdi13 4.3).
 *
 * The race it has to win: a client deletes a key, and another one brings the old value from `warm`, which has not
 * heard of the delete yet. Deletes to `cold` therefore carry a hold-off (`hold_off` seconds) in which an add fails.
 * A failed add means that there is newer data: `cold` is asked once more, and if it has nothing, the answer is
 * cold's own miss, with the lease that came with it, and the client goes to the database. With `async_add` the value is
 * answered at once and added unheard, as mcrouter does it: faster by a round trip, and a lost race costs one stale
 * answer, though never a stale entry.
 *
 * Expiry times of added values are `exptime`, or what is left of them in `warm` with `enable_metaget`, or none.
 * When the hit rate of `cold` has settled, `warm` is not asked any more.
 */
import { z } from 'zod';
import type { Destination } from '../destination/destination.ts';
import { defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import { Reply, Result } from '../reply.ts';
import { Operation, type Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';
import { bareCopy, detached } from './detached.ts';
import { classicDelete, deleteReturnFlags } from './meta-delete.ts';
import { metaFlag } from './meta-flags.ts';
import { fillAfter, hasPlainKey, isMissing, withoutLease } from './meta-leases.ts';
import { type SettleSettings, WarmUpGauge } from './warm-up-gauge.ts';

const HOLD_OFF_SECONDS = 2;
const SETTLE_DEFAULTS: SettleSettings = {
  window_ms: 60_000,
  windows: 5,
  min_requests: 1000,
  tolerance: 0.01,
};
/** Value, flags and remaining time in one question. */
const META_WITH_TIME: Buffer = Buffer.from('v f t');

export interface WarmUpSettings {
  /** Expiry time of added values as on the wire; undefined to ask `warm` for it. */
  readonly exptime: number | undefined;
  readonly holdOffSeconds: number;
  readonly asyncAdd: boolean;
}

/** What is asked for in warm when cold misses it. */
const FILLED: readonly Operation[] = [Operation.get, Operation.gets, Operation.leaseGet, Operation.metaGet];

export class WarmUpRoute implements RouteHandle {
  readonly name: string = 'warm-up';
  readonly children: readonly RouteHandle[];
  readonly #cold: RouteHandle;
  readonly #warm: RouteHandle;
  readonly #settings: WarmUpSettings;
  readonly #gauge: WarmUpGauge | undefined;

  constructor(
    cold: RouteHandle,
    warm: RouteHandle,
    settings: WarmUpSettings,
    gauge: WarmUpGauge | undefined,
  ) {
    this.children = [cold, warm];
    this.#cold = cold;
    this.#warm = warm;
    this.#settings = settings;
    this.#gauge = gauge;
  }

  route(request: Request): Promise<Reply> {
    if (this.#gauge?.isSettled === true) return this.#cold.route(request);
    switch (request.operation) {
      case Operation.get:
      case Operation.gets:
      case Operation.leaseGet:
        return this.#get(request);
      case Operation.metaGet:
        return this.#metaGet(request);
      case Operation.delete:
      case Operation.metaDelete:
        return this.#delete(request);
      default:
        return this.#cold.route(request);
    }
  }

  direct(request: Request): Destination | undefined {
    if (this.#gauge?.isSettled !== true || this.#cold.direct === undefined) return undefined;
    return this.#cold.direct(request);
  }

  mightAsk(request: Request): readonly MightAsk[] {
    const isForBoth = FILLED.includes(request.operation) && this.#gauge?.isSettled !== true;
    return (isForBoth ? this.children : [this.#cold]).map((child) => [child, request]);
  }

  async #get(request: Request): Promise<Reply> {
    const coldReply = await this.#cold.route(request);
    this.#gauge?.count(coldReply.result === Result.hit);
    if (coldReply.result !== Result.miss) return coldReply;
    const found = await this.#fromWarm(request);
    if (found === undefined) return coldReply;
    const fill = this.#fillOf(request, coldReply, found);
    if (fill === undefined) return found.reply;
    if (request.operation === Operation.get && this.#settings.asyncAdd) {
      void this.#cold.route(detached(fill));
      return found.reply;
    }
    const filled = await this.#cold.route(fill);
    // Only cold can give the CAS of its entry.
    if (request.operation === Operation.gets) return this.#cold.route(request);
    // Could not be added although nothing newer is known: the value is good, it just is not cached.
    if (filled.result === Result.stored || filled.isError) return found.reply;
    const question = bareCopy(request);
    question.operation = Operation.get;
    const current = await this.#cold.route(question);
    return current.result === Result.hit ? current : coldReply;
  }

  /** The same for `mg`: what its flags ask for only cold can tell, which is asked again once it has the value. */
  async #metaGet(request: Request): Promise<Reply> {
    const coldReply = await this.#cold.route(request);
    const isMiss = isMissing(request, coldReply);
    this.#gauge?.count(coldReply.result === Result.hit && !isMiss);
    if (!isMiss) return coldReply;
    if (!hasPlainKey(request)) {
      const reply = await this.#warm.route(withoutLease(request));
      return reply.result === Result.hit ? reply : coldReply;
    }
    const found = await this.#fromWarm(request);
    if (found === undefined) return coldReply;
    const fill = this.#fillOf(request, coldReply, found);
    if (fill === undefined) return this.#warm.route(withoutLease(request));
    const filled = await this.#cold.route(fill);
    const current = await this.#cold.route(withoutLease(request));
    if (current.result === Result.hit && !isMissing(request, current)) return current;
    return filled.isError ? this.#warm.route(withoutLease(request)) : coldReply;
  }

  /** A hit in warm and what is left of its time. */
  async #fromWarm(request: Request): Promise<{ reply: Reply; exptime: number } | undefined> {
    const { exptime } = this.#settings;
    const question = bareCopy(request);
    question.operation = exptime === undefined ? Operation.metaGet : Operation.get;
    if (exptime === undefined) question.metaFlags = META_WITH_TIME;
    const reply = await this.#warm.route(question);
    if (reply.result !== Result.hit || reply.isStale || !reply.hasValue) return undefined;
    if (exptime !== undefined) return { reply, exptime };
    const seconds = Number(metaFlag(reply.metaFlags, 't') ?? -1);
    if (seconds === 0) return undefined;
    const answer = Reply.hit(reply.value, Number(metaFlag(reply.metaFlags, 'f') ?? 0));
    answer.destination = reply.destination;
    return { reply: answer, exptime: Math.max(seconds, 0) };
  }

  /** A lease that was given after the delete would let the old value in: only an add minds the hold-off. */
  #fillOf(
    request: Request,
    coldReply: Reply,
    { reply, exptime }: { reply: Reply; exptime: number },
  ): Request | undefined {
    return fillAfter(request, coldReply, reply.value, reply.flags, exptime);
  }

  async #delete(request: Request): Promise<Reply> {
    const seconds = this.#settings.holdOffSeconds;
    const held = seconds <= request.holdOffSeconds ? undefined : classicDelete(request);
    if (held === undefined) return this.#cold.route(request);
    held.holdOffSeconds = seconds;
    const reply = await this.#cold.route(held);
    // Plain memcached knows no hold-off and takes it for a mistake: better a race than no delete.
    if (reply.result === Result.clientError) return this.#cold.route(request);
    if (request.operation === Operation.delete) return reply;
    const answer = reply.as(reply.result);
    answer.metaFlags = deleteReturnFlags(request);
    return answer;
  }
}

const settleJson = z.union([
  z.literal(false),
  z.strictObject({
    window_ms: z.int().positive().optional(),
    windows: z.int().positive().optional(),
    min_requests: z.int().positive().optional(),
    tolerance: z.number().positive().optional(),
  }),
]);

export const warmUpRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'WarmUpRoute',
  parameters: z.strictObject({
    cold: routeJson,
    warm: routeJson,
    exptime: z.int().optional(),
    enable_metaget: z.boolean().optional(),
    hold_off: z.int().nonnegative().optional(),
    async_add: z.boolean().optional(),
    settle: settleJson.optional(),
  }),
  build: (parameters, context) => {
    const { services, path } = context;
    const { exptime, settle } = parameters;
    const settings: WarmUpSettings = {
      exptime: exptime ?? (parameters.enable_metaget === true ? undefined : 0),
      holdOffSeconds: parameters.hold_off ?? HOLD_OFF_SECONDS,
      asyncAdd: parameters.async_add === true,
    };
    const onSettled = (hitRate: number): void =>
      services.notice(
        `${path}: the hit rate of the cold cluster has settled at ${(hitRate * 100).toFixed(1)}%; warm-up is off`,
      );
    const gaugeSettings: SettleSettings = {
      window_ms: (settle || undefined)?.window_ms ?? SETTLE_DEFAULTS.window_ms,
      windows: (settle || undefined)?.windows ?? SETTLE_DEFAULTS.windows,
      min_requests: (settle || undefined)?.min_requests ?? SETTLE_DEFAULTS.min_requests,
      tolerance: (settle || undefined)?.tolerance ?? SETTLE_DEFAULTS.tolerance,
    };
    const gauge =
      settle === false
        ? undefined
        : context.keep(
            `warm-up ${path} ${JSON.stringify(gaugeSettings)}`,
            () => new WarmUpGauge(gaugeSettings, services.clock, onSettled),
          );
    return new WarmUpRoute(
      context.route(parameters.cold, 'cold'),
      context.route(parameters.warm, 'warm'),
      settings,
      gauge,
    );
  },
});
