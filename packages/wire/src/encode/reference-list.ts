/**
 * The references of a message that is being built, as numbers: a scatter-gather list that is filled again for
 * every message.
 *
 * ```
 *   entry   arena      [offset][bytes][owner ≥ 0]
 *           portable   [index of a Uint8Array][bytes][OBJECT]
 *           dropped    [-][0][DROPPED]
 * ```
 *
 * An entry's place among the referenced bytes is known when all are there (`layout`), since one may be dropped
 * when its field is assigned again.
 */
const ENTRIES_INITIAL = 16;
/** The owner of bytes that are an object of their own. */
export const OBJECT: number = -1;
/** The owner of a reference that is the transport's. */
export const POSTED: number = -3;
const DROPPED: number = -2;

export class ReferenceList {
  count = 0;
  offsets: Float64Array = new Float64Array(ENTRIES_INITIAL);
  bytes: Int32Array = new Int32Array(ENTRIES_INITIAL);
  owners: Float64Array = new Float64Array(ENTRIES_INITIAL);
  /** Places among the referenced bytes, and the padding in front, once `layout` was called. */
  positions: Int32Array = new Int32Array(ENTRIES_INITIAL);
  paddings: Uint8Array = new Uint8Array(ENTRIES_INITIAL);
  readonly objects: Uint8Array[] = [];
  /** Once `limitEntries` was called: references of fewer bytes are to be copied, and the first so many of just as many. */
  copyBelow = 0;
  copyAlso = 0;
  #alignments: Uint8Array = new Uint8Array(ENTRIES_INITIAL);
  #isAligned = false;

  /** Whether the referenced bytes must begin at a multiple of 8. */
  get isAligned(): boolean {
    return this.#isAligned;
  }

  /** Returns the entry's index. */
  push(offset: number, bytes: number, owner: number, alignment: number): number {
    const index = this.count;
    if (index === this.bytes.length) this.#grow();
    this.count = index + 1;
    this.offsets[index] = offset;
    this.bytes[index] = bytes;
    this.owners[index] = owner;
    this.#alignments[index] = alignment;
    if (alignment > 1) this.#isAligned = true;
    return index;
  }

  pushObject(object: Uint8Array, alignment: number): number {
    this.objects.push(object);
    return this.push(this.objects.length - 1, object.length, OBJECT, alignment);
  }

  /** Takes an entry out; returns the owner that it had. */
  drop(index: number): number {
    const owner = this.owners[index]!;
    this.owners[index] = DROPPED;
    this.bytes[index] = 0;
    return owner;
  }

  /** Places all entries one behind the other; returns the bytes they take. */
  layout(): number {
    let position = 0;
    for (let index = 0; index < this.count; index++) {
      const alignment = this.#alignments[index]!;
      const padding = alignment > 1 && this.bytes[index] !== 0 ? -position & (alignment - 1) : 0;
      position += padding;
      this.paddings[index] = padding;
      this.positions[index] = position;
      position += this.bytes[index]!;
    }
    return position;
  }

  /**
   * Determines what is to be copied, in `copyBelow` and `copyAlso`: the smallest, so that at most `entriesMax` are
   * left.
   */
  limitEntries(entriesMax: number): void {
    this.copyBelow = 0;
    this.copyAlso = 0;
    if (this.count <= entriesMax) return;
    const sizes = this.bytes.slice(0, this.count).filter((bytes) => bytes > 0);
    const excess = sizes.length - entriesMax;
    if (excess <= 0) return;
    sizes.sort();
    const largest = sizes[excess - 1]!;
    this.copyBelow = largest;
    this.copyAlso = excess - sizes.indexOf(largest);
  }

  /** Takes out the entry that was added last. */
  pop(): void {
    this.count--;
    if (this.owners[this.count] === OBJECT) this.objects.pop();
  }

  clear(): void {
    this.count = 0;
    this.#isAligned = false;
    if (this.objects.length > 0) this.objects.length = 0;
  }

  #grow(): void {
    const capacity = this.bytes.length * 2;
    this.offsets = copyOf(this.offsets, new Float64Array(capacity));
    this.owners = copyOf(this.owners, new Float64Array(capacity));
    this.bytes = copyOf(this.bytes, new Int32Array(capacity));
    this.positions = new Int32Array(capacity);
    this.paddings = new Uint8Array(capacity);
    this.#alignments = copyOf(this.#alignments, new Uint8Array(capacity));
  }
}

function copyOf<T extends Float64Array | Int32Array | Uint8Array>(source: T, target: T): T {
  target.set(source);
  return target;
}
