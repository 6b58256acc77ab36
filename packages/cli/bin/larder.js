#!/usr/bin/env node
/**
 * Starts the larder command with a Node.js that is new enough, whatever `node` is on the PATH: the one that
 * the repository pins when there is one, else this one. Plain JavaScript that any Node.js from 18 on reads.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MIN = [22, 18];
/** Signals that a supervisor or a terminal sends; the server decides what they mean. */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'];

/** Settings that keep the process small; see src/lean-start.ts. */
const LEAN_FLAGS = ['--max-semi-space-size=1', '--expose-gc'];
const LEAN_ENVIRONMENT = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' };

const packageFolder = dirname(dirname(fileURLToPath(import.meta.url)));

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
}

/** The pinned Node.js (npm package `node`), looked for from this package upwards. */
function pinnedNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  try {
    return createRequire(import.meta.url).resolve(`node/bin/${name}`);
  } catch {
    // Not installed beside this package: perhaps only its link is.
  }
  for (let folder = packageFolder; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', '.bin', name);
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

function chooseNode() {
  const pinned = pinnedNode();
  if (pinned !== undefined) return pinned;
  if (isNewEnough(process.versions.node)) return process.execPath;
  process.stderr.write(
    `larder needs Node.js ${NODE_MIN.join('.')} or newer, this is ${process.versions.node}. ` +
      'In the repository `npm ci` installs the right one; elsewhere install a newer Node.js.\n',
  );
  process.exit(1);
}

/** Sources run directly by type stripping, except in an installed package, where they are compiled. */
function isSource() {
  const isInstalled = packageFolder.split(/[\\/]/).includes('node_modules');
  return !isInstalled && existsSync(join(packageFolder, 'src', 'main.ts'));
}

function environment() {
  const env = { ...LEAN_ENVIRONMENT, ...process.env, LARDER_LEAN_START: '1' };
  const cache = join(dirname(dirname(packageFolder)), 'node_modules', '.cache', 'larder-compile');
  return isSource() ? { NODE_COMPILE_CACHE: cache, ...env } : env;
}

function run(node, args) {
  const env = environment();
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    process.execve(node, [node, ...args], env);
  }
  const child = spawn(node, args, { stdio: 'inherit', env });
  for (const signal of FORWARDED) {
    // A terminal sends Ctrl-C to the whole process group; the child has it already.
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`larder: cannot start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal === null ? code : 128 + constants.signals[signal]));
}

const entry = isSource()
  ? ['-C', 'larder-source', join(packageFolder, 'src', 'main.ts')]
  : [join(packageFolder, 'dist', 'main.js')];
run(chooseNode(), [...LEAN_FLAGS, ...entry, ...process.argv.slice(2)]);
