/** A server of fifty lines: reads classic requests and a little meta as text, and answers as memcached would. */

interface Item {
  readonly flags: number;
  readonly value: string;
  readonly cas: number;
}

export class ModelServer {
  readonly #items: Map<string, Item> = new Map();
  #cas: number = 0;
  /** As a proxy that hears from its servers in another order: the values of a line come last to first. */
  readonly #isReversed: boolean;

  constructor(isReversed: boolean = false) {
    this.#isReversed = isReversed;
  }

  /** Answers every request in the text, which has to be whole. */
  answer(text: string): string {
    let replies = '';
    for (let at = 0; at < text.length; ) {
      const end = text.indexOf('\r\n', at);
      const words = text.slice(at, end).split(' ');
      const bytes = ['set', 'add', 'cas'].includes(words[0]!)
        ? Number(words[4])
        : words[0] === 'ms'
          ? Number(words[2])
          : -1;
      const data = bytes < 0 ? '' : text.slice(end + 2, end + 2 + bytes);
      at = end + 2 + (bytes < 0 ? 0 : bytes + 2);
      replies += this.#one(words, data);
    }
    return replies;
  }

  #one(words: readonly string[], data: string): string {
    const [command, key] = [words[0]!, words[1]!];
    const item = this.#items.get(key);
    switch (command) {
      case 'get':
      case 'gets':
        return `${this.#values(words.slice(1), command === 'gets').join('')}END\r\n`;
      case 'set':
        return this.#store(key, Number(words[2]), data, 'STORED');
      case 'add':
        return item ? 'NOT_STORED\r\n' : this.#store(key, Number(words[2]), data, 'STORED');
      case 'cas':
        if (!item) return 'NOT_FOUND\r\n';
        return item.cas === Number(words[5])
          ? this.#store(key, Number(words[2]), data, 'STORED')
          : 'EXISTS\r\n';
      case 'delete':
        return this.#items.delete(key) ? 'DELETED\r\n' : 'NOT_FOUND\r\n';
      case 'mg':
        return item ? `VA ${item.value.length} c${item.cas} f${item.flags}\r\n${item.value}\r\n` : 'EN\r\n';
      case 'ms':
        return this.#store(key, 0, data, 'HD');
      default:
        return 'ERROR\r\n';
    }
  }

  #values(keys: readonly string[], withCas: boolean): string[] {
    const values = keys.map((key) => this.#value(key, withCas));
    return this.#isReversed ? values.reverse() : values;
  }

  #value(key: string, withCas: boolean): string {
    const item = this.#items.get(key);
    if (!item) return '';
    const cas = withCas ? ` ${item.cas}` : '';
    return `VALUE ${key} ${item.flags} ${item.value.length}${cas}\r\n${item.value}\r\n`;
  }

  #store(key: string, flags: number, value: string, word: string): string {
    this.#items.set(key, { flags, value, cas: ++this.#cas });
    return `${word}\r\n`;
  }
}
