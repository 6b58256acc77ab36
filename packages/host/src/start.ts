/** Small decisions that every process with workers makes before it starts. */
import { createRequire } from 'node:module';
import { DatapathError, selectTransport, TransportKind } from '@larder/datapath';
import { HostError } from './errors.ts';

/** Systems on which several sockets may share a port, so that each worker can listen for itself. */
const PORT_SHARING: ReadonlySet<string> = new Set(['linux', 'freebsd', 'dragonfly']);

/** The version of the package whose `src` or `dist` folder the module at `url` (import.meta.url) lies in. */
export function packageVersion(url: string): string {
  const found: unknown = createRequire(url)('../package.json');
  return (found as { version: string }).version;
}

/** The module at `path` (without extension) beside the one at `url`: source when that is source, else compiled. */
export function moduleBeside(url: string, path: string): URL {
  return new URL(`${path}.${url.endsWith('.ts') ? 'ts' : 'js'}`, url);
}

/** The transport that was asked for, or with '' the best that works here. */
export function chooseTransport(requested: string): TransportKind {
  try {
    return selectTransport(requested === '' ? undefined : requested);
  } catch (cause) {
    if (!(cause instanceof DatapathError)) throw cause;
    const isUnknown = cause.code === 'ARGUMENT';
    const text = `--transport: ${isUnknown ? 'unknown' : 'not available'}: ${cause.message}`;
    throw new HostError(isUnknown ? 'OPTION' : cause.code, text, { option: '--transport', cause });
  }
}

/** How many workers can serve; when these are fewer than asked for, a note says why. */
export function usableThreads(threads: number, kind: TransportKind, notes: string[]): number {
  if (kind !== TransportKind.node || threads === 1 || PORT_SHARING.has(process.platform)) return threads;
  notes.push(`on ${process.platform} the portable transport serves with one worker: ports cannot be shared`);
  return 1;
}
