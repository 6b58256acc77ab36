/**
 * Measures, on this machine and over the transport that will be used, from which size on it is cheaper to send
 * bytes by reference than to copy them (papers/sosp23 5 does it once per platform; here a server can do it in a
 * fraction of a second when it starts, and again when memory gets slower).
 *
 * ```
 *   sender ── [head][copy or reference] × batch ──▶ loopback ──▶ receiver       both on one transport, this thread
 *   memory   larger than the last-level cache, in an order that no prefetcher foresees: as cold as in life
 * ```
 *
 * Both ways are measured in turns, many times in small batches; the median of each counts. What receiving costs
 * is in both alike. A reference pays for its count, as it does in a server; but not for fetching the memory that the
 * count lies in, since a server has looked at it either way: the key is beside it.
 */
import { DatapathError } from '../errors.ts';
import { CHUNK_BYTES_MAX, KIB, MIB, PAGE_BYTES } from '../limits.ts';
import { Arena, pageAligned } from '../memory/arena.ts';
import { PageTable } from '../memory/page-table.ts';
import { SlabAllocator } from '../memory/slab-allocator.ts';
import { SlabClasses } from '../memory/slab-classes.ts';
import { mapAnonymous, unmap } from '../sys/memory-map.ts';
import type { Connection } from '../transport/connection.ts';
import { closeListener, openListener } from '../transport/listener.ts';
import { loadTransport } from '../transport/select.ts';
import type { LoopTransport, TransportHandler } from '../transport/transport.ts';
import { type CopyThresholdSample, deriveCopyThreshold } from './derive-threshold.ts';

export interface CalibrationOptions {
  /** Stop measuring after this. */
  readonly budgetMs?: number;
  /** Memory to walk through; best more than the last-level cache. */
  readonly coldBytes?: number;
  readonly sizes?: readonly number[];
  readonly now?: () => number;
}

export interface CopyThresholdResult {
  /** References are cheaper from this size on; `Infinity` when they are not up to the largest size measured. */
  readonly bytes: number;
  readonly samples: readonly CopyThresholdSample[];
  readonly rounds: number;
  readonly elapsedMs: number;
}

/** Of longer parts the kernel's own work is so much more that the difference drowns in it. */
const SIZES: readonly number[] = [512, 1024, 2048, 4096, 8192, 16_384];
const BUDGET_MS = 250;
const COLD_BYTES: number = 64 * MIB;
/** Memory of the transport itself. */
const NETWORK_BYTES: number = 24 * MIB;
/** Copied in front of every part, as a reply's header is. */
const HEAD_BYTES = 32;
/** Parts are sent in batches of about so many bytes, and at most so many parts. */
const BATCH_BYTES: number = 64 * KIB;
const BATCH_PARTS_MAX = 16;
const ROUNDS_MAX = 200;
/** Rounds that warm up the code and the connection. */
const WARM_ROUNDS = 3;
const DELIVERY_MS_MAX = 2000;
const LINE_BYTES = 64;
/** Of the memory, from one piece to the next: the multiples of the golden ratio keep away from each other. */
const COLD_STEP = 0.618_033_988_75;

/**
 * The threshold of a Linux transport. Blocks this thread for about `budgetMs`. Throws `UNAVAILABLE` where the
 * transport cannot be had.
 */
export async function calibrateCopyThreshold(
  kind: 'uring' | 'epoll',
  options: CalibrationOptions = {},
): Promise<CopyThresholdResult> {
  const sizes = options.sizes ?? SIZES;
  if (sizes.length === 0 || sizes.some((bytes) => !(bytes > 0 && bytes < CHUNK_BYTES_MAX))) {
    throw new DatapathError('ARGUMENT', 'calibration', `sizes ${sizes.join(', ')}`);
  }
  const make = await loadTransport<undefined>(kind);
  const socket = await openListener(kind, { kind: 'tcp', host: '127.0.0.1', port: 0 });
  const coldBytes = pageAligned(options.coldBytes ?? COLD_BYTES);
  const memory = mapAnonymous(pageAligned(coldBytes + NETWORK_BYTES + PAGE_BYTES));
  try {
    const arena = new Arena(memory.buffer, memory.address);
    const run = new CalibrationRun(arena, coldBytes, options.now ?? (() => performance.now()));
    run.transport = make({
      arena,
      allocator: run.allocator,
      handler: run,
      clock: () => performance.now(),
      limits: { receiveBuffers: 64 },
    });
    run.transport.serve(socket);
    return run.measure(socket.port, sizes, options.budgetMs ?? BUDGET_MS);
  } finally {
    closeListener(socket);
    unmap(memory);
  }
}

class CalibrationRun implements TransportHandler<undefined> {
  readonly allocator: SlabAllocator;
  transport!: LoopTransport<undefined>;
  readonly #arena: Arena;
  readonly #coldStart: number;
  readonly #coldBytes: number;
  readonly #now: () => number;
  readonly #connections: Connection<undefined>[] = [];
  #cold = 0;
  /** Written so that looking at memory is not optimized away. */
  seen = 0;
  #received = 0;
  #expected = 0;

  constructor(arena: Arena, coldBytes: number, now: () => number) {
    this.#arena = arena;
    this.#coldStart = PAGE_BYTES + NETWORK_BYTES;
    this.#coldBytes = coldBytes;
    this.#now = now;
    const pages = new PageTable(arena, 64, 1);
    this.allocator = new SlabAllocator(pages, 64 * KIB, 1, new SlabClasses());
    this.allocator.setPageLimit(NETWORK_BYTES / PAGE_BYTES);
  }

  measure(port: number, sizes: readonly number[], budgetMs: number): CopyThresholdResult {
    const begin = this.#now();
    const sender = this.transport.connect({ kind: 'tcp', host: '127.0.0.1', port });
    this.#turnUntil(() => this.#connections.length === 2);
    // Memory that was never written is one page of zeros to the kernel, which is not cold.
    this.#arena.u8.fill(1, this.#coldStart, this.#coldStart + this.#coldBytes);
    const copies = sizes.map((): number[] => []);
    const references = sizes.map((): number[] => []);
    let rounds = 0;
    for (let round = -WARM_ROUNDS; round < ROUNDS_MAX; round++) {
      if (rounds > 0 && this.#now() - begin > budgetMs) break;
      for (const [index, bytes] of sizes.entries()) {
        // Who goes first alternates, so that neither always finds the caches as the other left them.
        const first = this.#batch(sender, bytes, (round & 1) === 0);
        const second = this.#batch(sender, bytes, (round & 1) !== 0);
        if (round < 0) continue;
        copies[index]!.push((round & 1) === 0 ? second : first);
        references[index]!.push((round & 1) === 0 ? first : second);
      }
      if (round >= 0) rounds++;
    }
    this.transport.stop(0);
    this.#turnUntil(() => false);
    const samples = sizes.map((bytes, index) => ({
      bytes,
      copyNs: median(copies[index]!),
      referenceNs: median(references[index]!),
    }));
    return { bytes: deriveCopyThreshold(samples), samples, rounds, elapsedMs: this.#now() - begin };
  }

  /** Sends a batch and waits until it has arrived; nanoseconds per part. */
  #batch(sender: Connection<undefined>, bytes: number, isReference: boolean): number {
    const count = Math.max(1, Math.min(BATCH_PARTS_MAX, Math.floor(BATCH_BYTES / bytes)));
    const words = this.#arena.i32;
    const start = this.#now();
    this.#expected += count * (HEAD_BYTES + bytes);
    for (let part = 0; part < count; part++) {
      const offset = this.#nextCold(bytes);
      this.seen ^= words[offset / 4]!;
      const at = sender.reserve(HEAD_BYTES);
      words[at >>> 2] = bytes;
      sender.cursor = at + HEAD_BYTES;
      if (isReference) {
        Atomics.add(words, offset / 4, 1);
        sender.reference(offset + 8, bytes, offset);
      } else {
        sender.copy(offset + 8, bytes);
      }
    }
    this.#turnUntil(() => this.#received === this.#expected);
    return ((this.#now() - start) * 1e6) / count;
  }

  /** A piece of memory that nobody has looked at for long, far from the last one and the next. */
  #nextCold(bytes: number): number {
    this.#cold = (this.#cold + COLD_STEP * this.#coldBytes) % (this.#coldBytes - bytes - LINE_BYTES);
    return this.#coldStart + Math.floor(this.#cold / LINE_BYTES) * LINE_BYTES;
  }

  #turnUntil(condition: () => boolean): void {
    const giveUpAt = performance.now() + DELIVERY_MS_MAX;
    while (!condition()) {
      if (!this.transport.turn(0)) return;
      if (performance.now() > giveUpAt)
        throw new DatapathError('ETIMEDOUT', 'calibration', 'loopback is stuck');
    }
  }

  onConnect(connection: Connection<undefined>): void {
    this.#connections.push(connection);
  }

  onData(_connection: Connection<undefined>, start: number, end: number): number {
    this.#received += end - start;
    return end;
  }

  onRelease(owner: number): void {
    Atomics.sub(this.#arena.i32, owner / 4, 1);
  }

  onClose(): void {
    // Both ends are closed together when the measurement is over.
  }
}

function median(values: number[]): number {
  values.sort((one, other) => one - other);
  return values[values.length >>> 1] ?? Number.NaN;
}
