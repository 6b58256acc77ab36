/** Commands that the router answers itself: version, stats, mn, verbosity, quit, flush_all. */
import { Command, FlushRequest, NumberRequest, RequestStatus, STATUS_TEXTS } from '@larder/protocol';
import { PENDING_SILENT, PENDING_WRITE } from '../forwarding/client.ts';
import { CMD_ADMIN } from '../statistics/counters.ts';
import type { ClientSession } from './client-session.ts';
import type { SessionContext } from './context.ts';

/** The memcached whose protocol is spoken: clients read it to decide what they may ask for. */
const PROTOCOL_LEVEL = '1.6.45';

export type StatisticsRow = readonly [name: string, value: string | number];

/** What `stats` shows. */
export interface StatisticsSource {
  /** Rows of `stats` and of `stats <topic>`; undefined for an unknown topic. */
  rows(topic: string): Iterable<StatisticsRow> | undefined;
  reset(): void;
}

const SERVER_COMMANDS: ReadonlySet<Command> = new Set([
  Command.watch,
  Command.lruCrawler,
  Command.lru,
  Command.slabs,
  Command.memoryLimit,
]);

export class Operator {
  readonly #context: SessionContext;
  readonly #statistics: StatisticsSource;
  readonly #onEnd: (session: ClientSession) => void;
  readonly #flush: FlushRequest;
  readonly #number: NumberRequest;

  /** `onEnd` closes a client's connection when everything it waits for has been answered. */
  constructor(
    context: SessionContext,
    statistics: StatisticsSource,
    onEnd: (session: ClientSession) => void,
  ) {
    this.#context = context;
    this.#statistics = statistics;
    this.#onEnd = onEnd;
    this.#flush = new FlushRequest(context.arena);
    this.#number = new NumberRequest(context.arena);
  }

  /** Runs the command in the context's tokens; false when it has to wait for earlier requests. */
  run(session: ClientSession, command: Command): boolean {
    const context = this.#context;
    const { client } = session;
    context.counters[CMD_ADMIN]! += 1;
    switch (command) {
      case Command.metaNoop:
        context.answer(client, 'MN\r\n');
        return true;
      case Command.version:
        context.answer(client, `VERSION ${PROTOCOL_LEVEL}-larder-router-${context.options.version}\r\n`);
        return true;
      case Command.stats:
        this.#stats(session);
        return true;
      case Command.verbosity:
        this.#verbosity(session);
        return true;
      case Command.flushAll:
        return this.#flushAll(session);
      case Command.quit:
        this.end(session);
        return true;
      case Command.shutdown:
        context.answer(client, 'ERROR: shutdown not enabled\r\n');
        return true;
      default:
        if (SERVER_COMMANDS.has(command)) {
          const name = context.tokens.text(0);
          context.refuse(client, `CLIENT_ERROR ${name} is a command of servers; this is a router`);
        } else context.refuse(client, 'ERROR');
        return true;
    }
  }

  /** Nothing more is read; the connection ends behind the last reply. */
  end(session: ClientSession): void {
    session.hasEnded = true;
    this.#onEnd(session);
  }

  #stats(session: ClientSession): void {
    const { tokens } = this.#context;
    const topic = tokens.text(1);
    if (topic === 'reset') {
      this.#statistics.reset();
      this.#context.answer(session.client, 'RESET\r\n');
      return;
    }
    const rows = this.#statistics.rows(topic);
    if (rows === undefined) {
      this.#context.refuse(session.client, 'ERROR');
      return;
    }
    let text = '';
    for (const [name, value] of rows) text += `STAT ${name} ${value}\r\n`;
    this.#context.answer(session.client, `${text}END\r\n`);
  }

  #verbosity(session: ClientSession): void {
    const status = this.#number.parse(this.#context.tokens);
    if (this.#number.noreply) return;
    if (status === RequestStatus.ok) this.#context.answer(session.client, 'OK\r\n');
    else this.#context.refuse(session.client, STATUS_TEXTS[status]!);
  }

  #flushAll(session: ClientSession): boolean {
    const context = this.#context;
    const request = this.#flush;
    const status = request.parse(context.tokens);
    if (status !== RequestStatus.ok) {
      if (!request.noreply) context.refuse(session.client, STATUS_TEXTS[status]!);
      return true;
    }
    if (!context.options.flushEnabled) {
      if (!request.noreply) context.answer(session.client, 'CLIENT_ERROR flush_all not allowed\r\n');
      return true;
    }
    if (!context.mayRoute(session.client, true)) return false;
    const bits = PENDING_WRITE | (request.noreply ? PENDING_SILENT : 0);
    context.options.general.flushAll(session.client, request.delaySeconds, bits);
    return true;
  }
}
