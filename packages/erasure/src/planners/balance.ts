/**
 * Even reads over rotated stripes.
 *
 * Stripe s is rotated by s mod n machines, so that parities and data take turns
 * on every machine. Rotation alone keeps neighbours neighbours, and a code
 * whose plans always read little of the next node (X-Code) stays uneven for
 * ever; therefore every round of n stripes also orders the nodes anew.
 *
 * When a machine is lost each stripe needs another plan. Each is made with
 * machines that were read more than the average so far slightly dearer: among
 * plans with equal reads the one that evens out is taken, and a growing
 * difference is at last worth a symbol more. The cycle of stripes repeats.
 */
import type { ErasureCode } from '../codes/code.ts';
import { illegalArgument } from '../errors.ts';
import type { RecoveryPlan } from './plan.ts';
import { plan } from './planner.ts';

export interface BalancedRotation {
  /** Plan of each stripe of the cycle, in code nodes: stripe i lies as stripePlacement(n, i) says. */
  readonly plans: readonly RecoveryPlan[];
  /** Symbols read of each machine over the cycle; 0 for the lost one. */
  readonly readsPerMachine: readonly number[];
  /** Largest deviation of a surviving machine's reads from their mean, as a part of it. */
  readonly imbalance: number;
  readonly reads: number;
}

export interface BalanceOptions {
  /** Deviation that is good enough. */
  readonly imbalanceMax?: number;
  /** Rounds of n stripes at most. */
  readonly roundsMax?: number;
}

const IMBALANCE_MAX = 0.05;
const ROUNDS_MAX = 16;
/** How much dearer a machine becomes for each node's worth of symbols above the mean, from gentle to firm. */
const PRESSURES = [0.02, 0.1, 0.4];

/** The machine of each code node in a stripe, for machines 0..n−1. */
export function stripePlacement(nodes: number, stripe: number): number[] {
  const round = Math.floor(stripe / nodes);
  const order = Array.from({ length: nodes }, (_, node) => node);
  // A fixed shuffle per round, the first one plain: every process must find the same.
  let state = Math.imul(round, 0x9e3779b1) >>> 0;
  for (let i = nodes - 1; i > 0 && round > 0; i--) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    const j = ((state ^ (state >>> 13)) >>> 0) % (i + 1);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order.map((place) => (place + stripe) % nodes);
}

/** Plans a cycle of stripes for the loss of one machine. */
export function balanceRotation(
  code: ErasureCode,
  lostMachine: number,
  options: BalanceOptions = {},
): BalancedRotation {
  const { imbalanceMax = IMBALANCE_MAX, roundsMax = ROUNDS_MAX } = options;
  const n = code.nodes;
  if (!Number.isInteger(lostMachine) || lostMachine < 0 || lostMachine >= n) {
    throw illegalArgument(`${code.id} has machines 0..${n - 1}, not ${lostMachine}`);
  }
  let best: BalancedRotation | undefined;
  for (const pressure of PRESSURES) {
    const made = planCycle(code, lostMachine, pressure, imbalanceMax, roundsMax);
    if (!best || made.imbalance < best.imbalance) best = made;
    if (best.imbalance <= imbalanceMax) break;
  }
  return best!;
}

function planCycle(
  code: ErasureCode,
  lostMachine: number,
  pressure: number,
  imbalanceMax: number,
  roundsMax: number,
): BalancedRotation {
  const n = code.nodes;
  const load = new Array<number>(n).fill(0);
  const plans: RecoveryPlan[] = [];
  let imbalance = Number.POSITIVE_INFINITY;
  for (let round = 0; round < roundsMax && imbalance > imbalanceMax; round++) {
    for (let rotation = 0; rotation < n; rotation++) {
      const machines = stripePlacement(n, round * n + rotation);
      const mean = load.reduce((a, b) => a + b, 0) / (n - 1);
      const costs = machines.map((machine) =>
        Math.max(0.1, 1 + (pressure * (load[machine]! - mean)) / code.rows),
      );
      const made = plan({ code, lostNode: machines.indexOf(lostMachine), costs });
      for (const [node, reads] of made.readsPerNode.entries()) load[machines[node]!]! += reads;
      plans.push(made);
    }
    imbalance = deviation(load, lostMachine);
  }
  return { plans, readsPerMachine: load, imbalance, reads: load.reduce((a, b) => a + b, 0) };
}

function deviation(load: readonly number[], lost: number): number {
  const others = load.filter((_, machine) => machine !== lost);
  const mean = others.reduce((a, b) => a + b, 0) / others.length;
  return mean === 0 ? 0 : Math.max(...others.map((reads) => Math.abs(reads - mean) / mean));
}
