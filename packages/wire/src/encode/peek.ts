/** What generated builders' getters and writers share beside the encoder. */
import type { Encoder } from './encoder.ts';

/** The text of a staged string field. */
export function peekText(encoder: Encoder, bytes: number, place: number): string {
  const staged = encoder.peek(bytes, place);
  return Buffer.from(staged.buffer, staged.byteOffset, staged.length).toString('utf8');
}

/** The entry of an object inside an object. */
export function putObject(view: DataView, p: number, at: number): void {
  view.setInt32(p, 0, true);
  view.setInt32(p + 4, at, true);
}

/** The bitmap's length and its words, empty. */
export function putBitmap(view: DataView, p: number, words: number): void {
  view.setInt32(p, words, true);
  for (let word = 1; word <= words; word++) view.setInt32(p + word * 4, 0, true);
}

/** What a bytes field is when it is absent. */
export const NO_BYTES: Uint8Array = new Uint8Array(0);
