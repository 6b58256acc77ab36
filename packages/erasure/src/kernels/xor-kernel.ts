/**
 * The kernels of `assembly/xor.ts`, instantiated once per memory and level.
 */
import type { KernelMemory } from './kernel-memory.ts';
import { type WasmModule, wasmEngine } from './web-assembly.ts';
import { XOR_KERNEL_SCALAR, XOR_KERNEL_SIMD } from './xor-kernel-bytes.ts';
import type { XorLevel } from './xor-level.ts';

export type KernelLevel = Exclude<XorLevel, 'reference'>;

export interface XorKernel {
  /** Addresses and lengths in bytes; the table holds `count` addresses of 32 bits. */
  readonly xor: (target: number, table: number, count: number, bytes: number) => void;
  readonly isZero: (region: number, bytes: number) => number;
}

const SOURCES: Readonly<Record<KernelLevel, string>> = {
  'wasm-simd': XOR_KERNEL_SIMD,
  wasm: XOR_KERNEL_SCALAR,
};
const modules = new Map<KernelLevel, WasmModule>();
const kernels = new WeakMap<KernelMemory, Map<KernelLevel, XorKernel>>();

export function xorKernel(memory: KernelMemory, level: KernelLevel): XorKernel {
  let ofMemory = kernels.get(memory);
  if (!ofMemory) {
    ofMemory = new Map();
    kernels.set(memory, ofMemory);
  }
  let kernel = ofMemory.get(level);
  if (!kernel) {
    const instance = new wasmEngine!.Instance(kernelModule(level), { env: { memory: memory.memory } });
    kernel = instance.exports as unknown as XorKernel;
    ofMemory.set(level, kernel);
  }
  return kernel;
}

function kernelModule(level: KernelLevel): WasmModule {
  let module = modules.get(level);
  if (!module) {
    module = new wasmEngine!.Module(Uint8Array.from(atob(SOURCES[level]), (c) => c.charCodeAt(0)));
    modules.set(level, module);
  }
  return module;
}
