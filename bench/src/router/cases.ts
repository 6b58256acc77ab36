/**
 * The named cases of `npm run bench -- router`, with the targets they are held against: requests per second of
 * the proxy's own CPU time, and the median latency that a proxy adds.
 */
import type { KeySpacePlan, StreamPlan } from '../load/plan.ts';

export type RouterMetric = 'requestsPerCpuSecond' | 'p50Us';

export interface RouterCase {
  readonly name: string;
  readonly title: string;
  /** What is measured, in a sentence for the report. */
  readonly about: string;
  readonly metric: RouterMetric;
  /** The ratio Larder / twemproxy: at least this for a rate, at most this for a latency. */
  readonly target: number;
  /** Whether the target belongs to the issue; the other cases are there to look at. */
  readonly isGoal: boolean;
  readonly stream: StreamPlan;
}

const KEYS = 20_000;
const KEY_BYTES = 15;
const VALUE_BYTES = 32;

/** What every case asks for: as in the cache benchmark. */
export const ROUTER_SPACE: KeySpacePlan = {
  seed: 20_130_403,
  keys: KEYS,
  keyBytes: KEY_BYTES,
  sizes: { kind: 'fixed', bytes: VALUE_BYTES },
};

function stream(shape: Partial<StreamPlan>): StreamPlan {
  return {
    name: 'load',
    connections: 50,
    depth: 1,
    keysPerGet: 1,
    getRatio: 1,
    distribution: { kind: 'uniform' },
    loop: { kind: 'closed' },
    missesAllowed: false,
    anyOrder: true,
    firstKey: 0,
    keys: KEYS,
    requests: 0,
    ...shape,
  };
}

export const ROUTER_CASES: readonly RouterCase[] = [
  {
    name: 'get',
    title: 'get 32 B, one in flight',
    about: 'Single gets on 50 connections, one in flight on each, keys spread over four servers.',
    metric: 'requestsPerCpuSecond',
    target: 1.3,
    isGoal: true,
    stream: stream({}),
  },
  {
    name: 'multiget-10',
    title: 'multiget of 10 over 4 servers',
    about: 'Gets of ten keys on 50 connections; each is split over the servers and put together again.',
    metric: 'requestsPerCpuSecond',
    target: 1.5,
    isGoal: true,
    stream: stream({ keysPerGet: 10 }),
  },
  {
    name: 'get-pipelined',
    title: 'get 32 B, 8 pipelined',
    about: 'Single gets, eight in flight on each of 50 connections; replies must come in order.',
    metric: 'requestsPerCpuSecond',
    target: 1.3,
    isGoal: false,
    stream: stream({ depth: 8 }),
  },
  {
    name: 'mixed',
    title: '90% get, 10% set, 32 B',
    about: 'Single gets and sets, one in flight on each of 50 connections.',
    metric: 'requestsPerCpuSecond',
    target: 1.3,
    isGoal: false,
    stream: stream({ getRatio: 0.9 }),
  },
  {
    name: 'latency-1',
    title: 'p50 of a get, 1 connection',
    about: 'One connection: nothing waits for anything else.',
    metric: 'p50Us',
    target: 1,
    isGoal: true,
    stream: stream({ connections: 1 }),
  },
  {
    name: 'latency-8',
    title: 'p50 of a get, 8 connections',
    about: 'Eight connections, one get in flight on each.',
    metric: 'p50Us',
    target: 1,
    isGoal: true,
    stream: stream({ connections: 8 }),
  },
  {
    name: 'latency-50',
    title: 'p50 of a get, 50 connections',
    about: 'The load of the case "get".',
    metric: 'p50Us',
    target: 1,
    isGoal: true,
    stream: stream({}),
  },
];
