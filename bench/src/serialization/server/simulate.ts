/**
 * Runs the server over the simulated NIC in this process: requests lie where the card would have put them, and
 * the time is that of the library, the store and the descriptors.
 */
import { SimulatedNic } from '@larder/datapath/internal';
import { BenchError } from '../../errors.ts';
import { cpuSecondsBetween, readCpuTime } from '../../harness/cpu-time.ts';
import type { RunNumbers } from '../plan.ts';
import { ReplyChecker } from '../requests/expected.ts';
import type { PremadeRequests } from '../requests/premade.ts';
import type { Serializer } from '../serializers/serializer.ts';
import { KvHandler } from './kv-handler.ts';
import { type Prepared, prepareTrace } from './prepared.ts';
import { FRAME_BYTES } from './reply-output.ts';

/** Requests between two looks at the clock: a burst of a real card's driver. */
const BURST = 32;
/** Requests checked before anything is measured. */
const CHECKED = 2000;
const KEY_SCRATCH_BYTES = 16 * 1024;
/** Irrational parts, whose multiples do not meet. */
const SLOT_STEP = 0.618_033_988_7;
const RUN_STEP = 0.414_213_562_3;

export class Simulation {
  readonly #nic: SimulatedNic<unknown>;
  readonly #connection: ReturnType<SimulatedNic<unknown>['connect']>;
  readonly #requests: PremadeRequests;
  readonly #slot: number;
  #next = 0;
  #runs = 0;

  constructor(prepared: Prepared, serializer: Serializer, requests: PremadeRequests, slot: number) {
    this.#slot = slot;
    const handler = new KvHandler(prepared.store, serializer);
    this.#nic = new SimulatedNic<unknown>({
      arena: prepared.file.arena,
      allocator: prepared.network,
      handler,
    });
    this.#requests = requests;
    this.#connection = this.#nic.connect();
    this.#check(prepared, serializer);
  }

  /** Reads the packets that the card would have sent, and compares. */
  #check(prepared: Prepared, serializer: Serializer): void {
    const { workload, store, scratchOffset, file } = prepared;
    const { trace } = prepareTrace(workload);
    const checker = new ReplyChecker(workload, trace, store, serializer, scratchOffset + KEY_SCRATCH_BYTES);
    for (let index = 0; index < Math.min(CHECKED, this.#requests.count); index++) {
      this.#request(index);
      const parts = this.#nic.partsOf(this.#nic.packetsPosted - 1);
      const frame = parts.map(({ offset, bytes }) => file.arena.node.subarray(offset, offset + bytes));
      const joined = Buffer.concat(frame);
      if (joined.readUInt32LE(0) !== joined.length - FRAME_BYTES) {
        throw new BenchError('REPLY', `the frame of ${serializer.name}'s reply ${index} has a wrong length`);
      }
      checker.check(index, joined.readUInt32LE(8), joined.subarray(FRAME_BYTES));
    }
  }

  #request(index: number): void {
    const start = this.#requests.offsetOf(index);
    this.#nic.receive(this.#connection, start, start + this.#requests.bytesOf(index));
  }

  run(seconds: number): RunNumbers {
    const { count } = this.#requests;
    // Elsewhere every time, and in every process: whoever ran before has left its part of the store in the cache.
    const place = (this.#slot * SLOT_STEP + this.#runs++ * RUN_STEP) % 1;
    this.#next = Math.floor(place * count);
    const before = readCpuTime(process.pid);
    const start = performance.now();
    const end = start + seconds * 1000;
    let requests = 0;
    let nowMs = start;
    while (nowMs < end) {
      for (let burst = 0; burst < BURST; burst++) {
        this.#request(this.#next);
        this.#next = this.#next + 1 === count ? 0 : this.#next + 1;
      }
      requests += BURST;
      nowMs = performance.now();
    }
    return {
      requests,
      seconds: (nowMs - start) / 1000,
      cpuSeconds: cpuSecondsBetween(before, readCpuTime(process.pid)),
      lost: 0,
      latency: [],
    };
  }
}
