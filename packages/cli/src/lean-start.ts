/**
 * Starts the server's process again, in place, with settings that Node.js takes only at its start and that
 * keep its memory small:
 *
 * - a compile cache, because running from source every thread would load a compiler of its own to strip types
 *   (17 MB in the main thread, 10 MB in each worker, measured);
 * - a small young generation, because the server allocates next to nothing once it runs (8 MB);
 * - garbage collection on demand, for when everything is loaded (4 MB a thread);
 * - few malloc arenas, because threads that serve do not call malloc (3 MB), and large blocks given back to
 *   the system when they are freed: those of the optimizing compiler (6 MB).
 *
 * Only processes that stay are worth it, and only where a process can replace itself (not on Windows); the
 * launcher `bin/larder.js` starts with these settings in the first place.
 */
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Also in bin/larder.js, which cannot import this file. */
const LEAN_FLAGS: readonly string[] = ['--max-semi-space-size=1', '--expose-gc'];
const LEAN_ENVIRONMENT = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' };
const STAYING_COMMANDS: ReadonlySet<string> = new Set(['up', 'serve', 'router']);
/** Set in the process that was started again; its value does not matter. */
const STARTED_VARIABLE = 'LARDER_LEAN_START';

/** Returns only if the process is as it should be, or cannot be. */
export function leanStart(argv: readonly string[], entry: string): void {
  const { env } = process;
  if (env[STARTED_VARIABLE] !== undefined || !STAYING_COMMANDS.has(argv[2] ?? '')) return;
  if (process.execve === undefined || process.platform === 'win32') return;
  const repository = dirname(dirname(dirname(dirname(fileURLToPath(entry)))));
  const cache = join(repository, 'node_modules', '.cache', 'larder-compile');
  const args = [process.execPath, ...LEAN_FLAGS, ...process.execArgv, ...argv.slice(1)];
  process.execve(process.execPath, args, {
    ...LEAN_ENVIRONMENT,
    ...env,
    [STARTED_VARIABLE]: '1',
    NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE ?? cache,
  });
}
