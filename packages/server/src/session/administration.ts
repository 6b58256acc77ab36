/**
 * stats, flush_all, version, verbosity, cache_memlimit, shutdown and watch.
 */
import type { Store } from '@larder/cache';
import { FlushRequest, NumberRequest, RequestStatus } from '@larder/protocol';
import type { SessionContext } from './context.ts';
import { CMD_FLUSH } from './counters.ts';
import { EventCategory, type EventLog, WatchResult } from './event-log.ts';
import type { SessionOutput } from './output.ts';
import { END, ERROR, OK, STATUS_REPLIES } from './replies.ts';
import { type Session, SessionState } from './session.ts';
import type { StatisticsRow } from './statistics-source.ts';

/** memcached refuses less than this, and takes more than that for bytes. */
const MEMORY_MEGABYTES_MIN = 8;
const MEMORY_MEGABYTES_MAX = 1_000_000_000;

/**
 * The memcached whose commands and answers these are. Clients and test programs read the numbers behind
 * `VERSION` to decide what they may ask for.
 */
export const PROTOCOL_LEVEL = '1.6.45';

/** By the words of `watch`. */
const WATCH_WORDS: ReadonlyMap<string, number> = new Map<string, number>([
  ['fetchers', EventCategory.fetchers],
  ['mutations', EventCategory.mutations],
  ['evictions', EventCategory.evictions],
  ['connevents', EventCategory.connevents],
  ['deletions', EventCategory.deletions],
]);

/** Turns a connection into a watching one; what the handler knows about connections. */
export type WatchConnection = (output: SessionOutput, mask: number) => ReturnType<EventLog['watch']>;

export class Administration {
  readonly #context: SessionContext;
  readonly #store: Store;
  readonly #flush: FlushRequest;
  readonly #number: NumberRequest;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#store = context.store;
    this.#flush = new FlushRequest(context.arena);
    this.#number = new NumberRequest(context.arena);
  }

  version(output: SessionOutput): void {
    this.#context.replies.line(output, `VERSION ${PROTOCOL_LEVEL}-larder-${this.#context.options.version}`);
  }

  flushAll(output: SessionOutput): void {
    const request = this.#flush;
    const status = request.parse(this.#context.tokens);
    if (status !== RequestStatus.error) this.#context.counters[CMD_FLUSH]! += 1;
    if (status === RequestStatus.ok && this.#context.options.flushEnabled) {
      this.#store.flushAll(request.delaySeconds);
      if (!request.noreply) this.#context.replies.fixed(output, OK);
    } else if (!request.noreply) {
      if (status !== RequestStatus.error && !this.#context.options.flushEnabled) {
        this.#context.replies.line(output, 'CLIENT_ERROR flush_all not allowed');
      } else this.#context.fail(output, STATUS_REPLIES[status]!);
    }
  }

  verbosity(output: SessionOutput): void {
    const request = this.#number;
    const status = request.parse(this.#context.tokens);
    if (status === RequestStatus.ok) this.#context.options.control.setVerbosity(request.value);
    if (request.noreply) return;
    if (status === RequestStatus.ok) this.#context.replies.fixed(output, OK);
    else this.#context.fail(output, STATUS_REPLIES[status]!);
  }

  memoryLimit(output: SessionOutput): void {
    const request = this.#number;
    const status = request.parse(this.#context.tokens);
    const text = status === RequestStatus.ok ? this.#limitMemory(request.value) : 'ERROR';
    if (!request.noreply) this.#context.replies.line(output, text);
  }

  #limitMemory(megabytes: number): string {
    if (megabytes < MEMORY_MEGABYTES_MIN) return 'MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m';
    if (megabytes > MEMORY_MEGABYTES_MAX) return 'MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes';
    const adjusted = this.#context.options.control.setMemoryLimit(megabytes);
    return adjusted ? 'OK' : 'MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust';
  }

  /** Ends the connection, and the server behind it. */
  shutdown(session: Session, output: SessionOutput): void {
    const { tokens, replies, options } = this.#context;
    const graceful = tokens.is(1, 'graceful') && tokens.count === 2;
    if (!options.shutdownEnabled || session.datagram) {
      replies.line(output, 'ERROR: shutdown not enabled');
    } else if (tokens.count === 1 || graceful) {
      session.state = SessionState.closed;
      output.end();
      options.control.shutdown(graceful);
    } else {
      replies.line(output, 'CLIENT_ERROR invalid shutdown mode');
    }
  }

  /** Makes the connection a watcher; `attach` does what concerns the connection itself. */
  watch(session: Session, output: SessionOutput, attach: WatchConnection): void {
    const { replies, options } = this.#context;
    if (!options.watchEnabled) {
      replies.line(output, 'CLIENT_ERROR watch commands not allowed');
      return;
    }
    const mask = this.#watchMask();
    if (mask === 0 || session.datagram) {
      this.#context.fail(output, ERROR);
      return;
    }
    // The answer has to come before the first line of the log.
    const at = output.cursor;
    replies.fixed(output, OK);
    const result = attach(output, mask);
    if (result === WatchResult.ok) {
      session.watching = mask;
      session.state = SessionState.watch;
      return;
    }
    if (at !== 0 && output.cursor === at + OK.bytes) output.cursor = at;
    const many = result === WatchResult.tooMany;
    replies.line(
      output,
      many ? 'WATCHER_TOO_MANY log watcher limit reached' : 'WATCHER_FAILED failed to add log watcher',
    );
  }

  /** The bits of the words behind `watch`; 0 when one of them is unknown. */
  #watchMask(): number {
    const { tokens } = this.#context;
    if (tokens.count === 1) return EventCategory.fetchers;
    let mask = 0;
    for (let index = 1; index < tokens.count; index++) {
      const category = WATCH_WORDS.get(tokens.text(index));
      if (category === undefined) return 0;
      mask |= category;
    }
    return mask;
  }

  stats(output: SessionOutput): void {
    const { tokens, replies, options } = this.#context;
    const source = options.statistics;
    switch (tokens.text(1)) {
      case '':
        this.#rows(output, source.general());
        break;
      case 'items':
        this.#rows(output, source.items());
        break;
      case 'slabs':
        this.#rows(output, source.slabs());
        break;
      case 'sizes':
        this.#rows(output, source.sizes());
        break;
      case 'settings':
        this.#rows(output, source.settings());
        break;
      case 'conns':
        this.#rows(output, source.conns());
        break;
      case 'reset':
        source.reset();
        replies.line(output, 'RESET');
        break;
      case 'detail':
        this.#detail(output);
        break;
      case 'sizes_enable':
      case 'sizes_disable':
        // The histogram is made when it is asked for and costs nothing in between.
        replies.line(output, 'STAT sizes_status enabled');
        break;
      case 'cachedump':
        replies.line(output, 'CLIENT_ERROR stats cachedump not allowed');
        break;
      default:
        this.#context.fail(output, ERROR);
    }
  }

  #rows(output: SessionOutput, rows: Iterable<StatisticsRow>): void {
    let text = '';
    for (const [name, value] of rows) text += `STAT ${name} ${value}\r\n`;
    output.writeLatin1(`${text}END\r\n`);
  }

  #detail(output: SessionOutput): void {
    const { tokens, replies, options } = this.#context;
    const detail = options.statistics.detail;
    if (tokens.is(2, 'on') || tokens.is(2, 'off')) {
      detail.enabled = tokens.is(2, 'on');
      this.#context.beginBatch();
      replies.fixed(output, OK);
    } else if (tokens.is(2, 'dump')) {
      for (const line of detail.dump()) replies.line(output, line);
      replies.fixed(output, END);
    } else replies.line(output, 'CLIENT_ERROR usage: stats detail on|off|dump');
  }
}
