/** Routers for tests: short time-outs, one worker, a log that can be looked at. */
import type { RouterOptions } from '../options/router-options.ts';
import type { RunningRouter } from '../running-router.ts';
import { startRouter } from '../start-router.ts';

export interface TestRouter extends AsyncDisposable {
  readonly router: RunningRouter;
  /** Every line so far. */
  readonly log: readonly string[];
}

/** The configuration of one pool of these servers. */
export function poolOf(...servers: readonly { readonly address: string }[]): unknown {
  return {
    pools: { main: { servers: servers.map(({ address }) => address) } },
    route: 'PoolRoute|main',
  };
}

export async function startTestRouter(
  config: unknown,
  options: Partial<RouterOptions> = {},
): Promise<TestRouter> {
  const log: string[] = [];
  const router = await startRouter({
    config: { text: JSON.stringify(config) },
    port: 0,
    threads: 1,
    adminPort: 'off',
    serverTimeoutMs: 300,
    connectTimeoutMs: 300,
    probeDelayMs: 50,
    logTo: (line) => log.push(line),
    ...options,
  });
  return { router, log, [Symbol.asyncDispose]: () => router.stop() };
}
