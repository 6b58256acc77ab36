/**
 * Datagrams in batches, for both Linux transports: one recvmmsg brings up to 64, one sendmmsg takes away all
 * replies to them. Replies of one length to one peer that follow each other (the last may be shorter) are a single
 * message of it, which the kernel cuts (UDP_SEGMENT): it goes through the network's layers once, for 2/5 of the time
 * or less. Where a route cannot do that, they are sent one by one.
 *
 * ```
 *   receiving   64 × [sender's address, 32 bytes]   64 × mmsghdr   64 × iovec ─▶ 64 × 64 KiB
 *   replies     n × mmsghdr   n × (iovec ─▶ copied bytes, iovecs ─▶ references); to the request's address
 *   groups      n × mmsghdr   n × control message; the iovecs are those of their replies
 * ```
 *
 * A buffer has room for the longest datagram; pages of it that no datagram reaches cost no memory.
 */
import { DatapathError } from '../errors.ts';
import {
  DATAGRAM_BATCH,
  DATAGRAM_BYTES_MAX,
  DATAGRAM_ENTRIES_MAX,
  DATAGRAM_RECEIVE_BYTES,
  DATAGRAM_REPLY_BATCH,
  DATAGRAM_REPLY_ENTRIES,
  DATAGRAM_SEGMENTS_MAX,
  SCATTER_GATHER_ENTRIES_MAX,
  SEND_BUFFER_BYTES,
} from '../limits.ts';
import type { Arena } from '../memory/arena.ts';
import { BUFFER_HEADER_BYTES } from '../memory/buffer-pool.ts';
import type { SlabAllocator } from '../memory/slab-allocator.ts';
import { Errno, systemError } from '../sys/errno.ts';
import { errno, type Libc, libc } from '../sys/libc.ts';
import * as messages from '../sys/messages.ts';
import { AF_INET } from '../sys/socket-address.ts';
import { MSG_DONTWAIT, MSG_NOSIGNAL } from '../sys/sockets.ts';
import type { DatagramReplies, DatagramSource, TransportHandler, TransportStatistics } from './transport.ts';

const ADDRESS_BYTES = 32;
const CHUNK_HEADER = BUFFER_HEADER_BYTES;
/** Memory of the structures: receiving, then replying. */
const RECEIVE_STRUCTURE_BYTES: number =
  DATAGRAM_BATCH * (ADDRESS_BYTES + messages.BATCH_HEADER_BYTES + messages.IOVEC_BYTES);
const REPLY_STRUCTURE_BYTES: number =
  DATAGRAM_REPLY_BATCH * messages.BATCH_HEADER_BYTES + DATAGRAM_REPLY_ENTRIES * messages.IOVEC_BYTES;
const GROUP_STRUCTURE_BYTES: number =
  DATAGRAM_REPLY_BATCH * (messages.BATCH_HEADER_BYTES + messages.SEGMENT_CONTROL_BYTES);

export class DatagramBatch<S> implements DatagramReplies, DatagramSource {
  readonly #arena: Arena;
  readonly #allocator: SlabAllocator;
  readonly #handler: TransportHandler<S>;
  readonly #statistics: TransportStatistics;
  readonly #libc: Libc;
  readonly #words: Int32Array;
  /** Chunks taken from the allocator. */
  readonly #chunks: number[] = [];
  readonly #addresses: number;
  readonly #headers: number;
  readonly #replyHeaders: number;
  readonly #replyIovecs: number;
  readonly #buffers: Float64Array = new Float64Array(DATAGRAM_BATCH);
  readonly #groupHeaders: number;
  readonly #groupControls: number;
  /** Of complete replies: their bytes, entries, and whose they are; and of groups, their replies. */
  readonly #replyBytes: Int32Array = new Int32Array(DATAGRAM_REPLY_BATCH);
  readonly #replyEntries: Int32Array = new Int32Array(DATAGRAM_REPLY_BATCH);
  readonly #replySources: Int32Array = new Int32Array(DATAGRAM_REPLY_BATCH);
  readonly #groupReplies: Int32Array = new Int32Array(DATAGRAM_REPLY_BATCH);
  /** Longer replies are not grouped: a route has refused to cut a message into them. */
  #segmentBytesMax = DATAGRAM_BYTES_MAX;
  readonly #replySpace: number;
  readonly #replySpaceBytes: number;
  #descriptor = -1;
  #localPort = 0;
  #current = 0;
  #replyCount = 0;
  #replyUsed = 0;
  /** Entries of complete replies, and the references and their bytes of the one begun last. */
  #entryCount = 0;
  #references = 0;
  #referencedBytes = 0;
  /** Owners of what was referenced; released when the batch is through. */
  readonly #owners: number[] = [];

  /** Throws `ENOMEM` when the allocator has no room for the buffers. */
  constructor(
    arena: Arena,
    allocator: SlabAllocator,
    handler: TransportHandler<S>,
    statistics: TransportStatistics,
  ) {
    this.#arena = arena;
    this.#allocator = allocator;
    this.#handler = handler;
    this.#statistics = statistics;
    this.#libc = libc();
    this.#words = arena.i32;
    this.#addresses = this.#take(RECEIVE_STRUCTURE_BYTES);
    this.#headers = this.#addresses + DATAGRAM_BATCH * ADDRESS_BYTES;
    this.#replyHeaders = this.#take(REPLY_STRUCTURE_BYTES);
    this.#replyIovecs = this.#replyHeaders + DATAGRAM_REPLY_BATCH * messages.BATCH_HEADER_BYTES;
    this.#groupHeaders = this.#take(GROUP_STRUCTURE_BYTES);
    this.#groupControls = this.#groupHeaders + DATAGRAM_REPLY_BATCH * messages.BATCH_HEADER_BYTES;
    this.#replySpaceBytes = Math.max(SEND_BUFFER_BYTES * 16, DATAGRAM_BYTES_MAX * 2);
    this.#replySpace = this.#take(this.#replySpaceBytes);
    this.#prepareReceiving();
  }

  get family(): number {
    return this.#arena.u8[this.#addresses + this.#current * ADDRESS_BYTES] === AF_INET ? 4 : 6;
  }

  get addressOffset(): number {
    return this.#addresses + this.#current * ADDRESS_BYTES + (this.family === 4 ? 4 : 8);
  }

  get port(): number {
    const offset = this.#addresses + this.#current * ADDRESS_BYTES + 2;
    return (this.#arena.u8[offset]! << 8) | this.#arena.u8[offset + 1]!;
  }

  get localPort(): number {
    return this.#localPort;
  }

  get localDescriptor(): number {
    return this.#descriptor;
  }

  /**
   * Receives one batch from a socket, gives it to the handler and sends the replies. Returns whether more
   * may be waiting.
   */
  receive(descriptor: number, localPort: number): boolean {
    this.#descriptor = descriptor;
    this.#localPort = localPort;
    this.#statistics.systemCalls++;
    const count = this.#libc.recvmmsg(
      descriptor,
      this.#arena.address + this.#headers,
      DATAGRAM_BATCH,
      MSG_DONTWAIT,
      0,
    );
    if (count < 0) return this.#receiveFailed(errno());
    this.#statistics.datagramsReceived += count;
    const words = this.#words;
    for (let index = 0; index < count; index++) {
      const header = this.#headers / 4 + index * messages.BATCH_HEADER_WORDS;
      const bytes = words[header + messages.BATCH_LENGTH_WORD]!;
      const isTruncated = (messages.messageFlags(words, header) & messages.MSG_TRUNC) !== 0;
      this.#current = index;
      if (isTruncated) this.#statistics.datagramsDropped++;
      else {
        this.#statistics.bytesRead += bytes;
        const start = this.#buffers[index]!;
        this.#handler.onDatagram?.(this, this, start, start + bytes);
      }
    }
    this.#sendReplies();
    for (let index = 0; index < count; index++) {
      const header = this.#headers / 4 + index * messages.BATCH_HEADER_WORDS;
      messages.setMessageNameBytes(words, header, ADDRESS_BYTES);
    }
    if (this.#owners.length > 0) this.#releaseOwners();
    return count === DATAGRAM_BATCH;
  }

  begin(bytes: number): number {
    if (bytes > DATAGRAM_BYTES_MAX) {
      throw new DatapathError('ARGUMENT', 'datagram', `${bytes} bytes is more than ${DATAGRAM_BYTES_MAX}`);
    }
    if (
      this.#replyUsed + bytes > this.#replySpaceBytes ||
      this.#replyCount === DATAGRAM_REPLY_BATCH ||
      this.#entryCount + DATAGRAM_ENTRIES_MAX > DATAGRAM_REPLY_ENTRIES
    ) {
      this.#sendReplies();
    }
    this.#references = 0;
    this.#referencedBytes = 0;
    return this.#replySpace + this.#replyUsed;
  }

  reference(offset: number, bytes: number, owner: number): void {
    // From here on the owner is this class's to release, also when the datagram cannot be.
    this.#owners.push(owner);
    const entry = this.#references + 1;
    this.#referencedBytes += bytes;
    if (entry >= DATAGRAM_ENTRIES_MAX || this.#referencedBytes > DATAGRAM_BYTES_MAX) {
      throw new DatapathError(
        'ARGUMENT',
        'datagram',
        `${entry} references with ${this.#referencedBytes} bytes are too much for one datagram`,
      );
    }
    const iovec = this.#replyIovecs + (this.#entryCount + entry) * messages.IOVEC_BYTES;
    messages.putIovec(this.#words, iovec / 4, this.#arena.address + offset, bytes);
    this.#references = entry;
  }

  end(bytes: number): void {
    if (bytes + this.#referencedBytes > DATAGRAM_BYTES_MAX) {
      const sum = bytes + this.#referencedBytes;
      throw new DatapathError('ARGUMENT', 'datagram', `${sum} bytes is more than ${DATAGRAM_BYTES_MAX}`);
    }
    const index = this.#replyCount++;
    const iovec = this.#replyIovecs + this.#entryCount * messages.IOVEC_BYTES;
    const header = this.#replyHeaders + index * messages.BATCH_HEADER_BYTES;
    const base = this.#arena.address;
    messages.putIovec(this.#words, iovec / 4, base + this.#replySpace + this.#replyUsed, bytes);
    const name = this.#addresses + this.#current * ADDRESS_BYTES;
    messages.putMessageHeader(
      this.#words,
      header / 4,
      base + iovec,
      1 + this.#references,
      base + name,
      this.#arena.u8[name] === AF_INET ? 16 : 28,
    );
    this.#replyBytes[index] = bytes + this.#referencedBytes;
    this.#replyEntries[index] = 1 + this.#references;
    this.#replySources[index] = this.#current;
    this.#entryCount += 1 + this.#references;
    this.#references = 0;
    this.#referencedBytes = 0;
    // The next reply starts on a word, so that copying to it is fast.
    this.#replyUsed += (bytes + 7) & ~7;
  }

  /** Gives the buffers back. */
  close(): void {
    for (const chunk of this.#chunks) this.#allocator.release(chunk);
    this.#chunks.length = 0;
  }

  #receiveFailed(value: number): boolean {
    if (value === Errno.EAGAIN) return false;
    // A peer's "port unreachable" is reported on the socket once; it concerns nobody else.
    if (value === Errno.ECONNREFUSED || value === Errno.EINTR) return true;
    throw systemError(value, 'recvmmsg', '');
  }

  /** Sends what was queued; what the kernel has no room for is dropped, as datagrams may be. */
  #sendReplies(): void {
    const count = this.#replyCount;
    let groups = 0;
    for (let first = 0; first < count; groups++) {
      const length = this.#groupFrom(first, count);
      this.#groupReplies[groups] = length;
      first += length;
    }
    if (groups === count) this.#sendEach(0, count);
    else this.#sendGroups(groups);
    this.#replyCount = 0;
    this.#replyUsed = 0;
    this.#entryCount = 0;
  }

  /** How many replies, from one on, can be a single message. */
  #groupFrom(first: number, count: number): number {
    const bytes = this.#replyBytes[first]!;
    if (bytes === 0 || bytes > this.#segmentBytesMax) return 1;
    const most = Math.min(DATAGRAM_SEGMENTS_MAX, Math.floor(DATAGRAM_BYTES_MAX / bytes));
    const last = Math.min(count, first + most);
    let entries = this.#replyEntries[first]!;
    for (let next = first + 1; next < last; next++) {
      const nextBytes = this.#replyBytes[next]!;
      entries += this.#replyEntries[next]!;
      const fits = nextBytes <= bytes && nextBytes > 0 && entries <= SCATTER_GATHER_ENTRIES_MAX;
      if (!fits || !this.#isSameSource(this.#replySources[first]!, this.#replySources[next]!)) {
        return next - first;
      }
      // A shorter one can only be the last.
      if (nextBytes < bytes) return next + 1 - first;
    }
    return last - first;
  }

  #isSameSource(one: number, other: number): boolean {
    if (one === other) return true;
    const words = this.#words;
    const first = (this.#addresses + one * ADDRESS_BYTES) / 4;
    const second = (this.#addresses + other * ADDRESS_BYTES) / 4;
    const isInternet = this.#arena.u8[first * 4] === AF_INET;
    for (let word = 0; word < (isInternet ? 4 : 7); word++) {
      if (words[first + word] !== words[second + word]) return false;
    }
    return true;
  }

  #sendGroups(groups: number): void {
    const base = this.#arena.address;
    let entry = 0;
    let first = 0;
    for (let group = 0; group < groups; group++) {
      const last = first + this.#groupReplies[group]!;
      const header = (this.#groupHeaders + group * messages.BATCH_HEADER_BYTES) / 4;
      const name = this.#addresses + this.#replySources[first]! * ADDRESS_BYTES;
      const iovecs = base + this.#replyIovecs + entry * messages.IOVEC_BYTES;
      let entries = 0;
      for (let reply = first; reply < last; reply++) entries += this.#replyEntries[reply]!;
      const nameBytes = this.#arena.u8[name] === AF_INET ? 16 : 28;
      messages.putMessageHeader(this.#words, header, iovecs, entries, base + name, nameBytes);
      if (last - first > 1) {
        const control = this.#groupControls + group * messages.SEGMENT_CONTROL_BYTES;
        messages.putSegmentControl(this.#words, control / 4, this.#replyBytes[first]!);
        messages.setMessageControl(this.#words, header, base + control, messages.SEGMENT_CONTROL_BYTES);
      }
      entry += entries;
      first = last;
    }
    this.#sendMessages(groups);
  }

  #sendMessages(groups: number): void {
    let done = 0;
    let first = 0;
    while (done < groups) {
      const sent = this.#sendBatch(this.#groupHeaders, done, groups - done);
      for (const end = done + Math.max(sent, 0); done < end; done++) {
        const replies = this.#groupReplies[done]!;
        this.#count(this.#groupHeaders, done, replies);
        first += replies;
      }
      if (sent > 0) continue;
      // The first of them cannot be sent as it is; its replies may be when each is a message of its own.
      const value = errno();
      const replies = this.#groupReplies[done++]!;
      if (replies > 1 && (value === Errno.EINVAL || value === Errno.EMSGSIZE || value === Errno.EIO)) {
        this.#segmentBytesMax = this.#replyBytes[first]! - 1;
      }
      this.#sendEach(first, replies);
      first += replies;
    }
  }

  /** Sends replies, each as a message of its own. */
  #sendEach(first: number, count: number): void {
    const end = first + count;
    for (let done = first; done < end; ) {
      const sent = this.#sendBatch(this.#replyHeaders, done, end - done);
      if (sent > 0) {
        for (const next = done + sent; done < next; done++) this.#count(this.#replyHeaders, done, 1);
      } else {
        // The first of them cannot be sent: too long for the network, refused, or no room. The others may.
        this.#statistics.datagramsDropped++;
        done++;
      }
    }
  }

  #sendBatch(headers: number, first: number, count: number): number {
    this.#statistics.systemCalls++;
    const address = this.#arena.address + headers + first * messages.BATCH_HEADER_BYTES;
    return this.#libc.sendmmsg(this.#descriptor, address, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  /** The kernel copied what it was given, so that nothing is read any more. */
  #releaseOwners(): void {
    const owners = this.#owners;
    for (let index = 0; index < owners.length; index++) this.#handler.onRelease(owners[index]!);
    owners.length = 0;
  }

  #count(headers: number, index: number, replies: number): void {
    const header = headers / 4 + index * messages.BATCH_HEADER_WORDS;
    this.#statistics.datagramsSent += replies;
    this.#statistics.bytesWritten += this.#words[header + messages.BATCH_LENGTH_WORD]!;
  }

  #prepareReceiving(): void {
    const base = this.#arena.address;
    const iovecs = this.#headers + DATAGRAM_BATCH * messages.BATCH_HEADER_BYTES;
    for (let index = 0; index < DATAGRAM_BATCH; index++) {
      this.#buffers[index] = this.#take(DATAGRAM_RECEIVE_BYTES);
      const iovec = iovecs + index * messages.IOVEC_BYTES;
      messages.putIovec(this.#words, iovec / 4, base + this.#buffers[index]!, DATAGRAM_RECEIVE_BYTES);
      messages.putMessageHeader(
        this.#words,
        (this.#headers + index * messages.BATCH_HEADER_BYTES) / 4,
        base + iovec,
        1,
        base + this.#addresses + index * ADDRESS_BYTES,
        ADDRESS_BYTES,
      );
    }
  }

  #take(bytes: number): number {
    const chunk = this.#allocator.allocate(this.#allocator.classFor(bytes + CHUNK_HEADER));
    if (chunk === 0) {
      this.close();
      throw new DatapathError('ENOMEM', 'datagram buffers', `no memory for ${bytes} bytes`);
    }
    this.#chunks.push(chunk);
    return chunk + CHUNK_HEADER;
  }
}
