#!/usr/bin/env node
/**
 * Starts the protoc plugin with a Node.js that is new enough, whatever `node` is on the PATH: this one if it
 * is, else one that is installed beside the package (npm package `node`). Plain JavaScript that any Node.js
 * from 18 on reads. Standard input and output are the plugin's protocol, so they are handed on as they are.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MIN = [22, 18];
const packageFolder = dirname(dirname(fileURLToPath(import.meta.url)));

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
}

/** A Node.js installed through npm, in this package's folder, the working folder, or one above them. */
function installedNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  for (const start of [packageFolder, process.cwd()]) {
    for (let folder = start; ; folder = dirname(folder)) {
      const candidate = join(folder, 'node_modules', '.bin', name);
      if (existsSync(candidate)) return candidate;
      if (folder === dirname(folder)) break;
    }
  }
  return undefined;
}

/** Sources run directly by type stripping, except in an installed package, where they are compiled. */
function entry() {
  const isInstalled = packageFolder.split(/[\\/]/).includes('node_modules');
  const source = join(packageFolder, 'src', 'main.ts');
  if (!isInstalled && existsSync(source)) return ['-C', 'larder-source', source];
  return [join(packageFolder, 'dist', 'main.js')];
}

const node = isNewEnough(process.versions.node) ? process.execPath : installedNode();
if (node === undefined) {
  process.stderr.write(
    `protoc-gen-larder needs Node.js ${NODE_MIN.join('.')} or newer, this is ${process.versions.node}. ` +
      'Install a newer one, or the npm package `node` beside this one.\n',
  );
  process.exit(1);
}
const child = spawn(node, [...entry(), ...process.argv.slice(2)], { stdio: 'inherit' });
child.on('error', (error) => {
  process.stderr.write(`protoc-gen-larder: cannot start ${node}: ${error.message}\n`);
  process.exit(1);
});
child.on('exit', (code) => process.exit(code ?? 1));
