/**
 * Orders definitions of operands depth first and gives temporaries slots.
 *
 * Outputs are computed in turn, each just after the temporaries that it still
 * lacks; a temporary's slot is free again after its last use. The fewer slots,
 * the more of each region's block fits in the L1 cache.
 */
import { ErasureError } from '../errors.ts';
import { countXors, type XorSchedule, type XorStep } from './xor-schedule.ts';

/** An operand as XOR of others; numbers as in a schedule, temporaries without slots. */
export interface Definition {
  readonly operand: number;
  readonly sources: readonly number[];
}

export function allocateSlots(
  inputs: number,
  outputs: number,
  definitions: readonly Definition[],
): XorSchedule {
  const ordered = orderDepthFirst(inputs, outputs, inlineSingleUses(inputs, outputs, definitions));
  const firstTemporary = inputs + outputs;
  const lastUse = new Map<number, number>();
  for (const [i, { sources }] of ordered.entries()) for (const source of sources) lastUse.set(source, i);
  const slotOf = new Map<number, number>();
  const free: number[] = [];
  let slots = 0;
  const steps: XorStep[] = [];
  for (const [i, { operand, sources }] of ordered.entries()) {
    const placed = sources.map((source) => slotOf.get(source) ?? source);
    if (operand >= firstTemporary) slotOf.set(operand, free.pop() ?? firstTemporary + slots++);
    steps.push({ target: slotOf.get(operand) ?? operand, sources: placed });
    for (const source of new Set(sources)) {
      const slot = slotOf.get(source);
      if (slot !== undefined && lastUse.get(source) === i) free.push(slot);
    }
  }
  return { inputs, outputs, temporaries: slots, steps, xors: countXors(steps) };
}

/** A temporary that is used once becomes part of its user: one pass over memory less. */
function inlineSingleUses(
  inputs: number,
  outputs: number,
  definitions: readonly Definition[],
): Map<number, readonly number[]> {
  const uses = new Map<number, number>();
  for (const { sources } of definitions) for (const s of sources) uses.set(s, (uses.get(s) ?? 0) + 1);
  const sourcesOf = new Map<number, readonly number[]>();
  for (const { operand, sources } of definitions) {
    const flat = sources.flatMap((source) =>
      source >= inputs + outputs && uses.get(source) === 1 ? sourcesOf.get(source)! : [source],
    );
    sourcesOf.set(operand, flat);
  }
  return sourcesOf;
}

function orderDepthFirst(
  inputs: number,
  outputs: number,
  sourcesOf: ReadonlyMap<number, readonly number[]>,
): Definition[] {
  const ordered: Definition[] = [];
  const done = new Set<number>();
  const open = new Set<number>();
  const visit = (operand: number): void => {
    if (operand < inputs || done.has(operand)) return;
    const sources = sourcesOf.get(operand);
    if (!sources || open.has(operand))
      throw new ErasureError('INTERNAL', `operand ${operand} has no definition`);
    open.add(operand);
    for (const source of sources) visit(source);
    open.delete(operand);
    done.add(operand);
    ordered.push({ operand, sources });
  };
  for (let output = 0; output < outputs; output++) visit(inputs + output);
  return ordered;
}
