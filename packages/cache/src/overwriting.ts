/**
 * Sets that change an item where it lies. Most sets replace a value by one of about the same size; when the new
 * one wants the same slab class and nobody holds a reference to the old one, no memory is allocated or freed
 * and no list is touched. Readers without a lock see the stripe's version change and read again.
 */
import type { StoreCore } from './core.ts';
import { StoreCounter } from './counters.ts';
import {
  ACCESS,
  ACTIVE,
  CHAINED,
  DEAD,
  decimalDigits,
  EXPIRY,
  EXTRA,
  FETCHED,
  ITEM_HEADER_BYTES,
  KEY_AT,
  TAG,
  TAG_SUFFIX_MASK,
  TAG_SUFFIX_SHIFT,
  TOKEN,
  VALUE_BYTES,
  VERB_BYTES,
  writeDecimal,
} from './item.ts';
import { SUPER_NOW } from './layout.ts';

const CRLF = 0x0a0d;
const CLEARED: number = FETCHED | TOKEN | (TAG_SUFFIX_MASK << TAG_SUFFIX_SHIFT);

/**
 * Gives the item with this key another value, without an expiry, as `set` does. False when it cannot be done in
 * place (there is no such item, it expires, is in use, or has another size); nothing has happened then.
 */
export function overwrite(
  core: StoreCore,
  keyOffset: number,
  keyBytes: number,
  hash: number,
  clientFlags: number,
  source: number,
  valueBytes: number,
): boolean {
  core.lockStripe(hash);
  const item = core.findCurrent(keyOffset, keyBytes, hash);
  const suffixBytes = 4 + decimalDigits(clientFlags) + decimalDigits(valueBytes);
  const bytes = ITEM_HEADER_BYTES + VERB_BYTES + keyBytes + suffixBytes + valueBytes + 2;
  const fits =
    item !== 0 &&
    (core.i32[item + TAG]! & (DEAD | CHAINED)) === 0 &&
    core.u32[item + EXPIRY] === 0 &&
    core.i32[item] === 1 &&
    core.slabs.classFor(bytes) === core.slabClass(item);
  if (fits) {
    write(core, item, keyBytes, suffixBytes, clientFlags, source, valueBytes);
    core.countRequest(item, 'sets');
  }
  core.unlockStripe(hash);
  return fits;
}

function write(
  core: StoreCore,
  item: number,
  keyBytes: number,
  suffixBytes: number,
  clientFlags: number,
  source: number,
  valueBytes: number,
): void {
  const { i32, u32, u8, view, f64, counters } = core;
  const before = core.totalBytes(item);
  // The item keeps its place in its list; that it was used lets it be kept when it reaches the end of it.
  i32[item + TAG] = (i32[item + TAG]! & ~CLEARED) | ACTIVE | (suffixBytes << TAG_SUFFIX_SHIFT);
  u32[item + VALUE_BYTES] = valueBytes;
  u32[item + EXTRA] = 0;
  u32[item + ACCESS] = i32[SUPER_NOW]!;
  let at = item * 4 + KEY_AT + keyBytes + 1;
  at = writeDecimal(u8, at, clientFlags);
  u8[at] = 32;
  at = writeDecimal(u8, at + 1, valueBytes);
  view.setInt16(at, CRLF, true);
  u8.copyWithin(at + 2, source, source + valueBytes);
  view.setInt16(at + 2 + valueBytes, CRLF, true);
  core.renewCas(item);
  core.rememberCas(item);
  f64[counters + StoreCounter.currBytes]! += core.totalBytes(item) - before;
  f64[counters + StoreCounter.totalItems]! += 1;
}
