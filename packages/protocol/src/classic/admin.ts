/**
 * Commands without a key, for operators.
 *
 * ```
 *   flush_all [<delay seconds>] [noreply]\r\n        OK
 *   verbosity <level> [noreply]\r\n                  OK
 *   cache_memlimit <megabytes> [noreply]\r\n         OK | MEMLIMIT_TOO_SMALL … | MEMLIMIT_ADJUST_FAILED …
 *   version\r\n                                      VERSION <text>
 *   quit\r\n                                         (the connection is closed)
 *   shutdown [graceful]\r\n                          (the server stops)
 *   stats [items|slabs|sizes|settings|conns|detail on|off|dump|reset]\r\n
 *                                                    STAT <name> <value>… END | RESET | OK
 *   watch [fetchers] [mutations] [evictions] [deletions] [connevents]\r\n
 *                                                    OK, then lines without end
 *   lru_crawler, lru, slabs                          see docs/protocol/memcache-classic.md
 * ```
 */
import type { Arena } from '@larder/datapath';
import { NOT_A_NUMBER, readSigned, readUnsigned } from '../bytes/decimal.ts';
import type { LineTokens } from '../bytes/tokens.ts';
import { RequestStatus } from './status.ts';
import { NOREPLY } from './store.ts';

export class FlushRequest {
  delaySeconds: number = 0;
  noreply: boolean = false;
  readonly #u8: Uint8Array;

  constructor(arena: Arena) {
    this.#u8 = arena.u8;
  }

  /** A negative delay means now; a second argument that is not `noreply` is ignored, as memcached does. */
  parse(tokens: LineTokens): RequestStatus {
    const count = tokens.count;
    this.delaySeconds = 0;
    this.noreply = false;
    if (count < 1 || count > 3) return RequestStatus.error;
    this.noreply = count > 1 && tokens.is(count - 1, NOREPLY);
    if (count === (this.noreply ? 2 : 1)) return RequestStatus.ok;
    const delay = readSigned(this.#u8, tokens.start[1]!, tokens.end[1]!);
    if (delay === NOT_A_NUMBER) return RequestStatus.badExptime;
    this.delaySeconds = Math.max(0, delay);
    return RequestStatus.ok;
  }
}

/** A command with one number: `verbosity` and `cache_memlimit`. */
export class NumberRequest {
  value: number = 0;
  noreply: boolean = false;
  readonly #u8: Uint8Array;

  constructor(arena: Arena) {
    this.#u8 = arena.u8;
  }

  parse(tokens: LineTokens): RequestStatus {
    const count = tokens.count;
    this.noreply = false;
    if (count !== 2 && count !== 3) return RequestStatus.error;
    this.noreply = tokens.is(count - 1, NOREPLY);
    this.value = readUnsigned(this.#u8, tokens.start[1]!, tokens.end[1]!, Number.MAX_SAFE_INTEGER);
    return this.value === NOT_A_NUMBER ? RequestStatus.badFormat : RequestStatus.ok;
  }
}
