/**
 * Items whose value does not fit one chunk. The ready-made reply is one stream of bytes; its first part lies in
 * the item's own chunk, the rest in continuation chunks. Nothing ever joins them: they are filled as the bytes
 * arrive and sent by scatter-gather.
 *
 * ```
 *   item chunk      [header][VALUE … value ───────][links]
 *   continuation                            └─▶ [header][── value ──] ─▶ [header][─ value \r\n]
 * ```
 */
import type { ScatterGatherTarget } from '@larder/datapath';
import type { StoreCore } from './core.ts';
import {
  CHAIN_BYTES,
  CHAIN_DATA_AT,
  CHAIN_NEXT,
  CHAIN_OWNER,
  CHAIN_TAIL_BYTES,
  CHAINED,
  ITEM_HEADER_BYTES,
  KIND_CONTINUATION,
  LIST,
  TAG,
} from './item.ts';
import { SUPER_COPY_BYTES } from './layout.ts';
import { CHAIN_CHUNK_BYTES } from './limits.ts';

/** Bytes of the reply stream that the item's own chunk of a chain holds. */
const CHAIN_FIRST_BYTES: number = CHAIN_CHUNK_BYTES - ITEM_HEADER_BYTES - CHAIN_TAIL_BYTES;
/** Bytes that a full continuation chunk holds. */
export const CHAIN_NEXT_BYTES: number = CHAIN_CHUNK_BYTES - CHAIN_DATA_AT;

/**
 * Called with each contiguous part of a range of an item's reply stream: where it lies, how long it is, and
 * where in the range it begins.
 */
type PartVisitor = (offset: number, bytes: number, position: number) => void;

/** Visits the parts of [start, start + bytes) of the reply stream. */
function visitParts(core: StoreCore, item: number, start: number, bytes: number, visit: PartVisitor): void {
  if ((core.i32[item + TAG]! & CHAINED) === 0) {
    visit(item * 4 + ITEM_HEADER_BYTES + start, bytes, 0);
    return;
  }
  const end = start + bytes;
  let partStart = 0;
  let partOffset = item * 4 + ITEM_HEADER_BYTES;
  // Of a list only the head lies in the item's own chunk; every element has another one.
  let partBytes = (core.i32[item + TAG]! & LIST) === 0 ? CHAIN_FIRST_BYTES : core.headBytes(item);
  let next = core.u32[core.chainLinks(item)]! * 2;
  for (;;) {
    const from = Math.max(start, partStart);
    const to = Math.min(end, partStart + partBytes);
    if (from < to) visit(partOffset + from - partStart, to - from, from - start);
    partStart += partBytes;
    if (partStart >= end || next === 0) return;
    partOffset = next * 4 + CHAIN_DATA_AT;
    partBytes = core.u32[next + CHAIN_BYTES]!;
    next = core.u32[next + CHAIN_NEXT]! * 2;
  }
}

/** Copies `bytes` bytes from `source` into the reply stream at `position`. */
export function writeStream(
  core: StoreCore,
  item: number,
  position: number,
  source: number,
  bytes: number,
): void {
  visitParts(core, item, position, bytes, (offset, partBytes, at) => {
    core.u8.copyWithin(offset, source + at, source + at + partBytes);
  });
}

/** Copies [sourceStart, + bytes) of one item's reply stream into another's at `position`. */
export function copyStream(
  core: StoreCore,
  source: number,
  sourceStart: number,
  target: number,
  position: number,
  bytes: number,
): void {
  visitParts(core, source, sourceStart, bytes, (offset, partBytes, at) => {
    writeStream(core, target, position + at, offset, partBytes);
  });
}

/** Sends a range of the reply stream: copied when it is short and contiguous, referenced otherwise. */
export function sendStream(
  core: StoreCore,
  item: number,
  start: number,
  bytes: number,
  target: ScatterGatherTarget,
): void {
  if (bytes <= core.i32[SUPER_COPY_BYTES]!) {
    visitParts(core, item, start, bytes, (offset, partBytes) => target.copy(offset, partBytes));
    return;
  }
  referenceStream(core, item, start, bytes, target);
}

/** Sends a range of the reply stream by reference; the item is retained for every part. */
export function referenceStream(
  core: StoreCore,
  item: number,
  start: number,
  bytes: number,
  target: ScatterGatherTarget,
): void {
  visitParts(core, item, start, bytes, (offset, partBytes) => {
    core.retain(item);
    target.reference(offset, partBytes, item);
  });
}

/**
 * Adds continuation chunks to a new item until its stream holds `bytes` bytes. `allocate` gives a chunk for so
 * many bytes (by word index), or 0. Returns false when memory ran out; what was added is freed with the item.
 */
export function growChain(
  core: StoreCore,
  item: number,
  bytes: number,
  allocate: (chunkBytes: number) => number,
): boolean {
  let link = core.chainLinks(item);
  core.u32[link] = 0;
  let rest = bytes - CHAIN_FIRST_BYTES;
  while (rest > 0) {
    const partBytes = Math.min(rest, CHAIN_NEXT_BYTES);
    const chunk = allocate(partBytes + CHAIN_DATA_AT);
    if (chunk === 0) return false;
    core.i32[chunk + TAG] = KIND_CONTINUATION;
    core.u32[chunk + CHAIN_NEXT] = 0;
    core.u32[chunk + CHAIN_OWNER] = item / 2;
    core.u32[chunk + CHAIN_BYTES] = partBytes;
    core.u32[link] = chunk / 2;
    link = chunk + CHAIN_NEXT;
    rest -= partBytes;
  }
  return true;
}
