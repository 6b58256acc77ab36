/**
 * What all commands of one worker's sessions share: the store, the counters, the parsers' line, and whether
 * somebody watches.
 */
import type { Store } from '@larder/cache';
import type { Arena } from '@larder/datapath';
import { LineTokens, SPACE } from '@larder/protocol';
import type { Authenticator } from './authenticator.ts';
import { PROTOCOL_ERRORS } from './counters.ts';
import { EventCategory, type EventLog } from './event-log.ts';
import { CommandKind, type LatencyRecorder } from './latency.ts';
import type { SessionOutput } from './output.ts';
import { type FixedReply, ReplyWriter } from './replies.ts';
import type { ServerControl } from './server-control.ts';
import type { StatisticsSource } from './statistics-source.ts';

/** As long as what is kept of a reference until it is sent, roughly. */
const REFERRED_BYTES_MIN = 64;

export interface SessionOptions {
  readonly arena: Arena;
  readonly store: Store;
  /** COUNTER_COUNT long; only this worker's thread writes to it. */
  readonly counters: Float64Array;
  readonly statistics: StatisticsSource;
  readonly events: EventLog;
  readonly latency: LatencyRecorder;
  readonly control: ServerControl;
  /** With `-Y`; undefined lets everybody in. */
  readonly authenticator?: Authenticator;
  /** `-R` */
  readonly requestsPerEvent: number;
  /** `-A` */
  readonly shutdownEnabled: boolean;
  /** not `-F` */
  readonly flushEnabled: boolean;
  /** not `-X` */
  readonly dumpEnabled: boolean;
  /** not `-W` */
  readonly watchEnabled: boolean;
  /** Larder's own version. */
  readonly version: string;
}

export class SessionContext {
  readonly options: SessionOptions;
  readonly arena: Arena;
  readonly u8: Uint8Array;
  readonly store: Store;
  readonly counters: Float64Array;
  readonly replies: ReplyWriter;
  readonly tokens: LineTokens;
  /** The categories that somebody watches; read once per batch. */
  watched: number = 0;
  /** Whether retrievals must be told to somebody (`watch fetchers`, `stats detail`). */
  observed: boolean = false;
  /** The kind of the request that was run last, for the latency histograms. */
  kind: CommandKind = CommandKind.other;

  constructor(options: SessionOptions) {
    this.options = options;
    this.arena = options.arena;
    this.u8 = options.arena.u8;
    this.store = options.store;
    this.counters = options.counters;
    this.replies = new ReplyWriter(options.arena);
    this.tokens = new LineTokens(options.arena);
  }

  /** Looks once whether anybody watches. */
  beginBatch(): void {
    this.watched = this.options.events.wanted();
    this.observed = (this.watched & EventCategory.fetchers) !== 0 || this.options.statistics.detail.enabled;
  }

  /** Answers with an error line and counts it. */
  fail(output: SessionOutput, reply: FixedReply): void {
    this.counters[PROTOCOL_ERRORS]! += 1;
    this.replies.fixed(output, reply);
  }

  /**
   * Whether a reply refers to a value that would be copied otherwise: one request may ask for many, and what is
   * copied takes send buffers that all connections share. Of values shorter than this a line cannot hold too many.
   */
  mustRefer(output: SessionOutput, item: number): boolean {
    return output.isCongested && this.store.valueBytes(item) >= REFERRED_BYTES_MIN;
  }

  /** A key for people: everything but letters, digits and `-._~` as %XX. */
  keyText(keyOffset: number, keyBytes: number): string {
    const u8 = this.u8;
    let text = '';
    for (let index = 0; index < keyBytes; index++) {
      const byte = u8[keyOffset + index]!;
      const plain =
        (byte >= 48 && byte <= 57) ||
        (byte >= 65 && byte <= 90) ||
        (byte >= 97 && byte <= 122) ||
        byte === 45 ||
        byte === 46 ||
        byte === 95 ||
        byte === 126;
      text += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    }
    return text;
  }

  /** What stands in front of the first colon of a key; the whole key without one. */
  prefixText(keyOffset: number, keyBytes: number): string {
    const text = this.arena.node.toString('latin1', keyOffset, keyOffset + keyBytes);
    const colon = text.indexOf(':');
    return colon < 0 ? text : text.slice(0, colon);
  }

  /** The first byte of the line [at, newline) that is not a space. */
  skipSpaces(at: number, newline: number): number {
    let offset = at;
    while (offset < newline && this.u8[offset] === SPACE) offset++;
    return offset;
  }

  /** Whether what becomes of a key that is stored must be told. */
  get watchesStores(): boolean {
    return (this.watched & EventCategory.mutations) !== 0;
  }

  /** A key was stored, or was not: for `watch mutations`. */
  logStore(
    output: WatchedOutput,
    key: string,
    status: string,
    command: string,
    exptime: number,
    slabClass: number,
    bytes: number,
  ): void {
    this.options.events.write(
      EventCategory.mutations,
      `type=item_store key=${key} status=${status} cmd=${command} ttl=${exptime} clsid=${slabClass} cfd=${output.id} size=${bytes}`,
    );
  }

  /** A key was looked up: for `watch fetchers` and `stats detail`. `item` is 0 for a miss. */
  logFetch(output: WatchedOutput, keyOffset: number, keyBytes: number, item: number): void {
    const detail = this.options.statistics.detail;
    if (detail.enabled) detail.recordGet(this.prefixText(keyOffset, keyBytes), item !== 0);
    if ((this.watched & EventCategory.fetchers) === 0) return;
    const key = this.keyText(keyOffset, keyBytes);
    const store = this.store;
    const found = item !== 0;
    const slabClass = found ? store.slabClass(item) : 0;
    const bytes = found ? store.valueBytes(item) : 0;
    this.options.events.write(
      EventCategory.fetchers,
      `type=item_get key=${key} status=${found ? 'found' : 'not_found'} clsid=${slabClass} cfd=${output.id} size=${bytes}`,
    );
  }

  /** A key is about to be deleted: for `watch deletions` and `stats detail`. */
  logDelete(output: WatchedOutput, keyOffset: number, keyBytes: number, hash: number, command: string): void {
    const { detail } = this.options.statistics;
    if (detail.enabled) detail.recordDelete(this.prefixText(keyOffset, keyBytes));
    if ((this.watched & EventCategory.deletions) === 0) return;
    const { store } = this;
    const item = store.peek(keyOffset, keyBytes, hash, false);
    if (item === 0) return;
    const key = this.keyText(keyOffset, keyBytes);
    this.options.events.write(
      EventCategory.deletions,
      `type=deleted key=${key} cmd=${command} clsid=${store.slabClass(item)} cfd=${output.id} size=${store.valueBytes(item)}`,
    );
    store.release(item);
  }
}

/** Whoever asked, as the event log shows it. */
export type WatchedOutput = Pick<SessionOutput, 'id'>;
