/**
 * The first reply that is no failover error, asking the children in order; otherwise the last one.
 *
 * A delete that the spool took for a failed child is still handed on, so that the gutter forgets the key too. In
 * front of a gutter a delete that failed and was not spooled is handed on as well, but stays failed: the server may
 * come back with the old value. A lease-set, and whatever else brings a token back, goes to the child that gave it.
 * `failover_limit` bounds failovers to a share of the requests.
 */
import { z } from 'zod';
import { type BuildContext, defineRouteHandle, type RouteHandleDefinition, routesJson } from '../registry.ts';
import { type Reply, Result } from '../reply.ts';
import { isDelete, Operation, type Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { SpooledReply } from '../spool/spooled-reply.ts';
import { reachable } from '../traverse.ts';
import { FailoverErrors, type FailoverErrorsJson, failoverErrorsJson } from './failover-errors.ts';
import { LeasePairs } from './lease-pairs.ts';
import { singleOr } from './null-route.ts';
import { hasRoom, withKeySuffix } from './request-key.ts';
import { buildChildren } from './spool-scope.ts';
import { TokenBucket } from './token-bucket.ts';

/** Failovers that are possible at once before `rate` counts (mcrouter's). */
const BURST_DEFAULT = 1000;
const FAILOVER_TAG = ':failover=1';
/** The name of failovers whose later children stand in for a failed one for a short time only. */
export const GUTTER_NAME = 'failover-exptime';

/** What `failover_*` and `name` of a configuration say. */
export interface FailoverOptions {
  readonly failover_errors?: FailoverErrorsJson | undefined;
  readonly failover_limit?: { readonly rate: number; readonly burst?: number | undefined } | undefined;
  readonly failover_policy?: FailoverPolicy | undefined;
  readonly failover_tag?: boolean | undefined;
}
type FailoverPolicy =
  | { readonly type: 'InOrderPolicy' }
  | { readonly type: 'LeastFailuresPolicy'; readonly max_tries: number };

const policy: z.ZodType<FailoverPolicy> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('InOrderPolicy') }),
  z.strictObject({ type: z.literal('LeastFailuresPolicy'), max_tries: z.int().min(1) }),
]);

/** The parameters that all failover handles share. */
export const failoverParameters: {
  readonly failover_errors: z.ZodOptional<z.ZodType<FailoverErrorsJson>>;
  readonly failover_limit: z.ZodOptional<z.ZodType<NonNullable<FailoverOptions['failover_limit']>>>;
  readonly failover_policy: z.ZodOptional<z.ZodType<FailoverPolicy>>;
  readonly failover_tag: z.ZodOptional<z.ZodBoolean>;
} = {
  failover_errors: failoverErrorsJson.optional(),
  failover_limit: z.strictObject({ rate: z.number(), burst: z.number().optional() }).optional(),
  failover_policy: policy.optional(),
  failover_tag: z.boolean().optional(),
};

export class FailoverRoute implements RouteHandle {
  readonly name: string;
  readonly children: readonly RouteHandle[];
  readonly #errors: FailoverErrors;
  readonly #limit: TokenBucket | undefined;
  readonly #pairs: LeasePairs;
  readonly #tries: number;
  /** Errors in a row of each child, where the policy is to prefer the one with the fewest. */
  readonly #failures: Uint32Array | undefined;
  readonly #tagged: boolean;
  readonly #isGutter: boolean;
  /** The limit's time: it grants failovers per request, not per second. */
  #requests = 0;

  constructor(name: string, children: readonly RouteHandle[], options: FailoverOptions, pairs: LeasePairs) {
    this.#isGutter = name === GUTTER_NAME;
    this.name = name;
    this.children = children;
    this.#errors = new FailoverErrors(options.failover_errors);
    const limit = options.failover_limit;
    if (limit !== undefined) {
      const rate = Math.min(Math.max(limit.rate, 0), 1);
      this.#limit = new TokenBucket(rate, Math.max(limit.burst ?? BURST_DEFAULT, 1), 0);
    }
    const chosen = options.failover_policy;
    const leastFailures = chosen?.type === 'LeastFailuresPolicy';
    this.#tries = leastFailures ? Math.min(chosen.max_tries, children.length) : children.length;
    this.#failures = leastFailures ? new Uint32Array(children.length) : undefined;
    this.#pairs = pairs;
    this.#tagged = options.failover_tag === true;
  }

  route(request: Request): Promise<Reply> {
    this.#requests++;
    if (request.operation === Operation.leaseSet) {
      const child = this.#pairs.take(request);
      if (child !== undefined) return this.children[child]!.route(request);
    }
    const issuing = this.#issuingChild(request);
    if (issuing > 0) return this.children[issuing]!.route(request);
    return this.children[0]!.route(request).then((reply) => {
      this.#note(0, reply);
      const allowed = this.#shouldFailover(request, reply) && this.#limit?.take(this.#requests) !== false;
      if (!allowed || this.#tries < 2) return reply;
      const failover = this.#failover(request, reply);
      return isDelete(request.operation)
        ? failover.then((last) => this.#ofDelete(request, reply, last))
        : failover;
    });
  }

  /**
   * The child whose server gave the token that the request brings back, or -1: any other one would refuse it, and whoever
   * waits for the lease would wait for nothing.
   */
  #issuingChild(request: Request): number {
    const issuer = request.issuer?.destination;
    if (issuer === undefined) return -1;
    return this.children.findIndex((child) => reachable(child, request).has(issuer));
  }

  /** What a delete answers that failed at the first child and ended with `last`. */
  #ofDelete(request: Request, first: Reply, last: Reply): Reply {
    // A spooled delete is as good as done, whatever became of the attempts behind it.
    if (first instanceof SpooledReply) return this.#shouldFailover(request, last) ? first : last;
    return this.#isGutter ? first : last;
  }

  async #failover(request: Request, first: Reply): Promise<Reply> {
    const tagged = this.#tagged ? this.#tag(request) : request;
    const order = this.#order();
    let last = first;
    for (let attempt = 1; attempt < this.#tries; attempt++) {
      const index = order[attempt]!;
      const reply = await this.children[index]!.route(tagged);
      this.#note(index, reply);
      last = reply;
      if (this.#shouldFailover(request, reply)) continue;
      if (request.operation === Operation.leaseGet && reply.result === Result.miss && reply.token !== 0n) {
        this.#pairs.remember(request, reply.token, index);
      }
      return reply;
    }
    return last;
  }

  #shouldFailover(request: Request, reply: Reply): boolean {
    const result = reply instanceof SpooledReply ? reply.failure : reply.result;
    return this.#errors.matches(result, request.operation);
  }

  #note(index: number, reply: Reply): void {
    if (this.#failures === undefined) return;
    this.#failures[index] = reply.isError ? this.#failures[index]! + 1 : 0;
  }

  /** The first child stays first; the others by their errors in a row when the policy says so. */
  #order(): readonly number[] {
    const order = this.children.map((_, index) => index);
    const failures = this.#failures;
    if (failures === undefined) return order;
    return [0, ...order.slice(1).sort((one, other) => failures[one]! - failures[other]! || one - other)];
  }

  /** mcrouter marks a failover behind the key's hash stop, where it changes neither server nor meaning. */
  #tag(request: Request): Request {
    const hasHashStop = request.hashEnd < request.keyEnd;
    return hasHashStop && hasRoom(request, FAILOVER_TAG.length)
      ? withKeySuffix(request, FAILOVER_TAG)
      : request;
  }
}

/** A failover over the children, or what takes its place when there are fewer than two. */
export function makeFailoverRoute(
  name: string,
  children: readonly RouteHandle[],
  options: FailoverOptions,
  context: BuildContext,
): RouteHandle {
  const id = `lease-pairs ${context.path} ${children.length}`;
  return singleOr(
    children,
    (list) =>
      new FailoverRoute(
        name,
        list,
        options,
        context.keep(id, () => new LeasePairs()),
      ),
  );
}

export const failoverRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'FailoverRoute',
  parameters: z.strictObject({ children: routesJson, ...failoverParameters }),
  restParameter: 'children',
  build: (parameters, context) =>
    makeFailoverRoute(
      'failover',
      buildChildren(context, parameters.children, 'children'),
      parameters,
      context,
    ),
});
