/**
 * Copies of what a view reads. A view of a whole message gets all of its bytes. One of an object inside another gets
 * that object and what belongs to it, written anew: who keeps a small part of a large message should not keep all of it.
 *
 * ```
 *   header, as it is, but for its places │ list │ data │ header of a child │ …     each at a multiple of 8
 * ```
 *
 * That takes knowing every field. An object with fields of a newer schema, or with broken ones, or one that would become
 * longer than its message, is copied with the message around it.
 */
import { WireError } from '../errors.ts';
import { ENTRY_BYTES, MAP_ENTRY_BYTES } from '../limits.ts';
import { Message } from './message.ts';
import { popcount } from './popcount.ts';
import { type PairShape, type PointerShape, type ShapedClass, shapeOf } from './shape.ts';
import type { View } from './view.ts';

/** A message of its own with the object of a view, whose place is in `at`. */
export function copyOf(view: View, type: ShapedClass): Message {
  const { $message: source, $at: at, $depth: depth } = view;
  const bytes = at === 0 ? null : extract(source, at, depth, type);
  const message = Message.of(bytes ?? source.toUint8Array().slice());
  message.at = bytes === null ? at : 0;
  return message;
}

function extract(source: Message, at: number, depth: number, type: ShapedClass): Uint8Array | null {
  try {
    const measured = new Extract(source.bytes, false);
    measured.object(source, at, depth, type);
    const written = new Extract(measured.bytes, true);
    written.object(source, at, depth, type);
    return written.u8;
  } catch (error) {
    if (error instanceof WireError && error.code !== 'RELEASED') return null;
    throw error;
  }
}

/** Goes through an object twice in the same way: to find its length, and to write it. */
class Extract {
  bytes = 0;
  readonly u8: Uint8Array;
  readonly #view: DataView;
  readonly #bytesMax: number;
  readonly #isWriting: boolean;

  constructor(bytesMax: number, isWriting: boolean) {
    this.#bytesMax = bytesMax;
    this.#isWriting = isWriting;
    this.u8 = new Uint8Array(isWriting ? bytesMax : 0);
    this.#view = new DataView(this.u8.buffer);
  }

  /** Returns the place of the copy, as all methods here do. */
  object(source: Message, at: number, depth: number, type: ShapedClass): number {
    const opened = source.open(at, depth);
    const { at: from, entries, depth: level } = opened;
    const fields = fieldsOf(opened, from, entries);
    const place = this.#block(opened, from, entries - from + fields * ENTRY_BYTES);
    let known = 0;
    for (const field of shapeOf(type)) {
      const p = opened.slot(from, field[0]);
      if (p === 0) continue;
      known++;
      if (field[1] !== 'number') this.#field(opened, p, place + p - from, level + 1, field);
    }
    if (known < fields) throw new WireError('TYPE', 'fields of a newer schema');
    return place;
  }

  /** Copies what the entry at `p` leads to; the entry's own copy is at `target`. */
  #field(source: Message, p: number, target: number, depth: number, field: PointerShape): void {
    if (field[1] === 'data' || field[1] === 'object') {
      this.#one(source, p, target, depth, field[1] === 'data' ? 'data' : field[2]);
      return;
    }
    const count = source.uint32(p);
    const step = field[1] === 'packed' ? field[2] : field[1] === 'map' ? MAP_ENTRY_BYTES : ENTRY_BYTES;
    const from = source.list(p, count, step);
    const place = this.#block(source, from, count * step);
    this.#lead(target, count === 0 ? 0 : place);
    if (field[1] === 'list') this.#each(source, from, place, count, step, depth, 'data');
    else if (field[1] === 'objects') this.#each(source, from, place, count, step, depth, field[2]);
    else if (field[1] === 'map') {
      this.#each(source, from, place, count, step, depth, field[2]);
      this.#each(source, from + ENTRY_BYTES, place + ENTRY_BYTES, count, step, depth, field[3]);
    }
  }

  #each(
    source: Message,
    from: number,
    target: number,
    count: number,
    step: number,
    depth: number,
    kind: PairShape,
  ): void {
    for (let at = 0; at < count * step; at += step) this.#one(source, from + at, target + at, depth, kind);
  }

  #one(source: Message, p: number, target: number, depth: number, kind: PairShape): void {
    if (kind === 'number') return;
    if (kind === 'data') {
      const size = source.uint32(p);
      const from = source.list(p, size, 1);
      this.#lead(target, size === 0 ? 0 : this.#block(source, from, size));
    } else {
      this.#lead(target, this.object(source, source.object(p), depth, kind));
    }
  }

  /** Makes the entry at `target` lead to a place. */
  #lead(target: number, place: number): void {
    if (this.#isWriting) this.#view.setUint32(target + 4, place, true);
  }

  #block(source: Message, from: number, bytes: number): number {
    const place = this.bytes;
    this.bytes = place + Math.ceil(bytes / 8) * 8;
    if (this.bytes > this.#bytesMax)
      throw new WireError('TOO_LARGE', 'the object is longer than its message');
    if (this.#isWriting) {
      const start = source.base + from;
      this.u8.set(source.memory.u8.subarray(start, start + bytes), place);
    }
    return place;
  }
}

/** The number of fields that are present in an object that was opened. */
function fieldsOf(message: Message, at: number, entries: number): number {
  let fields = 0;
  for (let p = at + 4; p < entries; p += 4) fields += popcount(message.int32(p));
  return fields;
}
