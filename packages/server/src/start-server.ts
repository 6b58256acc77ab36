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
import { createRequire } from 'node:module';
import { arenaHandle, DatapathError, selectTransport, type TransportKind } from '@larder/datapath';
import { readAuthFile } from './auth-file.ts';
import { ServerError } from './errors.ts';
import { closeListeners, openListeners } from './listeners.ts';
import { createLogger } from './logging.ts';
import { createMemory } from './memory.ts';
import { resolveOptions, settingsWarnings } from './options/resolve.ts';
import type { ServerOptions, ServerSettings } from './options/server-options.ts';
import type { RunningServer } from './running-server.ts';
import { Server } from './server.ts';
import { readTlsFiles } from './tls-files.ts';
import { LISTENER_ROWS } from './workers/connection-table.ts';
import { planWorkers } from './workers/plan-workers.ts';
import { planSharedState } from './workers/shared-state.ts';

/** Systems on which several sockets may share a port, so that each worker can listen for itself. */
const PORT_SHARING: ReadonlySet<string> = new Set(['linux', 'freebsd', 'dragonfly']);

/** For tests. */
export interface StartOverrides {
  /** The module that each worker thread runs. */
  readonly workerEntry?: URL;
}

/** The version of this package. */
export function serverVersion(): string {
  const found: unknown = createRequire(import.meta.url)('../package.json');
  return (found as { version: string }).version;
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
  const requested = resolveOptions(options);
  const kind = chooseTransport(requested.transport);
  const notes = settingsWarnings(requested);
  const settings = { ...requested, threads: usableThreads(requested, kind, notes) };
  const log = createLogger(settings.verbose, options.logTo);
  const authTokens = settings.authFile === '' ? [] : readAuthFile(settings.authFile);
  const tls = settings.tls === undefined ? undefined : readTlsFiles(settings.tls);
  const listeners = await openListeners(kind, settings, settings.threads);
  try {
    const workers = settings.threads + (tls === undefined ? 0 : 1);
    const memory = createMemory(settings, kind, workers, log);
    const shared = planSharedState(workers, settings.connectionsMax + LISTENER_ROWS);
    const inputs = planWorkers({
      transport: kind,
      settings,
      listeners,
      tls,
      common: {
        shared,
        arena: arenaHandle(memory.arena),
        layout: memory.layout,
        settings,
        version: serverVersion(),
        startedAtMs: Date.now(),
        authTokens,
      },
    });
    for (const note of notes) log.warn(note);
    const server = new Server({
      settings,
      kind,
      log,
      memory,
      shared,
      listeners,
      inputs,
      notes,
      version: serverVersion(),
    });
    await server.start(overrides.workerEntry ?? defaultWorkerEntry());
    return server;
  } catch (error) {
    closeListeners(listeners);
    throw ServerError.from(error);
  }
}

/** The worker's module beside this one: source when this is source, compiled when this is compiled. */
function defaultWorkerEntry(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./workers/worker.${extension}`, import.meta.url);
}

function chooseTransport(requested: string): TransportKind {
  try {
    return selectTransport(requested === '' ? undefined : requested);
  } catch (cause) {
    if (!(cause instanceof DatapathError)) throw cause;
    const isUnknown = cause.code === 'ARGUMENT';
    const text = `--transport: ${isUnknown ? 'unknown' : 'not available'}: ${cause.message}`;
    throw new ServerError(isUnknown ? 'OPTION' : cause.code, text, { option: '--transport', cause });
  }
}

function usableThreads(settings: ServerSettings, kind: TransportKind, notes: string[]): number {
  if (kind !== 'node' || settings.threads === 1 || PORT_SHARING.has(process.platform))
    return settings.threads;
  notes.push(`on ${process.platform} the portable transport serves with one worker: ports cannot be shared`);
  return 1;
}
