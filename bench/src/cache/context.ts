/**
 * What every runner needs: settings, where to start processes, and steps that they share.
 */

import type { LoadProcess } from '../harness/load-process.ts';
import type { Processes } from '../harness/processes.ts';
import { BenchServer } from '../harness/server.ts';
import type { LoadAddress, RunPlan, StreamPlan } from '../load/plan.ts';
import type { Contestant } from './case-types.ts';
import type { Commands } from './contestants.ts';

export interface BenchSettings {
  readonly seconds: number;
  readonly alternations: number;
  readonly warmupSeconds: number;
  readonly rampSeconds: number;
  readonly serverCpu: string;
  readonly loadCpu: string;
  /** Transport of the load generator, if not the fastest. */
  readonly loadTransport?: string;
}

export interface BenchContext {
  readonly processes: Processes;
  readonly settings: BenchSettings;
  readonly commands: Commands;
  /** For Unix sockets; removed at the end. */
  readonly folder: string;
  /** Progress for the person who waits. */
  readonly say: (text: string) => void;
}

/** Values are stored with about this many bytes in flight. */
const FILL_BYTES_IN_FLIGHT = 64 * 1024;
const FILL_CONNECTIONS = 8;
const FILL_DEPTH_MAX = 64;
/** Longer than any fill takes; its end is a number of requests. */
const FILL_SECONDS_MAX = 600;

export function startServer(
  context: BenchContext,
  contestant: Contestant,
  reach: LoadAddress['kind'],
  memoryMegabytes: number,
): Promise<BenchServer> {
  const { serverCpu, loadCpu } = context.settings;
  return BenchServer.start(
    context.processes,
    context.commands[contestant.kind],
    {
      memoryMegabytes,
      threads: contestant.threads ?? 1,
      cpus: contestant.allCpus === true ? `${serverCpu},${loadCpu}` : serverCpu,
      reach,
      ...(contestant.transport === undefined ? {} : { transport: contestant.transport }),
    },
    context.folder,
  );
}

/** A stream that stores keys [firstKey, firstKey + keys) once each. */
export function fillStream(firstKey: number, keys: number, valueBytes: number): StreamPlan {
  const depth = Math.max(1, Math.min(FILL_DEPTH_MAX, Math.floor(FILL_BYTES_IN_FLIGHT / (valueBytes + 64))));
  return {
    name: 'fill',
    connections: FILL_CONNECTIONS,
    depth,
    keysPerGet: 1,
    getRatio: 0,
    distribution: { kind: 'sequential' },
    loop: { kind: 'closed' },
    missesAllowed: false,
    firstKey,
    keys,
    requests: keys,
  };
}

/** Stores keys [firstKey, firstKey + keys). */
export async function fill(
  load: LoadProcess,
  server: BenchServer,
  firstKey: number,
  keys: number,
  valueBytes: number,
): Promise<void> {
  await load.run(runPlan(server, [fillStream(firstKey, keys, valueBytes)], 0, FILL_SECONDS_MAX, true));
}

export function runPlan(
  server: BenchServer,
  streams: readonly StreamPlan[],
  rampSeconds: number,
  seconds: number,
  overStream = false,
): RunPlan {
  return {
    address: overStream ? server.streamAddress : server.address,
    streams,
    rampSeconds,
    seconds,
    serverPids: [server.pid],
  };
}
