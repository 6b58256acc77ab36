/**
 * The store's items as buffers that objects are sent from. An encoder counts references to two kinds of memory:
 * items, whose values it references, and chunks of the network allocator, where it gathers what it copies. An
 * item's number is even, and so is a chunk's offset; items are marked by one added.
 */
import type { Store } from '@larder/cache';
import type { Arena, SlabAllocator } from '@larder/datapath';
import type { BufferOwners } from '@larder/wire';

/** What an encoder and a transport call an item that is referenced. */
export function ownerOfItem(item: number): number {
  return item + 1;
}

/** The item that a transport has sent: marked by an encoder, or as it is by the text protocols. */
export function itemOfOwner(owner: number): number {
  return owner - (owner & 1);
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

  classFor(bytes: number): number {
    return this.#allocator.classFor(bytes);
  }

  allocate(slabClass: number): number {
    return this.#allocator.allocate(slabClass);
  }
}
