/** The messages of a load, made once and sent again and again, and what must come back for them. */
import type { EchoTree } from '../echo-tree.ts';
import { isSameTree } from '../echo-tree.ts';
import { MESSAGE_VARIANTS } from '../limits.ts';
import type { EchoSerializer } from '../serializers/serializer.ts';

export interface MessageShape {
  readonly fieldBytes: number;
  readonly fields: number;
  readonly levels: number;
}

/** A generator of bytes (a 32-bit linear congruential one): every buffer is another, and every run has the same. */
class Bytes {
  #state = 1;

  take(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let index = 0; index < count; index++) {
      this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
      bytes[index] = this.#state >>> 24;
    }
    return bytes;
  }
}

function makeTree(source: Bytes, { fieldBytes, fields, levels }: MessageShape): EchoTree {
  const child = (): EchoTree | undefined =>
    levels === 1 ? undefined : makeTree(source, { fieldBytes, fields, levels: levels - 1 });
  const buffers = Array.from({ length: fields }, () => source.take(fieldBytes));
  const own: EchoTree = fields === 1 ? { val: buffers[0] } : { vals: buffers };
  return { ...own, left: child(), right: child() };
}

export class LoadMessages {
  readonly encoded: readonly Uint8Array[];
  readonly #serializer: EchoSerializer;
  readonly #expected: readonly EchoTree[];
  /** The last answer to each that had the right content: the next is most likely the same, byte for byte. */
  readonly #known: (Uint8Array | undefined)[] = [];
  #next = 0;

  constructor(serializer: EchoSerializer, shape: MessageShape) {
    const source = new Bytes();
    this.#serializer = serializer;
    this.encoded = Array.from({ length: MESSAGE_VARIANTS }, () => serializer.encode(makeTree(source, shape)));
    this.#expected = this.encoded.map((bytes) => serializer.decode(bytes));
  }

  /** The index of the message that is to be sent next. */
  next(): number {
    const index = this.#next;
    this.#next = (index + 1) % MESSAGE_VARIANTS;
    return index;
  }

  /** Whether an answer has the content of the message. */
  isEcho(index: number, answer: Uint8Array): boolean {
    const known = this.#known[index];
    if (known !== undefined && known.length === answer.length && Buffer.compare(known, answer) === 0)
      return true;
    let tree: EchoTree;
    try {
      tree = this.#serializer.decode(answer);
    } catch {
      return false;
    }
    if (!isSameTree(this.#expected[index]!, tree)) return false;
    this.#known[index] = new Uint8Array(answer);
    return true;
  }
}
