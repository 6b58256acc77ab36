/** The client's flags are kept only in the item's ready-made head, as text; this reads them. */
import type { StoreCore } from './core.ts';
import { KEY_AT, TAG, TAG_KEY_MASK } from './item.ts';

export function clientFlagsOf(core: StoreCore, item: number): number {
  let at = item * 4 + KEY_AT + (core.i32[item + TAG]! & TAG_KEY_MASK) + 1;
  let flags = 0;
  for (let byte = core.u8[at]!; byte !== 32; byte = core.u8[at]!) {
    flags = flags * 10 + byte - 48;
    at++;
  }
  return flags;
}
