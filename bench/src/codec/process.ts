/** The process of one serializer: encodes and decodes messages in a loop, and says what that took. */
import { Session } from 'node:inspector/promises';
import {
  type Arena,
  MIB,
  mapArena,
  PAGE_BYTES,
  PageTable,
  SlabAllocator,
  SlabClasses,
} from '@larder/datapath';
import { BenchError } from '../errors.ts';
import { makeSerializer } from '../serialization/serializers/registry.ts';
import { SCRATCH_BYTES, type Serializer } from '../serialization/serializers/serializer.ts';
import { MemoryOutput } from '../serialization/server/reply-output.ts';
import { CHUNK_HEADER_BYTES } from '../serialization/store/kv-store.ts';
import { type CodecMessage, MESSAGES } from './messages.ts';

export type CodecCommand =
  | { readonly kind: 'prepare'; readonly serializer: string; readonly referenceBytesMin: number }
  | { readonly kind: 'measure'; readonly message: string; readonly seconds: number }
  | { readonly kind: 'allocations'; readonly message: string };

export interface CodecNumbers {
  readonly encodeNs: number;
  readonly decodeNs: number;
}

export interface Allocations {
  readonly encodeBytes: number;
  readonly decodeBytes: number;
  readonly encodeObjects: number;
}

export type CodecReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'measured'; readonly numbers: CodecNumbers }
  | { readonly kind: 'allocated'; readonly allocations: Allocations }
  | { readonly kind: 'failed'; readonly code: string; readonly text: string };

const ARENA_BYTES: number = 64 * MIB;
/** Messages between two looks at the clock. */
const BATCH = 64;
/** Messages whose allocations are counted; few enough that nothing is collected meanwhile. */
const COUNTED = 1000;
const PAIRS_BYTES = 64 * 1024;
const MESSAGE_BYTES: number = 32 * 1024;

/** Messages in memory: pairs of offset and bytes, and room for the encoded ones. */
class Prepared {
  readonly #serializer: Serializer;
  readonly #output: MemoryOutput;
  readonly #pairs: number[] = [];
  readonly #counts: number[] = [];
  readonly #bytes: number[] = [];
  readonly #encoded: number[] = [];
  readonly #encodedBytes: number[] = [];

  constructor(arena: Arena, allocator: SlabAllocator, serializer: Serializer, message: CodecMessage) {
    this.#serializer = serializer;
    const take = (bytes: number): number => {
      const chunk = allocator.allocate(allocator.classFor(bytes + 64));
      if (chunk === 0) throw new BenchError('SERVER', 'no memory for messages');
      return chunk + 64;
    };
    const start = take(MESSAGE_BYTES) + 64;
    this.#output = new MemoryOutput(arena, start, (owner) => serializer.onRelease(owner), false);
    const recorded = new MemoryOutput(arena, start, (owner) => serializer.onRelease(owner), true);
    let word = take(PAIRS_BYTES) / 4;
    for (const [number, sizes] of message.shapes.entries()) {
      this.#pairs.push(word);
      this.#counts.push(sizes.length);
      this.#bytes.push(sizes.reduce((sum, bytes) => sum + bytes, 0));
      for (const bytes of sizes) {
        const chunk = allocator.allocate(allocator.classFor(bytes + CHUNK_HEADER_BYTES));
        arena.u8.fill(97 + number, chunk + CHUNK_HEADER_BYTES, chunk + CHUNK_HEADER_BYTES + bytes);
        arena.i32[word++] = chunk + CHUNK_HEADER_BYTES;
        arena.i32[word++] = bytes;
      }
      this.#encode(number, recorded);
      const parts = [arena.u8.slice(recorded.bodyOffset, recorded.bodyOffset + recorded.copiedBytes)];
      for (let index = 0; index < recorded.references.length; index += 2) {
        const offset = recorded.references[index]!;
        parts.push(arena.u8.slice(offset, offset + recorded.references[index + 1]!));
      }
      const body = Buffer.concat(parts);
      const at = take(body.length);
      arena.u8.set(body, at);
      this.#encoded.push(at);
      this.#encodedBytes.push(body.length);
    }
  }

  get count(): number {
    return this.#pairs.length;
  }

  #encode(number: number, output: MemoryOutput): void {
    this.#serializer.writeReply(
      output,
      number + 1,
      this.#pairs[number]!,
      this.#counts[number]!,
      this.#bytes[number]!,
    );
  }

  encode(number: number): void {
    this.#encode(number, this.#output);
  }

  /** Reads all buffers of an encoded message. */
  decode(number: number): void {
    const at = this.#encoded[number]!;
    const bytes = this.#serializer.readReply(at, at + this.#encodedBytes[number]!);
    if (bytes !== this.#bytes[number]) throw new BenchError('REPLY', `read ${bytes} bytes`);
  }
}

/** Nanoseconds per call over so many seconds. */
function time(work: (number: number) => void, count: number, seconds: number): number {
  const start = performance.now();
  const end = start + seconds * 1000;
  let calls = 0;
  let nowMs = start;
  let number = 0;
  while (nowMs < end) {
    for (let call = 0; call < BATCH; call++) {
      work(number);
      number = number + 1 === count ? 0 : number + 1;
    }
    calls += BATCH;
    nowMs = performance.now();
  }
  return ((nowMs - start) * 1e6) / calls;
}

function memoryBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function allocatedBytes(work: (number: number) => void, count: number): number {
  globalThis.gc?.();
  const before = memoryBytes();
  for (let call = 0; call < COUNTED; call++) work(call % count);
  return (memoryBytes() - before) / COUNTED;
}

/** Objects per call, by sampling every allocation. */
async function allocatedObjects(work: (number: number) => void, count: number): Promise<number> {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 1,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  const samples = async (): Promise<number> => {
    const { profile } = await session.post('HeapProfiler.getSamplingProfile');
    // Node's types do not have the list of samples.
    return (profile as unknown as { samples: readonly unknown[] }).samples.length;
  };
  const before = await samples();
  for (let call = 0; call < COUNTED; call++) work(call % count);
  const found = (await samples()) - before;
  await session.post('HeapProfiler.stopSampling');
  session.disconnect();
  return found / COUNTED;
}

class CodecProcess {
  #serializer: Serializer | undefined;
  #arena: Arena | undefined;
  #allocator: SlabAllocator | undefined;
  readonly #prepared = new Map<string, Prepared>();

  async obey(command: CodecCommand): Promise<CodecReply> {
    if (command.kind === 'prepare') {
      await this.#prepare(command.serializer, command.referenceBytesMin);
      return { kind: 'ready' };
    }
    const prepared = this.#message(command.message);
    const encode = (number: number): void => prepared.encode(number);
    const decode = (number: number): void => prepared.decode(number);
    if (command.kind === 'measure') {
      const { seconds } = command;
      const encodeNs = time(encode, prepared.count, seconds);
      return { kind: 'measured', numbers: { encodeNs, decodeNs: time(decode, prepared.count, seconds) } };
    }
    const allocations = {
      encodeBytes: allocatedBytes(encode, prepared.count),
      decodeBytes: allocatedBytes(decode, prepared.count),
      encodeObjects: await allocatedObjects(encode, prepared.count),
    };
    return { kind: 'allocated', allocations };
  }

  async #prepare(name: string, referenceBytesMin: number): Promise<void> {
    const { arena } = mapArena(ARENA_BYTES + PAGE_BYTES);
    const allocator = new SlabAllocator(new PageTable(arena, 4096, 1), 512 * 1024, 1, new SlabClasses());
    allocator.setPageLimit(ARENA_BYTES / PAGE_BYTES);
    const scratchOffset = allocator.allocate(allocator.classFor(SCRATCH_BYTES + 64)) + 64;
    this.#arena = arena;
    this.#allocator = allocator;
    this.#serializer = await makeSerializer(name, { arena, allocator, scratchOffset }, referenceBytesMin);
  }

  #message(name: string): Prepared {
    const known = this.#prepared.get(name);
    if (known !== undefined) return known;
    const message = MESSAGES.find((each) => each.name === name);
    if (message === undefined || this.#serializer === undefined) {
      throw new BenchError('USAGE', `no message is called "${name}"`);
    }
    const prepared = new Prepared(this.#arena!, this.#allocator!, this.#serializer, message);
    this.#prepared.set(name, prepared);
    return prepared;
  }
}

const codec = new CodecProcess();
process.on('message', (message) => {
  codec
    .obey(message as CodecCommand)
    .catch((error: unknown): CodecReply => {
      const { code, message: text } = BenchError.from(error);
      return { kind: 'failed', code, text };
    })
    .then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit(0));
