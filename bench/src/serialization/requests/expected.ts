/** What the answer to a request must be, read from the store that everybody shares: for checking, not for speed. */
import { BenchError } from '../../errors.ts';
import type { Serializer } from '../serializers/serializer.ts';
import type { KvStore } from '../store/kv-store.ts';
import { type Trace, writeKey } from '../workloads/trace.ts';
import type { Workload } from '../workloads/workload.ts';

const KEY_BYTES_MAX = 256;

export class ReplyChecker {
  readonly #workload: Workload;
  readonly #trace: Trace;
  readonly #store: KvStore;
  readonly #serializer: Serializer;
  readonly #scratch: number;

  /** `scratchOffset` has room for a key. */
  constructor(
    workload: Workload,
    trace: Trace,
    store: KvStore,
    serializer: Serializer,
    scratchOffset: number,
  ) {
    this.#workload = workload;
    this.#trace = trace;
    this.#store = store;
    this.#serializer = serializer;
    this.#scratch = scratchOffset;
  }

  /** Whether a request changes the store. */
  isPut(index: number): boolean {
    return this.#trace.puts[index] === 1;
  }

  /** Throws `REPLY` unless a message with this id and body is the right answer to request `index`. */
  check(index: number, id: number, bytes: Uint8Array): void {
    const fail = (text: string): never => {
      throw new BenchError('REPLY', `${this.#serializer.name}, request ${index}: ${text}`);
    };
    if (id !== index) fail(`the answer is to ${id}`);
    // A copy of its own memory: some peers look at the whole buffer.
    const body = Uint8Array.from(bytes);
    if (this.isPut(index)) {
      if (this.#serializer.decodePutReply(body) !== index + 1) fail('a wrong id');
      return;
    }
    const expected = this.#buffers(index);
    const reply = this.#serializer.decodeReply(body);
    if (reply === undefined) {
      const bytes = expected.reduce((sum, buffer) => sum + buffer.length, 4);
      if (body.length !== bytes) fail(`${body.length} bytes instead of ${bytes}`);
      return;
    }
    if (reply.id !== index + 1) fail(`the id is ${reply.id}`);
    if (reply.vals.length !== expected.length) fail(`${reply.vals.length} buffers, not ${expected.length}`);
    for (const [number, buffer] of expected.entries()) {
      if (!Buffer.from(reply.vals[number]!).equals(buffer)) fail(`buffer ${number} is wrong`);
    }
  }

  #buffers(index: number): Buffer[] {
    const store = this.#store;
    const { arena } = store;
    const key = new Uint8Array(KEY_BYTES_MAX);
    const keyBytes = writeKey(this.#workload, this.#trace.keys[index]!, key, 0);
    arena.u8.set(key.subarray(0, keyBytes), this.#scratch);
    if (!store.find(this.#scratch, keyBytes)) {
      throw new BenchError('REPLY', `request ${index} is for a key that is not there`);
    }
    const segment = this.#trace.segments[index]!;
    const first = segment > 0 ? segment - 1 : 0;
    const count = segment > 0 ? 1 : store.count;
    return Array.from({ length: count }, (_, number) => {
      const pair = store.values + 2 * (first + number);
      const offset = arena.i32[pair]!;
      return arena.node.subarray(offset, offset + arena.i32[pair + 1]!);
    });
  }
}
