/**
 * The one place that decides which XOR kernels run.
 *
 *   wasm-simd   WebAssembly with 128-bit vectors
 *   wasm        WebAssembly with 64-bit words, where an engine has no vectors
 *   reference   plain TypeScript, what the tests hold the others against
 *
 * The best that the engine has is chosen, unless the environment variable
 * LARDER_XOR names a level; a level that is forced and not there is an error.
 */
import { illegalArgument } from '../errors.ts';
import { wasmEngine } from './web-assembly.ts';

export const xorLevels = ['wasm-simd', 'wasm', 'reference'] as const;
export type XorLevel = (typeof xorLevels)[number];

const XOR_LEVEL_VARIABLE = 'LARDER_XOR';

/** A function that returns a vector constant's lane: valid only where vectors are. */
const VECTOR_PROBE = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 5, 1, 0x60, 0, 1, 0x7b],
  ...[3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 0x41, 0, 0xfd, 15, 0xfd, 98, 0x0b],
);

let chosen: XorLevel | undefined;

/** The level that runs in this process; decided at first use. */
export function xorLevel(): XorLevel {
  chosen ??= selectXorLevel(environmentValue(), isLevelAvailable);
  return chosen;
}

/** The forced level if there is one, otherwise the best available. */
export function selectXorLevel(
  forced: string | undefined,
  isAvailable: (level: XorLevel) => boolean,
): XorLevel {
  if (forced === undefined || forced === '') return xorLevels.find(isAvailable)!;
  const level = xorLevels.find((candidate) => candidate === forced);
  if (!level) {
    throw illegalArgument(`${XOR_LEVEL_VARIABLE} is ${xorLevels.join(', ')}, not "${forced}"`);
  }
  if (!isAvailable(level)) {
    throw illegalArgument(`${XOR_LEVEL_VARIABLE}=${level}: this engine has no such kernels`);
  }
  return level;
}

export function isLevelAvailable(level: XorLevel): boolean {
  if (level === 'reference') return true;
  if (!wasmEngine) return false;
  return level === 'wasm' || wasmEngine.validate(VECTOR_PROBE);
}

/** Browsers have no `process`. */
function environmentValue(): string | undefined {
  const host = globalThis as { readonly process?: { readonly env?: Readonly<Record<string, string>> } };
  return host.process?.env?.[XOR_LEVEL_VARIABLE];
}
