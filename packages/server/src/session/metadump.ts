/**
 * lru_crawler metadump and mgdump: every live item as a line of text.
 *
 * The index is walked some buckets at a time, until so much output waits that the client has to read first, or
 * until other connections should have their turn. The command's line stays unconsumed meanwhile: the transport
 * gives it again, and the dump goes on where it was. Nothing else of this connection is answered in between.
 */
import type { Store } from '@larder/cache';
import type { SessionContext } from './context.ts';
import type { SessionOutput } from './output.ts';
import { EN, END, ERROR } from './replies.ts';
import { CrawlResult } from './server-control.ts';
import type { Session } from './session.ts';
import { crawlText } from './tuning.ts';

/** Buckets of the index visited between two looks at the output. */
const BUCKETS_PER_STEP = 64;
/** Longest walk in one turn. */
const SLICE_MS = 1;

export class Metadump {
  readonly #context: SessionContext;
  readonly #store: Store;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#store = context.store;
  }

  /** Whether the line in the context's tokens is a dump. */
  static isDump(context: SessionContext): boolean {
    const { tokens } = context;
    return tokens.count === 3 && (tokens.is(1, 'metadump') || tokens.is(1, 'mgdump'));
  }

  /** Dumps, or goes on dumping. True when the command is finished and its line can be consumed. */
  dump(session: Session, output: SessionOutput): boolean {
    const { tokens, options, replies } = this.#context;
    const classes = tokens.text(2);
    if (session.datagram) {
      this.#context.fail(output, ERROR);
      return true;
    }
    if (session.dumpCursor === 0) {
      if (!options.dumpEnabled) {
        replies.line(output, 'ERROR metadump not allowed');
        return true;
      }
      const may = options.control.mayDump(classes);
      if (may !== CrawlResult.ok) {
        replies.line(output, crawlText(may));
        return true;
      }
    }
    const isShort = tokens.is(1, 'mgdump');
    const wanted = classSet(classes);
    const until = performance.now() + SLICE_MS;
    while (!output.isCongested && performance.now() < until) {
      session.dumpCursor = this.#step(output, session.dumpCursor, isShort, wanted);
      if (session.dumpCursor === 0) {
        replies.fixed(output, isShort ? EN : END);
        return true;
      }
    }
    return false;
  }

  #step(output: SessionOutput, cursor: number, isShort: boolean, wanted: Set<number> | null): number {
    let text = '';
    const next = this.#store.walk(cursor, BUCKETS_PER_STEP, (item) => {
      if (wanted === null || wanted.has(this.#store.slabClass(item))) text += this.#line(item, isShort);
    });
    if (text !== '') output.writeLatin1(text);
    return next;
  }

  #line(item: number, isShort: boolean): string {
    const store = this.#store;
    const key = this.#context.keyText(store.keyOffset(item), store.keyBytes(item));
    if (isShort) return `mg ${key}\r\n`;
    const expiry = store.expiry(item);
    const exp = expiry === 0 ? -1 : expiry + store.epochSeconds;
    const la = store.lastAccess(item) + store.epochSeconds;
    const cas = (BigInt(store.casHigh(item)) << 32n) | BigInt(store.casLow(item));
    const fetch = store.isFetched(item) ? 'yes' : 'no';
    return `key=${key} exp=${exp} la=${la} cas=${cas} fetch=${fetch} cls=${store.slabClass(item)} size=${store.totalBytes(item)}\n`;
  }
}

/** The slab classes of a list such as `1,3,10`; null for all of them. */
function classSet(classes: string): Set<number> | null {
  return classes === 'all' || classes === 'hash' ? null : new Set(classes.split(',').map(Number));
}
