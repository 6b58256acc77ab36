/**
 * Where a key family should live, from its traffic: nsdi13's rules with numbers put to them.
 *
 * Replicate within a pool (3.2.3) if all of these hold:
 * - many keys are asked for at once: keys per request >= 10;
 * - the data set fits one or two servers: keys x mean size <= 2 x server memory;
 * - one server cannot bear it: gets/s > gets/s of a server. Replicas = gets/s / gets/s of a server, rounded up,
 *   since with replicas each request goes to one server whole, where splitting keys would split every request.
 *
 * One regional pool instead of a copy in every cluster (4.2, table 1) if there is more than one cluster and:
 * - an item is asked for by few: median clients <= 2 (in table 1: 1 against 30);
 * - it is worth it: the family holds >= 5% of the memory;
 * - its memory outweighs its traffic: share of memory >= share of bytes sent / 0.6, since bandwidth between clusters
 *   is 40% scarcer (4.2). Saved: (clusters - 1) x data set. Added between clusters: gets/s x mean size x
 *   (clusters - 1) / clusters, as that share of the clients sits in another cluster than the data.
 *
 * A pool of its own (3.2.2) if it pushes others out: its share of the bytes stored per second is >= 10% and at
 * least 4 times its share of the gets.
 */
import type { FamilyTraffic } from './traffic-sample.ts';

const KEYS_PER_REQUEST_MIN = 10;
const REPLICATED_SERVERS_MAX = 2;
const REGIONAL_CLIENTS_MAX = 2;
const REGIONAL_MEMORY_SHARE_MIN = 0.05;
/** 40% less bandwidth is there between clusters than within one. */
const CROSS_CLUSTER_BANDWIDTH = 0.6;
const CHURN_SHARE_MIN = 0.1;
const CHURN_FACTOR = 4;

export const PoolVerdict: {
  readonly replicate: 'replicate';
  readonly regional: 'regional';
  readonly own: 'own';
  readonly stay: 'stay';
} = { replicate: 'replicate', regional: 'regional', own: 'own', stay: 'stay' };
export type PoolVerdict = (typeof PoolVerdict)[keyof typeof PoolVerdict];

/** What the traffic runs on. */
export interface Deployment {
  /** Front-end clusters of the region that each hold a copy. */
  readonly clusters: number;
  /** Memory for items of one server. */
  readonly serverBytes: number;
  /** What one server answers. */
  readonly serverGetsPerSecond: number;
  /** How many times the watched traffic the whole cluster has: servers / watched servers. */
  readonly scale: number;
}

export interface FamilyAdvice {
  readonly traffic: FamilyTraffic;
  readonly verdict: PoolVerdict;
  /** One sentence with the numbers that decided. */
  readonly reason: string;
  /** Replicas that bear the load; 1 unless the verdict is to replicate. */
  readonly replicas: number;
  /** Of the whole cluster. */
  readonly getsPerSecond: number;
  readonly datasetBytes: number;
  /** 0 to 1. */
  readonly memoryShare: number;
  readonly bandwidthShare: number;
  /** Regional: memory saved in the region, and bytes per second that then cross cluster boundaries. */
  readonly savedBytes: number;
  readonly crossBytesPerSecond: number;
}

/** Advice for every family, in the order given. */
export function advisePools(families: readonly FamilyTraffic[], deployment: Deployment): FamilyAdvice[] {
  const total = (of: (family: FamilyTraffic) => number): number =>
    families.reduce((sum, family) => sum + of(family), 0);
  const totals = {
    dataset: total(datasetOf),
    sent: total(sentOf),
    stored: total((family) => family.storedBytesPerSecond),
    gets: total((family) => family.getsPerSecond),
  };
  return families.map((traffic) => adviseFamily(traffic, deployment, totals));
}

interface Totals {
  readonly dataset: number;
  readonly sent: number;
  readonly stored: number;
  readonly gets: number;
}

const datasetOf = (family: FamilyTraffic): number => family.keys * family.meanValueBytes;
const sentOf = (family: FamilyTraffic): number =>
  family.getsPerSecond * family.hitRate * family.meanValueBytes;
const shareOf = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

function adviseFamily(traffic: FamilyTraffic, deployment: Deployment, totals: Totals): FamilyAdvice {
  const { clusters, scale, serverGetsPerSecond } = deployment;
  const datasetBytes = datasetOf(traffic) * scale;
  const getsPerSecond = traffic.getsPerSecond * scale;
  const memoryShare = shareOf(datasetOf(traffic), totals.dataset);
  const bandwidthShare = shareOf(sentOf(traffic), totals.sent);
  const numbers = {
    traffic,
    getsPerSecond,
    datasetBytes,
    memoryShare,
    bandwidthShare,
    savedBytes: (clusters - 1) * datasetBytes,
    crossBytesPerSecond: (sentOf(traffic) * scale * (clusters - 1)) / clusters,
  };
  const storedShare = shareOf(traffic.storedBytesPerSecond, totals.stored);
  const verdict = verdictOf(numbers, deployment, storedShare, shareOf(traffic.getsPerSecond, totals.gets));
  const isReplicated = verdict === PoolVerdict.replicate;
  const replicas = isReplicated ? Math.ceil(getsPerSecond / serverGetsPerSecond) : 1;
  return { ...numbers, verdict, replicas, reason: reasonOf(verdict, numbers, storedShare, replicas) };
}

type Numbers = Omit<FamilyAdvice, 'verdict' | 'reason' | 'replicas'>;

function verdictOf(
  numbers: Numbers,
  deployment: Deployment,
  storedShare: number,
  getsShare: number,
): PoolVerdict {
  const { traffic, datasetBytes, getsPerSecond, memoryShare, bandwidthShare } = numbers;
  if (
    traffic.keysPerRequest >= KEYS_PER_REQUEST_MIN &&
    datasetBytes <= REPLICATED_SERVERS_MAX * deployment.serverBytes &&
    getsPerSecond > deployment.serverGetsPerSecond
  ) {
    return PoolVerdict.replicate;
  }
  if (
    deployment.clusters > 1 &&
    traffic.medianClients > 0 &&
    traffic.medianClients <= REGIONAL_CLIENTS_MAX &&
    memoryShare >= REGIONAL_MEMORY_SHARE_MIN &&
    memoryShare >= bandwidthShare / CROSS_CLUSTER_BANDWIDTH
  ) {
    return PoolVerdict.regional;
  }
  const isChurning = storedShare >= CHURN_SHARE_MIN && storedShare >= CHURN_FACTOR * getsShare;
  return isChurning ? PoolVerdict.own : PoolVerdict.stay;
}

function reasonOf(verdict: PoolVerdict, numbers: Numbers, storedShare: number, replicas: number): string {
  const { traffic } = numbers;
  const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;
  switch (verdict) {
    case PoolVerdict.replicate:
      return (
        `${traffic.keysPerRequest.toFixed(0)} keys per request, more gets than one server bears, and a data set ` +
        `that fits: ${replicas} replicas (if clients ask for these keys by multiget: a pipeline of gets looks alike)`
      );
    case PoolVerdict.regional:
      return (
        `asked for by ${traffic.medianClients} client(s), ${percent(numbers.memoryShare)} of the memory for ` +
        `${percent(numbers.bandwidthShare)} of the bytes sent`
      );
    case PoolVerdict.own:
      return `${percent(storedShare)} of the bytes stored, which push other families out`;
    default:
      return 'nothing speaks for moving it';
  }
}
