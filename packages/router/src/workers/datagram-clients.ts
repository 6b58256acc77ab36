/**
 * Clients that ask by UDP, at any of the addresses. Each datagram is a client of its own: its requests are run, its replies gathered, and
 * when the last of them is there they go back in as many datagrams as they need, up to a limit.
 *
 * Senders that are not allowed get no answer at all, and neither does what is no frame: answering would make this
 * router an amplifier for forged addresses.
 */
import type { RemoteInfo } from 'node:dgram';
import type { DatagramSource } from '@larder/datapath';
import { isAddressAllowed, type Network } from '@larder/host';
import {
  DATAGRAM_HEADER_BYTES,
  DATAGRAM_PAYLOAD_BYTES,
  FrameHeader,
  writeFrameHeader,
} from '@larder/protocol';
import type { ChunkChains } from '../forwarding/chunk-chain.ts';
import { Client } from '../forwarding/client.ts';
import type { PeerOutput } from '../forwarding/peer-output.ts';
import { UDP_PENDING_MAX } from '../limits.ts';
import { ClientSession } from '../session/client-session.ts';
import { DATAGRAM_SCRATCH_BYTES, type SessionContext } from '../session/context.ts';
import type { RequestLoop } from '../session/request-loop.ts';
import {
  UDP_DROPPED,
  UDP_MALFORMED,
  UDP_REFUSED,
  UDP_REQUESTS,
  UDP_TOO_LARGE,
} from '../statistics/counters.ts';
import type { DatagramSender, SocketAddress } from './datagram-sender.ts';

/** Room for an address in front of a datagram. */
const SOURCE_BYTES = 16;
const TOO_LARGE: Buffer = Buffer.from('SERVER_ERROR reply too large for UDP\r\n', 'latin1');
const MULTI_PACKET: Buffer = Buffer.from('SERVER_ERROR multi-packet request not supported\r\n', 'latin1');

export interface DatagramOptions {
  readonly context: SessionContext;
  readonly loop: RequestLoop;
  readonly chains: ChunkChains;
  /** Whom to answer. */
  readonly networks: readonly Network[];
  /** The longest reply. */
  readonly datagramsMax: number;
}

export class DatagramClients {
  readonly #options: DatagramOptions;
  readonly #frame: FrameHeader;
  /** By the descriptor of their socket. */
  readonly #senders: Map<number, DatagramSender> = new Map();
  #pending = 0;

  constructor(options: DatagramOptions) {
    this.#options = options;
    this.#frame = new FrameHeader(options.context.arena);
  }

  /** A socket of the Linux transports, from which `sender` sends. */
  connect(descriptor: number, sender: DatagramSender): void {
    this.#senders.set(descriptor, sender);
  }

  /** Answers the datagram [start, end), now or later, from the socket that it came to. */
  onDatagram(source: DatagramSource, start: number, end: number): void {
    const sender = this.#senders.get(source.localDescriptor);
    if (sender !== undefined) this.#received(sender, source, start, end);
  }

  #received(
    sender: DatagramSender,
    source: Pick<DatagramSource, 'family' | 'addressOffset' | 'port'>,
    start: number,
    end: number,
  ): void {
    const { context, networks } = this.#options;
    const { counters, node } = context;
    const bytes = source.family === 4 ? 4 : 16;
    const address: SocketAddress = {
      family: source.family,
      bytes: Buffer.from(node.subarray(source.addressOffset, source.addressOffset + bytes)),
      port: source.port,
    };
    if (!isAddressAllowed(networks, node, source.addressOffset, source.family)) {
      counters[UDP_REFUSED]! += 1;
      return;
    }
    const frame = this.#frame;
    if (!frame.read(start, end)) {
      counters[UDP_MALFORMED]! += 1;
      return;
    }
    counters[UDP_REQUESTS]! += 1;
    if (!frame.whole) {
      counters[UDP_MALFORMED]! += 1;
      sendFramed(sender, address, frame.requestId, MULTI_PACKET);
      return;
    }
    if (this.#pending >= UDP_PENDING_MAX) {
      counters[UDP_DROPPED]! += 1;
      return;
    }
    this.#run(sender, address, frame.requestId, start + DATAGRAM_HEADER_BYTES, end);
  }

  /** A datagram of one of Node's own sockets, whose `sender` answers it. */
  onMessage(sender: DatagramSender, message: Buffer, from: RemoteInfo): void {
    const { context } = this.#options;
    const at = context.datagramOffset;
    if (message.length > DATAGRAM_SCRATCH_BYTES - SOURCE_BYTES) return;
    const isV6 = from.family === 'IPv6';
    context.u8.set(isV6 ? addressBytes(from.address) : Buffer.from(from.address.split('.').map(Number)), at);
    const start = at + SOURCE_BYTES;
    context.u8.set(message, start);
    const source = { family: isV6 ? 6 : 4, addressOffset: at, port: from.port };
    this.#received(sender, source, start, start + message.length);
  }

  /** The requests of one datagram; what is left when they have to wait for each other is kept. */
  #run(sender: DatagramSender, address: SocketAddress, requestId: number, start: number, end: number): void {
    const { context, loop, chains } = this.#options;
    const bytesMax = this.#options.datagramsMax * DATAGRAM_PAYLOAD_BYTES;
    const output = new GatheredOutput(context.arena.node, bytesMax, (owner) => chains.release(owner));
    let rest: Buffer | undefined;
    let at = 0;
    const client = new Client(
      output,
      chains,
      () => hostText(address.bytes),
      () => {
        if (rest === undefined || at >= rest.length || session.hasEnded) {
          this.#finish(address, requestId, output, sender);
          return;
        }
        client.isBlocked = false;
        // The arena has it no more: it is run from the scratch memory for datagrams.
        const { datagramOffset } = context;
        context.u8.set(rest.subarray(at), datagramOffset);
        this.#step(session, loop, datagramOffset, datagramOffset + rest.length - at, (consumed) => {
          at += consumed;
          if (!client.isBlocked) at = rest!.length;
        });
      },
    );
    const session = new ClientSession(client, true);
    this.#pending++;
    this.#step(session, loop, start, end, (consumed) => {
      if (client.isBlocked) rest = Buffer.from(context.node.subarray(start + consumed, end));
      else if (start + consumed < end || session.swallowBytes > 0 || session.collecting !== undefined) {
        context.counters[UDP_MALFORMED]! += 1;
      }
    });
  }

  #step(
    session: ClientSession,
    loop: RequestLoop,
    start: number,
    end: number,
    onRun: (consumed: number) => void,
  ): void {
    const { client } = session;
    onRun(loop.run(session, start, end) - start);
    client.isEnding = true;
    if (client.pending === 0) client.drained();
  }

  #finish(address: SocketAddress, requestId: number, output: GatheredOutput, sender: DatagramSender): void {
    this.#pending--;
    if (output.bytes === 0) return;
    if (output.bytes > output.bytesMax) {
      this.#options.context.counters[UDP_TOO_LARGE]! += 1;
      sendFramed(sender, address, requestId, TOO_LARGE);
      return;
    }
    sendFramed(sender, address, requestId, output.take());
  }
}

/** Cuts a reply into datagrams. */
function sendFramed(sender: DatagramSender, address: SocketAddress, requestId: number, reply: Buffer): void {
  const total = Math.ceil(reply.length / DATAGRAM_PAYLOAD_BYTES);
  for (let sequence = 0; sequence < total; sequence++) {
    const payload = reply.subarray(
      sequence * DATAGRAM_PAYLOAD_BYTES,
      Math.min(reply.length, (sequence + 1) * DATAGRAM_PAYLOAD_BYTES),
    );
    const datagram = Buffer.allocUnsafe(DATAGRAM_HEADER_BYTES + payload.length);
    const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
    writeFrameHeader(view, 0, requestId, sequence, total);
    datagram.set(payload, DATAGRAM_HEADER_BYTES);
    sender.send(address, datagram);
  }
}

/** The bytes of an IPv6 address as it is written. */
function addressBytes(text: string): Buffer {
  const [head = '', tail = ''] = text.replace(/%.*$/, '').split('::', 2);
  const groups = (part: string): number[] =>
    part
      .split(':')
      .filter((group) => group !== '')
      .flatMap((group) =>
        group.includes('.')
          ? group.split('.').map(Number)
          : [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff],
      );
  const first = groups(head);
  const last = groups(tail);
  const zeros = new Array<number>(Math.max(0, 16 - first.length - last.length)).fill(0);
  return Buffer.from([...first, ...zeros, ...last].slice(0, 16));
}

/** An address as text. */
function hostText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2) groups.push(bytes.readUInt16BE(index).toString(16));
  return groups.join(':');
}

/** Gathers the replies to one datagram; what is longer than may be sent is counted and not kept. */
class GatheredOutput implements PeerOutput {
  readonly isCongested: boolean = false;
  bytes = 0;
  readonly bytesMax: number;
  readonly #node: Buffer;
  readonly #release: (owner: number) => void;
  #parts: Buffer[] = [];

  constructor(node: Buffer, bytesMax: number, release: (owner: number) => void) {
    this.bytesMax = bytesMax;
    this.#node = node;
    this.#release = release;
  }

  owe(): void {
    // There is no connection that could end.
  }

  copy(offset: number, bytes: number): void {
    this.writeBytes(this.#node.subarray(offset, offset + bytes));
  }

  reference(offset: number, bytes: number, owner: number): void {
    this.copy(offset, bytes);
    this.#release(owner);
  }

  writeBytes(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    if (this.bytes <= this.bytesMax) this.#parts.push(Buffer.from(bytes));
  }

  writeLatin1(text: string): void {
    this.writeBytes(Buffer.from(text, 'latin1'));
  }

  take(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
