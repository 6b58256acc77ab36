/**
 * From a schedule to loops that compute several operands at once.
 *
 * A step of a schedule reads every source from memory and writes its target.
 * That makes loads and stores, not XORs, what a schedule costs once it runs in
 * vectors. A fused loop computes up to six operands together: each source is
 * loaded once and added to every sum that contains it, and a sum that another
 * one needs is added from its register.
 *
 *   steps   t = a ^ b    x = t ^ c    y = t ^ a ^ d      9 loads and stores each …
 *   loop    load a, b, c, d once; t, x, y in registers;  4 loads, 2 stores (t stays)
 *           x ^= t, y ^= t; store x, y
 *
 * Sharing subexpressions saves XORs but makes temporaries, which are stored and
 * loaded. So several trade-offs are fused, from all the temporaries of the
 * schedule to none, and the one that is estimated to be the cheapest is taken.
 */
import type { XorSchedule } from '../schedule/xor-schedule.ts';

export interface FusedSum {
  readonly operand: number;
  /** Positions of sums of the same loop that are added to this one, each before this one. */
  readonly sums: readonly number[];
  /** Whether a later loop or the caller needs it: otherwise it is never stored. */
  readonly isStored: boolean;
}

export interface FusedSource {
  readonly operand: number;
  /** Positions of the sums that it is added to. */
  readonly sums: readonly number[];
}

export interface FusedLoop {
  readonly sums: readonly FusedSum[];
  readonly sources: readonly FusedSource[];
}

export interface FusedSchedule {
  readonly loops: readonly FusedLoop[];
  /** Slots for temporaries that are stored; they are operands from inputs + outputs on. */
  readonly slots: number;
}

/** Every operand that is computed, with its sources; temporaries have numbers of their own. */
type Definitions = ReadonlyMap<number, readonly number[]>;

/** What a temporary may cost more than the loads it saves, and none at all. */
const INLINE_GAINS = [0, 2, 6, Number.POSITIVE_INFINITY];
/** Longer schedules are fused in the order in which they are, without search. */
const SEARCHED_STEPS_MAX = 600;
const SEARCHED_SOURCES_MAX = 6000;

/** Estimated time of a load (with its address), an XOR and a store of one vector. */
const COST = { load: 2, xor: 1, store: 1.5 } as const;

export function fuseSteps(schedule: XorSchedule, sumsMax: number): FusedSchedule {
  const definitions = nameTemporaries(schedule);
  const firstTemporary = schedule.inputs + schedule.outputs;
  const weight = [...definitions.values()].reduce((sum, sources) => sum + sources.length, 0);
  const isSearched = definitions.size <= SEARCHED_STEPS_MAX && weight <= SEARCHED_SOURCES_MAX;
  let best: FusedLoop[] = [];
  let bestCost = Number.POSITIVE_INFINITY;
  for (const gain of isSearched ? INLINE_GAINS : [undefined]) {
    const kept = gain === undefined ? definitions : inlineTemporaries(definitions, firstTemporary, gain);
    const loops = fuse(kept, firstTemporary, sumsMax, isSearched);
    const cost = costOf(loops);
    if (cost < bestCost) {
      best = loops;
      bestCost = cost;
    }
  }
  return placeTemporaries(best, firstTemporary);
}

/** A schedule's temporaries are slots that are used again; here every value gets its own number. */
function nameTemporaries(schedule: XorSchedule): Map<number, readonly number[]> {
  const firstTemporary = schedule.inputs + schedule.outputs;
  const current = new Map<number, number>();
  const definitions = new Map<number, readonly number[]>();
  let next = firstTemporary;
  for (const { target, sources } of schedule.steps) {
    const named = sources.map((source) => current.get(source) ?? source);
    const operand = target >= firstTemporary ? next++ : target;
    current.set(target, operand);
    definitions.set(operand, oddOnes(named));
  }
  return definitions;
}

/** What occurs an even number of times cancels. */
function oddOnes(sources: readonly number[]): number[] {
  const odd = new Set<number>();
  for (const source of sources) if (!odd.delete(source)) odd.add(source);
  return [...odd];
}

/**
 * Puts temporaries into their users, as long as that costs at most `gain` loads
 * and stores more than the temporary does; the best bargains first.
 */
function inlineTemporaries(given: Definitions, firstTemporary: number, gain: number): Definitions {
  const definitions = new Map(given);
  const users = new Map<number, Set<number>>();
  for (const [operand, sources] of definitions) {
    for (const source of sources) {
      const found = users.get(source) ?? new Set();
      users.set(source, found.add(operand));
    }
  }
  for (;;) {
    let best = -1;
    let bestPrice = gain;
    for (const [operand, sources] of definitions) {
      if (operand < firstTemporary) continue;
      const uses = users.get(operand)?.size ?? 0;
      const price = uses * sources.length - (sources.length + uses);
      if (price <= bestPrice) {
        if (best >= 0 && price === bestPrice) continue;
        best = operand;
        bestPrice = price;
      }
    }
    if (best < 0) return definitions;
    replaceByItsSources(best, definitions, users);
  }
}

function replaceByItsSources(
  operand: number,
  definitions: Map<number, readonly number[]>,
  users: Map<number, Set<number>>,
): void {
  const own = definitions.get(operand)!;
  definitions.delete(operand);
  for (const source of own) users.get(source)?.delete(operand);
  for (const user of users.get(operand) ?? []) {
    const before = definitions.get(user)!;
    const after = oddOnes([...before.filter((source) => source !== operand), ...own]);
    definitions.set(user, after);
    for (const source of before) users.get(source)?.delete(user);
    for (const source of after) users.set(source, (users.get(source) ?? new Set()).add(user));
  }
  users.delete(operand);
}

/** Gathers definitions into loops: what can be computed and shares the most with what is in the loop. */
function fuse(
  definitions: Definitions,
  firstTemporary: number,
  sumsMax: number,
  isSearched: boolean,
): FusedLoop[] {
  const waiting = new Map(definitions);
  const loopOf = new Map<number, number>();
  const groups: number[][] = [];
  while (waiting.size > 0) {
    const group: number[] = [];
    const loaded = new Set<number>();
    while (group.length < sumsMax) {
      const next = nextOperand(waiting, group, loaded, isSearched);
      if (next === undefined || (group.length > 0 && !isWorthJoining(waiting.get(next)!, group, loaded)))
        break;
      for (const source of waiting.get(next)!) if (!group.includes(source)) loaded.add(source);
      group.push(next);
      waiting.delete(next);
      loopOf.set(next, groups.length);
    }
    groups.push(group);
  }
  const neededLater = new Set<number>();
  for (const [operand, sources] of definitions) {
    for (const source of sources) if (loopOf.get(source) !== loopOf.get(operand)) neededLater.add(source);
  }
  return groups.map((group) => {
    const sources = new Map<number, number[]>();
    const sums = group.map((operand, at) => {
      const fromSums: number[] = [];
      for (const source of definitions.get(operand)!) {
        const position = group.indexOf(source);
        if (position >= 0) fromSums.push(position);
        else sources.set(source, [...(sources.get(source) ?? []), at]);
      }
      return { operand, sums: fromSums, isStored: operand < firstTemporary || neededLater.has(operand) };
    });
    return { sums, sources: Array.from(sources, ([operand, to]) => ({ operand, sums: to })) };
  });
}

/** The ready definition that needs the fewest loads for what it has of sources. */
function nextOperand(
  waiting: Definitions,
  group: readonly number[],
  loaded: ReadonlySet<number>,
  isSearched: boolean,
): number | undefined {
  let best: number | undefined;
  let bestShared = -1;
  for (const [operand, sources] of waiting) {
    if (sources.some((source) => waiting.has(source))) continue;
    if (!isSearched) return operand;
    let shared = 0;
    for (const source of sources) if (loaded.has(source) || group.includes(source)) shared++;
    if (shared > bestShared) {
      best = operand;
      bestShared = shared;
    }
  }
  return best;
}

/** Streams that are read side by side; the more, the less the prefetcher does for each. */
const STREAMS_MAX = 64;
/** The part of its sources that a definition must share with a loop to join it. */
const SHARED_PART_MIN = 1 / 8;

/** Whether a definition shares enough with a loop to be computed in it. */
function isWorthJoining(
  sources: readonly number[],
  group: readonly number[],
  loaded: ReadonlySet<number>,
): boolean {
  const shared = sources.filter((source) => loaded.has(source) || group.includes(source)).length;
  return shared >= SHARED_PART_MIN * sources.length && loaded.size + sources.length - shared <= STREAMS_MAX;
}

function costOf(loops: readonly FusedLoop[]): number {
  let cost = 0;
  for (const { sums, sources } of loops) {
    cost += COST.load * sources.length;
    for (const source of sources) cost += COST.xor * source.sums.length;
    for (const sum of sums) cost += COST.xor * sum.sums.length + (sum.isStored ? COST.store : 0);
  }
  return cost;
}

/** Gives stored temporaries slots, which are free again after the last loop that reads them. */
function placeTemporaries(loops: readonly FusedLoop[], firstTemporary: number): FusedSchedule {
  const lastLoop = new Map<number, number>();
  for (const [i, { sources }] of loops.entries()) for (const { operand } of sources) lastLoop.set(operand, i);
  const slotOf = new Map<number, number>();
  const free: number[] = [];
  let slots = 0;
  const placed = loops.map((loop, i): FusedLoop => {
    const sources = loop.sources.map((source) => ({
      ...source,
      operand: slotOf.get(source.operand) ?? source.operand,
    }));
    const sums = loop.sums.map((sum) => {
      if (sum.operand < firstTemporary || !sum.isStored) return sum;
      const slot = free.pop() ?? firstTemporary + slots++;
      slotOf.set(sum.operand, slot);
      return { ...sum, operand: slot };
    });
    // Only now: a sum must not take the slot of a source of its own loop.
    for (const { operand } of loop.sources) {
      const slot = slotOf.get(operand);
      if (slot !== undefined && lastLoop.get(operand) === i) free.push(slot);
    }
    return { sums, sources };
  });
  return { loops: placed, slots };
}
