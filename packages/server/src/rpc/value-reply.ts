/**
 * Values of items in replies: short ones copied, long ones referenced where they lie. What lies in several
 * chunks (a value longer than a chunk, or a list that is asked for as one value) is referenced chunk by chunk,
 * in a reply that is written here, since a field of an object is one piece.
 *
 * ```
 *   [frame header 16][object header: 1, bits, (size, offset) of val, flags][chunk][chunk]...
 * ```
 */
import type { Store } from '@larder/cache';
import { type Encoder, FRAME_HEADER_BYTES, putFrameHeader, REFERENCE_BYTES_MIN } from '@larder/wire';
import { RPC_COPIED_BYTES_MAX } from '../limits.ts';
import { ownerOfItem } from './item-owners.ts';
import type { RpcStream } from './rpc-output.ts';
import { RpcRefusal } from './rpc-refusal.ts';

/** What a reply with a `val` has for it. */
interface ValueField {
  setValAt(offset: number, bytes: number): void;
  setValReference(offset: number, bytes: number, owner: number): void;
}

/** What a reply with `vals` has for them. */
interface ValueList {
  append(value: Uint8Array): void;
  appendAt(offset: number, bytes: number): void;
  appendReference(offset: number, bytes: number, owner: number): void;
}

const EMPTY = new Uint8Array(0);
const HEADER_BYTES = 8;
const ENTRY_BYTES = 8;
/** Bits of GetReply's fields `val` and `flags`. */
const VAL_BIT = 1;
const FLAGS_BIT = 4;

export class ValueReply {
  readonly #store: Store;
  readonly #encoder: Encoder;
  readonly #view: DataView;

  constructor(store: Store, encoder: Encoder, view: DataView) {
    this.#store = store;
    this.#encoder = encoder;
    this.#view = view;
  }

  /** Sets `val` to a contiguous value, and gives the caller's reference to the item away. */
  setValue(reply: ValueField, item: number): void {
    this.setBytes(reply, item, this.#store.valueOffset(item), this.#store.valueBytes(item));
  }

  /** The same for bytes in an item. */
  setBytes(reply: ValueField, item: number, offset: number, bytes: number): void {
    if (bytes >= this.#referenceBytesMin) {
      reply.setValReference(offset, bytes, ownerOfItem(item));
      return;
    }
    reply.setValAt(offset, bytes);
    this.#store.release(item);
  }

  /** Appends a value to a list, and gives the caller's reference away. */
  appendValue(vals: ValueList, item: number): void {
    const offset = this.#store.valueOffset(item);
    if (offset !== 0) {
      this.#append(vals, item, offset, this.#store.valueBytes(item));
    } else {
      // In one of several values, one of several pieces is copied together.
      vals.append(this.#joined(item));
    }
    this.#store.release(item);
  }

  /** Appends all elements of a list value, and gives the caller's reference away. */
  appendElements(vals: ValueList, item: number): void {
    const { lists } = this.#store;
    const count = lists.count(item);
    for (let index = 0; index < count; index++)
      this.#append(vals, item, lists.elementOffset(item, index), lists.elementBytes(item, index));
    this.#store.release(item);
  }

  /** Appends nothing, for a key without a value. */
  appendNothing(vals: ValueList): void {
    vals.append(EMPTY);
  }

  /** Answers a get with a value in several chunks, and gives the caller's reference away. */
  sendChained(stream: RpcStream, item: number, flags: number, type: number, id: number): void {
    const store = this.#store;
    const fields = flags === 0 ? 1 : 2;
    const structureBytes = HEADER_BYTES + fields * ENTRY_BYTES;
    const valueBytes = store.valueBytes(item);
    const at = stream.reserve(FRAME_HEADER_BYTES + structureBytes);
    if (at !== 0) {
      const view = this.#view;
      putFrameHeader(view, at, structureBytes + valueBytes, type, id);
      const object = at + FRAME_HEADER_BYTES;
      view.setInt32(object, 1, true);
      view.setInt32(object + 4, flags === 0 ? VAL_BIT : VAL_BIT | FLAGS_BIT, true);
      view.setUint32(object + 8, valueBytes, true);
      view.setUint32(object + 12, structureBytes, true);
      if (flags !== 0) {
        view.setUint32(object + 16, flags, true);
        view.setInt32(object + 20, 0, true);
      }
      stream.cursor = object + structureBytes;
      store.referenceValue(item, stream);
    }
    store.release(item);
  }

  /**
   * A value in several chunks as a field of an ordinary reply: a copy, since a field is one piece. For datagrams too:
   * they begin with what is copied, and the chunks of a list are as short as its elements, more than a datagram can
   * refer to.
   */
  setCopy(reply: { val: Uint8Array }, item: number): void {
    reply.val = this.#joined(item);
    this.#store.release(item);
  }

  /** Throws `TOO_LARGE` for replies longer than an output takes. */
  checkBytes(bytes: number, most: number): void {
    if (bytes > most) throw new RpcRefusal('TOO_LARGE', `a reply of more than ${most} bytes`);
  }

  /** A reply that has copied much already refers to what it can: copies take memory that all connections share. */
  get #referenceBytesMin(): number {
    const { bump, policy } = this.#encoder;
    if (bump.used < RPC_COPIED_BYTES_MAX) return policy.referenceBytesMin;
    return Math.min(policy.referenceBytesMin, REFERENCE_BYTES_MIN);
  }

  #append(vals: ValueList, item: number, offset: number, bytes: number): void {
    if (bytes < this.#referenceBytesMin) {
      vals.appendAt(offset, bytes);
      return;
    }
    this.#store.retain(item);
    vals.appendReference(offset, bytes, ownerOfItem(item));
  }

  #joined(item: number): Uint8Array {
    const store = this.#store;
    const joined = new Uint8Array(store.valueBytes(item));
    const { u8 } = this.#encoder.send!.memory;
    let done = 0;
    const take = (offset: number, bytes: number): void => {
      joined.set(u8.subarray(offset, offset + bytes), done);
      done += bytes;
    };
    store.referenceValue(item, {
      copy: take,
      reference: (offset, bytes, owner) => {
        take(offset, bytes);
        store.release(owner);
      },
    });
    return joined;
  }
}
