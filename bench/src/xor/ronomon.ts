/**
 * @ronomon/reed-solomon, installed for the benchmark only: it is a native addon, which Larder's packages do
 * without. It goes to a folder under `node_modules/.cache`; its install script builds it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = '@ronomon/reed-solomon';
const VERSION = '6.0.0';
const FOLDER = fileURLToPath(new URL('../../../node_modules/.cache/larder-bench/ronomon', import.meta.url));
const INSTALL_MS = 60_000;

type Encode = (
  context: Buffer,
  sources: number,
  targets: number,
  data: Buffer,
  dataOffset: number,
  dataBytes: number,
  parity: Buffer,
  parityOffset: number,
  parityBytes: number,
  done: (error?: Error) => void,
) => void;

export interface Ronomon {
  readonly version: string;
  readonly create: (k: number, m: number) => Buffer;
  readonly encode: Encode;
}

/** The library, or why there is none. */
export function loadRonomon(): Ronomon | string {
  const load = (): Ronomon => {
    const require = createRequire(join(FOLDER, 'package.json'));
    const found = require(PACKAGE) as Omit<Ronomon, 'version'>;
    return { version: VERSION, create: found.create, encode: found.encode };
  };
  try {
    return load();
  } catch {
    mkdirSync(FOLDER, { recursive: true });
  }
  const args = ['install', '--prefix', FOLDER, '--no-save', '--no-audit', '--no-fund'];
  const { status, stderr } = spawnSync('npm', [...args, `${PACKAGE}@${VERSION}`], {
    encoding: 'utf8',
    timeout: INSTALL_MS,
  });
  if (status !== 0) return `${PACKAGE} does not install: ${stderr?.trim().split('\n').at(-1) ?? 'no npm'}`;
  try {
    return load();
  } catch (error) {
    return `${PACKAGE} does not load: ${error instanceof Error ? error.message : String(error)}`;
  }
}
