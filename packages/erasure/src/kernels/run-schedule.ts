/**
 * Runs schedules and sums on any regions with the kernels of the chosen level.
 *
 * Regions in one kernel memory whose length is a multiple of 64 bytes are used
 * where they are. All others are staged: a slab of each is copied into a memory
 * of the package's own, computed there and the results copied out, slab by
 * slab, so that the copies stay in the caches and any length will do (what is
 * beyond it in the last slab is computed and thrown away).
 */
import { ErasureError, illegalArgument } from '../errors.ts';
import { REGION_ALIGNMENT_BYTES, STAGED_BYTES, STAGING_BYTES_MAX } from '../limits.ts';
import { checkOperands, executeSchedule, type XorSchedule } from '../schedule/xor-schedule.ts';
import { KernelMemory } from './kernel-memory.ts';
import { type KernelLevel, xorKernel } from './xor-kernel.ts';
import { type XorLevel, xorLevel } from './xor-level.ts';
import { checkRegions, XorProgram } from './xor-program.ts';

const programs = new WeakMap<XorSchedule, Map<KernelLevel, XorProgram>>();

/** The staging memory: replaced by a larger one when a schedule needs it, empty between runs. */
let staging: KernelMemory | undefined;

/** Pieces of staging besides the slabs: what gaps and rounding may take. */
const STAGING_SLACK_BYTES = 1024;

/**
 * Sets the outputs from the inputs as the schedule says. Inputs are not
 * changed; an output must not overlap another region.
 */
export function runSchedule(
  schedule: XorSchedule,
  inputs: readonly Uint8Array[],
  outputs: readonly Uint8Array[],
  level: XorLevel = xorLevel(),
): void {
  const bytes = (inputs[0] ?? outputs[0])?.length ?? 0;
  if (level === 'reference' || bytes === 0) {
    executeSchedule(schedule, inputs, outputs);
    return;
  }
  checkOperands(schedule, inputs, outputs);
  const program = programOf(schedule, level);
  const memory = bytes % REGION_ALIGNMENT_BYTES === 0 ? KernelMemory.of(inputs, outputs) : undefined;
  program.prepare(bytes);
  if (memory?.hasWorkArea(program.workBytes)) {
    checkRegions(inputs, outputs, bytes);
    program.runUnchecked(memory, inputs, outputs, bytes);
  } else {
    runStaged(program, inputs, outputs, bytes);
  }
}

/** A program per schedule and level, kept as long as the schedule. */
function programOf(schedule: XorSchedule, level: KernelLevel): XorProgram {
  let ofSchedule = programs.get(schedule);
  if (!ofSchedule) {
    ofSchedule = new Map();
    programs.set(schedule, ofSchedule);
  }
  let program = ofSchedule.get(level);
  if (!program) {
    program = new XorProgram(schedule, level);
    ofSchedule.set(level, program);
  }
  return program;
}

function runStaged(
  program: XorProgram,
  inputs: readonly Uint8Array[],
  outputs: readonly Uint8Array[],
  bytes: number,
): void {
  const count = inputs.length + outputs.length;
  withSlabs(count, bytes, program.workBytes, (memory, slabs, slabBytes) => {
    for (let offset = 0; offset < bytes; offset += slabBytes) {
      const length = Math.min(slabBytes, bytes - offset);
      const padded = Math.ceil(length / REGION_ALIGNMENT_BYTES) * REGION_ALIGNMENT_BYTES;
      const regions = padded === slabBytes ? slabs : slabs.map((slab) => slab.subarray(0, padded));
      for (const [i, input] of inputs.entries()) regions[i]!.set(input.subarray(offset, offset + length));
      const results = regions.slice(inputs.length);
      program.runUnchecked(memory, regions.slice(0, inputs.length), results, padded);
      for (const [i, output] of outputs.entries()) output.set(results[i]!.subarray(0, length), offset);
    }
  });
}

/** Lends equally long slabs of the staging memory. */
function withSlabs(
  count: number,
  bytes: number,
  workBytes: number,
  use: (memory: KernelMemory, slabs: readonly Uint8Array[], slabBytes: number) => void,
): void {
  const room = Math.floor(STAGING_BYTES_MAX / count / REGION_ALIGNMENT_BYTES) * REGION_ALIGNMENT_BYTES;
  const whole = Math.ceil(bytes / REGION_ALIGNMENT_BYTES) * REGION_ALIGNMENT_BYTES;
  const slabBytes = Math.max(REGION_ALIGNMENT_BYTES, Math.min(STAGED_BYTES, whole, room));
  const needed = count * (slabBytes + STAGING_SLACK_BYTES) + workBytes + STAGING_SLACK_BYTES;
  if (!staging || staging.buffer.byteLength < needed) staging = new KernelMemory(needed);
  const memory = staging;
  const slabs: Uint8Array[] = [];
  try {
    memory.workArea(workBytes);
    for (let i = 0; i < count; i++) slabs.push(memory.allocate(slabBytes));
    use(memory, slabs, slabBytes);
  } catch (thrown) {
    throw ErasureError.from(thrown);
  } finally {
    for (const slab of slabs) memory.free(slab);
  }
}

/** target = XOR of the sources, of which the target may be the first. All are equally long. */
export function xorRegions(
  target: Uint8Array,
  sources: readonly Uint8Array[],
  level: XorLevel = xorLevel(),
): void {
  for (const source of sources) {
    if (source.length !== target.length) {
      throw illegalArgument(`regions differ in length: ${source.length} and ${target.length} bytes`);
    }
  }
  const memory = KernelMemory.of(sources, [target]);
  const isWhole = target.length % REGION_ALIGNMENT_BYTES === 0 && target.length > 0;
  if (level !== 'reference' && memory && isWhole && sources.length > 0) {
    const table = memory.workArea(sources.length * Uint32Array.BYTES_PER_ELEMENT);
    const addresses = new Uint32Array(memory.buffer, table.byteOffset, sources.length);
    for (const [i, source] of sources.entries()) addresses[i] = source.byteOffset;
    xorKernel(memory, level).xor(target.byteOffset, table.byteOffset, sources.length, target.length);
    return;
  }
  sumWords(target, sources);
}

/** In place and without copies: staging two regions would cost more than it saves. */
function sumWords(target: Uint8Array, sources: readonly Uint8Array[]): void {
  if (sources.length === 0) target.fill(0);
  for (const [i, source] of sources.entries()) {
    if (i === 0) {
      if (source !== target) target.set(source);
      continue;
    }
    const [words, others] = [wordsOf(target), wordsOf(source)];
    const whole = words && others ? words.length * Int32Array.BYTES_PER_ELEMENT : 0;
    if (words && others) for (let w = 0; w < words.length; w++) words[w]! ^= others[w]!;
    for (let b = whole; b < target.length; b++) target[b]! ^= source[b]!;
  }
}

/** The region's whole 32-bit words, or undefined when it does not begin at one. */
function wordsOf(region: Uint8Array): Int32Array | undefined {
  if (region.byteOffset % Int32Array.BYTES_PER_ELEMENT !== 0) return undefined;
  return new Int32Array(region.buffer, region.byteOffset, region.length >>> 2);
}

/** Whether all bytes are zero. */
export function isZeroRegion(region: Uint8Array, level: XorLevel = xorLevel()): boolean {
  const memory = level === 'reference' ? undefined : KernelMemory.of([region]);
  if (level !== 'reference' && memory && region.length % REGION_ALIGNMENT_BYTES === 0) {
    return xorKernel(memory, level).isZero(region.byteOffset, region.length) === 1;
  }
  const words = wordsOf(region);
  if (words?.some((word) => word !== 0)) return false;
  for (let b = words ? words.length * 4 : 0; b < region.length; b++) if (region[b] !== 0) return false;
  return true;
}
