/**
 * The header of memcached's binary protocol, the same for requests and responses; numbers are big-endian.
 *
 * ```
 *   byte 0      1       2           4              5          6                8        12      16
 *   [magic 0x80][opcode][key bytes ][extras bytes ][data type][vbucket, status][body   ][opaque][CAS, 8 bytes]
 *   body: [extras][key][value]
 * ```
 *
 * Upstream has deprecated the protocol; it is here because clients in wide use (memjs) speak nothing else.
 */
import type { Arena } from '@larder/datapath';

export const BINARY_HEADER_BYTES: number = 24;
export const BINARY_REQUEST_MAGIC: number = 0x80;
const BINARY_RESPONSE_MAGIC: number = 0x81;

export const BinaryOpcode = {
  get: 0x00,
  set: 0x01,
  add: 0x02,
  replace: 0x03,
  delete: 0x04,
  increment: 0x05,
  decrement: 0x06,
  quit: 0x07,
  flush: 0x08,
  getQuietly: 0x09,
  noop: 0x0a,
  version: 0x0b,
  getKey: 0x0c,
  getKeyQuietly: 0x0d,
  append: 0x0e,
  prepend: 0x0f,
  stat: 0x10,
  setQuietly: 0x11,
  addQuietly: 0x12,
  replaceQuietly: 0x13,
  deleteQuietly: 0x14,
  incrementQuietly: 0x15,
  decrementQuietly: 0x16,
  quitQuietly: 0x17,
  flushQuietly: 0x18,
  appendQuietly: 0x19,
  prependQuietly: 0x1a,
  verbosity: 0x1b,
  touch: 0x1c,
  getAndTouch: 0x1d,
  getAndTouchQuietly: 0x1e,
  getKeyAndTouch: 0x23,
  getKeyAndTouchQuietly: 0x24,
} as const;

export const BinaryStatus = {
  ok: 0x00,
  notFound: 0x01,
  exists: 0x02,
  tooLarge: 0x03,
  invalid: 0x04,
  notStored: 0x05,
  notNumeric: 0x06,
  unknownCommand: 0x81,
  outOfMemory: 0x82,
} as const;
export type BinaryStatus = (typeof BinaryStatus)[keyof typeof BinaryStatus];

/** A request's header and where its parts lie; one object reads many. */
export class BinaryRequest {
  opcode: number = 0;
  opaque: number = 0;
  casLow: number = 0;
  casHigh: number = 0;
  /** Offsets of the parts, and their lengths. */
  extrasOffset: number = 0;
  extrasBytes: number = 0;
  keyOffset: number = 0;
  keyBytes: number = 0;
  valueOffset: number = 0;
  valueBytes: number = 0;
  readonly #view: DataView;

  constructor(arena: Arena) {
    this.#view = arena.view;
  }

  /**
   * Reads the header at `at`, of which BINARY_HEADER_BYTES are there. False when it is none (another magic, or
   * parts that are longer than the body): what follows cannot be told apart any more.
   */
  read(at: number): boolean {
    const view = this.#view;
    const bodyBytes = view.getUint32(at + 8);
    this.opcode = view.getUint8(at + 1);
    this.keyBytes = view.getUint16(at + 2);
    this.extrasBytes = view.getUint8(at + 4);
    this.opaque = view.getUint32(at + 12);
    this.casHigh = view.getUint32(at + 16);
    this.casLow = view.getUint32(at + 20);
    this.extrasOffset = at + BINARY_HEADER_BYTES;
    this.keyOffset = this.extrasOffset + this.extrasBytes;
    this.valueOffset = this.keyOffset + this.keyBytes;
    this.valueBytes = bodyBytes - this.extrasBytes - this.keyBytes;
    return view.getUint8(at) === BINARY_REQUEST_MAGIC && this.valueBytes >= 0;
  }

  /** A u32 of the extras. */
  extra(index: number): number {
    return this.#view.getUint32(this.extrasOffset + index);
  }

  /** A u64 of the extras. */
  wideExtra(index: number): bigint {
    return this.#view.getBigUint64(this.extrasOffset + index);
  }
}

/** Writes a response's header. */
export function writeBinaryHeader(
  view: DataView,
  at: number,
  opcode: number,
  status: number,
  extrasBytes: number,
  keyBytes: number,
  valueBytes: number,
  opaque: number,
  casLow: number,
  casHigh: number,
): void {
  view.setUint16(at, (BINARY_RESPONSE_MAGIC << 8) | opcode);
  view.setUint16(at + 2, keyBytes);
  view.setUint16(at + 4, extrasBytes << 8);
  view.setUint16(at + 6, status);
  view.setUint32(at + 8, extrasBytes + keyBytes + valueBytes);
  view.setUint32(at + 12, opaque);
  view.setUint32(at + 16, casHigh);
  view.setUint32(at + 20, casLow);
}
