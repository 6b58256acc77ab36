/** The targets of the study, and whether a report meets them. */
import { NO_SERIALIZER, PEER_NAMES } from '../serializers/registry.ts';
import {
  bestOf,
  type ContestantResult,
  contestantOf,
  type Mode,
  type ModeResult,
  medianRate,
  ratioOf,
  ratioUncertainty,
  type SerializationReport,
} from './results.ts';

export interface TargetResult {
  readonly title: string;
  readonly workload: string;
  readonly mode: Mode;
  /** The contestant that Larder is compared with. */
  readonly against: string;
  readonly ratio: number;
  /** By how much the ratio may be off: see `ratioUncertainty`. */
  readonly uncertainty: number;
  readonly atLeast: number;
  readonly met: boolean;
}

const LARDER = 'larder';
const SOCKETS: readonly Mode[] = ['tcp', 'udp'];
const GOOGLE = 'google-';
/** Hybrid may be this much behind the better of its halves. */
const HYBRID_LOSS_MAX = 0.02;
const ONE_PASS_GAIN = 1.05;
/** A ratio this far from its target, as a part of it, is measured more closely; and rivals so near each other. */
const NEAR_TARGET = 0.18;
const NEAR_RIVAL = 0.06;
const HALVES: readonly string[] = ['larder-references', 'larder-copies'];

/** Against the best peer, in mode (a) and in mode (c). */
function socketTarget(workload: string): number | undefined {
  if (workload === 'cdn') return 1.3;
  if (workload === 'twitter') return 1.15;
  if (workload === 'google-1-8') return 1.1;
  return workload.startsWith(GOOGLE) ? 1 : undefined;
}

function nicTarget(workload: string): number | undefined {
  if (workload === 'cdn') return 2;
  if (workload === 'twitter') return 1.3;
  return workload.startsWith(GOOGLE) ? 1 : undefined;
}

export function targetResults(report: SerializationReport): TargetResult[] {
  return report.modes.flatMap(modeTargets);
}

function modeTargets(result: ModeResult): TargetResult[] {
  const { workload, mode } = result;
  const found: TargetResult[] = [];
  const own = contestantOf(result, LARDER);
  if (own === undefined) return found;
  const add = (title: string, other: ContestantResult, atLeast: number): void => {
    const ratio = ratioOf(own, other);
    const uncertainty = ratioUncertainty(own, other);
    const met = ratio >= atLeast;
    found.push({ title, workload, mode, against: other.serializer, ratio, uncertainty, atLeast, met });
  };
  const isSocket = SOCKETS.includes(mode);
  const best = bestOf(result, PEER_NAMES);
  const wanted = isSocket ? socketTarget(workload) : mode === 'nic' ? nicTarget(workload) : undefined;
  if (best !== undefined && wanted !== undefined) {
    add(`best peer (${best.serializer})`, best, wanted);
  }
  const es = contestantOf(result, 'protobuf-es');
  if (es !== undefined && isSocket) add('protobuf-es', es, 1.5);
  const half = bestOf(result, HALVES);
  if (half !== undefined && (isSocket || mode === 'nic')) {
    add(`better half (${half.serializer})`, half, 1 - HYBRID_LOSS_MAX);
  }
  const list = contestantOf(result, 'larder-list');
  if (list !== undefined && mode === 'nic') add('without serialize-and-send', list, ONE_PASS_GAIN);
  return found;
}

/** Larder and those that decide whether it meets a target that it is near; empty when it is near none. */
export function closeContestants(result: ModeResult): string[] {
  const names = new Set<string>();
  for (const { against, ratio, atLeast } of modeTargets(result)) {
    if (Math.abs(ratio / atLeast - 1) > NEAR_TARGET) continue;
    names.add(LARDER).add(against);
    // Which of them is the best may be chance.
    const rate = medianRate(contestantOf(result, against)!);
    for (const rivals of [PEER_NAMES, HALVES].filter((group) => group.includes(against))) {
      for (const name of rivals) {
        const rival = contestantOf(result, name);
        if (rival !== undefined && medianRate(rival) > rate * (1 - NEAR_RIVAL)) names.add(name);
      }
    }
  }
  return [...names];
}

/** The columns of the tables, in their order. */
export const CONTESTANT_ORDER: readonly string[] = [
  LARDER,
  'larder-references',
  'larder-copies',
  'larder-list',
  ...PEER_NAMES,
  NO_SERIALIZER,
];
