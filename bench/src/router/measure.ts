/**
 * Measures one case: the two proxies in turn in front of the same servers, A B A B …, the one that waits
 * stopped altogether.
 */
import { type RunSummary, summarize } from '../cache/results.ts';
import type { LoadProcess } from '../harness/load-process.ts';
import type { StreamPlan } from '../load/plan.ts';
import { ROUTER_SPACE, type RouterCase } from './cases.ts';
import type { Target } from './contestants.ts';
import { isLatency, judge, type RouterResult } from './results.ts';

export interface Field {
  readonly load: LoadProcess;
  readonly larder: Target;
  readonly twemproxy: Target;
  /** One of the servers, filled with all keys. */
  readonly direct: Target;
}

export interface RunTimes {
  readonly seconds: number;
  readonly rampSeconds: number;
  readonly warmupSeconds: number;
  readonly alternations: number;
}

/** Longer than any fill takes; its end is a number of requests. */
const FILL_SECONDS_MAX = 60;

async function measure(
  load: LoadProcess,
  target: Target,
  stream: StreamPlan,
  rampSeconds: number,
  seconds: number,
): Promise<RunSummary> {
  target.process.signal('SIGCONT');
  try {
    const address = { kind: 'tcp', host: '127.0.0.1', port: target.port } as const;
    const serverPids = [target.process.pid];
    return summarize(await load.run({ address, streams: [stream], rampSeconds, seconds, serverPids }));
  } finally {
    if (!target.title.startsWith('memcached')) target.process.signal('SIGSTOP');
  }
}

/** Stores every key through a target: where they lie is the target's choice. */
export async function fillThrough(load: LoadProcess, target: Target): Promise<void> {
  const stream: StreamPlan = {
    name: 'fill',
    connections: 8,
    depth: 64,
    keysPerGet: 1,
    getRatio: 0,
    distribution: { kind: 'sequential' },
    loop: { kind: 'closed' },
    missesAllowed: false,
    firstKey: 0,
    keys: ROUTER_SPACE.keys,
    requests: ROUTER_SPACE.keys,
  };
  await measure(load, target, stream, 0, FILL_SECONDS_MAX);
}

export async function measureCase(
  field: Field,
  spec: RouterCase,
  times: RunTimes,
  say: (text: string) => void,
): Promise<RouterResult> {
  const larder: RunSummary[] = [];
  const twemproxy: RunSummary[] = [];
  const direct: RunSummary[] = [];
  const run = (target: Target, seconds: number): Promise<RunSummary> =>
    measure(field.load, target, spec.stream, times.rampSeconds, seconds);
  for (const target of [field.twemproxy, field.larder]) await run(target, times.warmupSeconds);
  for (let round = 0; round < times.alternations; round++) {
    if (isLatency(spec)) direct.push(await run(field.direct, times.seconds));
    twemproxy.push(await run(field.twemproxy, times.seconds));
    larder.push(await run(field.larder, times.seconds));
    say(`${spec.name}: alternation ${round + 1} of ${times.alternations}`);
  }
  return judge(spec, { larder, twemproxy, direct });
}
