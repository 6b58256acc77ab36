/**
 * The router's main file, composition only: options → log → configuration → sockets → workers → admin pages.
 *
 * ```
 *   main thread      admin HTTP · signals' stop · log
 *   worker 0…n-1     each with its own sockets, transport, route handles and connections to servers
 * ```
 */
import { TransportKind } from '@larder/datapath';
import { chooseTransport, createLogger, moduleBeside, packageVersion, usableThreads } from '@larder/host';
import { checkSpoolFolder, Routing, RoutingError } from '@larder/routing';
import { RouterError } from './errors.ts';
import { openSockets } from './listeners.ts';
import { resolveRouterOptions, settingsWarnings } from './options/resolve.ts';
import type { RouterOptions, RouterSettings } from './options/router-options.ts';
import { Router } from './router.ts';
import type { RunningRouter } from './running-router.ts';
import { SharedStatistics } from './statistics/shared-statistics.ts';
import type { WorkerInput } from './workers/messages.ts';

/** The configuration that is only checked is not looked at again. */
const CHECK_POLL_MS = 3_600_000;

/**
 * Starts a router and resolves when it answers. Throws a RouterError: code `OPTION` for options that make no
 * sense, `CONFIG` or `CONFIG_SOURCE` for a configuration that cannot be used or read, `UNAVAILABLE` for a
 * transport that this machine does not have, an errno name such as `EADDRINUSE` for what the system refused.
 */
export async function startRouter(options: RouterOptions): Promise<RunningRouter> {
  try {
    return await start(options);
  } catch (error) {
    throw RouterError.from(error);
  }
}

/** Reads the options and builds the whole configuration, without starting anything; throws as `startRouter` does. */
export async function checkRouter(options: RouterOptions): Promise<void> {
  try {
    await checkConfiguration(resolveRouterOptions(options));
  } catch (error) {
    throw RouterError.from(error);
  }
}

async function start(options: RouterOptions): Promise<RunningRouter> {
  const requested = resolveRouterOptions(options);
  const notes = settingsWarnings(requested);
  const hasTls = await checkConfiguration(requested);
  checkSpool(requested);
  const kind = transportFor(requested.transport, hasTls, notes);
  const settings = { ...requested, threads: usableThreads(requested.threads, kind, notes) };
  const log = createLogger(settings.verbose, options.logTo);
  const sockets = await openSockets(kind, settings);
  try {
    const shared = SharedStatistics.allocate(settings.threads);
    const startedAtMs = Date.now();
    const version = packageVersion(import.meta.url);
    const inputs = sockets.workers.map(
      ({ streams, datagrams }, index): WorkerInput => ({
        index,
        transport: kind,
        shared: shared.buffer,
        settings,
        version,
        startedAtMs,
        connectionsMax: Math.ceil(settings.connectionsMax / settings.threads),
        streams,
        datagrams,
      }),
    );
    for (const note of notes) log.warn(note);
    const { listeners } = sockets;
    const entry = moduleBeside(import.meta.url, './workers/worker');
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
      entry,
    });
    await router.start();
    return router;
  } catch (error) {
    sockets.listeners.close();
    throw error;
  }
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

/** Once, instead of an error of each worker. */
function checkSpool({ spoolFolder }: RouterSettings): void {
  if (spoolFolder === '') return;
  try {
    checkSpoolFolder(spoolFolder);
  } catch (cause) {
    const { code, message } = RoutingError.from(cause);
    throw new RouterError(code, message, { option: '--spool', cause });
  }
}

function transportFor(requested: string, hasTls: boolean, notes: string[]): TransportKind {
  const kind = chooseTransport(requested);
  if (!hasTls || kind === TransportKind.node) return kind;
  notes.push('some servers speak TLS, which only the portable transport does: it is used');
  return TransportKind.node;
}
