/**
 * The router's main file, composition only: options → log → configuration → sockets → workers → admin pages.
 *
 * ```
 *   main thread      admin HTTP · signals' stop · log
 *   worker 0…n-1     each with its own sockets, transport, route handles and connections to servers
 * ```
 */
import { createRequire } from 'node:module';
import { DatapathError, selectTransport, TransportKind } from '@larder/datapath';
import { Routing, RoutingError } from '@larder/routing';
import { RouterError } from './errors.ts';
import { Listeners } from './listeners.ts';
import { createLogger } from './logging.ts';
import { resolveRouterOptions, settingsWarnings } from './options/resolve.ts';
import type { RouterOptions, RouterSettings } from './options/router-options.ts';
import { Router } from './router.ts';
import type { RunningRouter } from './running-router.ts';
import { SharedStatistics } from './statistics/shared-statistics.ts';
import type { WorkerInput } from './workers/messages.ts';

/** Systems on which several sockets may share a port, so that each worker can listen for itself. */
const PORT_SHARING: ReadonlySet<string> = new Set(['linux', 'freebsd', 'dragonfly']);

/** The configuration that is only checked is not looked at again. */
const CHECK_POLL_MS = 3_600_000;

/** The version of this package. */
function routerVersion(): string {
  const found: unknown = createRequire(import.meta.url)('../package.json');
  return (found as { version: string }).version;
}

/**
 * Starts a router and resolves when it answers. Throws a RouterError: code `OPTION` for options that make no
 * sense, `CONFIG` or `CONFIG_SOURCE` for a configuration that cannot be used or read, `UNAVAILABLE` for a
 * transport that this machine does not have, an errno name such as `EADDRINUSE` for what the system refused.
 */
export async function startRouter(options: RouterOptions): Promise<RunningRouter> {
  const requested = resolveRouterOptions(options);
  const notes = settingsWarnings(requested);
  const hasTls = await checkConfiguration(requested);
  const kind = chooseTransport(requested.transport, hasTls, notes);
  const settings = { ...requested, threads: usableThreads(requested, kind, notes) };
  const log = createLogger(settings.verbose, options.logTo);
  const listeners = await Listeners.open(kind, settings);
  try {
    const shared = SharedStatistics.allocate(settings.threads);
    const startedAtMs = Date.now();
    const version = routerVersion();
    const inputs = listeners.workers.map(
      (sockets, index): WorkerInput => ({
        index,
        transport: kind,
        shared: shared.buffer,
        settings,
        version,
        startedAtMs,
        connectionsMax: Math.ceil(settings.connectionsMax / settings.threads),
        streams: sockets.streams,
        datagrams: sockets.datagrams,
      }),
    );
    for (const note of notes) log.warn(note);
    const router = new Router({
      settings,
      kind,
      log,
      shared,
      listeners,
      inputs,
      notes,
      version,
      startedAtMs,
    });
    await router.start(workerEntry());
    return router;
  } catch (error) {
    listeners.close();
    throw RouterError.from(error);
  }
}

/** The worker's module beside this one: source when this is source, compiled when this is compiled. */
function workerEntry(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./workers/worker.${extension}`, import.meta.url);
}

/** Reads the configuration once, so that a bad one is one clear error. Returns whether servers speak TLS. */
async function checkConfiguration(settings: RouterSettings): Promise<boolean> {
  const { config } = settings;
  try {
    const routing = await Routing.open({
      config: 'text' in config ? config.text : config,
      pollMs: CHECK_POLL_MS,
    });
    const hasTls = [...routing.destinations()].some(({ options }) => options.tls !== undefined);
    await routing.close();
    return hasTls;
  } catch (cause) {
    const error = RoutingError.from(cause);
    const where = 'file' in config ? config.file : 'url' in config ? config.url : 'the configuration';
    const text = error.message.includes(where) ? error.message : `${where}: ${error.message}`;
    throw new RouterError(error.code, text, { option: '--config', cause });
  }
}

function chooseTransport(requested: string, hasTls: boolean, notes: string[]): TransportKind {
  let kind: TransportKind;
  try {
    kind = selectTransport(requested === '' ? undefined : requested);
  } catch (cause) {
    if (!(cause instanceof DatapathError)) throw cause;
    const isUnknown = cause.code === 'ARGUMENT';
    const text = `--transport: ${isUnknown ? 'unknown' : 'not available'}: ${cause.message}`;
    throw new RouterError(isUnknown ? 'OPTION' : cause.code, text, { option: '--transport', cause });
  }
  if (!hasTls || kind === TransportKind.node) return kind;
  notes.push('some servers speak TLS, which only the portable transport does: it is used');
  return TransportKind.node;
}

function usableThreads(settings: RouterSettings, kind: TransportKind, notes: string[]): number {
  if (kind !== TransportKind.node || settings.threads === 1 || PORT_SHARING.has(process.platform)) {
    return settings.threads;
  }
  notes.push(`on ${process.platform} the portable transport serves with one worker: ports cannot be shared`);
  return 1;
}
