/**
 * The load generator's arena: control structures, room for datagrams, keys and values, and pages for the
 * transport's buffers.
 *
 * ```
 *   [page table · allocator state][datagram streams][key space][pages for network buffers]
 *   page 0                                                     firstPage
 * ```
 */
import {
  type Arena,
  mapArena,
  PAGE_BYTES,
  PageTable,
  pageAligned,
  SlabAllocator,
  SlabClasses,
} from '@larder/datapath';
import { KeySpace } from './key-space.ts';
import type { KeySpacePlan } from './plan.ts';

const NETWORK_BYTES = 256 * 1024 * 1024;
const DATAGRAM_BYTES = 80 * 1024 * 1024;
const TABLE_OFFSET = 64;
const ALLOCATOR_ID = 1;

export interface LoadMemory {
  readonly arena: Arena;
  readonly allocator: SlabAllocator;
  readonly space: KeySpace;
  /** Where datagram streams may put their buffers. */
  readonly datagramOffset: number;
  readonly datagramBytes: number;
}

export function layOutMemory(plan: KeySpacePlan): LoadMemory {
  const classes = new SlabClasses();
  const spaceBytes = KeySpace.bytes(plan);
  // The page table's size follows from the arena's, of which it is a part: a page of room covers any arena here.
  const controlBytes = PAGE_BYTES;
  const datagramOffset = controlBytes;
  const spaceOffset = datagramOffset + DATAGRAM_BYTES;
  const firstPage = pageAligned(spaceOffset + spaceBytes) / PAGE_BYTES;
  const { arena } = mapArena(firstPage * PAGE_BYTES + NETWORK_BYTES);
  const stateOffset = Math.ceil((TABLE_OFFSET + PageTable.bytes(arena.bytes)) / 64) * 64;
  const pages = new PageTable(arena, TABLE_OFFSET, firstPage);
  const allocator = new SlabAllocator(pages, stateOffset, ALLOCATOR_ID, classes);
  allocator.setPageLimit(NETWORK_BYTES / PAGE_BYTES);
  return {
    arena,
    allocator,
    space: new KeySpace(arena, spaceOffset, plan),
    datagramOffset,
    datagramBytes: DATAGRAM_BYTES,
  };
}
