/**
 * A received message: the bytes that all its views read from, and what reading it may still cost.
 *
 * ```
 *   memory   [ ... | base → header · lists · copied data · referenced data → end | ... ]
 *   views    (message, offset of the object's header); they own nothing
 * ```
 *
 * Every access is checked against [base, end), never against the size of the memory around it. A pointer costs
 * what it leads to, and a little more, from a budget that all views share; so no message, however it refers to
 * itself, makes its reader visit much more than it has (papers/references: traversal limit).
 *
 * A message may be opened again and again on different bytes: nothing is allocated for that when they lie in
 * the memory as before.
 */
import { WireError } from '../errors.ts';
import {
  BITMAP_WORDS_MAX,
  DEPTH_MAX,
  ENTRY_BYTES,
  MESSAGE_BYTES_MAX,
  RELAY_BYTES,
  RELAY_MARK,
  TRAVERSAL_BYTES_MIN,
  TRAVERSAL_FACTOR,
} from '../limits.ts';
import { readUtf8 } from '../text/utf8-read.ts';
import { Memory } from './memory.ts';
import { popcount } from './popcount.ts';

/** Where bytes lie; the fields are overwritten by the next `locate` of the same message. */
export interface ByteRange {
  /** Offset in the memory: an arena offset when the message lies in an arena. */
  offset: number;
  bytes: number;
}

/** Lets go of the memory under a message. */
export interface MessageOwner {
  release(token: number): void;
}

const NO_MEMORY = new Memory(new ArrayBuffer(0));

export class Message {
  memory: Memory;
  /** Offsets into the memory. After the release both are 0, so that every access fails its check. */
  base = 0;
  end = 0;
  /** What `open` found, for the view that is being made. */
  at = 0;
  entries = 0;
  bits = 0;
  depth = 0;
  readonly range: ByteRange = { offset: 0, bytes: 0 };
  /** The message that was received: for a relay's message the one that led there. Its budget is everybody's. */
  readonly root: Message;
  #budget = 0;
  #owner: MessageOwner | null = null;
  #token = 0;

  constructor(root?: Message) {
    this.memory = NO_MEMORY;
    this.root = root ?? this;
  }

  /** A message over bytes that belong to the caller and stay as they are. */
  static of(bytes: Uint8Array): Message {
    return new Message().over(Memory.of(bytes), bytes.byteOffset, bytes.byteOffset + bytes.length);
  }

  /** Points this message at [start, end) of a memory; views of what it was before must not be used any more. */
  over(memory: Memory, start: number, end: number): this {
    this.memory = memory;
    this.base = start;
    this.end = end;
    const bytes = end - start;
    if (bytes > MESSAGE_BYTES_MAX) throw new WireError('TOO_LARGE', `a message of ${bytes} bytes`);
    this.#budget = Math.max(TRAVERSAL_BYTES_MIN, bytes * TRAVERSAL_FACTOR);
    return this;
  }

  get bytes(): number {
    return this.end - this.base;
  }

  /** The message's own bytes, not copied. */
  toUint8Array(): Uint8Array {
    if (this.isReleased) throw this.#outside();
    return this.memory.u8.subarray(this.base, this.end);
  }

  get isReleased(): boolean {
    return this.root.memory === NO_MEMORY;
  }

  /** Sets what is told when the message is released. */
  ownedBy(owner: MessageOwner, token: number): void {
    this.#owner = owner;
    this.#token = token;
  }

  /** Ends all views of this message; later reads throw `RELEASED`. */
  release(): void {
    if (this.root !== this) {
      this.root.release();
      return;
    }
    if (this.memory === NO_MEMORY) throw new WireError('RELEASED', 'the message was released before');
    this.invalidate();
    const owner = this.#owner;
    this.#owner = null;
    owner?.release(this.#token);
  }

  /** Ends all views without telling the owner. */
  invalidate(): void {
    this.memory = NO_MEMORY;
    this.base = 0;
    this.end = 0;
  }

  // ---- objects

  /**
   * Checks the object whose header is at `at`, and leaves what a view of it needs in `at`, `entries`, `bits`
   * and `depth`. Returns the message that the object lies in: another one when the object is a relay.
   */
  open(at: number, depth: number): Message {
    if (depth > DEPTH_MAX) throw new WireError('DEPTH', `objects are nested more than ${DEPTH_MAX} deep`);
    this.#check(at, 8);
    const { view } = this.memory;
    const words = view.getUint32(at, true);
    if (words !== 1) return this.#openLong(at, words, depth);
    const bits = view.getInt32(at + 4, true);
    const entries = at + 8;
    const headerBytes = 8 + popcount(bits) * ENTRY_BYTES;
    this.#check(at, headerBytes);
    this.charge(headerBytes);
    this.at = at;
    this.depth = depth;
    this.entries = entries;
    this.bits = bits;
    return this;
  }

  #openLong(at: number, words: number, depth: number): Message {
    if (words >>> 16 === RELAY_MARK) return this.#openRelay(at, depth);
    if (words >>> 16 !== 0) throw new WireError('VERSION', `object of format version ${words >>> 16}`);
    if (words === 0 || words > BITMAP_WORDS_MAX) throw new WireError('BOUNDS', `bitmap of ${words} words`);
    const entries = at + 4 + words * 4;
    this.#check(at, entries - at);
    const { view } = this.memory;
    let fields = 0;
    for (let p = at + 4; p < entries; p += 4) fields += popcount(view.getInt32(p, true));
    this.#check(entries, fields * ENTRY_BYTES);
    this.charge(entries - at + fields * ENTRY_BYTES);
    this.at = at;
    this.depth = depth;
    this.entries = entries;
    this.bits = view.getInt32(at + 4, true);
    return this;
  }

  /** `[u32 mark][u32 root][u32 size][u32 offset]`: the object is in the message that lies at `offset`. */
  #openRelay(at: number, depth: number): Message {
    this.#check(at, RELAY_BYTES);
    this.charge(RELAY_BYTES);
    const { view } = this.memory;
    const bytes = view.getUint32(at + 8, true);
    const start = this.base + view.getUint32(at + 12, true);
    if (bytes > this.end - start) throw this.#outside();
    const message = new Message(this.root);
    message.memory = this.memory;
    message.base = start;
    message.end = start + bytes;
    // Relays count as objects, so that a relay that leads to itself ends.
    return message.open(start + view.getUint32(at + 4, true), depth + 1);
  }

  /** The entry of the field with bit `bit` of the object at `at`, or 0 when the field is absent. */
  slot(at: number, bit: number): number {
    const { view } = this.memory;
    this.#check(at, 4);
    const words = view.getUint32(at, true);
    const word = bit >>> 5;
    if (word >= words) return 0;
    const bits = view.getInt32(at + 4 + word * 4, true);
    const mask = 1 << (bit & 31);
    if ((bits & mask) === 0) return 0;
    let rank = popcount(bits & (mask - 1));
    for (let index = 0; index < word; index++) rank += popcount(view.getInt32(at + 4 + index * 4, true));
    return at + 4 + words * 4 + rank * ENTRY_BYTES;
  }

  // ---- entries: `p` is where one lies

  uint32(p: number): number {
    this.#check(p, 4);
    return this.memory.view.getUint32(p, true);
  }

  int32(p: number): number {
    this.#check(p, 4);
    return this.memory.view.getInt32(p, true);
  }

  bool(p: number): boolean {
    this.#check(p, 4);
    return this.memory.view.getUint32(p, true) !== 0;
  }

  float(p: number): number {
    this.#check(p, 4);
    return this.memory.view.getFloat32(p, true);
  }

  double(p: number): number {
    this.#check(p, 8);
    return this.memory.view.getFloat64(p, true);
  }

  int64(p: number): bigint {
    this.#check(p, 8);
    return this.memory.view.getBigInt64(p, true);
  }

  uint64(p: number): bigint {
    this.#check(p, 8);
    return this.memory.view.getBigUint64(p, true);
  }

  /** For `jstype = JS_NUMBER`: throws `RANGE` beyond ±(2^53 − 1). */
  int64Number(p: number): number {
    this.#check(p, 8);
    const { view } = this.memory;
    return safeNumber(view.getInt32(p + 4, true) * 4_294_967_296 + view.getUint32(p, true));
  }

  uint64Number(p: number): number {
    this.#check(p, 8);
    const { view } = this.memory;
    return safeNumber(view.getUint32(p + 4, true) * 4_294_967_296 + view.getUint32(p, true));
  }

  /** The bytes themselves: valid as long as the message is. */
  bytesAt(p: number): Uint8Array {
    this.#check(p, 8);
    const { view, u8 } = this.memory;
    const size = view.getUint32(p, true);
    const start = this.#target(view.getUint32(p + 4, true), size);
    return u8.subarray(start, start + size);
  }

  /** Throws `UTF8` when the bytes are not UTF-8. */
  string(p: number): string {
    this.#check(p, 8);
    const { view } = this.memory;
    const size = view.getUint32(p, true);
    const start = this.#target(view.getUint32(p + 4, true), size);
    return readUtf8(this.memory, start, size);
  }

  /** Where the bytes of a bytes or string field lie, without making an object. */
  locate(p: number): ByteRange {
    this.#check(p, 8);
    const { view } = this.memory;
    const size = view.getUint32(p, true);
    const range = this.range;
    range.offset = this.#target(view.getUint32(p + 4, true), size);
    range.bytes = size;
    return range;
  }

  /** Where the object lies that an entry points to; `open` checks it. */
  object(p: number): number {
    this.#check(p, 8);
    return this.base + this.memory.view.getUint32(p + 4, true);
  }

  /** The first byte of `count` elements that an entry points to; `count` is `uint32(p)`. */
  list(p: number, count: number, elementBytes: number): number {
    this.#check(p, 8);
    return this.#target(this.memory.view.getUint32(p + 4, true), count * elementBytes);
  }

  /** Charges a visit; throws `TRAVERSAL` when the message has cost too much. */
  charge(bytes: number): void {
    const root = this.root;
    root.#budget -= bytes + ENTRY_BYTES;
    if (root.#budget < 0) throw new WireError('TRAVERSAL', 'reading visits far more than the message has');
  }

  /** Checks and charges what a pointer leads to; returns its place in the memory. */
  #target(offset: number, size: number): number {
    const start = this.base + offset;
    if (size > this.end - start) throw this.#outside();
    this.charge(size);
    return start;
  }

  #check(p: number, bytes: number): void {
    // The lower bound matters only to a view that outlived its message, whose bytes another one has now.
    if (p < this.base || bytes > this.end - p) throw this.#outside();
  }

  #outside(): WireError {
    return this.isReleased
      ? new WireError('RELEASED', 'the message was released')
      : new WireError('BOUNDS', `something lies outside the message's ${this.end - this.base} bytes`);
  }
}

function safeNumber(value: number): number {
  if (!Number.isSafeInteger(value)) throw new WireError('RANGE', `${value} is not a safe integer`);
  return value;
}
