/** Hands the request on late, answers late, or both; for finding out what slowness does. */
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import type { Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { detached } from './detached.ts';

export interface InjectedLatency {
  /** Between the request and handing it on. */
  readonly beforeMs: number;
  /** Between the child's reply and this one's. */
  readonly afterMs: number;
  /** At least so long in all. */
  readonly totalMs: number;
}

export class LatencyInjectionRoute implements RouteHandle {
  readonly name: string;
  readonly children: readonly RouteHandle[];
  readonly #latency: InjectedLatency;
  readonly #clock: Clock;

  constructor(child: RouteHandle, latency: InjectedLatency, clock: Clock) {
    const { beforeMs, afterMs, totalMs } = latency;
    this.name = `latency-injection|before:${beforeMs}ms|after:${afterMs}ms|total:${totalMs}ms`;
    this.children = [child];
    this.#latency = latency;
    this.#clock = clock;
  }

  async route(request: Request): Promise<Reply> {
    const { beforeMs, afterMs, totalMs } = this.#latency;
    const start = this.#clock.now();
    const own = beforeMs > 0 ? detached(request) : request;
    if (beforeMs > 0) await this.#wait(beforeMs);
    const reply = await this.children[0]!.route(own);
    if (afterMs > 0) await this.#wait(afterMs);
    const missing = totalMs - (this.#clock.now() - start);
    if (missing > 0) await this.#wait(missing);
    return reply;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.setTimer(ms, resolve);
    });
  }
}

const milliseconds = z.int().nonnegative().optional();

export const latencyInjectionRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'LatencyInjectionRoute',
  parameters: z.strictObject({
    child: routeJson,
    before_latency_ms: milliseconds,
    after_latency_ms: milliseconds,
    total_latency_ms: milliseconds,
    // Of mcrouter's own protocol: memcached's requests carry no latency to inject.
    request_payload_latency: z.boolean().optional(),
    max_request_latency_us: z.int().optional(),
  }),
  build: (parameters, context) => {
    const { before_latency_ms, after_latency_ms, total_latency_ms } = parameters;
    const given = [before_latency_ms, after_latency_ms, total_latency_ms];
    if (given.every((each) => each === undefined) && parameters.request_payload_latency === undefined) {
      return context.fail('expected before_latency_ms, after_latency_ms or total_latency_ms');
    }
    const child = context.route(parameters.child, 'child');
    if (given.every((each) => (each ?? 0) === 0)) return child;
    const latency = {
      beforeMs: before_latency_ms ?? 0,
      afterMs: after_latency_ms ?? 0,
      totalMs: total_latency_ms ?? 0,
    };
    return new LatencyInjectionRoute(child, latency, context.services.clock);
  },
});
