/**
 * The store's items as buffers that objects are sent from. An encoder counts references to two kinds of memory:
 * items, whose values it references, and chunks of the network allocator, where it gathers what it copies. Both
 * have even numbers (an item is a place in words, a chunk one in bytes), so they have to be told apart:
 *
 * ```
 *   in an encoder     item + 1                 chunk
 *   in a transport    item                     chunk + CHUNK_MARK         items as the text protocols have them
 * ```
 */
import type { Store } from '@larder/cache';
import type { Arena, SlabAllocator } from '@larder/datapath';
import type { BufferOwners } from '@larder/wire';

/** More than every place in an arena. */
const CHUNK_MARK: number = 2 ** 40;

/** What an encoder calls an item that is referenced. */
export function ownerOfItem(item: number): number {
  return item + 1;
}

/** What a transport is given for an owner that an encoder names. */
export function transportOwner(owner: number): number {
  return (owner & 1) !== 0 ? owner - 1 : owner + CHUNK_MARK;
}

export class ItemOwners implements BufferOwners {
  readonly arena: Arena;
  readonly #store: Store;
  readonly #allocator: SlabAllocator;

  constructor(arena: Arena, store: Store, allocator: SlabAllocator) {
    this.arena = arena;
    this.#store = store;
    this.#allocator = allocator;
  }

  /** Bytes never have to be recognised: whoever references an item says so. */
  recover(): number {
    return -1;
  }

  references(): number {
    return 1;
  }

  retain(owner: number): void {
    if ((owner & 1) !== 0) this.#store.retain(owner - 1);
    else this.#allocator.retain(owner);
  }

  release(owner: number): boolean {
    if ((owner & 1) === 0) return this.#allocator.release(owner);
    this.#store.release(owner - 1);
    return false;
  }

  /** A transport has sent what it was given as `transportOwner`. */
  complete(owner: number): void {
    if (owner < CHUNK_MARK) this.#store.release(owner);
    else this.#allocator.release(owner - CHUNK_MARK);
  }

  classFor(bytes: number): number {
    return this.#allocator.classFor(bytes);
  }

  allocate(slabClass: number): number {
    return this.#allocator.allocate(slabClass);
  }
}
