/**
 * The server's main file, composition only:
 * configuration → logging → sockets → store → workers → admin pages → maintenance.
 *
 * ```
 *   main thread      maintenance · admin HTTP · signals' stop · log
 *   worker 0         accepts, hands connections to ▼ and serves
 *   worker 1…n-1     serve
 *   TLS worker       portable transport, on the same store (only with --tls-port)
 * ```
 */
import { arenaHandle } from '@larder/datapath';
import { chooseTransport, createLogger, moduleBeside, packageVersion, usableThreads } from '@larder/host';
import { readAuthFile } from './auth-file.ts';
import { ServerError } from './errors.ts';
import { openSockets } from './listeners.ts';
import { createMemory } from './memory.ts';
import { resolveOptions, settingsWarnings } from './options/resolve.ts';
import type { ServerOptions } from './options/server-options.ts';
import type { RunningServer } from './running-server.ts';
import { Server } from './server.ts';
import { readTlsFiles } from './tls-files.ts';
import { LISTENER_ROWS } from './workers/connection-table.ts';
import { planWorkers } from './workers/plan-workers.ts';
import { planSharedState } from './workers/shared-state.ts';

/** For tests. */
export interface StartOverrides {
  /** The module that each worker thread runs. */
  readonly workerEntry?: URL;
}

/** The version of this package. */
export function serverVersion(): string {
  return packageVersion(import.meta.url);
}

/**
 * Starts a server and resolves when it answers. Throws a ServerError: code `OPTION` for options that make no
 * sense, `UNAVAILABLE` for a transport that this machine does not have, an errno name such as `EADDRINUSE`
 * for what the system refused.
 */
export async function startServer(
  options: ServerOptions = {},
  overrides: StartOverrides = {},
): Promise<RunningServer> {
  try {
    return await start(options, overrides);
  } catch (error) {
    throw ServerError.from(error);
  }
}

async function start(options: ServerOptions, overrides: StartOverrides): Promise<RunningServer> {
  const requested = resolveOptions(options);
  const kind = chooseTransport(requested.transport);
  const notes = settingsWarnings(requested);
  const settings = { ...requested, threads: usableThreads(requested.threads, kind, notes) };
  const log = createLogger(settings.verbose, options.logTo);
  const authTokens = settings.authFile === '' ? [] : readAuthFile(settings.authFile);
  const tls = settings.tls === undefined ? undefined : readTlsFiles(settings.tls);
  const version = serverVersion();
  const sockets = await openSockets(kind, settings, settings.threads);
  try {
    const workers = settings.threads + (tls === undefined ? 0 : 1);
    const memory = createMemory(settings, kind, workers, log);
    const shared = planSharedState(workers, settings.connectionsMax + LISTENER_ROWS);
    const arena = arenaHandle(memory.arena);
    const { layout } = memory;
    const common = { shared, arena, layout, settings, version, startedAtMs: Date.now(), authTokens };
    const inputs = planWorkers({ transport: kind, settings, sockets, tls, common });
    for (const note of notes) log.warn(note);
    const { listeners } = sockets;
    const entry = overrides.workerEntry ?? moduleBeside(import.meta.url, './workers/worker');
    const server = new Server({
      settings,
      kind,
      log,
      memory,
      shared,
      listeners,
      inputs,
      notes,
      version,
      entry,
    });
    await server.start();
    return server;
  } catch (error) {
    sockets.listeners.close();
    throw error;
  }
}
