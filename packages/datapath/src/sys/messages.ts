/**
 * The structures of sendmsg, recvmmsg and sendmmsg, written into memory that the kernel can be given.
 *
 * ```
 *   iovec     [u64 address][u64 bytes]                                                            16 bytes
 *   msghdr    [u64 name][u32 name bytes][-][u64 iovecs][u64 count][u64 control][u64 bytes][u32 flags][-]  56
 *   mmsghdr   [msghdr][u32 bytes received or sent][-]                                               64 bytes
 *   cmsghdr   [u64 bytes with the header][u32 level][u32 type][u16 segment bytes][-]                24 bytes
 * ```
 * All functions take an Int32Array over that memory and the index of a structure's first word.
 */

export const IOVEC_BYTES: number = 16;
export const IOVEC_WORDS: number = 4;
export const MESSAGE_HEADER_BYTES: number = 56;
export const MESSAGE_HEADER_WORDS: number = 14;
/** Of one `mmsghdr`. */
export const BATCH_HEADER_BYTES: number = 64;
export const BATCH_HEADER_WORDS: number = 16;

const NAME_BYTES_WORD = 2;
const IOVECS_WORD = 4;
const IOVEC_COUNT_WORD = 6;
const CONTROL_WORD = 8;
const FLAGS_WORD = 12;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
/** A control message that says into datagrams of which length a message is to be cut. */
export const SEGMENT_CONTROL_BYTES: number = 24;
/** Where the kernel puts the length of each message of a batch. */
export const BATCH_LENGTH_WORD: number = 14;

/** `MSG_TRUNC` in the flags of a received message: it was longer than the buffer. */
export const MSG_TRUNC: number = 0x20;

/** Writes a 64-bit address (or length) below 2^53. */
export function putAddress(words: Int32Array, index: number, address: number): void {
  const low = address >>> 0;
  words[index] = low;
  words[index + 1] = (address - low) / 4_294_967_296;
}

export function putIovec(words: Int32Array, index: number, address: number, bytes: number): void {
  putAddress(words, index, address);
  putAddress(words, index + 2, bytes);
}

/** A header for `count` iovecs at an address, with the socket address of a datagram or none (0, 0). */
export function putMessageHeader(
  words: Int32Array,
  index: number,
  iovecs: number,
  count: number,
  name: number,
  nameBytes: number,
): void {
  putAddress(words, index, name);
  words[index + NAME_BYTES_WORD] = nameBytes;
  words[index + 3] = 0;
  putAddress(words, index + IOVECS_WORD, iovecs);
  words[index + IOVEC_COUNT_WORD] = count;
  for (let word = IOVEC_COUNT_WORD + 1; word < MESSAGE_HEADER_WORDS; word++) words[index + word] = 0;
}

/** Writes that control message. */
export function putSegmentControl(words: Int32Array, index: number, segmentBytes: number): void {
  putAddress(words, index, 18);
  words[index + 2] = SOL_UDP;
  words[index + 3] = UDP_SEGMENT;
  words[index + 4] = segmentBytes;
  words[index + 5] = 0;
}

/** Gives a header that was written a control message. */
export function setMessageControl(words: Int32Array, index: number, address: number, bytes: number): void {
  putAddress(words, index + CONTROL_WORD, address);
  putAddress(words, index + CONTROL_WORD + 2, bytes);
}

/** Bytes of the sender's address that the kernel wrote. */
export function messageNameBytes(words: Int32Array, index: number): number {
  return words[index + NAME_BYTES_WORD]!;
}

/** The kernel overwrites it with what it wrote; set it before every receive. */
export function setMessageNameBytes(words: Int32Array, index: number, bytes: number): void {
  words[index + NAME_BYTES_WORD] = bytes;
}

export function messageFlags(words: Int32Array, index: number): number {
  return words[index + FLAGS_WORD]!;
}
