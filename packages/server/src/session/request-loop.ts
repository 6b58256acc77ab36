/**
 * Turns received bytes into requests and runs them, one after the other.
 *
 * ```
 *   bytes ──▶ "get "? ──▶ keys, straight through                            (the hot path)
 *         ──▶ a whole line? ──▶ tokens ──▶ command ──▶ its class
 *         ──▶ a data block, or one to be thrown away
 * ```
 *
 * When the last byte received is a newline, which is nearly always, every line that begins in the buffer also
 * ends in it, and nothing needs to be searched beforehand. Otherwise each line's end is searched first, and how
 * far an unsuccessful search got is remembered, so that a client that sends byte by byte costs no more than
 * its bytes.
 */
import {
  BINARY_REQUEST_MAGIC,
  ByteScanner,
  Command,
  CommandTable,
  GET_LINE_BYTES_MAX,
  LEADING_SPACES_MAX,
  LINE_BYTES_MAX,
  NEWLINE,
  wordOf,
} from '@larder/protocol';
import { Administration, type WatchConnection } from './administration.ts';
import { Authentication } from './authentication.ts';
import { BinaryLoop } from './binary/binary-loop.ts';
import { Changes } from './changes.ts';
import type { SessionContext } from './context.ts';
import { CommandKind, type LatencyRecorder, SAMPLE_EVERY_BATCHES } from './latency.ts';
import { LeaseGets } from './leases.ts';
import { MetaChanges } from './meta-changes.ts';
import { MetaGets } from './meta-get.ts';
import { MetaSets } from './meta-set.ts';
import { Metadump } from './metadump.ts';
import type { SessionOutput } from './output.ts';
import { ERROR, LINE_TOO_LONG, MN } from './replies.ts';
import { Retrieval } from './retrieval.ts';
import { type Session, SessionState } from './session.ts';
import { Storage } from './storage.ts';
import { Tuning } from './tuning.ts';

const WORD_GET: number = wordOf('get ');
const WORD_SET: number = wordOf('set ');
/** Bytes of these commands with their space. */
const NAME_BYTES = 4;
/** The commands whose lines may be as long as GET_LINE_BYTES_MAX. */
const LONG_LINE_COMMANDS: readonly string[] = ['get ', 'gets ', 'gat ', 'gats ', 'lease-get '];

export class RequestLoop {
  readonly storage: Storage;
  readonly #context: SessionContext;
  readonly #u8: Uint8Array;
  readonly #view: DataView;
  readonly #scanner: ByteScanner;
  readonly #table: CommandTable;
  readonly #retrieval: Retrieval;
  readonly #changes: Changes;
  readonly #leases: LeaseGets;
  readonly #metaGets: MetaGets;
  readonly #metaSets: MetaSets;
  readonly #metaChanges: MetaChanges;
  readonly #administration: Administration;
  readonly #tuning: Tuning;
  readonly #metadump: Metadump;
  readonly #authentication: Authentication;
  readonly #binary: BinaryLoop;
  readonly #latency: LatencyRecorder;
  readonly #watch: WatchConnection;
  /** Whether the last run left something for later, so that other connections have their turn. */
  hasYielded = false;
  /** Batches until the next one that is timed. */
  #untilSample: number = SAMPLE_EVERY_BATCHES;

  constructor(context: SessionContext, watch: WatchConnection) {
    this.#context = context;
    this.#u8 = context.u8;
    this.#view = context.arena.view;
    this.#scanner = new ByteScanner(context.arena);
    this.#table = new CommandTable(context.arena);
    this.storage = new Storage(context);
    this.#retrieval = new Retrieval(context);
    this.#changes = new Changes(context);
    this.#leases = new LeaseGets(context);
    this.#metaGets = new MetaGets(context);
    this.#metaSets = new MetaSets(context, this.storage);
    this.#metaChanges = new MetaChanges(context);
    this.#administration = new Administration(context);
    this.#tuning = new Tuning(context);
    this.#metadump = new Metadump(context);
    this.#authentication = new Authentication(context);
    this.#binary = new BinaryLoop(context);
    this.#latency = context.options.latency;
    this.#watch = watch;
  }

  /** Runs what is complete of [start, end), but at most `most` requests; returns up to where it was consumed. */
  run(session: Session, output: SessionOutput, start: number, end: number, most: number): number {
    this.#context.beginBatch();
    this.hasYielded = false;
    if (--this.#untilSample === 0) {
      this.#untilSample = SAMPLE_EVERY_BATCHES;
      return this.#runTimed(session, output, start, end, most);
    }
    if (!session.isStarted) this.#start(session, start, end);
    const isComplete = this.#isComplete(session, start, end);
    let at = start;
    for (let left = most; at < end && !output.isCongested; left--) {
      if (left === 0) {
        this.hasYielded = true;
        break;
      }
      const next = this.#step(session, output, at, end, isComplete);
      if (next === at) break;
      at = next;
    }
    return at;
  }

  /** As `run`, with every request timed. */
  #runTimed(session: Session, output: SessionOutput, start: number, end: number, most: number): number {
    if (!session.isStarted) this.#start(session, start, end);
    const latency = this.#latency;
    const isComplete = this.#isComplete(session, start, end);
    let at = start;
    let before = latency.now();
    for (let left = most; at < end && !output.isCongested; left--) {
      if (left === 0) {
        this.hasYielded = true;
        break;
      }
      const next = this.#step(session, output, at, end, isComplete);
      if (next === at) break;
      at = next;
      const after = latency.now();
      if (session.state === SessionState.line || session.state === SessionState.binary)
        latency.record(this.#context.kind, after - before);
      before = after;
    }
    return at;
  }

  /** The first byte of a connection tells its protocol. Whoever has to give a password is asked for it in text. */
  #start(session: Session, start: number, end: number): void {
    if (start === end) return;
    session.isStarted = true;
    if (this.#u8[start] === BINARY_REQUEST_MAGIC && session.authenticated && !session.datagram)
      session.state = SessionState.binary;
  }

  /** Whether every line that begins in [start, end) also ends in it. */
  #isComplete(session: Session, start: number, end: number): boolean {
    if (start >= end || this.#u8[end - 1] !== NEWLINE || end - start > GET_LINE_BYTES_MAX) return false;
    // The unfinished line is whole now, and may be run without its end having been searched.
    session.searchedBytes = 0;
    return true;
  }

  /** One request, or one part of a data block. Returns where the next one begins, or `at` when bytes are missing. */
  #step(session: Session, output: SessionOutput, at: number, end: number, isComplete: boolean): number {
    if (session.state === SessionState.line) {
      if (isComplete && session.authenticated && end - at > NAME_BYTES) {
        const word = this.#view.getInt32(at, true);
        if (word === WORD_GET) {
          this.#context.kind = CommandKind.get;
          return this.#retrieval.get(output, at + NAME_BYTES, end);
        }
        if (word === WORD_SET) {
          this.#context.kind = CommandKind.set;
          const next = this.storage.set(session, output, at + NAME_BYTES, end);
          if (next !== 0) return next;
        }
      }
      return this.#line(session, output, at, end);
    }
    switch (session.state) {
      case SessionState.data:
        return this.storage.more(session, output, at, end);
      case SessionState.swallow:
        return this.storage.skip(session, at, end);
      case SessionState.binary:
      case SessionState.binaryData:
      case SessionState.binarySwallow:
        return this.#binary.step(session, output, at, end);
      case SessionState.credentials:
        return this.#authentication.block(session, output, at, end);
      default:
        // A watching or ending connection: what it sends means nothing.
        return end;
    }
  }

  /** A request that begins with a line, if the line is whole. */
  #line(session: Session, output: SessionOutput, at: number, end: number): number {
    const searched = session.searchedBytes;
    const newline = this.#scanner.newline(at + searched, end);
    const bytes = (newline < 0 ? end : newline) - at;
    if (bytes >= LINE_BYTES_MAX && (bytes >= GET_LINE_BYTES_MAX || !this.#mayBeLong(at, end))) {
      return this.#tooLong(session, output, end);
    }
    if (newline < 0) {
      session.searchedBytes = bytes;
      return at;
    }
    session.searchedBytes = 0;
    const { tokens } = this.#context;
    tokens.split(at, newline);
    this.#context.kind = CommandKind.other;
    if (!session.authenticated) {
      this.#authentication.line(session, output);
      return newline + 1;
    }
    const command = this.#table.find(tokens);
    return this.#command(session, output, command, at, newline + 1, end);
  }

  #command(
    session: Session,
    output: SessionOutput,
    command: Command,
    at: number,
    next: number,
    end: number,
  ): number {
    const context = this.#context;
    // Where the keys of a retrieval are looked for: behind its name.
    const behind = context.tokens.count > 0 ? context.tokens.end[0]! : next;
    switch (command) {
      case Command.get:
        context.kind = CommandKind.get;
        return this.#retrieval.get(output, behind, next);
      case Command.gets:
        context.kind = CommandKind.get;
        return this.#retrieval.gets(output, behind, next);
      case Command.gat:
      case Command.gats:
        context.kind = CommandKind.touch;
        return this.#retrieval.getAndTouch(output, behind, next, command === Command.gats);
      case Command.set:
      case Command.add:
      case Command.replace:
      case Command.append:
      case Command.prepend:
      case Command.cas:
        context.kind = CommandKind.set;
        return this.storage.store(session, output, command, next, end);
      case Command.leaseGet:
        context.kind = CommandKind.lease;
        return this.#leases.get(output, behind, next);
      case Command.leaseSet:
        context.kind = CommandKind.lease;
        return this.storage.leaseSet(session, output, next, end);
      case Command.metaSet:
        context.kind = CommandKind.metaSet;
        return this.#metaSets.set(session, output, next, end);
      case Command.lruCrawler:
        if (Metadump.isDump(context)) {
          if (this.#metadump.dump(session, output)) return next;
          this.hasYielded = true;
          return at;
        }
        this.#tuning.crawler(output);
        return next;
      default:
        this.#lineOnly(session, output, command);
        return next;
    }
  }

  /** Commands that are nothing but their line. */
  #lineOnly(session: Session, output: SessionOutput, command: Command): void {
    const context = this.#context;
    switch (command) {
      case Command.delete:
        context.kind = CommandKind.delete;
        this.#changes.delete(output);
        break;
      case Command.incr:
      case Command.decr:
        context.kind = CommandKind.arithmetic;
        this.#changes.arithmetic(output, command === Command.decr);
        break;
      case Command.touch:
        context.kind = CommandKind.touch;
        this.#changes.touch(output);
        break;
      case Command.metaGet:
        context.kind = CommandKind.metaGet;
        this.#metaGets.get(output);
        break;
      case Command.metaDelete:
        context.kind = CommandKind.metaDelete;
        this.#metaChanges.delete(output);
        break;
      case Command.metaArithmetic:
        context.kind = CommandKind.metaArithmetic;
        this.#metaChanges.arithmetic(output);
        break;
      case Command.metaNoop:
        context.replies.fixed(output, MN);
        break;
      case Command.metaDebug:
        this.#metaGets.debug(output);
        break;
      default:
        this.#operator(session, output, command);
    }
  }

  #operator(session: Session, output: SessionOutput, command: Command): void {
    const administration = this.#administration;
    switch (command) {
      case Command.stats:
        administration.stats(output);
        break;
      case Command.version:
        administration.version(output);
        break;
      case Command.flushAll:
        administration.flushAll(output);
        break;
      case Command.verbosity:
        administration.verbosity(output);
        break;
      case Command.memoryLimit:
        administration.memoryLimit(output);
        break;
      case Command.quit:
        session.state = SessionState.closed;
        output.end();
        break;
      case Command.shutdown:
        administration.shutdown(session, output);
        break;
      case Command.watch:
        administration.watch(session, output, this.#watch);
        break;
      case Command.lru:
        this.#tuning.lru(output);
        break;
      case Command.slabs:
        this.#tuning.slabs(output);
        break;
      default:
        this.#context.fail(output, ERROR);
    }
  }

  /** Whether the line at `at` is one of many keys, as far as its beginning tells. */
  #mayBeLong(at: number, end: number): boolean {
    const name = this.#context.skipSpaces(at, Math.min(end, at + LEADING_SPACES_MAX + 1));
    if (name - at > LEADING_SPACES_MAX) return false;
    const text = this.#context.arena.node.toString('latin1', name, Math.min(end, name + 10));
    return LONG_LINE_COMMANDS.some((command) => text.startsWith(command));
  }

  /** The rest of the input cannot be told apart into requests any more: the connection ends. */
  #tooLong(session: Session, output: SessionOutput, end: number): number {
    this.#context.fail(output, LINE_TOO_LONG);
    session.searchedBytes = 0;
    session.state = SessionState.closed;
    output.end();
    return end;
  }
}
