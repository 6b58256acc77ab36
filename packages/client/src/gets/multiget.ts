/** One multiget on its way to one server: its request, and what becomes of the reply. */
import { ReplyShape } from '@larder/protocol';
import type { Destination, ForwardSink, Result } from '@larder/routing';
import { type FlowWindow, WindowOutcome } from '../flow/window.ts';
import { windowOutcome } from '../send/trouble.ts';
import type { UdpGets } from '../udp/udp-gets.ts';
import type { GetSettler } from './get-settler.ts';
import type { PendingGet } from './pending-get.ts';
import { ReplyValues } from './reply-values.ts';

/** What Larder's server says instead of a reply of too many datagrams. */
const TOO_LARGE_FOR_UDP = 'SERVER_ERROR reply too large';
const reader: ReplyValues = new ReplyValues();

/** `get k1 k2 …\r\n`; notes where each key lies. */
export function composeMultiget(gets: readonly PendingGet[]): Buffer {
  let text = 'get';
  for (const get of gets) {
    get.start = text.length + 1;
    text += ` ${get.wireKey}`;
  }
  return Buffer.from(`${text}\r\n`, 'latin1');
}

export class Multiget implements ForwardSink {
  readonly #gets: readonly PendingGet[];
  readonly #request: Buffer;
  readonly #window: FlowWindow;
  readonly #settler: GetSettler;
  #mark: number = 0;
  #destination: Destination | undefined;
  #isDatagram: boolean = false;

  /** Room for the keys has been taken in the window. */
  constructor(gets: readonly PendingGet[], request: Buffer, window: FlowWindow, settler: GetSettler) {
    this.#gets = gets;
    this.#request = request;
    this.#window = window;
    this.#settler = settler;
  }

  /** Over UDP if that is given and possible, else over the connection. */
  send(destination: Destination, udp: UdpGets | undefined): void {
    this.#mark = this.#window.mark;
    this.#destination = destination;
    if (udp?.send(destination, this.#request, this) === true) this.#isDatagram = true;
    else this.#forward(destination);
  }

  onBytes(_tag: number, bytes: Buffer, start: number, end: number): void {
    if (
      this.#isDatagram &&
      bytes.toString('latin1', start, Math.min(end, start + TOO_LARGE_FOR_UDP.length)) === TOO_LARGE_FOR_UDP
    ) {
      this.#isDatagram = false;
      this.#forward(this.#destination!);
      return;
    }
    this.#window.leave(this.#gets.length, WindowOutcome.answered, this.#mark);
    reader.read(this.#gets, this.#request, bytes, start, end, this.#settler);
  }

  onFailure(_tag: number, result: Result): void {
    this.#window.leave(this.#gets.length, windowOutcome(result), this.#mark);
    this.#settler.onFailure(this.#gets, result, this.#destination?.label ?? '');
  }

  #forward(destination: Destination): void {
    const request = this.#request;
    const refused = destination.forward(request, 0, request.length, ReplyShape.values, this, 0);
    if (refused !== undefined) this.onFailure(0, refused);
  }
}
