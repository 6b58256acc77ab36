/**
 * Requests over UDP: sockets of Node's, as many requests in flight on each as asked for. A request that has no answer
 * in time is counted as lost, and another takes its place.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { FRAGMENT_HEADER_BYTES, Memory, type Message, Reassembler } from '@larder/wire';
import { EchoError } from '../errors.ts';
import { DATAGRAM_TIMEOUT_MS } from '../limits.ts';
import { fragmentsOf, putFragmentHeader } from '../server/fragments.ts';
import { InFlight } from './in-flight.ts';
import type { LoadMessages } from './messages.ts';
import type { Tally } from './tally.ts';

const TYPE = 1;
const LOOK_EVERY_MS = 50;
/** Replies wait here while a batch of them is looked at. */
const RECEIVE_QUEUE_BYTES = 4 * 1024 * 1024;
/** All of a connected socket's datagrams have one sender. */
const SOURCE = 0;

export class DatagramLoad {
  readonly failed: Promise<never>;
  readonly #fail: (error: EchoError) => void;
  readonly #messages: LoadMessages;
  readonly #tally: Tally;
  readonly #inFlight: number;
  readonly #target: string;
  readonly #lines: Line[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isSending = true;

  constructor(messages: LoadMessages, tally: Tally, inFlight: number, target: string) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.failed = promise;
    promise.catch(() => {});
    this.#fail = reject;
    this.#messages = messages;
    this.#tally = tally;
    this.#inFlight = inFlight;
    this.#target = target;
  }

  /** Opens sockets to a literal address and begins. */
  async open(host: string, port: number, sockets: number): Promise<void> {
    for (let index = 0; index < sockets; index++) {
      const socket = createSocket({
        type: isIPv6(host) ? 'udp6' : 'udp4',
        recvBufferSize: RECEIVE_QUEUE_BYTES,
      });
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject).connect(port, host, resolve);
      });
      socket.removeAllListeners('error');
      socket.on('error', (cause) => this.#refused(cause));
      this.#lines.push(this.#lineOver(socket));
    }
    for (const line of this.#lines) {
      for (let slot = 0; slot < this.#inFlight; slot++) this.#send(line, slot, performance.now());
    }
    this.#timer = setInterval(() => this.#giveUpLost(), LOOK_EVERY_MS);
  }

  #lineOver(socket: Socket): Line {
    const line = new Line(socket, new InFlight(this.#inFlight));
    const reassembler = new Reassembler<number>(
      (message, type, id) => this.#answered(line, message, type, id),
      { clock: () => performance.now() },
    );
    socket.on('message', (datagram) => {
      const start = datagram.byteOffset;
      reassembler.push(Memory.of(datagram), start, start + datagram.length, SOURCE);
    });
    return line;
  }

  #refused(cause: Error): void {
    const { code } = EchoError.from(cause);
    this.#fail(new EchoError(code, `${this.#target} takes no datagrams: ${code}`, { cause }));
  }

  get unanswered(): number {
    return this.#lines.reduce((count, { flight }) => count + flight.count, 0);
  }

  finish(): void {
    this.#isSending = false;
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { socket } of this.#lines) socket.close();
  }

  #answered(line: Line, message: Message, type: number, id: number): void {
    const nowMs = performance.now();
    const { flight } = line;
    const slot = flight.find(id);
    // An answer to what was given up is no wrong one.
    if (slot < 0) return;
    const isRight = type === TYPE && this.#messages.isEcho(flight.message(slot), message.toUint8Array());
    this.#tally.answer(isRight, message.bytes, nowMs - flight.sentMs(slot));
    flight.end(slot);
    this.#send(line, slot, nowMs);
  }

  #giveUpLost(): void {
    const nowMs = performance.now();
    for (const line of this.#lines) {
      for (let slot = 0; slot < line.flight.slots; slot++) {
        if (!line.flight.isBusy(slot) || nowMs - line.flight.sentMs(slot) < DATAGRAM_TIMEOUT_MS) continue;
        line.flight.end(slot);
        this.#tally.lose();
        this.#send(line, slot, nowMs);
      }
    }
  }

  #send({ socket, flight }: Line, slot: number, nowMs: number): void {
    if (!this.#isSending) return;
    const index = this.#messages.next();
    const bytes = this.#messages.encoded[index]!;
    const id = flight.begin(slot, index, nowMs);
    const parts = fragmentsOf(bytes);
    for (const [part, content] of parts.entries()) {
      const header = new Uint8Array(FRAGMENT_HEADER_BYTES);
      putFragmentHeader(new DataView(header.buffer), 0, id, TYPE, bytes.length, part, parts.length);
      socket.send([header, content], (error) => {
        // What else the system refuses is as good as lost on the way.
        if (error !== null && 'code' in error && error.code === 'ECONNREFUSED') this.#refused(error);
      });
    }
  }
}

/** A socket and its requests under way. */
class Line {
  readonly socket: Socket;
  readonly flight: InFlight;

  constructor(socket: Socket, flight: InFlight) {
    this.socket = socket;
    this.flight = flight;
  }
}
