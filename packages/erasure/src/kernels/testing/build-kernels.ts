/**
 * Compiles `assembly/xor.ts` with and without SIMD and writes the modules as
 * base64 into `xor-kernel-bytes.ts`, so that a clone needs no build step. A
 * test compiles again and compares.
 *
 *   node -C larder-source src/kernels/testing/build-kernels.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const SOURCE = fileURLToPath(new URL('../../../assembly/xor.ts', import.meta.url));
const TARGET = new URL('../xor-kernel-bytes.ts', import.meta.url);
const COMMON = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--noExportMemory'];

async function compile(features: readonly string[]): Promise<string> {
  let module: Uint8Array | undefined;
  const { error, stderr } = await asc.main(['xor.ts', '--outFile', 'xor.wasm', ...COMMON, ...features], {
    readFile: (name) => (name === 'xor.ts' ? readFileSync(SOURCE, 'utf8') : null),
    writeFile: (name, contents) => {
      if (name === 'xor.wasm' && typeof contents !== 'string') module = contents;
    },
    listFiles: () => [],
  });
  if (error || !module) throw new Error(`assemblyscript: ${error?.message}\n${stderr.toString()}`);
  return Buffer.from(module).toString('base64');
}

/** The text of `xor-kernel-bytes.ts`. */
export async function compileKernels(): Promise<string> {
  const simd = await compile(['--enable', 'simd']);
  const scalar = await compile(['--disable', 'simd']);
  const constant = (name: string, base64: string): string => `export const ${name} =\n  '${base64}';\n`;
  return `/**
 * The compiled kernels of \`assembly/xor.ts\`, as base64. Written by \`testing/build-kernels.ts\`: do not edit.
 */

/** With 128-bit vectors. */
${constant('XOR_KERNEL_SIMD', simd)}
/** With 64-bit words only. */
${constant('XOR_KERNEL_SCALAR', scalar)}`;
}

if (import.meta.main) writeFileSync(TARGET, await compileKernels());
