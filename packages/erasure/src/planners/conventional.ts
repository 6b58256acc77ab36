/**
 * Conventional recovery: decode from the first n − m whole surviving nodes,
 * that is, for a data node all data survivors and the first parity node.
 *
 * Those nodes determine the stripe, so there is one equation per lost symbol
 * and nothing to choose. When fewer than n − m nodes are whole, the lightest
 * checks that solve the loss are taken in the order of the groups.
 */
import { symbolsOfNodes } from '../codes/code.ts';
import type { BitMatrix } from '../matrix/bit-matrix.ts';
import { independentRows } from './independent-rows.ts';
import { readsOf } from './plan.ts';
import { type RecoveryProblem, unsolvableTargets, withoutSymbols } from './problem.ts';

export interface ConventionalRecovery {
  readonly chosen: BitMatrix;
  /** Symbols it reads: whole nodes when whole nodes are lost. */
  readonly reads: number;
}

export function conventionalRecovery(problem: RecoveryProblem): ConventionalRecovery {
  const { code, targets, equations, groups } = problem;
  const unreadable = new Set([...targets, ...problem.unavailable].map((s) => Math.floor(s / code.rows)));
  const whole = Array.from({ length: code.nodes }, (_, node) => node).filter((node) => !unreadable.has(node));
  const used = code.nodes - code.tolerance;
  const reduced = withoutSymbols(equations, groups, symbolsOfNodes(code, whole.slice(used)));
  const enough = whole.length >= used && unsolvableTargets(reduced.equations, targets).length === 0;
  const usable = enough ? reduced.equations : equations;
  const chosen = usable.selectRows(independentRows(usable, targets));
  const wholeNodesLost =
    new Set(targets.map((s) => Math.floor(s / code.rows))).size * code.rows === targets.length;
  return { chosen, reads: enough && wholeNodesLost ? used * code.rows : readsOf(problem, chosen).length };
}
