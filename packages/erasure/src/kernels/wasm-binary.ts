/**
 * A small writer of WebAssembly modules: just what the XOR functions need.
 *
 * A module is the magic number and sections; a section is its number, its
 * length and its content; a function body is its locals, its instructions and
 * `end`. Integers are LEB128. See the WebAssembly core specification, chapter 5.
 *
 *   \0asm 1 | types | imports (the memory) | functions | exports | code
 */

/** Opcodes, by the specification's names. */
export const op = {
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  branchIf: 0x0d,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Load: 0x28,
  i64Load: 0x29,
  i64Store: 0x37,
  i32Const: 0x41,
  i64Const: 0x42,
  i32LessUnsigned: 0x49,
  i32Add: 0x6a,
  i32Subtract: 0x6b,
  i64Xor: 0x85,
  /** Vector instructions follow this prefix. */
  vector: 0xfd,
} as const;

/** Vector opcodes, after the prefix. */
export const vectorOp = { load: 0, store: 11, constant: 12, xor: 81 } as const;

export const valueType = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const;
export type ValueType = (typeof valueType)[keyof typeof valueType];

const NO_RESULT = 0x40;
const FUNCTION_TYPE = 0x60;
const EXPORT_FUNCTION = 0x00;
const IMPORT_MEMORY = 0x02;
const section = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;

/** Bytes of a function's instructions, in the order in which they are added. */
export class CodeWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      const grown = new Uint8Array(2 * this.#length);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.#length++] = value;
  }

  bytes(values: ArrayLike<number>): void {
    for (let i = 0; i < values.length; i++) this.byte(values[i]!);
  }

  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  signed(value: number): void {
    let rest = value | 0;
    // The last byte's bit 6 is the sign.
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  name(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.unsigned(encoded.length);
    this.bytes(encoded);
  }

  localGet(local: number): void {
    this.byte(op.localGet);
    this.unsigned(local);
  }

  localSet(local: number): void {
    this.byte(op.localSet);
    this.unsigned(local);
  }

  localTee(local: number): void {
    this.byte(op.localTee);
    this.unsigned(local);
  }

  i32Const(value: number): void {
    this.byte(op.i32Const);
    this.signed(value);
  }

  /** The address below on the stack plus a constant; alignment is a hint, as an exponent of two. */
  memory(opcode: number, alignment: number, offset: number): void {
    this.byte(opcode);
    this.unsigned(alignment);
    this.unsigned(offset);
  }

  vector(opcode: number): void {
    this.byte(op.vector);
    this.unsigned(opcode);
  }

  vectorMemory(opcode: number, alignment: number, offset: number): void {
    this.vector(opcode);
    this.unsigned(alignment);
    this.unsigned(offset);
  }

  /** Opens a `loop`, `block` or `if` without a result. */
  open(opcode: number): void {
    this.byte(opcode);
    this.byte(NO_RESULT);
  }

  end(): void {
    this.byte(op.end);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}

export interface FunctionDefinition {
  readonly exportName: string;
  readonly parameters: readonly ValueType[];
  /** Runs of locals after the parameters. */
  readonly locals: readonly { readonly count: number; readonly type: ValueType }[];
  /** Instructions without the closing `end`. */
  readonly body: Uint8Array;
}

/** A module with one function without results, which imports its memory as `env.memory`. */
export function buildModule(definition: FunctionDefinition): Uint8Array<ArrayBuffer> {
  const module = new CodeWriter();
  module.bytes([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  const add = (id: number, write: (content: CodeWriter) => void): void => {
    const content = new CodeWriter();
    write(content);
    module.byte(id);
    module.unsigned(content.length);
    module.bytes(content.finish());
  };
  add(section.type, (content) => {
    content.bytes([1, FUNCTION_TYPE]);
    content.unsigned(definition.parameters.length);
    content.bytes([...definition.parameters, 0]);
  });
  add(section.import, (content) => {
    content.byte(1);
    content.name('env');
    content.name('memory');
    // No maximum, at least no page: any memory will do.
    content.bytes([IMPORT_MEMORY, 0, 0]);
  });
  add(section.function, (content) => content.bytes([1, 0]));
  add(section.export, (content) => {
    content.byte(1);
    content.name(definition.exportName);
    content.bytes([EXPORT_FUNCTION, 0]);
  });
  add(section.code, (content) => {
    const body = new CodeWriter();
    body.unsigned(definition.locals.length);
    for (const { count, type } of definition.locals) {
      body.unsigned(count);
      body.byte(type);
    }
    body.bytes(definition.body);
    body.end();
    content.byte(1);
    content.unsigned(body.length);
    content.bytes(body.finish());
  });
  return module.finish();
}
