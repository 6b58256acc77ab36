/**
 * A received message: the bytes that all its views read from, and what reading it may still cost.
 *
 * ```
 *   memory   [ ... | base → header · lists · copied data · referenced data → base + bytes | ... ]
 *   views    (message, place of the object's header); places count from base
 * ```
 *
 * Every access is checked against the message's own length, never against the size of the memory around it.
 *
 * **The budget.** Messages can lead to the same bytes again and again, so that a walk through a short one never ends.
 * A pointer therefore costs what it leads to, and a little more, from a budget that all views share. That counts
 * reads, and an honest message may be read as often as its reader likes. So when the budget is spent, all that the
 * views that were opened could reach is followed once: a message of which that costs no more than the budget is sound,
 * and read without a limit from then on; another one is refused.
 *
 * A message may be opened again and again over different bytes: nothing is allocated for that. Whoever does so
 * (a FrameReader) says whether the memory will be used for something else afterwards; such a message is
 * borrowed, and `retain` makes it last: by holding the receive buffer, or by moving to a copy.
 */
import { WireError } from '../errors.ts';
import {
  BITMAP_WORDS_MAX,
  DEPTH_MAX,
  ENTRY_BYTES,
  MESSAGE_BYTES_MAX,
  RELAY_BYTES,
  RELAY_WORD,
  RELAYED_BYTES_MIN,
  RELAYS_MAX,
  TRAVERSAL_BYTES_MIN,
  TRAVERSAL_FACTOR,
} from '../limits.ts';
import { readUtf8 } from '../text/utf8-read.ts';
import { type ExtraCosts, followAll, NO_EXTRA_COSTS } from './follow-all.ts';
import { Memory } from './memory.ts';
import { popcount } from './popcount.ts';
import type { ShapedClass } from './shape.ts';

/** Where bytes lie; the fields are overwritten by the next `locate` of the same message. */
export interface ByteRange {
  /** Offset in the memory: an arena offset when the message lies in an arena. */
  offset: number;
  bytes: number;
}

/** Keeps receive buffers for messages that outlive their delivery. */
export interface MessageHolder {
  /** Holds the buffer at an offset of the memory: a token ≥ 0, or -1 when the message must move to a copy. */
  hold(offset: number): number;
  letGo(token: number): void;
}

const NO_MEMORY = new Memory(new ArrayBuffer(0));
const NOT_HELD = -1;
/** What is known of a message's pointers. */
const UNKNOWN = 0;
const SOUND = 1;
const REFUSED = 2;
/** They are being followed: when the budget is spent now, there are too many. */
const FOLLOWED = 3;
/** The budget of a sound message, renewed whenever it is spent: a small integer. */
const SOUND_BYTES = 1 << 30;

/** A view that was opened from outside: where reading begins. */
interface Beginning {
  readonly message: Message;
  readonly at: number;
  readonly type: ShapedClass;
}

export class Message {
  memory: Memory = NO_MEMORY;
  /** Offset in the memory, and length. After the release there is none, so that every access fails its check. */
  base = 0;
  bytes = 0;
  /** How often it was pointed at other bytes, by which whoever keeps something of it sees that it is another message. */
  epoch = 0;
  /** What `open` found, for the view that is being made. */
  at = 0;
  entries = 0;
  bits = 0;
  depth = 0;
  /** The message that was received: for a relayed message the one that led there. Its budget is everybody's. */
  readonly root: Message;
  #budget = 0;
  #limit = 0;
  #verdict: number = UNKNOWN;
  /** Where reading began first, and where else: nothing is allocated for the one beginning that most messages have. */
  #type: ShapedClass | null = null;
  #typeAt = 0;
  #beginnings: Beginning[] | null = null;
  #range: ByteRange | null = null;
  #holder: MessageHolder | null = null;
  #isBorrowed = false;
  #references = 0;
  #token = NOT_HELD;
  /** Messages inside this one that were visited, by place and length. */
  #relayed: Map<string, Message> | null = null;

  constructor(root?: Message) {
    this.root = root ?? this;
  }

  /** A message over bytes that belong to the caller and stay as they are. */
  static of(bytes: Uint8Array): Message {
    return new Message().over(Memory.of(bytes), bytes.byteOffset, bytes.byteOffset + bytes.length);
  }

  /** Points this message at [start, end) of a memory; views of what it was before must not be used any more. */
  over(memory: Memory, start: number, end: number): this {
    const bytes = end - start;
    if (bytes > MESSAGE_BYTES_MAX) throw new WireError('TOO_LARGE', `a message of ${bytes} bytes`);
    this.#relayed = null;
    this.epoch++;
    this.memory = memory;
    this.base = start;
    this.bytes = bytes;
    this.#type = null;
    this.#beginnings = null;
    return this.limitTraversal(Math.max(TRAVERSAL_BYTES_MIN, bytes * TRAVERSAL_FACTOR));
  }

  /** Like `over` for memory that is used again afterwards, unless `retain` prevents it. */
  borrow(memory: Memory, start: number, end: number, holder: MessageHolder | null): this {
    this.#isBorrowed = true;
    this.#holder = holder;
    return this.over(memory, start, end);
  }

  /** Sets what reading everything once may cost, in bytes visited; see TRAVERSAL_BYTES_MIN. */
  limitTraversal(bytes: number): this {
    const { root } = this;
    root.#limit = bytes;
    root.#budget = bytes;
    root.#verdict = UNKNOWN;
    return this;
  }

  /** Whether all that a view of this type could reach from an object costs at most `limit`. */
  isWithin(limit: number, at: number, depth: number, type: ShapedClass, extra: ExtraCosts): boolean {
    const { root } = this;
    const budget = root.#budget;
    const verdict = root.#verdict;
    root.#verdict = FOLLOWED;
    root.#budget = limit;
    try {
      followAll(this, at, depth, type, extra);
      return true;
    } catch (error) {
      if (error instanceof WireError && error.code === 'TRAVERSAL') return false;
      throw error;
    } finally {
      root.#verdict = verdict;
      root.#budget = budget;
    }
  }

  /** The message's own bytes, not copied. */
  toUint8Array(): Uint8Array {
    if (this.isReleased) throw this.#outside();
    return this.memory.slice(this.base, this.bytes);
  }

  get isReleased(): boolean {
    return this.root.memory === NO_MEMORY;
  }

  get isRetained(): boolean {
    return this.root.#references > 0;
  }

  // ---- life

  /**
   * Keeps the message beyond its delivery, until `release` was called as often. Its views stay as they are; but
   * bytes and typed arrays taken from it before the first `retain` may be somebody else's afterwards.
   */
  retain(): void {
    const root = this.root;
    if (root.isReleased) throw root.#outside();
    root.#references++;
    if (root.#references > 1 || !root.#isBorrowed) return;
    root.#token = root.#holder === null ? NOT_HELD : root.#holder.hold(root.base);
    if (root.#token === NOT_HELD) root.#moveToCopy();
  }

  /** Ends one `retain`; the last ends all views, whose reads throw `RELEASED` from then on. */
  release(): void {
    const root = this.root;
    if (root.isReleased) throw new WireError('RELEASED', 'the message was released before');
    if (root.#references > 1) {
      root.#references--;
      return;
    }
    const token = root.#token;
    root.invalidate();
    if (token !== NOT_HELD) root.#holder?.letGo(token);
  }

  /** Moves to a copy of its own, so that no receive buffer is held. Borrowed messages are retained by that. */
  detach(): void {
    const root = this.root;
    if (root.isReleased) throw root.#outside();
    if (root.#references === 0) root.#references = 1;
    if (root.#isBorrowed) root.#moveToCopy();
  }

  /** Ends all views, whatever was retained; for whoever lent the memory. */
  invalidate(): void {
    this.#references = 0;
    this.#token = NOT_HELD;
    this.#settle(NO_MEMORY, 0, 0);
  }

  #moveToCopy(): void {
    const copy = this.toUint8Array().slice();
    const token = this.#token;
    this.#token = NOT_HELD;
    this.#isBorrowed = false;
    this.#settle(new Memory(copy.buffer), 0, copy.length);
    if (token !== NOT_HELD) this.#holder?.letGo(token);
  }

  /** Places this message and those that it relays. */
  #settle(memory: Memory, base: number, bytes: number): void {
    if (this.#relayed !== null) {
      for (const message of this.#relayed.values()) {
        message.memory = memory;
        message.base += base - this.base;
        if (memory === NO_MEMORY) message.bytes = 0;
      }
      if (memory === NO_MEMORY) this.#relayed = null;
    }
    this.memory = memory;
    this.base = base;
    this.bytes = bytes;
  }

  // ---- objects

  /**
   * Checks the object whose header is at `at`, and leaves what a view of it needs in `at`, `entries`, `bits`
   * and `depth`. Returns the message that the object lies in: another one when the object is a relay. At depth 0
   * reading begins: by `type`, without which a message cannot be told sound.
   */
  open(at: number, depth: number, type: ShapedClass | null = null): Message {
    if (depth === 0 && type !== null && (type !== this.#type || at !== this.#typeAt)) this.#begin(at, type);
    if (depth > DEPTH_MAX) throw new WireError('DEPTH', `objects are nested more than ${DEPTH_MAX} deep`);
    this.#check(at, ENTRY_BYTES);
    const { view } = this.memory;
    const start = this.base + at;
    const words = view.getUint32(start, true);
    if (words !== 1) return this.#openLong(at, words, depth);
    const bits = view.getInt32(start + 4, true);
    const headerBytes = 8 + popcount(bits) * ENTRY_BYTES;
    this.#check(at, headerBytes);
    this.charge(headerBytes);
    this.at = at;
    this.entries = at + 8;
    this.bits = bits;
    this.depth = depth;
    return this;
  }

  #openLong(at: number, words: number, depth: number): Message {
    if (words === RELAY_WORD) return this.#openRelay(at, depth);
    if (words >>> 16 !== 0) throw new WireError('VERSION', `object of format version ${words >>> 16}`);
    if (words === 0 || words > BITMAP_WORDS_MAX) throw new WireError('BOUNDS', `bitmap of ${words} words`);
    const entries = at + 4 + words * 4;
    this.#check(at, entries - at);
    const { view } = this.memory;
    let fields = 0;
    for (let p = at + 4; p < entries; p += 4) fields += popcount(view.getInt32(this.base + p, true));
    this.#check(entries, fields * ENTRY_BYTES);
    this.charge(entries - at + fields * ENTRY_BYTES);
    this.at = at;
    this.entries = entries;
    this.bits = view.getInt32(this.base + at + 4, true);
    this.depth = depth;
    return this;
  }

  /** `[u32 mark][u32 place][u32 bytes][u32 offset]`: the object is in the message that lies at `offset`. */
  #openRelay(at: number, depth: number): Message {
    this.#check(at, RELAY_BYTES);
    this.charge(RELAY_BYTES);
    const { view } = this.memory;
    const start = this.base + at;
    const bytes = view.getUint32(start + 8, true);
    const offset = view.getUint32(start + 12, true);
    if (bytes > this.bytes - offset) throw this.#outside();
    const message = this.root.#relayedAt(this.base + offset - this.root.base, bytes);
    const place = view.getUint32(start + 4, true);
    // Relays to relays count as objects, so that one that leads to itself ends.
    return message.open(place, message.#isRelay(place) ? depth + 1 : depth);
  }

  #isRelay(at: number): boolean {
    return this.bytes - at >= RELAY_BYTES && this.memory.view.getUint32(this.base + at, true) === RELAY_WORD;
  }

  /** The message at a place in this one, which moves and ends with it. */
  #relayedAt(place: number, bytes: number): Message {
    this.#relayed ??= new Map();
    const key = `${place} ${bytes}`;
    let message = this.#relayed.get(key);
    if (message === undefined) {
      if (this.#relayed.size >= Math.max(RELAYS_MAX, this.bytes / RELAYED_BYTES_MIN))
        throw new WireError('TRAVERSAL', 'too many messages in a message');
      message = new Message(this);
      message.memory = this.memory;
      message.base = this.base + place;
      message.bytes = bytes;
      this.#relayed.set(key, message);
    }
    return message;
  }

  /** The entry of the field with bit `bit` of the object at `at`, or 0 when the field is absent. */
  slot(at: number, bit: number): number {
    const { view } = this.memory;
    this.#check(at, 4);
    const start = this.base + at;
    const words = view.getUint32(start, true);
    const word = bit >>> 5;
    if (word >= words) return 0;
    const bits = view.getInt32(start + 4 + word * 4, true);
    const mask = 1 << (bit & 31);
    if ((bits & mask) === 0) return 0;
    let rank = popcount(bits & (mask - 1));
    for (let index = 0; index < word; index++) rank += popcount(view.getInt32(start + 4 + index * 4, true));
    return at + 4 + words * 4 + rank * ENTRY_BYTES;
  }

  // ---- entries: `p` is the place of one

  uint32(p: number): number {
    this.#check(p, 4);
    return this.memory.view.getUint32(this.base + p, true);
  }

  int32(p: number): number {
    this.#check(p, 4);
    return this.memory.view.getInt32(this.base + p, true);
  }

  bool(p: number): boolean {
    this.#check(p, 4);
    return this.memory.view.getUint32(this.base + p, true) !== 0;
  }

  float(p: number): number {
    this.#check(p, 4);
    return this.memory.view.getFloat32(this.base + p, true);
  }

  double(p: number): number {
    this.#check(p, 8);
    return this.memory.view.getFloat64(this.base + p, true);
  }

  int64(p: number): bigint {
    this.#check(p, 8);
    return this.memory.view.getBigInt64(this.base + p, true);
  }

  uint64(p: number): bigint {
    this.#check(p, 8);
    return this.memory.view.getBigUint64(this.base + p, true);
  }

  /** For `jstype = JS_NUMBER`: throws `RANGE` beyond ±(2^53 − 1). */
  int64Number(p: number): number {
    this.#check(p, 8);
    const { view } = this.memory;
    const at = this.base + p;
    return safeNumber(view.getInt32(at + 4, true) * 4_294_967_296 + view.getUint32(at, true));
  }

  uint64Number(p: number): number {
    this.#check(p, 8);
    const { view } = this.memory;
    const at = this.base + p;
    return safeNumber(view.getUint32(at + 4, true) * 4_294_967_296 + view.getUint32(at, true));
  }

  /** The bytes themselves: valid as long as the message is. */
  bytesAt(p: number): Uint8Array {
    const size = this.uint32(p);
    return this.memory.slice(this.base + this.#target(p, size), size);
  }

  /** Throws `UTF8` when the bytes are not UTF-8. */
  string(p: number): string {
    const size = this.uint32(p);
    return readUtf8(this.memory, this.base + this.#target(p, size), size);
  }

  /** Where the bytes of a bytes or string field lie, without making an object. */
  locate(p: number): ByteRange {
    const size = this.uint32(p);
    this.#range ??= { offset: 0, bytes: 0 };
    const range = this.#range;
    range.offset = this.base + this.#target(p, size);
    range.bytes = size;
    return range;
  }

  /** The place of the object that an entry points to; `open` checks it. */
  object(p: number): number {
    this.#check(p, ENTRY_BYTES);
    return this.memory.view.getUint32(this.base + p + 4, true);
  }

  /** The place of the first of `count` elements that an entry points to; `count` is `uint32(p)`. */
  list(p: number, count: number, elementBytes: number): number {
    return this.#target(p, count * elementBytes);
  }

  /** Charges a visit; throws `TRAVERSAL` when the message leads to far more than it has. */
  charge(bytes: number): void {
    const root = this.root;
    root.#budget -= bytes + ENTRY_BYTES;
    if (root.#budget < 0) root.#judge();
  }

  /** The budget is spent: by a message that is read often, or by one that leads to the same again and again. */
  #judge(): void {
    if (this.#verdict === UNKNOWN) this.#verdict = this.#isSound() ? SOUND : REFUSED;
    if (this.#verdict !== SOUND)
      throw new WireError('TRAVERSAL', 'reading everything visits far more than the message has');
    this.#budget = SOUND_BYTES;
  }

  #isSound(): boolean {
    if (this.#type === null || !this.isWithin(this.#limit, this.#typeAt, 0, this.#type, NO_EXTRA_COSTS))
      return false;
    return (this.#beginnings ?? []).every(({ message, at, type }) =>
      message.isWithin(this.#limit, at, 0, type, NO_EXTRA_COSTS),
    );
  }

  /** Reading begins somewhere, or by another schema, than it did before. */
  #begin(at: number, type: ShapedClass): void {
    const { root } = this;
    if (root.#type === null && root === this) {
      this.#type = type;
      this.#typeAt = at;
      return;
    }
    root.#beginnings ??= [];
    const isKnown = root.#beginnings.some(
      (each) => each.message === this && each.at === at && each.type === type,
    );
    if (isKnown) return;
    root.#beginnings.push({ message: this, at, type });
    // What was found out is about what could be reached before.
    root.limitTraversal(root.#limit);
  }

  /** Checks and charges the `size` bytes that the entry at `p` points to; returns their place. */
  #target(p: number, size: number): number {
    this.#check(p, ENTRY_BYTES);
    const offset = this.memory.view.getUint32(this.base + p + 4, true);
    if (size > this.bytes - offset) throw this.#outside();
    this.charge(size);
    return offset;
  }

  #check(p: number, bytes: number): void {
    if (bytes > this.bytes - p) throw this.#outside();
  }

  #outside(): WireError {
    return this.isReleased
      ? new WireError('RELEASED', 'the message was released')
      : new WireError('BOUNDS', `something lies outside the message's ${this.bytes} bytes`);
  }
}

function safeNumber(value: number): number {
  if (!Number.isSafeInteger(value)) throw new WireError('RANGE', `${value} is not a safe integer`);
  return value;
}
