/**
 * Which connections each worker has, in shared memory, so that any worker can answer `stats conns` for all of
 * them. The owner refreshes its rows once a second; a reader may see a row that is a second old.
 *
 * ```
 *   row   [generation, odd while it is being written][kind][opened s][last active s][address bytes][address ...]
 * ```
 *
 * A row in use has kind 1 or more; rows keep their place as long as the connection lives.
 */

/** The last rows of a table show listening sockets. */
export const LISTENER_ROWS: number = 16;

const GENERATION = 0;
const KIND = 1;
const ACTIVE = 2;
const ADDRESS_BYTES = 3;
const ADDRESS_WORD = 4;
const ADDRESS_BYTES_MAX = 112;
const ROW_WORDS = ADDRESS_WORD + ADDRESS_BYTES_MAX / 4;

export const ConnectionKind: {
  readonly none: 0;
  readonly tcp: 1;
  readonly unix: 2;
  readonly udp: 3;
  readonly listening: 4;
} = { none: 0, tcp: 1, unix: 2, udp: 3, listening: 4 };
export type ConnectionKind = (typeof ConnectionKind)[keyof typeof ConnectionKind];

const KIND_NAMES = ['', 'tcp', 'unix', 'udp', 'tcp'] as const;

export interface ConnectionRow {
  readonly kind: (typeof KIND_NAMES)[number];
  readonly isListening: boolean;
  readonly address: string;
  /** When it last sent something, in seconds of the server's clock. */
  readonly activeSeconds: number;
}

export class ConnectionTable {
  readonly rows: number;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  static bytes(rows: number): number {
    return rows * ROW_WORDS * 4;
  }

  constructor(buffer: SharedArrayBuffer, byteOffset: number, rows: number) {
    this.rows = rows;
    this.#words = new Int32Array(buffer, byteOffset, rows * ROW_WORDS);
    this.#bytes = new Uint8Array(buffer, byteOffset, rows * ROW_WORDS * 4);
  }

  /** Fills a row. Owner only. */
  open(row: number, kind: ConnectionKind, address: string, activeSeconds: number): void {
    const word = row * ROW_WORDS;
    const length = Math.min(address.length, ADDRESS_BYTES_MAX);
    this.#beginWrite(word);
    this.#words[word + KIND] = kind;
    this.#words[word + ACTIVE] = activeSeconds;
    this.#words[word + ADDRESS_BYTES] = length;
    for (let index = 0; index < length; index++) {
      this.#bytes[(word + ADDRESS_WORD) * 4 + index] = address.charCodeAt(index);
    }
    this.#endWrite(word);
  }

  /** Owner only. */
  touch(row: number, activeSeconds: number): void {
    Atomics.store(this.#words, row * ROW_WORDS + ACTIVE, activeSeconds);
  }

  /** Owner only. */
  close(row: number): void {
    const word = row * ROW_WORDS;
    if (this.#words[word + KIND] === ConnectionKind.none) return;
    this.#beginWrite(word);
    this.#words[word + KIND] = ConnectionKind.none;
    this.#endWrite(word);
  }

  /** The row, or undefined when it is not in use or was being replaced while it was read. */
  read(row: number): ConnectionRow | undefined {
    const word = row * ROW_WORDS;
    const words = this.#words;
    const generation = Atomics.load(words, word + GENERATION);
    const kind = words[word + KIND]!;
    if ((generation & 1) === 1 || kind === ConnectionKind.none) return undefined;
    const start = (word + ADDRESS_WORD) * 4;
    const length = Math.min(words[word + ADDRESS_BYTES]!, ADDRESS_BYTES_MAX);
    const address = Buffer.from(this.#bytes.slice(start, start + length)).toString('latin1');
    const activeSeconds = words[word + ACTIVE]!;
    if (Atomics.load(words, word + GENERATION) !== generation) return undefined;
    return {
      kind: KIND_NAMES[kind] ?? 'tcp',
      isListening: kind === ConnectionKind.listening,
      address,
      activeSeconds,
    };
  }

  #beginWrite(word: number): void {
    Atomics.add(this.#words, word + GENERATION, 1);
  }

  #endWrite(word: number): void {
    Atomics.add(this.#words, word + GENERATION, 1);
  }
}
