/**
 * A destination that is a server: see `destination.ts` for what it promises.
 *
 * ```
 *   route, submit, forward ─▶ TKO? full? ─no─▶ the pipeline with the fewest outstanding ─▶ link
 *                               └─yes─▶ refused at once
 *   Health ◀── replies, time-outs, broken connections ── pipelines
 *      └── probe: a new pipeline that asks for the version; answered, it is the first one in use
 * ```
 */
import { ReplyShape } from '@larder/protocol';
import type { Clock, Random } from '../clock.ts';
import { RoutingError } from '../errors.ts';
import { LINK_QUEUED_BYTES_HIGH } from '../limits.ts';
import { Reply, Result } from '../reply.ts';
import { Operation, type Request } from '../request.ts';
import { type Address, formatAddress } from './address.ts';
import { DatagramExchange, type DatagramOwner, type DatagramTotals } from './datagram-exchange.ts';
import { DatagramGets } from './datagram-gets.ts';
import {
  type Destination,
  DestinationState,
  type DestinationStatistics,
  type ForwardSink,
  type LeaseIssuer,
  type ReplySink,
} from './destination.ts';
import { type DestinationOptions, Dialect, timeoutOf, timeoutOfShape } from './destination-options.ts';
import { Health } from './health.ts';
import type { LinkFactory } from './link.ts';
import { Pipeline, type PipelineOwner } from './pipeline.ts';
import type { Expiring, Ticker } from './ticker.ts';
import { needsDialect } from './write-request.ts';

/** What a destination is run with. */
export interface DestinationEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  readonly ticker: Ticker;
  readonly links: LinkFactory;
  readonly datagrams: DatagramTotals;
}

/** A request that cannot be sent before the server's kind is known. */
interface Undecided {
  readonly request: Request;
  readonly resolve: ((reply: Reply) => void) | undefined;
  readonly sink: ReplySink | undefined;
  readonly tag: number;
  readonly deadline: number;
}

const LETTER_G = 0x67;
const LETTER_E = 0x65;
const MALFORMED = 'the key or the flags cannot be sent';

export class ServerDestination implements Destination, PipelineOwner, DatagramOwner, Expiring {
  readonly key: string;
  readonly label: string;
  readonly name: string;
  readonly children: readonly [] = [];
  readonly address: Address;
  readonly options: DestinationOptions;
  readonly statistics: DestinationStatistics = {
    requests: 0,
    failures: 0,
    timeouts: 0,
    refused: 0,
    connects: 0,
    connectFailures: 0,
    tkos: 0,
    probes: 0,
    malformed: 0,
    datagrams: 0,
    datagramsLost: 0,
    outstanding: 0,
    bytesRead: 0,
    bytesWritten: 0,
    latencyMs: 0,
  };
  readonly timeoutsOfShapes: readonly number[];
  dialect: Dialect;
  life: number = 0;
  readonly #environment: DestinationEnvironment;
  readonly #health: Health;
  readonly #listeners: Set<(state: DestinationState, destination: Destination) => void> = new Set();
  /** Gets over UDP, where there is a port for them: lines of bytes, and objects that become such lines. */
  readonly #exchange: DatagramExchange | undefined;
  readonly #datagrams: DatagramGets | undefined;
  #pipelines: Pipeline[] = [];
  #undecided: Undecided[] = [];

  constructor(
    key: string,
    address: Address,
    options: DestinationOptions,
    environment: DestinationEnvironment,
  ) {
    this.key = key;
    this.label = formatAddress(address);
    this.name = `host|${this.label}`;
    this.address = address;
    this.options = options;
    this.dialect = options.dialect;
    this.#environment = environment;
    this.timeoutsOfShapes = Object.values(ReplyShape).map((shape) => timeoutOfShape(options, shape));
    const timeouts = (options.timeoutsMs ?? []).filter((each) => each > 0);
    if (options.udpTimeoutMs > 0) timeouts.push(options.udpTimeoutMs);
    environment.ticker.prepare(Math.min(options.timeoutMs, options.connectTimeoutMs, ...timeouts));
    this.#health = new Health(
      environment.clock,
      environment.random,
      options,
      () => this.#sendProbe(),
      (state) => this.#stateChanged(state),
    );
    this.#exchange = this.#openExchange();
    if (this.#exchange !== undefined) {
      this.#datagrams = new DatagramGets(this.#exchange, this, ({ request, resolve, sink, tag }) =>
        this.#dispatch(request, resolve, sink, tag),
      );
    }
  }

  get state(): DestinationState {
    return this.#health.state;
  }

  get destination(): Destination {
    return this;
  }

  get isUp(): boolean {
    const { state } = this.#health;
    return state === DestinationState.up || state === DestinationState.new;
  }

  get lastError(): Error | undefined {
    return this.#health.lastError;
  }

  route(request: Request): Promise<Reply> {
    return new Promise((resolve) => this.#send(request, resolve, undefined, 0));
  }

  direct(): Destination {
    return this;
  }

  submit(request: Request, sink: ReplySink, tag: number): void {
    this.#send(request, undefined, sink, tag);
  }

  forward(
    bytes: Buffer,
    start: number,
    end: number,
    shape: ReplyShape,
    sink: ForwardSink,
    tag: number,
    timeoutMs: number = 0,
  ): Result | undefined {
    const refusal = this.#refusal();
    if (refusal !== undefined) return refusal;
    if (this.#exchange !== undefined && this.#isForDatagrams(bytes, start, shape)) {
      if (this.#exchange.send(bytes, start, end, 1, sink, tag)) {
        this.statistics.requests++;
        return undefined;
      }
    }
    const pipeline = this.#pipeline();
    if (pipeline.queuedBytes > LINK_QUEUED_BYTES_HIGH) return this.#refuse(Result.busy);
    this.statistics.requests++;
    pipeline.forward(bytes, start, end, shape, sink, tag, timeoutMs);
    return undefined;
  }

  onState(listener: (state: DestinationState, destination: Destination) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends all connections; whatever waits is answered with `shutdown`. */
  close(): void {
    this.#health.close();
    this.#environment.ticker.forget(this);
    this.#datagrams?.close(Result.shutdown);
    this.#exchange?.close(Result.shutdown);
    this.#closePipelines(Result.shutdown);
    this.#failUndecided(Result.shutdown, 'shut down');
  }

  // What gets over UDP ask for.

  forwardByStream(bytes: Buffer, start: number, end: number, sink: ForwardSink, tag: number): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) sink.onFailure(tag, refusal);
    else this.#pipeline().forward(bytes, start, end, ReplyShape.values, sink, tag, 0);
  }

  askByStream(request: Request, resolve: (reply: Reply) => void): void {
    this.#dispatch(request, resolve, undefined, 0);
  }

  // What the pipelines report.

  tickerNow(): number {
    return this.#environment.ticker.now;
  }

  clockNow(): number {
    return this.#environment.clock.now();
  }

  watch(pipeline: Pipeline): void {
    this.#environment.ticker.watch(pipeline);
  }

  onOpen(): void {
    this.statistics.connects++;
  }

  onVersion(_pipeline: Pipeline, version: string): void {
    if (this.options.dialect !== Dialect.auto) return;
    this.dialect = /larder/i.test(version) ? Dialect.larder : Dialect.memcached;
    if (this.#undecided.length === 0) return;
    const undecided = this.#undecided;
    this.#undecided = [];
    for (const { request, resolve, sink, tag } of undecided) this.#dispatch(request, resolve, sink, tag);
  }

  onSuccess(): void {
    this.#health.success();
  }

  onTimeout(pipeline: Pipeline): void {
    if (this.state === DestinationState.tko) {
      pipeline.fail(new RoutingError('ETIMEDOUT', 'the probe was not answered'), Result.tko);
      return;
    }
    this.#health.softFailure(new RoutingError('ETIMEDOUT', `no reply in ${this.options.timeoutMs} ms`));
  }

  onClosed(pipeline: Pipeline, error: Error | undefined, lost: number): void {
    this.#pipelines = this.#pipelines.filter((each) => each !== pipeline);
    this.#environment.ticker.forget(pipeline);
    if (pipeline.isOpen) this.life++;
    if (error === undefined) return;
    if (this.#pipelines.length === 0 && this.#undecided.length > 0) {
      this.#failUndecided(pipeline.isOpen ? Result.aborted : Result.connectError, error.message);
    }
    if (pipeline.isOpen) {
      this.#connectionLost(error, lost);
      return;
    }
    this.statistics.connectFailures++;
    const isTimeout = 'code' in error && error.code === 'ETIMEDOUT';
    if (isTimeout && this.state !== DestinationState.tko) this.#health.softFailure(error);
    else this.#health.hardFailure(error);
  }

  /** Fails what has waited too long for the server's kind. */
  expire(now: number): boolean {
    const expired = this.#undecided.filter(({ deadline }) => deadline <= now);
    if (expired.length > 0) {
      this.#undecided = this.#undecided.filter(({ deadline }) => deadline > now);
      this.statistics.timeouts += expired.length;
      this.statistics.failures += expired.length;
      for (const { resolve, sink, tag } of expired) {
        deliver(resolve, sink, tag, this.#failure(Result.timeout, 'no reply in time'));
      }
    }
    return this.#undecided.length > 0;
  }

  /** An established connection broke: a probe's means that it failed, a server that went away will be found out. */
  #connectionLost(error: Error, lost: number): void {
    if (this.state === DestinationState.tko) this.#health.hardFailure(error);
    // Servers close idle connections; that is no failure.
    else if (lost > 0) this.#health.softFailure(error);
  }

  #send(
    request: Request,
    resolve: ((reply: Reply) => void) | undefined,
    sink: ReplySink | undefined,
    tag: number,
  ): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      deliverLater(resolve, sink, tag, this.#failure(refusal, this.#refusalText(refusal)));
      return;
    }
    // After the refusal, so that a failover goes on from a dead server to the gutter that gave the token.
    if (request.issuer !== undefined && !this.#hasIssued(request.issuer)) {
      const isLeaseSet = request.operation === Operation.leaseSet;
      deliverLater(resolve, sink, tag, this.#failure(isLeaseSet ? Result.notStored : Result.exists, ''));
      return;
    }
    this.statistics.requests++;
    const datagrams = this.#datagrams;
    if (datagrams?.accepts(request)) datagrams.send({ request, resolve, sink, tag });
    else this.#dispatch(request, resolve, sink, tag);
  }

  /** Whether a token is of this server, which has not been restarted since. */
  #hasIssued(issuer: LeaseIssuer): boolean {
    return issuer.destination === this && issuer.life === this.life;
  }

  /** Neither a Unix socket nor an encrypted connection has a datagram port beside it. */
  #openExchange(): DatagramExchange | undefined {
    const { address, options } = this;
    const { udpPort, udpTimeoutMs, tls } = options;
    if (udpPort === 0 || address.kind !== 'tcp' || tls !== undefined) return undefined;
    const { ticker, clock, random, datagrams: totals } = this.#environment;
    return new DatagramExchange({
      host: address.host,
      port: udpPort === 'same' ? address.port : udpPort,
      timeoutMs: udpTimeoutMs > 0 ? udpTimeoutMs : timeoutOf(options, Operation.get),
      owner: this,
      totals,
      ticker,
      clockNow: () => clock.now(),
      random,
    });
  }

  /** get and gets; a gat changes something, so it has to arrive. */
  #isForDatagrams(bytes: Buffer, start: number, shape: ReplyShape): boolean {
    if (shape !== ReplyShape.values || this.#environment.links.isOnEventLoop !== true) return false;
    return bytes[start] === LETTER_G && bytes[start + 1] === LETTER_E;
  }

  #dispatch(
    request: Request,
    resolve: ((reply: Reply) => void) | undefined,
    sink: ReplySink | undefined,
    tag: number,
  ): void {
    const pipeline = this.#pipeline();
    if (pipeline.queuedBytes > LINK_QUEUED_BYTES_HIGH) {
      const refusal = this.#refuse(Result.busy);
      deliverLater(resolve, sink, tag, this.#failure(refusal, this.#refusalText(refusal)));
      return;
    }
    if (this.dialect === Dialect.auto && needsDialect(request)) {
      const timeoutMs =
        request.timeoutMs > 0 ? request.timeoutMs : timeoutOf(this.options, request.operation);
      this.#undecided.push({ request, resolve, sink, tag, deadline: this.tickerNow() + timeoutMs });
      this.#environment.ticker.watch(this);
      return;
    }
    if (!pipeline.send(request, resolve, sink, tag)) {
      this.statistics.failures++;
      deliverLater(resolve, sink, tag, this.#failure(Result.clientError, MALFORMED));
    }
  }

  /** Why no request is taken now, or undefined. */
  #refusal(): Result | undefined {
    const { state } = this.#health;
    if (state === DestinationState.tko) return this.#refuse(Result.tko);
    if (state === DestinationState.closed) return this.#refuse(Result.shutdown);
    return this.statistics.outstanding >= this.options.outstandingMax ? this.#refuse(Result.busy) : undefined;
  }

  #refuse(result: Result): Result {
    this.statistics.refused++;
    return result;
  }

  #refusalText(refusal: Result): string {
    if (refusal === Result.tko) return `${this.label} is given up for now: ${this.lastError?.message ?? ''}`;
    if (refusal === Result.shutdown) return `${this.label} is closed`;
    return `${this.label} has ${this.statistics.outstanding} requests outstanding, or too many bytes unsent`;
  }

  #failure(result: Result, text: string): Reply {
    return Reply.of(result, text, this);
  }

  /** The connection to use: the one with the fewest outstanding, or a new one while there may be more. */
  #pipeline(): Pipeline {
    let best = this.#pipelines[0];
    if (best !== undefined && this.options.connections === 1) return best;
    for (const pipeline of this.#pipelines) {
      if (pipeline.outstanding < best!.outstanding) best = pipeline;
    }
    if (
      best !== undefined &&
      (best.outstanding === 0 || this.#pipelines.length >= this.options.connections)
    ) {
      return best;
    }
    return this.#open();
  }

  #open(): Pipeline {
    const pipeline = new Pipeline(this);
    this.#pipelines.push(pipeline);
    const { tls, keepAliveMs } = this.options;
    pipeline.start(this.#environment.links.open(this.address, { tls, keepAliveMs }, pipeline));
    return pipeline;
  }

  #sendProbe(): void {
    if (this.state !== DestinationState.tko) return;
    this.statistics.probes++;
    this.#closePipelines(Result.tko);
    const pipeline = this.#open();
    // With dialect `auto` every connection begins with the question for the version.
    if (this.options.dialect !== Dialect.auto) pipeline.askVersion();
  }

  #stateChanged(state: DestinationState): void {
    if (state === DestinationState.tko) {
      this.statistics.tkos++;
      this.#closePipelines(Result.tko);
      this.#failUndecided(Result.tko, this.#refusalText(Result.tko));
    }
    for (const listener of this.#listeners) listener(state, this);
  }

  #closePipelines(result: Result): void {
    const pipelines = this.#pipelines;
    this.#pipelines = [];
    for (const pipeline of pipelines) pipeline.close(result);
  }

  #failUndecided(result: Result, text: string): void {
    const undecided = this.#undecided;
    this.#undecided = [];
    this.statistics.failures += undecided.length;
    for (const { resolve, sink, tag } of undecided) deliver(resolve, sink, tag, this.#failure(result, text));
  }
}

function deliver(
  resolve: ((reply: Reply) => void) | undefined,
  sink: ReplySink | undefined,
  tag: number,
  reply: Reply,
): void {
  if (resolve !== undefined) resolve(reply);
  else sink?.onReply(tag, reply);
}

/** Sinks are never called from within `submit`. */
function deliverLater(
  resolve: ((reply: Reply) => void) | undefined,
  sink: ReplySink | undefined,
  tag: number,
  reply: Reply,
): void {
  if (resolve !== undefined) resolve(reply);
  else queueMicrotask(() => sink?.onReply(tag, reply));
}
