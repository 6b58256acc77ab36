/**
 * A request of the sweep: how many buffers of which size, and whether they are to be copied or referenced. Which
 * ones is the server's: requests are made once and sent in a circle, and a circle of a few thousand would ask for
 * memory that a cache holds.
 *
 * ```
 *   frame [bytes][type][id][-]   body [-][buffers][bytes of each][0 copy, 1 reference]
 * ```
 */
import type { Arena } from '@larder/datapath';
import { MADE, TABLE_WORDS } from '../serialization/requests/premade.ts';
import { FRAME_BYTES } from '../serialization/server/reply-output.ts';
import { bufferBytes, type Shape } from './shapes.ts';

export const BODY_BYTES: number = 16;
/** Requests that are made for each cell. */
const REQUESTS = 4096;
const STRIDE: number = FRAME_BYTES + BODY_BYTES;

/** Bytes of the requests of a cell. */
export const REQUEST_MEMORY_BYTES: number = (TABLE_WORDS + 2 * REQUESTS) * 4 + 16 + REQUESTS * STRIDE;

/** Writes the requests of a shape to an arena, in the layout that the load reads. */
export function writeRequests(arena: Arena, offset: number, shape: Shape, isReference: boolean): void {
  const { i32, view } = arena;
  const word = offset / 4;
  let at = (offset + (TABLE_WORDS + 2 * REQUESTS) * 4 + 15) & ~15;
  for (let index = 0; index < REQUESTS; index++, at += STRIDE) {
    view.setUint32(at, BODY_BYTES, true);
    view.setUint32(at + 4, 0, true);
    view.setUint32(at + 8, index, true);
    view.setUint32(at + 12, 0, true);
    view.setUint32(at + 16, 0, true);
    view.setUint32(at + 20, shape.buffers, true);
    view.setUint32(at + 24, bufferBytes(shape), true);
    view.setUint32(at + 28, isReference ? 1 : 0, true);
    i32[word + TABLE_WORDS + 2 * index] = at;
    i32[word + TABLE_WORDS + 2 * index + 1] = STRIDE;
  }
  i32[word + 1] = REQUESTS;
  i32[word] = MADE;
}
