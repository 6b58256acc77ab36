/**
 * Finds where whole replies end in a stream, for who passes them on as they are. What was looked at once is not
 * looked at again when more arrives.
 */
import { ReplyFault, ReplyItem, ReplyReader } from './reply-reader.ts';
import { ReplyShape } from './reply-shape.ts';

/** For each shape, the items after which the reply goes on (bit 0) or is over (bit 1). */
const CONTINUES = 1;
const ENDS = 2;
const TABLE: readonly Uint8Array[] = [
  ReplyShape.line,
  ReplyShape.values,
  ReplyShape.leases,
  ReplyShape.meta,
  ReplyShape.statistics,
].map(rulesOf);

function rulesOf(shape: ReplyShape): Uint8Array {
  const rules = new Uint8Array(Object.keys(ReplyItem).length);
  const set = (rule: number, ...items: readonly ReplyItem[]): void => {
    for (const item of items) rules[item] = rule;
  };
  set(ENDS, ReplyItem.error, ReplyItem.clientError, ReplyItem.serverError);
  const simple = [
    ReplyItem.stored,
    ReplyItem.notStored,
    ReplyItem.exists,
    ReplyItem.notFound,
    ReplyItem.deleted,
    ReplyItem.touched,
    ReplyItem.ok,
    ReplyItem.number,
    ReplyItem.staleStored,
    ReplyItem.version,
  ];
  if (shape === ReplyShape.line) set(ENDS, ...simple, ReplyItem.reset);
  if (shape === ReplyShape.values || shape === ReplyShape.leases) {
    set(CONTINUES, ReplyItem.value);
    set(ENDS, ReplyItem.end);
  }
  if (shape === ReplyShape.leases) set(CONTINUES, ReplyItem.leaseValue, ReplyItem.leaseHot);
  if (shape === ReplyShape.meta) {
    for (let item: number = ReplyItem.metaValue; item <= ReplyItem.metaDebug; item++) rules[item] = ENDS;
  }
  if (shape === ReplyShape.statistics) {
    set(CONTINUES, ReplyItem.statistic);
    set(ENDS, ReplyItem.end, ReplyItem.reset, ReplyItem.ok);
  }
  return rules;
}

/** Whether a reply of that shape may hold that item. */
export function isInPlace(shape: ReplyShape, item: ReplyItem): boolean {
  return TABLE[shape]![item] !== 0;
}

/** Whether a reply of that shape is over with that item. */
export function isLast(shape: ReplyShape, item: ReplyItem): boolean {
  return TABLE[shape]![item] === ENDS;
}

export class ReplyScanner {
  /** After -1. */
  fault: ReplyFault = ReplyFault.none;
  /** After 0: how many bytes of the reply have to be there for the next try to get further; 0 when not known. */
  needed: number = 0;
  /** The last item of the reply found: tells errors and hits apart. */
  last: ReplyItem = ReplyItem.end;
  /** Whether the reply found has an empty value without client flags: with plain memcached maybe a lease's stub. */
  hasEmptyValue: boolean = false;
  readonly #reader: ReplyReader = new ReplyReader();
  #scanned: number = 0;

  /**
   * The bytes of the whole reply that begins at `at`, 0 when it is not all there, -1 when it is none. After 0 the
   * next call has to be about the same reply, wherever its bytes lie then.
   */
  scan(bytes: Buffer, at: number, end: number, shape: ReplyShape): number {
    const reader = this.#reader;
    const rules = TABLE[shape]!;
    let item = at + this.#scanned;
    if (this.#scanned === 0) this.hasEmptyValue = false;
    for (;;) {
      const consumed = reader.read(bytes, item, end);
      if (consumed === 0) {
        this.#scanned = item - at;
        this.needed = reader.needed === 0 ? 0 : this.#scanned + reader.needed;
        return 0;
      }
      const rule = consumed < 0 ? 0 : rules[reader.kind]!;
      if (rule === 0) {
        this.fault = consumed < 0 ? reader.fault : ReplyFault.outOfPlace;
        this.#scanned = 0;
        return -1;
      }
      item += consumed;
      if (reader.kind === ReplyItem.value && reader.valueStart === reader.valueEnd && reader.flags === 0) {
        this.hasEmptyValue = true;
      }
      if (rule === ENDS) {
        this.last = reader.kind;
        this.#scanned = 0;
        return item - at;
      }
    }
  }

  /** Forgets a reply of which only a part was seen. */
  reset(): void {
    this.#scanned = 0;
  }
}
