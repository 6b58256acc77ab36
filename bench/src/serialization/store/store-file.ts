/**
 * The file that all processes of a run share: the store of pre-made values, and a slot of its own for every
 * process.
 *
 * ```
 *   page 0      header words · page table and allocator of the store
 *   pages ...   slots: [page table and allocator][network buffers ...][pre-made requests ...]
 *   pages ...   store: [index][entries][values, in chunks of the slab allocator]
 * ```
 *
 * It is a nameless file in memory, which is gone with the last process that has it, however that ends. It has less
 * than 2 GiB, so that every offset is a small integer for the JavaScript engine; and it lies in huge pages where the
 * kernel has them, as memory that is registered with a network card does (papers/sosp23 4): with small ones, most of
 * a look at a random value is a walk through page tables, twice so in a virtual machine.
 */
import { closeSync, openSync } from 'node:fs';
import { Arena, MIB, PAGE_BYTES, PageTable, pageAligned, SlabAllocator, SlabClasses } from '@larder/datapath';
import {
  collapseToHugePages,
  type MappedMemory,
  mapDescriptorAligned,
  memfd,
  unmap,
} from '@larder/datapath/internal';
import { BenchError } from '../../errors.ts';

/** Processes that may share a file: the load, and one for each contestant. */
const SLOTS = 15;
const SLOT_BYTES: number = 64 * MIB;
const SLOT_NETWORK_BYTES: number = 24 * MIB;
/** Bytes of a slot for requests. */
export const SLOT_REQUEST_BYTES: number = SLOT_BYTES - SLOT_NETWORK_BYTES;
const FILE_BYTES_MAX: number = 2048 * MIB - PAGE_BYTES;
const STORE_ID = 1;
const NETWORK_ID = 2;
const TABLE_OFFSET = 4096;
const STORE_STATE_OFFSET: number = 512 * 1024;

/** Header words. */
const ENTRY_END = 0;

const CLASSES: SlabClasses = new SlabClasses();

/** Where the parts of the store lie. */
export interface StoreLayout {
  readonly indexOffset: number;
  /** Slots of the index, a power of two. */
  readonly indexSlots: number;
  readonly entriesOffset: number;
  readonly entriesBytes: number;
  readonly fileBytes: number;
}

const STORE_PAGE: number = (PAGE_BYTES + SLOTS * SLOT_BYTES) / PAGE_BYTES;

/** Lays out a store for so many keys, bytes of entries, and bytes of values (with what the slab classes waste). */
export function layOutStore(keys: number, entriesBytes: number, valuesBytes: number): StoreLayout {
  const indexSlots = 2 ** Math.ceil(Math.log2(keys * 1.5 + 16));
  const indexOffset = STORE_PAGE * PAGE_BYTES;
  const entriesOffset = pageAligned(indexOffset + indexSlots * 4);
  const valuesOffset = pageAligned(entriesOffset + entriesBytes);
  // A class that has few values still takes a page.
  const fileBytes = pageAligned(valuesOffset + valuesBytes) + 192 * PAGE_BYTES;
  if (fileBytes > FILE_BYTES_MAX) {
    throw new BenchError('USAGE', `a store of ${Math.round(fileBytes / MIB)} MiB is more than fits`);
  }
  return { indexOffset, indexSlots, entriesOffset, entriesBytes: valuesOffset - entriesOffset, fileBytes };
}

export class StoreFile {
  /** Other processes open it by this, as long as the one that made it has it. */
  readonly path: string;
  readonly layout: StoreLayout;
  readonly arena: Arena;
  /** Of the values. */
  readonly allocator: SlabAllocator;
  readonly #memory: MappedMemory;
  readonly #descriptor: number;

  private constructor(path: string, descriptor: number, memory: MappedMemory, layout: StoreLayout) {
    this.path = path;
    this.layout = layout;
    this.arena = new Arena(memory.buffer, memory.address);
    this.#descriptor = descriptor;
    this.#memory = memory;
    const firstPage = (layout.entriesOffset + layout.entriesBytes) / PAGE_BYTES;
    const pages = new PageTable(this.arena, TABLE_OFFSET, firstPage);
    this.allocator = new SlabAllocator(pages, STORE_STATE_OFFSET, STORE_ID, CLASSES);
    this.allocator.setPageLimit(pages.endPage - firstPage);
  }

  static create(layout: StoreLayout): StoreFile {
    const descriptor = memfd('larder-bench', layout.fileBytes);
    const memory = mapDescriptorAligned(descriptor, layout.fileBytes, 'the store');
    collapseToHugePages(memory, layout.indexOffset, layout.fileBytes - layout.indexOffset);
    return new StoreFile(`/proc/${process.pid}/fd/${descriptor}`, descriptor, memory, layout);
  }

  /** Maps what another process has created. */
  static open(path: string, layout: StoreLayout): StoreFile {
    const descriptor = openSync(path, 'r+');
    return new StoreFile(path, descriptor, mapDescriptorAligned(descriptor, layout.fileBytes, path), layout);
  }

  /** Gives the memory up; the arena must not be used any more. */
  close(): void {
    unmap(this.#memory);
    closeSync(this.#descriptor);
  }

  /** Bytes of entries that were written. */
  get entryEnd(): number {
    return this.arena.i32[ENTRY_END]!;
  }

  set entryEnd(bytes: number) {
    this.arena.i32[ENTRY_END] = bytes;
  }

  /** The allocator of a slot's network buffers, empty: whoever had the slot before has ended. */
  networkAllocator(slot: number): SlabAllocator {
    const start = PAGE_BYTES + slot * SLOT_BYTES;
    collapseToHugePages(this.#memory, start, SLOT_BYTES);
    this.arena.u8.fill(0, start, start + PAGE_BYTES);
    const firstPage = start / PAGE_BYTES + 1;
    const pages = new PageTable(this.arena, start + TABLE_OFFSET, firstPage);
    const allocator = new SlabAllocator(pages, start + STORE_STATE_OFFSET, NETWORK_ID, CLASSES);
    allocator.setPageLimit(SLOT_NETWORK_BYTES / PAGE_BYTES - 1);
    return allocator;
  }

  /** Where the requests of a slot lie: SLOT_REQUEST_BYTES bytes. */
  requestOffset(slot: number): number {
    return PAGE_BYTES + slot * SLOT_BYTES + SLOT_NETWORK_BYTES;
  }
}
