/**
 * What the kernels need of the engine's `WebAssembly`, typed here because the
 * standard library's types have it only together with the browser's document.
 */

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** Compiled code; opaque. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: string;
}

export interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

export interface WasmEngine {
  readonly validate: (bytes: Uint8Array<ArrayBuffer>) => boolean;
  readonly Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => WasmModule;
  readonly Instance: new (module: WasmModule, imports: { env: { memory: WasmMemory } }) => WasmInstance;
}

/** Undefined where an engine has it not, or has it switched off. */
export const wasmEngine: WasmEngine | undefined = (globalThis as { WebAssembly?: WasmEngine }).WebAssembly;
