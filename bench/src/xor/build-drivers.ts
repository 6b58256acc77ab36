/**
 * Builds the C drivers of the peers, when a compiler and the peers' headers are there.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('../../drivers', import.meta.url));
const COMPILERS = ['cc', 'gcc', 'clang'];

const DRIVERS = {
  isal: { flags: ['-lisal'], debian: 'libisal-dev' },
  jerasure: { flags: ['-I/usr/include/jerasure', '-lJerasure'], debian: 'libjerasure-dev' },
} as const;
export type DriverName = keyof typeof DRIVERS;

/** The compiler to use, or undefined. */
export function findCompiler(): string | undefined {
  const wanted = process.env.CC;
  const candidates = wanted === undefined || wanted === '' ? COMPILERS : [wanted];
  return candidates.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}

/** The path of the built driver, or why it could not be built. */
export function buildDriver(
  name: DriverName,
  folder: string,
  compiler: string | undefined,
): { readonly path: string } | { readonly missing: string } {
  if (compiler === undefined) return { missing: `${name}: no C compiler (cc, gcc, clang, or CC)` };
  const path = join(folder, name);
  const { flags, debian } = DRIVERS[name];
  const args = ['-O3', '-o', path, join(SOURCES, `${name}.c`), ...flags];
  const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' });
  if (status === 0) return { path };
  const reason = stderr.trim().split('\n')[0] ?? '';
  return { missing: `${name}: does not build (Debian: apt-get install ${debian}): ${reason}` };
}
