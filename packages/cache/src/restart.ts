/**
 * Warm restart: a store in a memory file that was closed cleanly goes on where it stopped; any other file is
 * refused with the reason, and the server starts empty.
 */
import type { StoreCore } from './core.ts';
import { COUNTER_BLOCK_BYTES, counterBlock, StoreCounter, sumCounters } from './counters.ts';
import { CacheError } from './errors.ts';
import {
  type StoreLayout,
  SUPER_LAYOUT,
  SUPER_MAGIC,
  SUPER_SHAPE,
  SUPER_STATE,
  SUPERBLOCK_BYTES,
} from './layout.ts';
import { THREADS_MAX } from './limits.ts';

/** "LRDR" */
export const MAGIC = 0x5244524c;
/** Counts changes of anything in item.ts or layout.ts that an older or newer build would misread. */
export const LAYOUT_VERSION = 3;

export const StoreState: { readonly open: 1; readonly closed: 2 } = { open: 1, closed: 2 };

/** A number that differs when memory is divided differently. */
export function layoutShape(layout: StoreLayout): number {
  let shape = 17;
  const { options } = layout;
  for (const part of [
    layout.arenaBytes,
    layout.indexOffset,
    layout.firstPage,
    layout.itemPages,
    layout.extraBytes,
    options.chunkBytesMin,
    options.slabGrowth * 1e6,
  ]) {
    shape = (Math.imul(shape, 31) + Math.floor(part / 8) + (part % 8)) | 0;
  }
  return shape;
}

/**
 * Why a memory file cannot be used, or null when it can. `head` is its first SUPERBLOCK_BYTES bytes, `fileBytes` its
 * size.
 */
export function whyNotRestartable(head: Uint8Array, fileBytes: number, layout: StoreLayout): string | null {
  if (head.byteLength < SUPERBLOCK_BYTES) return 'it is shorter than a superblock';
  const words = new Int32Array(head.slice(0, SUPERBLOCK_BYTES).buffer);
  if (words[SUPER_MAGIC] !== MAGIC) return 'it is not a Larder memory file';
  if (words[SUPER_LAYOUT] !== LAYOUT_VERSION) {
    return `its layout version is ${words[SUPER_LAYOUT]}, this build has ${LAYOUT_VERSION}`;
  }
  if (words[SUPER_STATE] !== StoreState.closed) return 'the server that used it did not stop cleanly';
  if (fileBytes !== layout.arenaBytes)
    return `it has ${fileBytes} bytes, these options need ${layout.arenaBytes}`;
  if (words[SUPER_SHAPE] !== layoutShape(layout)) return 'it was made with other memory options';
  return null;
}

/** Throws CacheError RESTART_REFUSED unless the arena holds a cleanly closed store of this layout. */
export function checkRestartable(core: StoreCore): void {
  const { arena, layout } = core;
  const reason = whyNotRestartable(arena.u8.slice(0, SUPERBLOCK_BYTES), arena.bytes, layout);
  if (reason !== null) throw new CacheError('RESTART_REFUSED', reason);
}

/**
 * Makes a restored store usable: pages of the former process's network buffers go back, counters begin anew
 * but for what is stored.
 */
export function resumeStore(core: StoreCore): void {
  const { arena, layout, pages } = core;
  for (let page = pages.firstPage; page < pages.endPage; page++) {
    const owner = pages.ownerOf(page);
    if (owner !== 0 && owner !== core.slabs.id) pages.give(page);
  }
  arena.u8.fill(0, layout.networkSlabOffset, layout.extraOffset);
  arena.u8.fill(0, layout.extraOffset, layout.extraOffset + layout.extraBytes);
  const totals = sumCounters(arena, layout.countersOffset, THREADS_MAX);
  arena.u8.fill(0, layout.countersOffset, layout.countersOffset + THREADS_MAX * COUNTER_BLOCK_BYTES);
  const first = counterBlock(layout.countersOffset, 0);
  arena.f64[first + StoreCounter.currItems] = totals.currItems;
  arena.f64[first + StoreCounter.currBytes] = totals.currBytes;
  arena.f64[first + StoreCounter.expiringStored] = totals.expiringStored;
}
