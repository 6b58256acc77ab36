/** What a process of the benchmark makes of a plan: the store, the trace where it is needed, and one serializer. */
import type { SlabAllocator } from '@larder/datapath';
import { BenchError } from '../../errors.ts';
import type { StorePlan } from '../plan.ts';
import { makeSerializer } from '../serializers/registry.ts';
import { SCRATCH_BYTES, type Serializer } from '../serializers/serializer.ts';
import { KvStore } from '../store/kv-store.ts';
import { StoreFile } from '../store/store-file.ts';
import { type KeyTable, makeKeyTable, makeTrace, type Trace } from '../workloads/trace.ts';
import { reduced, WORKLOADS, type Workload } from '../workloads/workload.ts';

export interface Prepared {
  readonly workload: Workload;
  readonly file: StoreFile;
  readonly store: KvStore;
  readonly network: SlabAllocator;
  /** SCRATCH_BYTES bytes of the arena. */
  readonly scratchOffset: number;
}

export function planWorkload(plan: Pick<StorePlan, 'workload' | 'objectsMax' | 'requestsMax'>): Workload {
  const found = WORKLOADS.find((each) => each.name === plan.workload);
  if (found === undefined) throw new BenchError('USAGE', `no workload is called "${plan.workload}"`);
  return reduced(found, plan.objectsMax, plan.requestsMax);
}

export function prepare(plan: StorePlan, slot: number): Prepared {
  const workload = planWorkload(plan);
  const file = StoreFile.open(plan.path, plan.layout);
  const network = file.networkAllocator(slot);
  const scratchOffset = network.allocate(network.classFor(SCRATCH_BYTES));
  return {
    workload,
    file,
    store: new KvStore(file),
    network,
    scratchOffset,
  };
}

/** What is asked for. It takes a while for a million keys, and only who makes or checks requests needs it. */
export function prepareTrace(workload: Workload): { readonly table: KeyTable; readonly trace: Trace } {
  const table = makeKeyTable(workload);
  return { table, trace: makeTrace(workload, table) };
}

export function prepareSerializer(
  prepared: Prepared,
  name: string,
  referenceBytesMin: number,
): Promise<Serializer> {
  const { file, scratchOffset } = prepared;
  const memory = { arena: file.arena, allocator: file.allocator, scratchOffset };
  return makeSerializer(name, memory, referenceBytesMin);
}
