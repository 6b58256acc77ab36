/**
 * Which command a line holds: its first token, compared a word at a time.
 */
import type { Arena } from '@larder/datapath';
import { equalsAscii, wordOf } from '../bytes/ascii.ts';
import type { LineTokens } from '../bytes/tokens.ts';

export const Command: {
  readonly unknown: 0;
  readonly get: 1;
  readonly gets: 2;
  readonly gat: 3;
  readonly gats: 4;
  readonly set: 5;
  readonly add: 6;
  readonly replace: 7;
  readonly append: 8;
  readonly prepend: 9;
  readonly cas: 10;
  readonly delete: 11;
  readonly incr: 12;
  readonly decr: 13;
  readonly touch: 14;
  readonly leaseGet: 15;
  readonly leaseSet: 16;
  readonly metaGet: 17;
  readonly metaSet: 18;
  readonly metaDelete: 19;
  readonly metaArithmetic: 20;
  readonly metaNoop: 21;
  readonly metaDebug: 22;
  readonly flushAll: 23;
  readonly version: 24;
  readonly verbosity: 25;
  readonly quit: 26;
  readonly shutdown: 27;
  readonly stats: 28;
  readonly watch: 29;
  readonly lruCrawler: 30;
  readonly lru: 31;
  readonly slabs: 32;
  readonly memoryLimit: 33;
} = {
  unknown: 0,
  get: 1,
  gets: 2,
  gat: 3,
  gats: 4,
  set: 5,
  add: 6,
  replace: 7,
  append: 8,
  prepend: 9,
  cas: 10,
  delete: 11,
  incr: 12,
  decr: 13,
  touch: 14,
  leaseGet: 15,
  leaseSet: 16,
  metaGet: 17,
  metaSet: 18,
  metaDelete: 19,
  metaArithmetic: 20,
  metaNoop: 21,
  metaDebug: 22,
  flushAll: 23,
  version: 24,
  verbosity: 25,
  quit: 26,
  shutdown: 27,
  stats: 28,
  watch: 29,
  lruCrawler: 30,
  lru: 31,
  slabs: 32,
  memoryLimit: 33,
};
export type Command = (typeof Command)[keyof typeof Command];

/** The words as they stand on the line. `bget` is an ancient name of get that memcached still answers. */
const NAMES: readonly (readonly [string, Command])[] = [
  ['get', Command.get],
  ['bget', Command.get],
  ['gets', Command.gets],
  ['gat', Command.gat],
  ['gats', Command.gats],
  ['set', Command.set],
  ['add', Command.add],
  ['replace', Command.replace],
  ['append', Command.append],
  ['prepend', Command.prepend],
  ['cas', Command.cas],
  ['delete', Command.delete],
  ['incr', Command.incr],
  ['decr', Command.decr],
  ['touch', Command.touch],
  ['lease-get', Command.leaseGet],
  ['lease-set', Command.leaseSet],
  ['mg', Command.metaGet],
  ['ms', Command.metaSet],
  ['md', Command.metaDelete],
  ['ma', Command.metaArithmetic],
  ['mn', Command.metaNoop],
  ['me', Command.metaDebug],
  ['flush_all', Command.flushAll],
  ['version', Command.version],
  ['verbosity', Command.verbosity],
  ['quit', Command.quit],
  ['shutdown', Command.shutdown],
  ['stats', Command.stats],
  ['watch', Command.watch],
  ['lru_crawler', Command.lruCrawler],
  ['lru', Command.lru],
  ['slabs', Command.slabs],
  ['cache_memlimit', Command.memoryLimit],
];

/** Room in the table of (length, first word): a power of two well above the number of commands. */
const TABLE_SIZE = 256;

export class CommandTable {
  readonly #view: DataView;
  readonly #u8: Uint8Array;
  readonly #wordLast: number;
  /** By slot: length of the name (0: empty), its first word, the command, and its name for the last check. */
  readonly #lengths: Uint8Array = new Uint8Array(TABLE_SIZE);
  readonly #words: Int32Array = new Int32Array(TABLE_SIZE);
  readonly #commands: Uint8Array = new Uint8Array(TABLE_SIZE);
  readonly #names: string[] = new Array<string>(TABLE_SIZE).fill('');

  constructor(arena: Arena) {
    this.#view = arena.view;
    this.#u8 = arena.u8;
    this.#wordLast = arena.bytes - 4;
    for (const [name, command] of NAMES) this.#add(name, command);
  }

  /** The command that the first token of a line names. */
  find(tokens: LineTokens): Command {
    if (tokens.count === 0) return Command.unknown;
    const at = tokens.start[0]!;
    const length = tokens.bytes(0);
    if (at > this.#wordLast) return this.#findSlowly(tokens);
    const word = maskWord(this.#view.getInt32(at, true), length);
    for (let slot = slotOf(word, length); this.#lengths[slot] !== 0; slot = (slot + 1) & (TABLE_SIZE - 1)) {
      if (this.#words[slot] === word && this.#lengths[slot] === length) {
        // Names of up to four letters are compared whole by their word.
        if (length > 4 && !tokens.is(0, this.#names[slot]!)) continue;
        return this.#commands[slot] as Command;
      }
    }
    return Command.unknown;
  }

  /** For a line in the very last bytes of the arena, where a word cannot be read. */
  #findSlowly(tokens: LineTokens): Command {
    const start = tokens.start[0]!;
    const end = tokens.end[0]!;
    for (const [name, command] of NAMES) {
      if (equalsAscii(this.#u8, start, end, name)) return command;
    }
    return Command.unknown;
  }

  #add(name: string, command: Command): void {
    const word = wordOf(name);
    let slot = slotOf(word, name.length);
    while (this.#lengths[slot] !== 0) slot = (slot + 1) & (TABLE_SIZE - 1);
    this.#lengths[slot] = name.length;
    this.#words[slot] = word;
    this.#commands[slot] = command;
    this.#names[slot] = name;
  }
}

/** Cuts a word to its first `length` bytes, as `wordOf` does for short names. */
function maskWord(word: number, length: number): number {
  return length >= 4 ? word : word & ((1 << (length * 8)) - 1);
}

function slotOf(word: number, length: number): number {
  return (Math.imul(word ^ length, 0x9e37_79b1) >>> 24) & (TABLE_SIZE - 1);
}
