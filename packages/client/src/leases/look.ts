/**
 * A look at a key that takes the lease when the key is missing: `mg <key> v f c t N<lease> [R<ahead>]`.
 *
 * ```
 *   reply                        means
 *   VA … , no W, no Z            a fresh value
 *   VA … W, not X                a value whose time is nearly over: this caller refreshes it
 *   VA … X W                     a stale value: this caller fills
 *   VA … X Z                     a stale value: another one fills
 *   VA … Z, not X                a value that another one refreshes
 *   VA 0 W, EN W                 nothing: this caller fills
 *   VA 0 Z                       nothing: another one fills
 *   EN                           nothing, and no lease either (no memory for one)
 * ```
 *
 * The same flags work with memcached 1.6 and with Larder; the token is the CAS value of the stub or the stale
 * value (papers/nsdi13 3.2.1).
 */

/** The return flags of a meta get that leases need. */
export class MetaReturn {
  isWon: boolean = false;
  isStale: boolean = false;
  isOthers: boolean = false;
  /** The CAS, in decimal; '' when there was none. */
  token: string = '';
  /** Seconds to live; -1 for ever, and when it was not told. */
  ttlSeconds: number = -1;
  flags: number = 0;

  /** Reads a line's return flags, such as `f2 c17 t30 W`. Unknown ones are left alone. */
  static parse(text: string): MetaReturn {
    const found = new MetaReturn();
    for (const word of text.split(' ')) {
      switch (word.charCodeAt(0)) {
        case 0x57:
          found.isWon = true;
          break;
        case 0x58:
          found.isStale = true;
          break;
        case 0x5a:
          found.isOthers = true;
          break;
        case 0x63:
          found.token = word.slice(1);
          break;
        case 0x66:
          found.flags = Number(word.slice(1));
          break;
        case 0x74:
          found.ttlSeconds = Number(word.slice(1));
          break;
      }
    }
    return found;
  }
}
