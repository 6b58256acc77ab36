/**
 * The workspace in which one message at a time is built and written.
 *
 * ```
 *   assignment   small ─▶ bump arena            large ─▶ reference list
 *   writing      [ headers and lists ][ bump arena ] ◀─ one contiguous front, written in one go
 *                [ reference ][ reference ] ...      ◀─ posted, or copied where that is cheaper
 * ```
 *
 * Builders hold numbers: the size of a field and its place, which is an offset in the bump arena (≥ 0) or the
 * complement of an index in the reference list (< 0). All memory and all references belong to the encoder, so
 * that `reset` gives everything back, whatever became of the builders. A builder that was filled before a
 * reset is stale, which its generation shows.
 *
 * The fields marked "generated" are for generated code.
 */
import { BUFFER_HEADER_BYTES } from '@larder/datapath';
import type { Memory } from '../decode/memory.ts';
import { WireError } from '../errors.ts';
import { DEPTH_MAX, MESSAGE_BYTES_MAX } from '../limits.ts';
import { ReferencePolicy, type ReferencePolicyOptions } from '../memory/reference-policy.ts';
import type { SendMemory } from '../memory/send-memory.ts';
import { type SendTarget, sendObject } from '../send/send-object.ts';
import { writeUtf8 } from '../text/utf8-write.ts';
import { BumpArena } from './bump-arena.ts';
import { copyAcross, copyIn } from './copy.ts';
import { LivePlaces } from './live-places.ts';
import { PendingCopies } from './pending-copies.ts';
import { OBJECT, POSTED, ReferenceList } from './reference-list.ts';
import { RelayedMessages } from './relay.ts';
import type { WireObject } from './wire-object.ts';

export class Encoder {
  /** Arena memory, or null in the portable world. */
  readonly send: SendMemory | null;
  /** What is sent by reference; may be changed at any time. */
  readonly policy: ReferencePolicy;
  readonly bump: BumpArena;
  readonly references: ReferenceList = new ReferenceList();
  readonly relayed: RelayedMessages = new RelayedMessages();
  /** Generated: how many messages this encoder has begun; never 0. */
  generation = 1;
  /** Generated: bytes (or elements) of what was staged last. */
  size = 0;
  /** Generated: an object with staged fields was replaced: they are not to be sent. */
  hasGarbage = false;
  /** Generated: where headers are written. */
  view: DataView;
  /** Generated: the place in `view` of the message's first byte. */
  base = 0;
  /** Sizes of the three parts of the message that was measured last. */
  structureBytes = 0;
  copiedBytes = 0;
  referencedBytes = 0;
  #next = 0;
  #referenceBase = 0;
  readonly #pending: PendingCopies = new PendingCopies();

  /** `policy` is for the portable world; an arena has its own. */
  constructor(send: SendMemory | null = null, policy?: ReferencePolicyOptions) {
    this.send = send;
    this.policy = send === null ? new ReferencePolicy(policy) : send.policy;
    this.bump = new BumpArena(send);
    this.view = this.bump.memory.view;
  }

  /** Bytes of the message that was measured last. */
  get bytes(): number {
    return this.structureBytes + this.copiedBytes + this.referencedBytes;
  }

  /** Begins another message: everything that was assigned is given back. */
  reset(): void {
    const { references, send } = this;
    if (references.count > 0) {
      for (let index = 0; index < references.count; index++) {
        const owner = references.owners[index]!;
        if (owner >= 0) send?.release(owner);
      }
      references.clear();
    }
    this.#pending.count = 0;
    this.hasGarbage = false;
    this.relayed.clear();
    this.bump.rewind();
    this.generation++;
  }

  /** Resets, and gives the memory back. */
  dispose(): void {
    this.reset();
    this.bump.dispose();
  }

  // ---- generated: assignment

  /** The generation that a builder has when something is assigned to it. */
  claim(generation: number): number {
    if (generation === this.generation) return generation;
    if (generation !== 0) throw staleError();
    return this.generation;
  }

  /** Copies or references bytes or text; returns the place, leaves the size in `size`. */
  stage(value: Uint8Array | string): number {
    if (typeof value === 'string') return this.#stageText(value);
    if (!ArrayBuffer.isView(value) || value.length !== value.byteLength) throw notBytes(value);
    const bytes = value.length;
    if (bytes >= this.policy.referenceBytesMin && bytes > 0) return this.#stageLarge(value, 1);
    const { bump } = this;
    const at = bump.reserve(bytes);
    copyIn(bump.memory, at, value, bytes);
    bump.cursor = at + bytes;
    this.size = bytes;
    return at - bump.start;
  }

  /** The same for bytes of the arena. */
  stageAt(offset: number, bytes: number): number {
    const { send, bump } = this;
    if (send === null) throw new WireError('TYPE', 'an arena offset, but the encoder has no arena');
    if (!(offset >= 0 && bytes >= 0 && offset + bytes <= send.arena.bytes)) {
      throw new WireError('RANGE', `${bytes} bytes at ${offset} are not in the arena`);
    }
    this.size = bytes;
    if (bytes >= this.policy.referenceBytesMin && bytes > 0) {
      const owner = this.#recover(offset, bytes);
      if (owner >= 0) return this.#hold(offset, bytes, owner, 1);
    }
    const at = bump.reserve(bytes);
    copyAcross(send.memory, offset, bump.memory, at, bytes);
    bump.cursor = at + bytes;
    return at - bump.start;
  }

  /**
   * The same for (offset, bytes) pairs: `count` of them from `pairs[from]` on; sizes and places are written from
   * `index` on. What is copied is looked at here and copied when the message is written, so that it is copied once,
   * and the cache misses of many pieces do not stand in line.
   */
  stageAllAt(
    pairs: Int32Array,
    from: number,
    count: number,
    sizes: Int32Array,
    places: Int32Array,
    index: number,
  ): void {
    const { send, bump } = this;
    if (send === null) throw new WireError('TYPE', 'an arena offset, but the encoder has no arena');
    const pending = this.#pending;
    const { referenceBytesMin } = this.policy;
    const bytes = pending.look(send.memory, pairs, from, count);
    pending.reserve(count);
    if (pending.largest >= referenceBytesMin) {
      this.#stageMixed(send, pairs, from, count, sizes, places, index);
      return;
    }
    bump.reserve(bytes);
    bump.cursor = bump.start + pending.addAll(pairs, from, count, sizes, places, index, bump.used);
  }

  /** The same when there are references among them; when one is refused, all are given back. */
  #stageMixed(
    send: SendMemory,
    pairs: Int32Array,
    from: number,
    count: number,
    sizes: Int32Array,
    places: Int32Array,
    index: number,
  ): void {
    const { bump, references, policy } = this;
    const pending = this.#pending;
    const pieces = pending.count;
    const held = references.count;
    let place = bump.used;
    let done = 0;
    try {
      for (let at = 0; at < count; at++) {
        const bytes = pairs[from + 2 * at + 1]!;
        if (bytes < policy.referenceBytesMin || bytes === 0) continue;
        const owner = this.#recover(pairs[from + 2 * at]!, bytes);
        if (owner < 0) continue;
        if (at > done) {
          place = pending.addAll(pairs, from + 2 * done, at - done, sizes, places, index + done, place);
        }
        sizes[index + at] = bytes;
        places[index + at] = this.#hold(pairs[from + 2 * at]!, bytes, owner, 1);
        done = at + 1;
      }
      if (done < count) {
        place = pending.addAll(pairs, from + 2 * done, count - done, sizes, places, index + done, place);
      }
      bump.reserve(place - bump.used);
      bump.cursor = bump.start + place;
    } catch (error) {
      pending.count = pieces;
      while (references.count > held) {
        send.release(references.owners[references.count - 1]!);
        references.pop();
      }
      throw error;
    }
  }

  /** Copies what is still to be copied into the bump arena, for whoever looks there. */
  settle(): void {
    const { bump, send } = this;
    if (this.#pending.count > 0) this.#pending.settle(send!.memory, bump.memory, bump.start);
  }

  /** Takes over a reference that the caller has counted: `owner` hears of its end through the transport. */
  stageReference(offset: number, bytes: number, owner: number): number {
    if (this.send === null) throw new WireError('TYPE', 'an arena offset, but the encoder has no arena');
    this.size = bytes;
    return ~this.references.push(offset, bytes, owner, 1);
  }

  /** Forgets staged bytes whose field is assigned again. */
  drop(bytes: number, place: number): void {
    if (bytes <= 0) return;
    this.settle();
    const { bump } = this;
    if (place < 0) {
      const { references } = this;
      const index = ~place;
      const owner = references.owners[index]!;
      if (index === references.count - 1) references.pop();
      else references.drop(index);
      if (owner >= 0) this.send?.release(owner);
    } else if (bump.start + place + bytes === bump.cursor) {
      bump.cursor -= bytes;
    } else {
      // The bytes stay in the message, but they are nobody's any more.
      bump.memory.u8.fill(0, bump.start + place, bump.start + place + bytes);
    }
  }

  /**
   * A value that is about to take the place of something staged: itself, or a copy when it is bytes of this message,
   * which may be what is to be dropped.
   */
  unaliased<T extends Uint8Array | string | undefined>(value: T): T {
    if (typeof value !== 'object' || !ArrayBuffer.isView(value)) return value;
    const { bump, references, send } = this;
    this.settle();
    const start = value.byteOffset;
    const end = start + value.byteLength;
    let isOwn = value.buffer === bump.memory.buffer && start < bump.cursor && end > bump.start;
    if (send !== null && value.buffer === send.arena.buffer) {
      for (let index = 0; index < references.count && !isOwn; index++) {
        const offset = references.offsets[index]!;
        const owner = references.owners[index]!;
        const isInside = owner >= 0 && start < offset + references.bytes[index]! && end > offset;
        // When somebody else has counted it too, it stays.
        isOwn = isInside && send.owners.references(owner) === 1;
      }
    }
    return isOwn ? (value.slice() as T) : value;
  }

  /** Drops staged bytes for a value that may be a part of them; returns the value, or a copy of it. */
  replaced<T extends Uint8Array | string | undefined>(value: T, bytes: number, place: number): T {
    const kept = this.unaliased(value);
    this.drop(bytes, place);
    return kept;
  }

  /** The bytes of a staged field, valid until the next assignment. */
  peek(bytes: number, place: number): Uint8Array {
    if (bytes <= 0) return new Uint8Array(0);
    this.settle();
    const { bump, references } = this;
    if (place >= 0) {
      const start = bump.start + place;
      return bump.memory.u8.subarray(start, start + bytes);
    }
    return this.referencedAt(~place, references.bytes[~place]!);
  }

  /** Bytes of a reference. */
  referencedAt(index: number, bytes: number): Uint8Array {
    const offset = this.references.offsets[index]!;
    if (this.references.owners[index] === OBJECT) return this.references.objects[offset]!;
    return this.send!.memory.u8.subarray(offset, offset + bytes);
  }

  /**
   * Copies or references an aligned list of numbers, given as bytes of the wire; leaves the bytes in `size`.
   */
  stageAligned(value: Uint8Array, alignment: number): number {
    const bytes = value.length;
    if (bytes >= this.policy.referenceBytesMin && bytes > 0) return this.#stageLarge(value, alignment);
    const at = this.reserveAligned(bytes, alignment);
    this.bump.memory.u8.set(value, at);
    this.bump.cursor = at + bytes;
    this.size = bytes;
    return at - this.bump.start;
  }

  /** Room in the bump arena at a multiple of `alignment`, zeroed up to there. */
  reserveAligned(bytes: number, alignment: number): number {
    const { bump } = this;
    bump.reserve(bytes + alignment);
    while ((bump.used & (alignment - 1)) !== 0) bump.memory.u8[bump.cursor++] = 0;
    return bump.cursor;
  }

  /** Measures, frames and sends an object of this encoder: what `connection.sendObject` calls. */
  writeTo(target: SendTarget, object: WireObject, type: number, id: number): void {
    sendObject(target, object, type, id);
  }

  // ---- generated: writing

  /** At the beginning of every `$measure`. */
  enter(depth: number, generation: number): void {
    if (depth > DEPTH_MAX) throw new WireError('DEPTH', `objects are nested more than ${DEPTH_MAX} deep`);
    if (generation !== 0 && generation !== this.generation) throw staleError();
  }

  /** Room for a header or a list: its place in the message. */
  take(bytes: number): number {
    const at = this.#next;
    this.#next = at + bytes;
    return at;
  }

  /** A size or count, and where the bytes or elements are. */
  putPlace(p: number, size: number, place: number): void {
    const { view } = this;
    view.setUint32(p, size, true);
    view.setUint32(p + 4, this.offsetOf(size, place), true);
  }

  /** The offset in the message of a place. */
  offsetOf(size: number, place: number): number {
    if (place >= 0) return size === 0 ? 0 : this.structureBytes + place;
    return this.#referenceBase + this.references.positions[~place]!;
  }

  // ---- writing a message

  /** Checks a message and determines its size, which is then in `bytes`. */
  measure(root: WireObject): number {
    if (root.$encoder !== this) throw new WireError('FOREIGN', "the object belongs to another encoder's");
    const { references, bump } = this;
    this.structureBytes = root.$measure(0);
    if (this.hasGarbage) LivePlaces.sweep(this, root);
    let copied = bump.used;
    let referenced = 0;
    if (references.count > 0) {
      referenced = references.layout();
      if (references.isAligned) {
        this.reserveAligned(0, 8);
        copied = bump.used;
      }
    }
    this.copiedBytes = copied;
    this.referencedBytes = referenced;
    this.#referenceBase = this.structureBytes + copied;
    const bytes = this.#referenceBase + referenced;
    if (bytes > MESSAGE_BYTES_MAX) throw new WireError('TOO_LARGE', `a message of ${bytes} bytes`);
    return bytes;
  }

  /** Writes the structure of a measured message. */
  writeStructure(root: WireObject, memory: Memory, at: number): void {
    this.view = memory.view;
    this.base = at;
    this.#next = 0;
    root.$write(this);
  }

  /** Writes structure and copied data of a measured message; `spareBytes` behind it may be overwritten. */
  writeFront(root: WireObject, memory: Memory, at: number, spareBytes: number = 0): void {
    this.writeStructure(root, memory, at);
    const { bump, copiedBytes } = this;
    if (copiedBytes === 0) return;
    const pending = this.#pending;
    const target = at + this.structureBytes;
    if (pending.count === 0) copyAcross(bump.memory, bump.start, memory, target, copiedBytes);
    else pending.write(this.send!.memory, bump.memory, bump.start, copiedBytes, memory, target, spareBytes);
  }

  /** Writes all of a measured message, references copied. */
  writeAll(root: WireObject, memory: Memory, at: number): void {
    this.writeFront(root, memory, at);
    const { references } = this;
    const start = at + this.structureBytes + this.copiedBytes;
    for (let index = 0; index < references.count; index++) {
      const bytes = references.bytes[index]!;
      if (bytes === 0) continue;
      const padding = references.paddings[index]!;
      const position = start + references.positions[index]!;
      if (padding !== 0) memory.u8.fill(0, position - padding, position);
      memory.u8.set(this.referencedAt(index, bytes), position);
    }
  }

  /**
   * Posts the references in order; when there are more than may be, copies the smallest (papers/hotos21 4.2).
   */
  giveReferences(target: ReferenceTarget, entriesMax: number = this.policy.referencesMax): void {
    const { references, send } = this;
    references.limitEntries(entriesMax);
    const { copyBelow } = references;
    let { copyAlso } = references;
    for (let index = 0; index < references.count; index++) {
      const bytes = references.bytes[index]!;
      if (bytes === 0) continue;
      const padding = references.paddings[index]!;
      if (padding > 0) target.writeBytes?.(ZEROS.subarray(0, padding));
      const offset = references.offsets[index]!;
      const owner = references.owners[index]!;
      if (owner === OBJECT || send === null) {
        const object = references.objects[offset]!;
        if (target.referenceBytes === undefined) target.writeBytes?.(object);
        else target.referenceBytes(object);
      } else if (
        (bytes < copyBelow || (bytes === copyBelow && copyAlso-- > 0)) &&
        target.copy !== undefined
      ) {
        target.copy(offset, bytes);
      } else {
        // From here on the reference is the target's.
        references.owners[index] = POSTED;
        send.guard?.posted(offset, bytes, owner);
        target.reference(offset, bytes, owner);
      }
    }
  }

  #stageText(text: string): number {
    const { bump } = this;
    const at = bump.reserve(text.length * 3);
    const bytes = writeUtf8(bump.memory, at, text);
    bump.cursor = at + bytes;
    this.size = bytes;
    return at - bump.start;
  }

  /** A reference to bytes that may be sent from where they are; otherwise to a copy that may. */
  #stageLarge(value: Uint8Array, alignment: number): number {
    const bytes = value.length;
    const { send, references } = this;
    this.size = bytes;
    if (send === null) return ~references.pushObject(value, alignment);
    if (value.buffer === send.arena.buffer) {
      const owner = this.#recover(value.byteOffset, bytes);
      if (owner >= 0) return this.#hold(value.byteOffset, bytes, owner, alignment);
    }
    return this.#stageForeign(send, value, alignment);
  }

  /** Large bytes from elsewhere are copied once, into a chunk that is sent by reference and then freed. */
  #stageForeign(send: SendMemory, value: Uint8Array, alignment: number): number {
    const bytes = value.length;
    const slabClass = send.owners.classFor(bytes + BUFFER_HEADER_BYTES);
    const chunk = slabClass === 0 ? 0 : send.owners.allocate(slabClass);
    if (chunk !== 0) {
      send.memory.u8.set(value, chunk + BUFFER_HEADER_BYTES);
      return ~this.references.push(chunk + BUFFER_HEADER_BYTES, bytes, chunk, alignment);
    }
    const at = this.reserveAligned(bytes, alignment);
    this.bump.memory.u8.set(value, at);
    this.bump.cursor = at + bytes;
    return at - this.bump.start;
  }

  /** The buffer in which all the bytes lie, or -1. */
  #recover(offset: number, bytes: number): number {
    const { owners } = this.send!;
    const owner = owners.recover(offset, bytes);
    if (owner < 0) return -1;
    if (owners.references(owner) <= 0) throw new WireError('RELEASED', `the buffer at ${offset} is free`);
    return owner;
  }

  #hold(offset: number, bytes: number, owner: number, alignment: number): number {
    this.send!.owners.retain(owner);
    return ~this.references.push(offset, bytes, owner, alignment);
  }
}

const ZEROS = new Uint8Array(8);

/** What takes parts in order. A datagram takes references only. */
export interface ReferenceTarget {
  copy?(offset: number, bytes: number): void;
  writeBytes?(bytes: Uint8Array): void;
  /** Bytes outside of the arena, which are not copied where the transport can do that. */
  referenceBytes?(bytes: Uint8Array): void;
  reference(offset: number, bytes: number, owner: number): void;
}

function notBytes(value: unknown): WireError {
  const given = typeof value === 'object' ? (value?.constructor?.name ?? 'null') : typeof value;
  return new WireError('TYPE', `${given} is neither a Uint8Array nor a string`);
}

function staleError(): WireError {
  return new WireError('STALE', 'the encoder has begun another message since this builder was filled');
}
