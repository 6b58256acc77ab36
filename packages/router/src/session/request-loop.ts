/**
 * Turns a client's bytes into requests and hands them on, one after the other.
 *
 * ```
 *   bytes ──▶ "get "? ──▶ keys ──▶ servers                                  (the hot path)
 *         ──▶ a whole line? ──▶ tokens ──▶ command ──▶ its class
 *         ──▶ a data block that is collected, or thrown away
 * ```
 *
 * A request that has to wait (for earlier requests of the same client, or for its own bytes) is left where it is:
 * the transport gives it again.
 */
import {
  BINARY_REQUEST_MAGIC,
  Command,
  CommandTable,
  GET_LINE_BYTES_MAX,
  LEADING_SPACES_MAX,
  LINE_BYTES_MAX,
  NEWLINE,
  wordOf,
} from '@larder/protocol';
import { Operation } from '@larder/routing';
import { BinaryRefusal } from './binary-refusal.ts';
import type { ClientSession } from './client-session.ts';
import type { SessionContext } from './context.ts';
import { LineCommands } from './line-commands.ts';
import type { Operator } from './operator.ts';
import { Retrieval } from './retrieval.ts';
import { Storage } from './storage.ts';

const WORD_GET: number = wordOf('get ');
const WORD_SET: number = wordOf('set ');
/** Bytes of these commands with their space. */
const NAME_BYTES = 4;
/** The commands whose lines may be as long as GET_LINE_BYTES_MAX. */
const LONG_LINE_COMMANDS: readonly string[] = ['get ', 'gets ', 'gat ', 'gats ', 'lease-get '];
const SPACE = 32;

const RETRIEVALS: Readonly<Partial<Record<Command, Operation>>> = {
  [Command.get]: Operation.get,
  [Command.gets]: Operation.gets,
  [Command.gat]: Operation.gat,
  [Command.gats]: Operation.gats,
  [Command.leaseGet]: Operation.leaseGet,
};

export class RequestLoop {
  readonly #context: SessionContext;
  readonly #u8: Uint8Array;
  readonly #view: DataView;
  readonly #table: CommandTable;
  readonly #retrieval: Retrieval;
  readonly #storage: Storage;
  readonly #lines: LineCommands;
  readonly #operator: Operator;
  readonly #binary: BinaryRefusal;

  constructor(context: SessionContext, operator: Operator) {
    this.#context = context;
    this.#u8 = context.u8;
    this.#view = context.arena.view;
    this.#table = new CommandTable(context.arena);
    this.#retrieval = new Retrieval(context);
    this.#storage = new Storage(context);
    this.#lines = new LineCommands(context);
    this.#operator = operator;
    this.#binary = new BinaryRefusal(context);
  }

  /** Runs what is complete of [start, end); returns up to where it was consumed. */
  run(session: ClientSession, start: number, end: number): number {
    if (session.hasEnded) return end;
    const { client } = session;
    const isComplete = start < end && this.#u8[end - 1] === NEWLINE && end - start <= GET_LINE_BYTES_MAX;
    if (isComplete) session.searchedBytes = 0;
    let at = start;
    while (at < end) {
      if (client.isFull || client.output.isCongested) {
        this.#wait(session);
        break;
      }
      const next = this.#step(session, at, end, isComplete);
      if (next === at) break;
      at = next;
      if (session.hasEnded) return end;
    }
    return at;
  }

  /** The client is read again when everything that it waits for has been answered. */
  #wait(session: ClientSession): void {
    session.client.isBlocked = true;
  }

  /** One request, or a part of a data block. Returns where the next one begins, or `at` when it has to wait. */
  #step(session: ClientSession, at: number, end: number, isComplete: boolean): number {
    if (session.collecting !== undefined) return this.#storage.more(session, at, end);
    if (session.swallowBytes > 0) return this.#storage.swallow(session, at, end);
    if (isComplete && end - at > NAME_BYTES) {
      const word = this.#view.getInt32(at, true);
      if (word === WORD_GET) {
        const next = this.#retrieval.run(session, Operation.get, at, at + NAME_BYTES, end);
        if (next === at) this.#wait(session);
        return next;
      }
      if (word === WORD_SET) {
        const next = this.#storage.set(session, at, at + NAME_BYTES, end);
        if (next !== 0) return this.#stored(session, at, next);
      }
    }
    return this.#line(session, at, end);
  }

  /** A storage command that was not consumed waits for its block, or for earlier requests. */
  #stored(session: ClientSession, at: number, next: number): number {
    if (next === at && session.client.pending > 0) this.#wait(session);
    return next;
  }

  #line(session: ClientSession, at: number, end: number): number {
    // No command begins with it, so that it costs nothing to look only here.
    if (this.#u8[at] === BINARY_REQUEST_MAGIC) return this.#refuseBinary(session, at, end);
    const searched = session.searchedBytes;
    const newline = this.#context.scanner.newline(at + searched, end);
    const bytes = (newline < 0 ? end : newline) - at;
    if (bytes >= LINE_BYTES_MAX && (bytes >= GET_LINE_BYTES_MAX || !this.#mayBeLong(at, end))) {
      return this.#tooLong(session, end);
    }
    if (newline < 0) {
      session.searchedBytes = bytes;
      return at;
    }
    session.searchedBytes = 0;
    const { tokens } = this.#context;
    tokens.split(at, newline);
    return this.#command(session, this.#table.find(tokens), at, newline + 1, end);
  }

  #command(session: ClientSession, command: Command, at: number, next: number, end: number): number {
    const { tokens } = this.#context;
    const retrieval = RETRIEVALS[command];
    if (retrieval !== undefined) {
      // A raw line begins with its name.
      const start = tokens.start[0]!;
      const after = this.#retrieval.run(session, retrieval, start, tokens.end[0]!, next);
      if (after !== start) return after;
      this.#wait(session);
      return at;
    }
    switch (command) {
      case Command.set:
      case Command.add:
      case Command.replace:
      case Command.append:
      case Command.prepend:
      case Command.cas:
        return this.#stored(session, at, this.#storage.store(session, command, at, next, end));
      case Command.leaseSet:
        return this.#stored(session, at, this.#storage.leaseSet(session, at, next, end));
      case Command.metaSet:
        return this.#stored(session, at, this.#storage.metaSet(session, at, next, end));
      case Command.delete:
      case Command.incr:
      case Command.decr:
      case Command.touch:
      case Command.metaGet:
      case Command.metaDelete:
      case Command.metaArithmetic:
      case Command.metaDebug: {
        const after = this.#lines.run(session, command, at, next);
        if (after === at) this.#wait(session);
        return after;
      }
      default: {
        const isDone = this.#operator.run(session, command);
        if (!isDone) this.#wait(session);
        return isDone ? next : at;
      }
    }
  }

  /** Whether the line at `at` is one of many keys, as far as its beginning tells. */
  #mayBeLong(at: number, end: number): boolean {
    let name = at;
    while (name < end && name - at <= LEADING_SPACES_MAX && this.#u8[name] === SPACE) name++;
    const text = this.#context.node.toString('latin1', name, Math.min(end, name + 10));
    return LONG_LINE_COMMANDS.some((command) => text.startsWith(command));
  }

  #refuseBinary(session: ClientSession, at: number, end: number): number {
    if (!this.#binary.answer(session, at, end)) return at;
    this.#operator.end(session);
    return end;
  }

  /** The rest of the input cannot be told apart into requests any more: the connection ends. */
  #tooLong(session: ClientSession, end: number): number {
    this.#context.refuse(session.client, 'CLIENT_ERROR line too long');
    session.searchedBytes = 0;
    this.#operator.end(session);
    return end;
  }
}
