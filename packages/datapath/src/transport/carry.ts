/**
 * Input that a handler did not consume, kept contiguous with what follows. A carry starts as one pooled
 * buffer and is replaced by a chunk of twice the size as it grows, up to the largest chunk.
 */
import { CHUNK_BYTES_MAX } from '../limits.ts';
import type { Arena } from '../memory/arena.ts';
import { BUFFER_HEADER_BYTES, type BufferPool } from '../memory/buffer-pool.ts';
import type { SlabAllocator } from '../memory/slab-allocator.ts';
import { type Connection, GATE_CARRY } from './connection.ts';

const CARRY_BYTES_MAX = CHUNK_BYTES_MAX - BUFFER_HEADER_BYTES;

export class CarryBuffers {
  readonly #arena: Arena;
  readonly #allocator: SlabAllocator;
  readonly #pool: BufferPool;

  constructor(arena: Arena, allocator: SlabAllocator, pool: BufferPool) {
    this.#arena = arena;
    this.#allocator = allocator;
    this.#pool = pool;
  }

  /** Appends [start, end); false when it is too long or memory is exhausted. */
  append<S>(connection: Connection<S>, start: number, end: number): boolean {
    const added = end - start;
    const kept = connection.carryEnd - connection.carryStart;
    if (connection.carryEnd + added > connection.carry + connection.carryBytes || connection.carry === 0) {
      if (!this.#makeRoom(connection, kept + added)) return false;
    }
    this.#arena.u8.copyWithin(connection.carryEnd, start, end);
    connection.carryEnd += added;
    connection.gate |= GATE_CARRY;
    return true;
  }

  /** Gives the carry back. */
  drop<S>(connection: Connection<S>): void {
    connection.gate &= ~GATE_CARRY;
    if (connection.carry === 0) return;
    this.#give(connection.carry, connection.carryBytes);
    connection.carry = 0;
    connection.carryBytes = 0;
    connection.carryStart = 0;
    connection.carryEnd = 0;
  }

  /** Moves what is kept to the front of a carry that holds `bytes`. */
  #makeRoom<S>(connection: Connection<S>, bytes: number): boolean {
    const kept = connection.carryEnd - connection.carryStart;
    let target = connection.carry;
    let targetBytes = connection.carryBytes;
    // What a view holds of the carry must not move, so the rest gets another one.
    const isHeld = target !== 0 && this.#allocator.references(target - BUFFER_HEADER_BYTES) !== 1;
    if (bytes > targetBytes || isHeld) {
      if (bytes > CARRY_BYTES_MAX) return false;
      targetBytes = this.#pool.bytes;
      while (targetBytes < bytes) targetBytes = Math.min(targetBytes * 2, CARRY_BYTES_MAX);
      target = this.#take(targetBytes);
      if (target === 0) return false;
    }
    if (kept > 0) this.#arena.u8.copyWithin(target, connection.carryStart, connection.carryEnd);
    if (target !== connection.carry && connection.carry !== 0)
      this.#give(connection.carry, connection.carryBytes);
    connection.carry = target;
    connection.carryBytes = targetBytes;
    connection.carryStart = target;
    connection.carryEnd = target + kept;
    return true;
  }

  #take(bytes: number): number {
    if (bytes === this.#pool.bytes) return this.#pool.take();
    const chunk = this.#allocator.allocate(this.#allocator.classFor(bytes + BUFFER_HEADER_BYTES));
    return chunk === 0 ? 0 : chunk + BUFFER_HEADER_BYTES;
  }

  #give(buffer: number, bytes: number): void {
    if (bytes === this.#pool.bytes) this.#pool.letGo(buffer);
    else this.#allocator.release(buffer - BUFFER_HEADER_BYTES);
  }
}
