/**
 * A straight-line program of XORs over regions of equal size.
 *
 * Operands are numbered: inputs first, then outputs, then temporaries.
 *
 *   0 .. inputs−1 | inputs .. inputs+outputs−1 | … + temporaries
 *
 * Each step sets its target to the XOR of its sources (one source: a copy, no
 * source: zero). A step reads only inputs and operands that an earlier step has
 * set; it never reads its own target. Temporaries are slots that are reused
 * once their value is no longer needed, so that a small block of each stays in
 * the L1 cache.
 */
import { illegalArgument } from '../errors.ts';

export interface XorStep {
  readonly target: number;
  readonly sources: readonly number[];
}

export interface XorSchedule {
  readonly inputs: number;
  readonly outputs: number;
  readonly temporaries: number;
  readonly steps: readonly XorStep[];
  /** XORs of two regions: the sum of (sources − 1) over the steps. */
  readonly xors: number;
}

export function countXors(steps: readonly XorStep[]): number {
  return steps.reduce((sum, step) => sum + Math.max(0, step.sources.length - 1), 0);
}

/**
 * Runs a schedule in plain TypeScript: the reference that the kernels are held
 * against. Writes
 * `outputs`; all regions have the same length. Inputs are not changed; an
 * output must not be the memory of an input.
 */
export function executeSchedule(
  schedule: XorSchedule,
  inputs: readonly Uint8Array[],
  outputs: readonly Uint8Array[],
): void {
  checkOperands(schedule, inputs, outputs);
  const bytes = (inputs[0] ?? outputs[0])?.length ?? 0;
  const temporaries = Array.from({ length: schedule.temporaries }, () => new Uint8Array(bytes));
  const operands = [...inputs, ...outputs, ...temporaries];
  for (const { target, sources } of schedule.steps) {
    const region = operands[target]!;
    if (sources.length === 0) region.fill(0);
    for (const [i, source] of sources.entries()) {
      if (i === 0) region.set(operands[source]!);
      else xorInto(region, operands[source]!);
    }
  }
}

/** target ^= source, byte by byte; both have the same length. */
function xorInto(target: Uint8Array, source: Uint8Array): void {
  for (let i = 0; i < target.length; i++) target[i]! ^= source[i]!;
}

/** Throws unless there are as many regions as the schedule has operands, equally long. */
export function checkOperands(
  schedule: XorSchedule,
  inputs: readonly Uint8Array[],
  outputs: readonly Uint8Array[],
): void {
  if (inputs.length !== schedule.inputs || outputs.length !== schedule.outputs) {
    throw illegalArgument(
      `the schedule has ${schedule.inputs} inputs and ${schedule.outputs} outputs, not ${inputs.length} and ${outputs.length}`,
    );
  }
  const bytes = (inputs[0] ?? outputs[0])?.length ?? 0;
  for (const region of [...inputs, ...outputs]) {
    if (region.length !== bytes)
      throw illegalArgument(`regions differ in length: ${region.length} and ${bytes} bytes`);
  }
}
