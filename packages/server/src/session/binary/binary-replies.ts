/** Responses of the binary protocol. */
import type { Store } from '@larder/cache';
import type { Arena } from '@larder/datapath';
import { BINARY_HEADER_BYTES, type BinaryRequest, BinaryStatus, writeBinaryHeader } from '@larder/protocol';
import type { SessionOutput } from '../output.ts';

/** memcached's words, which clients show. */
const STATUS_WORDS: ReadonlyMap<number, string> = new Map<number, string>([
  [BinaryStatus.notFound, 'Not found'],
  [BinaryStatus.exists, 'Data exists for key.'],
  [BinaryStatus.tooLarge, 'Too large.'],
  [BinaryStatus.invalid, 'Invalid arguments'],
  [BinaryStatus.notStored, 'Not stored.'],
  [BinaryStatus.notNumeric, 'Non-numeric server-side value for incr or decr'],
  [BinaryStatus.unknownCommand, 'Unknown command'],
  [BinaryStatus.outOfMemory, 'Out of memory'],
]);

const FLAGS_BYTES = 4;
const NUMBER_BYTES = 8;

/** What every response repeats of its request. */
export type BinaryOrigin = Pick<BinaryRequest, 'opcode' | 'opaque'>;

export class BinaryReplies {
  readonly #view: DataView;
  readonly #u8: Uint8Array;
  readonly #store: Store;

  constructor(arena: Arena, store: Store) {
    this.#view = arena.view;
    this.#u8 = arena.u8;
    this.#store = store;
  }

  /** A header alone: done, with the CAS of what was stored or changed. */
  ok(output: SessionOutput, origin: BinaryOrigin, casLow: number, casHigh: number): void {
    const at = output.reserve(BINARY_HEADER_BYTES);
    if (at === 0) return;
    writeBinaryHeader(
      this.#view,
      at,
      origin.opcode,
      BinaryStatus.ok,
      0,
      0,
      0,
      origin.opaque,
      casLow,
      casHigh,
    );
    output.cursor = at + BINARY_HEADER_BYTES;
  }

  /** An error, with its words. */
  status(output: SessionOutput, origin: BinaryOrigin, status: BinaryStatus): void {
    this.text(output, origin, status, '', STATUS_WORDS.get(status) ?? '');
  }

  /** A key and a value that are text. */
  text(output: SessionOutput, origin: BinaryOrigin, status: BinaryStatus, key: string, value: string): void {
    const at = output.reserve(BINARY_HEADER_BYTES);
    if (at === 0) return;
    const { opcode, opaque } = origin;
    writeBinaryHeader(this.#view, at, opcode, status, 0, key.length, value.length, opaque, 0, 0);
    output.cursor = at + BINARY_HEADER_BYTES;
    if (key !== '' || value !== '') output.writeLatin1(key + value);
  }

  /** The number that an increment or decrement left. */
  number(output: SessionOutput, origin: BinaryOrigin, number: bigint, casLow: number, casHigh: number): void {
    const at = output.reserve(BINARY_HEADER_BYTES + NUMBER_BYTES);
    if (at === 0) return;
    const { opcode, opaque } = origin;
    writeBinaryHeader(this.#view, at, opcode, BinaryStatus.ok, 0, 0, NUMBER_BYTES, opaque, casLow, casHigh);
    this.#view.setBigUint64(at + BINARY_HEADER_BYTES, number);
    output.cursor = at + BINARY_HEADER_BYTES + NUMBER_BYTES;
  }

  /** A retained item: its flags, and its key and value as asked for. */
  item(
    output: SessionOutput,
    origin: BinaryOrigin,
    item: number,
    withKey: boolean,
    withValue: boolean,
  ): void {
    const store = this.#store;
    const keyBytes = withKey ? store.keyBytes(item) : 0;
    const at = output.reserve(BINARY_HEADER_BYTES + FLAGS_BYTES + keyBytes);
    if (at === 0) return;
    writeBinaryHeader(
      this.#view,
      at,
      origin.opcode,
      BinaryStatus.ok,
      FLAGS_BYTES,
      keyBytes,
      withValue ? store.valueBytes(item) : 0,
      origin.opaque,
      store.casLow(item),
      store.casHigh(item),
    );
    this.#view.setUint32(at + BINARY_HEADER_BYTES, store.clientFlags(item));
    const keyAt = at + BINARY_HEADER_BYTES + FLAGS_BYTES;
    if (withKey) this.#u8.copyWithin(keyAt, store.keyOffset(item), store.keyOffset(item) + keyBytes);
    output.cursor = keyAt + keyBytes;
    if (withValue) store.sendBareValue(item, output);
  }
}
