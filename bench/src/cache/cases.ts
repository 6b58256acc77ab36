/**
 * The named cases of `npm run bench -- cache`, with the targets they are held against.
 */
import type { KeyDistribution } from '../random/key-distribution.ts';
import type { BenchCase, CaseStream, CompareCase, Contestant, Target } from './case-types.ts';

const SEED = 20_130_402;
const CONNECTIONS = 50;
const MEMORY_MEGABYTES = 1024;
const SMALL_KEYS = 100_000;
const KEY_BYTES = 15;

const LARDER: Contestant = { kind: 'larder' };
const LARDER_EPOLL: Contestant = { kind: 'larder', transport: 'epoll', label: 'larder (epoll)' };
const MEMCACHED: Contestant = { kind: 'memcached' };

interface Shape {
  readonly keys?: number;
  readonly keyBytes?: number;
  readonly valueBytes?: number;
  readonly depth?: number;
  readonly keysPerGet?: number;
  readonly getRatio?: number;
  readonly distribution?: KeyDistribution;
  readonly loop?: CaseStream['loop'];
}

/** Defaults of the table: 50 connections, uniform keys, no misses, 32-byte values. */
function compare(
  name: string,
  title: string,
  about: string,
  target: Target,
  shape: Shape,
  rest: Partial<CompareCase> = {},
): CompareCase {
  const keys = shape.keys ?? SMALL_KEYS;
  const stream: CaseStream = {
    name: 'load',
    connections: CONNECTIONS,
    depth: shape.depth ?? 1,
    keysPerGet: shape.keysPerGet ?? 1,
    getRatio: shape.getRatio ?? 1,
    distribution: shape.distribution ?? { kind: 'uniform' },
    loop: shape.loop ?? { kind: 'closed' },
    missesAllowed: false,
    firstKey: 0,
    keys,
    requests: 0,
  };
  return {
    kind: 'compare',
    name,
    title,
    about,
    space: {
      seed: SEED,
      keys,
      keyBytes: shape.keyBytes ?? KEY_BYTES,
      sizes: { kind: 'fixed', bytes: shape.valueBytes ?? 32 },
    },
    stream,
    reach: 'tcp',
    memoryMegabytes: MEMORY_MEGABYTES,
    subject: LARDER,
    peer: MEMCACHED,
    metric: 'keysPerCpuSecond',
    target,
    ...rest,
  };
}

const PIPELINE: Shape = { depth: 8 };
const MULTIGET_10: Shape = { keysPerGet: 10 };
const MULTIGET_50: Shape = { keysPerGet: 50 };
const EPOLL: Partial<CompareCase> = { subject: LARDER_EPOLL };
const TWO_WORKERS: Contestant = { kind: 'larder', threads: 2, label: 'larder (2 workers)' };
const ONE_WORKER: Contestant = { kind: 'larder', threads: 1, label: 'larder (1 worker)' };

export const CACHE_CASES: readonly BenchCase[] = [
  compare(
    'get',
    'get 32 B, one in flight',
    'Single gets, one in flight on each connection.',
    { atLeast: 1.4 },
    {},
  ),
  compare(
    'get-pipelined',
    'get 32 B, 8 pipelined',
    'Single gets, eight in flight on each connection.',
    { atLeast: 1.4 },
    PIPELINE,
  ),
  compare('multiget-10', 'multiget of 10', 'Gets of ten keys, one in flight.', { atLeast: 1.4 }, MULTIGET_10),
  compare(
    'multiget-50',
    'multiget of 50',
    'Gets of fifty keys, one in flight.',
    { atLeast: 1.9 },
    MULTIGET_50,
  ),
  compare('get-1k', 'get 1 KB', 'Single gets of 1 KB values.', { atLeast: 1.2 }, { valueBytes: 1024 }),
  compare(
    'get-16k',
    'get 16 KB',
    'Single gets of 16 KB values.',
    { atLeast: 1.0 },
    { valueBytes: 16_384, keys: 10_000 },
  ),
  compare('set', 'set 32 B', 'Single sets, one in flight.', { atLeast: 1.2 }, { getRatio: 0 }),
  compare(
    'mix-twitter',
    '90/10 mix, Twitter-like',
    'Nine gets to one set, 67-byte keys, values of 2439 bytes in the mean (log-normal, 16 B to 64 KB), Zipf 1.10: after cluster 4 of the Twitter traces.',
    { atLeast: 1.3 },
    { getRatio: 0.9, distribution: { kind: 'zipf', exponent: 1.1 }, keyBytes: 67 },
    {
      space: {
        seed: SEED,
        keys: SMALL_KEYS,
        keyBytes: 67,
        sizes: { kind: 'log-normal', meanBytes: 2439, sigma: 1, bytesMin: 16, bytesMax: 65_536 },
      },
    },
  ),
  compare(
    'latency',
    "p99 at half of memcached's peak",
    'Single gets arriving at random (Poisson) at half of the rate that memcached reached in a closed loop; latency counts from when a request was due.',
    { atMost: 1.0 },
    { loop: { kind: 'share', ofPeerPeak: 0.5 } },
    { metric: 'p99Us' },
  ),
  compare(
    'get-epoll',
    'get 32 B, one in flight, epoll',
    'As `get`, on the epoll transport.',
    { atLeast: 1.0 },
    {},
    EPOLL,
  ),
  compare(
    'get-pipelined-epoll',
    'get 32 B, 8 pipelined, epoll',
    'As `get-pipelined`, on the epoll transport.',
    { atLeast: 1.0 },
    PIPELINE,
    EPOLL,
  ),
  compare(
    'multiget-10-epoll',
    'multiget of 10, epoll',
    'As `multiget-10`, on the epoll transport.',
    { atLeast: 1.0 },
    MULTIGET_10,
    EPOLL,
  ),
  compare(
    'multiget-50-epoll',
    'multiget of 50, epoll',
    'As `multiget-50`, on the epoll transport.',
    { atLeast: 1.0 },
    MULTIGET_50,
    EPOLL,
  ),
  compare(
    'udp',
    'UDP get 32 B',
    'Single gets over UDP, 50 in flight from one socket, in batches where the server can.',
    { atLeast: 1.3 },
    {},
    { reach: 'udp' },
  ),
  compare(
    'two-workers',
    'CPU per key: two workers to one',
    'As `get`; both workers may use both CPUs, one of which the load generator needs too.',
    { atMost: 1.15 },
    {},
    { subject: { ...TWO_WORKERS, allCpus: true }, peer: ONE_WORKER, metric: 'cpuPerKey' },
  ),
  compare(
    'two-workers-multiget',
    'CPU per key: two workers, multigets',
    'As `two-workers`, with gets of fifty keys: the work is the servers’, not the network’s.',
    { atMost: 1.15 },
    MULTIGET_50,
    { subject: { ...TWO_WORKERS, allCpus: true }, peer: ONE_WORKER, metric: 'cpuPerKey' },
  ),
  compare(
    'two-workers-one-cpu',
    'CPU per key: two workers on one CPU',
    'As `two-workers`, with both workers on the one server CPU.',
    { atMost: 1.15 },
    {},
    { subject: TWO_WORKERS, peer: ONE_WORKER, metric: 'cpuPerKey' },
  ),
  {
    kind: 'capacity',
    name: 'capacity',
    title: 'items held with -m 64',
    about: 'Items of 100 bytes left after storing three times what fits.',
    space: { seed: SEED, keys: 1_500_000, keyBytes: KEY_BYTES, sizes: { kind: 'fixed', bytes: 100 } },
    memoryMegabytes: 64,
    target: { atLeast: 1.0 },
    residentShareMax: 1.15,
    residentExtraMegabytes: 100,
  },
  {
    kind: 'capacity',
    name: 'capacity-two-workers',
    title: 'the same with two workers',
    about: 'As `capacity`, with two workers: what another thread costs in resident memory.',
    subject: TWO_WORKERS,
    space: { seed: SEED, keys: 1_500_000, keyBytes: KEY_BYTES, sizes: { kind: 'fixed', bytes: 100 } },
    memoryMegabytes: 64,
    target: { atLeast: 1.0 },
    residentShareMax: 1.15,
    residentExtraMegabytes: 100,
  },
  {
    kind: 'capacity',
    name: 'capacity-1g',
    title: 'items held with -m 1024',
    about: 'Items of 1000 bytes left after storing about twice what fits; resident memory at full size.',
    space: { seed: SEED, keys: 2_000_000, keyBytes: KEY_BYTES, sizes: { kind: 'fixed', bytes: 1000 } },
    memoryMegabytes: 1024,
    target: { atLeast: 1.0 },
    residentShareMax: 1.15,
    residentExtraMegabytes: 100,
  },
  {
    kind: 'growth',
    name: 'growth',
    title: 'index growth at 5 million items',
    about: 'The longest wait of a steady trickle of gets while items are stored from 3 to 7.5 million.',
    space: { seed: SEED, keys: 7_500_000, keyBytes: KEY_BYTES, sizes: { kind: 'fixed', bytes: 32 } },
    memoryMegabytes: 1536,
    fromKeys: 3_000_000,
    untilKeys: 7_500_000,
    getsPerSecond: 2000,
    pauseMsMax: 5,
  },
];
