/**
 * A schedule that runs on regions of a kernel memory: compiled to one function,
 * or, while it has not been used enough to be worth compiling, step by step
 * through the general kernel.
 *
 * The regions' addresses are written to a table in the memory's work area,
 * behind it the temporaries; then the function runs.
 */
import { illegalArgument } from '../errors.ts';
import { COMPILE_FROM_BYTES, COMPILED_XORS_MAX, REGION_ALIGNMENT_BYTES } from '../limits.ts';
import { checkOperands, type XorSchedule } from '../schedule/xor-schedule.ts';
import { compileSchedule, SCHEDULE_BLOCK_BYTES } from './compile-schedule.ts';
import { KernelMemory } from './kernel-memory.ts';
import { type WasmModule, wasmEngine } from './web-assembly.ts';
import { type KernelLevel, xorKernel } from './xor-kernel.ts';

type Run = (table: number, bytes: number, scratch: number) => void;

export interface XorProgramOptions {
  /** Bytes of the first input after which the schedule is compiled; 0 compiles at once. */
  readonly compileFromBytes?: number;
}

const ADDRESS_BYTES = Uint32Array.BYTES_PER_ELEMENT;

export class XorProgram {
  readonly schedule: XorSchedule;
  readonly level: KernelLevel;
  #bytesUntilCompiled: number;
  #compiled: { readonly module: WasmModule; readonly scratchBytes: number } | undefined;
  readonly #runOf = new WeakMap<KernelMemory, Run>();

  constructor(schedule: XorSchedule, level: KernelLevel, options: XorProgramOptions = {}) {
    this.schedule = schedule;
    this.level = level;
    this.#bytesUntilCompiled = options.compileFromBytes ?? COMPILE_FROM_BYTES;
  }

  get isCompiled(): boolean {
    return this.#compiled !== undefined;
  }

  /** Bytes that a memory needs for a run besides the regions; may change when the program is compiled. */
  get workBytes(): number {
    const { steps, inputs, outputs } = this.schedule;
    const sources = Math.max(0, ...steps.map((step) => step.sources.length));
    const addresses = Math.max(inputs + outputs, sources) * ADDRESS_BYTES;
    const table = Math.ceil(addresses / REGION_ALIGNMENT_BYTES) * REGION_ALIGNMENT_BYTES;
    return table + this.#scratchBytes;
  }

  get #scratchBytes(): number {
    return this.#compiled?.scratchBytes ?? this.schedule.temporaries * SCHEDULE_BLOCK_BYTES;
  }

  /** Counts bytes that are about to be run, and compiles when it has become worth it. */
  prepare(bytes: number): void {
    this.#bytesUntilCompiled -= bytes;
    if (this.#bytesUntilCompiled > 0 || this.#compiled || this.schedule.xors > COMPILED_XORS_MAX) return;
    const { module, scratchBytes } = compileSchedule(this.schedule, this.level);
    this.#compiled = { module: new wasmEngine!.Module(module), scratchBytes };
  }

  /**
   * Sets the outputs from the inputs. All regions lie in one kernel memory, are
   * equally long, a multiple of 64 bytes, and no output overlaps another region.
   * The memory needs `workBytes` beside them.
   */
  run(inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void {
    checkOperands(this.schedule, inputs, outputs);
    const memory = KernelMemory.of(inputs, outputs);
    if (!memory) throw illegalArgument('the regions must all lie in one kernel memory');
    const bytes = (inputs[0] ?? outputs[0])!.length;
    checkRegions(inputs, outputs, bytes);
    if (bytes === 0) return;
    this.prepare(bytes);
    this.runUnchecked(memory, inputs, outputs, bytes);
  }

  /** As `run`, for callers that have called `prepare` and know that the regions are right. */
  runUnchecked(
    memory: KernelMemory,
    inputs: readonly Uint8Array[],
    outputs: readonly Uint8Array[],
    bytes: number,
  ): void {
    const { workBytes } = this;
    const work = memory.workArea(workBytes);
    const table = new Uint32Array(memory.buffer, work.byteOffset, inputs.length + outputs.length);
    for (let i = 0; i < inputs.length; i++) table[i] = inputs[i]!.byteOffset;
    for (let i = 0; i < outputs.length; i++) table[inputs.length + i] = outputs[i]!.byteOffset;
    const scratch = work.byteOffset + workBytes - this.#scratchBytes;
    if (this.#compiled) this.#instance(memory, this.#compiled.module)(work.byteOffset, bytes, scratch);
    else this.#runSteps(memory, table.slice(), work.byteOffset, bytes, scratch);
  }

  #instance(memory: KernelMemory, module: WasmModule): Run {
    let run = this.#runOf.get(memory);
    if (!run) {
      const instance = new wasmEngine!.Instance(module, { env: { memory: memory.memory } });
      run = instance.exports.run as Run;
      this.#runOf.set(memory, run);
    }
    return run;
  }

  /** Block by block, every step one call of the general kernel. */
  #runSteps(
    memory: KernelMemory,
    regions: Uint32Array,
    tableAddress: number,
    bytes: number,
    scratch: number,
  ): void {
    const { xor } = xorKernel(memory, this.level);
    const { steps } = this.schedule;
    const table = new Uint32Array(memory.buffer, tableAddress, (scratch - tableAddress) / ADDRESS_BYTES);
    const all = new Uint8Array(memory.buffer);
    for (let offset = 0; offset < bytes; offset += SCHEDULE_BLOCK_BYTES) {
      const length = Math.min(SCHEDULE_BLOCK_BYTES, bytes - offset);
      const addressOf = (operand: number): number =>
        operand < regions.length
          ? regions[operand]! + offset
          : scratch + (operand - regions.length) * SCHEDULE_BLOCK_BYTES;
      for (const { target, sources } of steps) {
        const at = addressOf(target);
        for (let i = 0; i < sources.length; i++) table[i] = addressOf(sources[i]!);
        if (sources.length === 0) all.fill(0, at, at + length);
        else xor(at, tableAddress, sources.length, length);
      }
    }
  }
}

/** Throws unless the regions are equally long, in whole steps, and no output overlaps another region. */
export function checkRegions(
  inputs: readonly Uint8Array[],
  outputs: readonly Uint8Array[],
  bytes: number,
): void {
  if (bytes % REGION_ALIGNMENT_BYTES !== 0) {
    throw illegalArgument(`regions are a multiple of ${REGION_ALIGNMENT_BYTES} bytes long, not ${bytes}`);
  }
  const targets = new Set(outputs);
  const sorted = [...inputs, ...outputs].sort((a, b) => a.byteOffset - b.byteOffset);
  for (let i = 1; i < sorted.length; i++) {
    const [before, after] = [sorted[i - 1]!, sorted[i]!];
    const isApart = before.byteOffset + bytes <= after.byteOffset;
    if (!isApart && bytes > 0 && (targets.has(before) || targets.has(after))) {
      throw illegalArgument('an output overlaps another region');
    }
  }
}
