/** Handles built from a configuration as the package builds them, over fake caches: `"Fake|name"`. */
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition, type RouteJson } from '../../registry.ts';
import type { Reply } from '../../reply.ts';
import { type Operation, Request } from '../../request.ts';
import { Routing } from '../../routing.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { FakeCache } from './fake-cache.ts';

export interface Ask {
  readonly value?: string;
  readonly flags?: number;
  readonly exptime?: number;
  readonly token?: bigint;
  readonly cas?: bigint;
  readonly clientId?: string;
  readonly metaFlags?: string;
  readonly holdOffSeconds?: number;
}

export class Harness implements AsyncDisposable {
  readonly clock: FakeClock = new FakeClock();
  readonly notices: string[] = [];
  /** What `random` gives, one after the other, then again from the start. */
  chances: readonly number[] = [0];
  readonly #caches: Map<string, FakeCache> = new Map();
  #chance = 0;
  #routing: Routing | undefined;

  static async open(
    route: RouteJson,
    options: { spoolFolder?: string; clientId?: string } = {},
  ): Promise<Harness> {
    const harness = new Harness();
    harness.#routing = await Routing.open({
      config: { route },
      handles: [harness.#definition()],
      services: {
        clock: harness.clock,
        random: () => harness.chances[harness.#chance++ % harness.chances.length] ?? 0,
        clientId: 'this-host',
        notice: (text) => harness.notices.push(text),
        ...options,
      },
    });
    return harness;
  }

  get routing(): Routing {
    if (this.#routing === undefined) throw new Error('not open');
    return this.#routing;
  }

  /** The fake of that name; `"Fake|name"` in the configuration. */
  cache(name: string): FakeCache {
    let cache = this.#caches.get(name);
    if (cache === undefined) {
      cache = new FakeCache(name, this.clock);
      this.#caches.set(name, cache);
    }
    return cache;
  }

  request(operation: Operation, key: string, ask: Ask = {}): Request {
    const request = Request.of(operation, key);
    request.value = Buffer.from(ask.value ?? '');
    request.flags = ask.flags ?? 0;
    request.exptime = ask.exptime ?? 0;
    request.token = ask.token ?? 0n;
    request.cas = ask.cas ?? 0n;
    request.clientId = ask.clientId ?? '';
    request.metaFlags = Buffer.from(ask.metaFlags ?? '');
    request.holdOffSeconds = ask.holdOffSeconds ?? 0;
    return request;
  }

  ask(operation: Operation, key: string, ask: Ask = {}): Promise<Reply> {
    return this.routing.route(this.request(operation, key, ask));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#routing?.close();
  }

  #definition(): RouteHandleDefinition {
    return defineRouteHandle({
      type: 'FakeRoute',
      parameters: z.strictObject({ cache: z.string() }),
      restParameter: 'cache',
      build: (parameters) => this.cache(parameters.cache),
    });
  }
}
