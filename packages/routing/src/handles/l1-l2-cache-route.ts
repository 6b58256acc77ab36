/**
 * Gets from `l1`, and on a miss from `l2`, whose value is then added to `l1` in the background; everything else
 * goes to `l1` only.
 *
 * With `ncacheUpdatePeriod` above 0 a miss of both is remembered in `l1` as a marked entry, which is answered as a
 * miss without asking `l2`; every so many such answers `l2` is asked again in the background.
 */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import { Reply, Result } from '../reply.ts';
import { Operation, type Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';
import { bareCopy } from './detached.ts';
import { metaFlag } from './meta-flags.ts';
import { fillAfter, hasPlainKey, isMissing, withoutLease } from './meta-leases.ts';

/** The client flag of entries that stand for a miss (mcrouter's). */
const NEGATIVE_CACHE_FLAG = 0x10000;
const NEGATIVE_VALUE: Buffer = Buffer.from('ncache');

export interface L1L2Settings {
  /** What values that come from l2 get in l1, as on the wire. */
  readonly upgradingExptime: number;
  readonly negativeExptime: number;
  /** 0: misses are not remembered. */
  readonly negativeUpdatePeriod: number;
}

export class L1L2CacheRoute implements RouteHandle {
  readonly name: string = 'l1l2-cache';
  readonly children: readonly RouteHandle[];
  readonly #l1: RouteHandle;
  readonly #l2: RouteHandle;
  readonly #settings: L1L2Settings;
  #untilUpdate: number;

  constructor(l1: RouteHandle, l2: RouteHandle, settings: L1L2Settings) {
    this.children = [l1, l2];
    this.#l1 = l1;
    this.#l2 = l2;
    this.#settings = settings;
    this.#untilUpdate = settings.negativeUpdatePeriod;
  }

  route(request: Request): Promise<Reply> {
    if (request.operation === Operation.get) return this.#get(request);
    return request.operation === Operation.metaGet ? this.#metaGet(request) : this.#l1.route(request);
  }

  mightAsk(request: Request): readonly MightAsk[] {
    const isForBoth = request.operation === Operation.get || request.operation === Operation.metaGet;
    const children = isForBoth ? this.children : [this.#l1];
    return children.map((child) => [child, request]);
  }

  async #get(request: Request): Promise<Reply> {
    const first = await this.#l1.route(request);
    if (first.result === Result.hit) {
      if ((first.flags & NEGATIVE_CACHE_FLAG) === 0) return first;
      this.#countNegative(request);
      return new Reply(Result.miss);
    }
    const second = await this.#l2.route(request);
    if (second.result === Result.hit) {
      void this.#l1.route(this.#fill(request, Operation.add, second));
    } else if (second.result === Result.miss && this.#settings.negativeUpdatePeriod > 0) {
      void this.#l1.route(this.#negative(request, Operation.add));
    }
    return second;
  }

  /** What the flags of `mg` ask for only l1 can tell, so it is filled first; misses are not remembered for it. */
  async #metaGet(request: Request): Promise<Reply> {
    const first = await this.#l1.route(request);
    const isNegative = (Number(metaFlag(first.metaFlags, 'f') ?? 0) & NEGATIVE_CACHE_FLAG) !== 0;
    if (isNegative && first.result === Result.hit) {
      this.#countNegative(getOf(request));
      return new Reply(Result.miss);
    }
    if (!isMissing(request, first)) return first;
    const second = hasPlainKey(request) ? await this.#l2.route(getOf(request)) : new Reply(Result.miss);
    if (second.result !== Result.hit) return first;
    const fill = fillAfter(request, first, second.value, second.flags, this.#settings.upgradingExptime);
    if (fill !== undefined) await this.#l1.route(fill);
    const current = await this.#l1.route(withoutLease(request));
    if (current.result === Result.hit && !isMissing(request, current)) return current;
    return this.#l2.route(withoutLease(request));
  }

  #countNegative(request: Request): void {
    if (this.#settings.negativeUpdatePeriod === 0 || --this.#untilUpdate > 0) return;
    this.#untilUpdate = this.#settings.negativeUpdatePeriod;
    void this.#l2.route(request).then((reply) => {
      const entry =
        reply.result === Result.hit
          ? this.#fill(request, Operation.set, reply)
          : this.#negative(request, Operation.set);
      return this.#l1.route(entry);
    });
  }

  #fill(request: Request, operation: Operation, reply: Reply): Request {
    const fill = bareCopy(request);
    fill.operation = operation;
    fill.value = reply.value;
    fill.flags = reply.flags;
    fill.exptime = this.#settings.upgradingExptime;
    return fill;
  }

  #negative(request: Request, operation: Operation): Request {
    const entry = bareCopy(request);
    entry.operation = operation;
    entry.value = NEGATIVE_VALUE;
    entry.flags = NEGATIVE_CACHE_FLAG;
    entry.exptime = this.#settings.negativeExptime;
    return entry;
  }
}

function getOf(request: Request): Request {
  const question = bareCopy(request);
  question.operation = Operation.get;
  return question;
}

export const l1L2CacheRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'L1L2CacheRoute',
  parameters: z.strictObject({
    l1: routeJson,
    l2: routeJson,
    upgradingL1Exptime: z.int(),
    ncacheExptime: z.int().nonnegative().optional(),
    ncacheUpdatePeriod: z.int().nonnegative().optional(),
  }),
  build: (parameters, context) =>
    new L1L2CacheRoute(context.route(parameters.l1, 'l1'), context.route(parameters.l2, 'l2'), {
      upgradingExptime: parameters.upgradingL1Exptime,
      negativeExptime: parameters.ncacheExptime ?? 0,
      negativeUpdatePeriod: parameters.ncacheUpdatePeriod ?? 0,
    }),
});
