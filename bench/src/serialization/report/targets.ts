/** The targets of the study, and whether a report meets them. */
import { NO_SERIALIZER, PEER_NAMES } from '../serializers/registry.ts';
import {
  bestOf,
  contestantOf,
  type Mode,
  type ModeResult,
  ratioOf,
  type SerializationReport,
} from './results.ts';

export interface TargetResult {
  readonly title: string;
  readonly workload: string;
  readonly mode: Mode;
  readonly ratio: number;
  readonly atLeast: number;
  readonly met: boolean;
}

const LARDER = 'larder';
const SOCKETS: readonly Mode[] = ['tcp', 'udp'];
const GOOGLE = 'google-';
/** Hybrid may be this much behind the better of its halves. */
const HYBRID_LOSS_MAX = 0.02;
const ONE_PASS_GAIN = 1.05;

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
  const add = (title: string, ratio: number, atLeast: number): void => {
    found.push({ title, workload, mode, ratio, atLeast, met: ratio >= atLeast });
  };
  const isSocket = SOCKETS.includes(mode);
  const best = bestOf(result, PEER_NAMES);
  const wanted = isSocket ? socketTarget(workload) : mode === 'nic' ? nicTarget(workload) : undefined;
  if (best !== undefined && wanted !== undefined) {
    add(`best peer (${best.serializer})`, ratioOf(own, best), wanted);
  }
  const es = contestantOf(result, 'protobuf-es');
  if (es !== undefined && isSocket) add('protobuf-es', ratioOf(own, es), 1.5);
  const half = bestOf(result, ['larder-references', 'larder-copies']);
  if (half !== undefined && (isSocket || mode === 'nic')) {
    add(`better half (${half.serializer})`, ratioOf(own, half), 1 - HYBRID_LOSS_MAX);
  }
  const list = contestantOf(result, 'larder-list');
  if (list !== undefined && mode === 'nic')
    add('without serialize-and-send', ratioOf(own, list), ONE_PASS_GAIN);
  return found;
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
