/** A store on an ordinary ArrayBuffer with string keys and values and a clock that tests set. */
import { Arena, BufferPool, type ScatterGatherTarget } from '@larder/datapath';
import type { StoreOptions } from '../options.ts';
import { StoreMode, StoreResult } from '../result.ts';
import { planStore, Store } from '../store.ts';

export class StoreHarness {
  readonly store: Store;
  readonly arena: Arena;
  seconds: number;
  readonly #scratch: number;
  readonly #scratchBytes = 15_000;
  keyBytes = 0;
  hash = 0;

  constructor(options: Partial<StoreOptions> = {}, arena?: Arena, seconds = 1_700_000_000) {
    this.seconds = seconds;
    const layout = planStore({ memoryBytes: 8 << 20, hashSeed: [1, 2], ...options }, { networkPages: 1 });
    this.arena = arena ?? Arena.portable(layout.arenaBytes);
    const wall = (): number => this.seconds;
    this.store =
      arena === undefined ? Store.create(this.arena, layout, wall) : Store.restore(this.arena, layout, wall);
    this.#scratch = new BufferPool(this.store.networkAllocator(), 16_384, 1).take();
  }

  /** Advances the clock and runs the maintenance until it is idle. */
  advance(seconds: number): void {
    this.seconds += seconds;
    this.settle();
  }

  settle(): void {
    for (let slices = 0; slices < 10_000 && this.store.maintain(50) < 50; slices++);
  }

  /** Puts a key into memory; returns its offset. */
  key(key: string): number {
    this.keyBytes = this.arena.node.write(key, this.#scratch, 'latin1');
    this.hash = this.store.hash(this.#scratch, this.keyBytes);
    return this.#scratch;
  }

  create(key: string, value: string, flags = 0, exptime = 0): number {
    const at = this.key(key);
    const item = this.store.create(
      at,
      this.keyBytes,
      this.hash,
      flags,
      this.store.expiryFrom(exptime),
      value.length,
    );
    if (item <= 0) return item;
    const source = this.#scratch + 300;
    for (let done = 0; done < value.length; done += this.#scratchBytes) {
      const bytes = this.arena.node.write(value.slice(done, done + this.#scratchBytes), source, 'latin1');
      this.store.fill(item, done, source, bytes);
    }
    return item;
  }

  put(mode: StoreMode, key: string, value: string, flags = 0, exptime = 0, cas = 0): StoreResult | 0 | -1 {
    if (
      mode === StoreMode.set &&
      exptime === 0 &&
      value.length <= this.#scratchBytes &&
      this.#overwrite(key, value, flags)
    ) {
      return StoreResult.stored;
    }
    const item = this.create(key, value, flags, exptime);
    if (item <= 0) return item as 0 | -1;
    return this.store.link(item, mode, cas >>> 0, Math.floor(cas / 2 ** 32));
  }

  /** As a server does it: in place if possible. */
  #overwrite(key: string, value: string, flags: number): boolean {
    const at = this.key(key);
    const source = this.#scratch + 300;
    this.arena.node.write(value, source, 'latin1');
    return this.store.overwrite(at, this.keyBytes, this.hash, flags, source, value.length);
  }

  /** The classic reply, or null for a miss; long ones are gathered. */
  reply(key: string): string | null {
    const at = this.key(key);
    const target = this.#scratch + 300;
    const bytes = this.store.copyReply(at, this.keyBytes, this.hash, target, this.#scratchBytes);
    if (bytes === 0) return null;
    if (bytes > 0) return this.arena.node.toString('latin1', target, target + bytes);
    const item = this.store.acquire(at, this.keyBytes, this.hash);
    const text = this.gather((sink) => this.store.sendReply(item, sink));
    this.store.release(item);
    return text;
  }

  /** The value of a live key, or null. */
  get(key: string): string | null {
    const reply = this.reply(key);
    return reply === null ? null : reply.slice(reply.indexOf('\r\n') + 2, -2);
  }

  value(item: number): string {
    return this.gather((sink) => this.store.sendValue(item, sink)).slice(0, -2);
  }

  gather(send: (sink: ScatterGatherTarget) => void): string {
    const parts: string[] = [];
    send({
      copy: (offset, bytes) => parts.push(this.arena.node.toString('latin1', offset, offset + bytes)),
      reference: (offset, bytes, owner) => {
        parts.push(this.arena.node.toString('latin1', offset, offset + bytes));
        this.store.release(owner);
      },
    });
    return parts.join('');
  }

  delete(key: string, holdoffSeconds = 0): StoreResult {
    const at = this.key(key);
    return this.store.delete(at, this.keyBytes, this.hash, holdoffSeconds);
  }

  cas(key: string): number {
    const at = this.key(key);
    const item = this.store.peek(at, this.keyBytes, this.hash, true);
    if (item === 0) return -1;
    const cas = this.store.casHigh(item) * 2 ** 32 + this.store.casLow(item);
    this.store.release(item);
    return cas;
  }
}
