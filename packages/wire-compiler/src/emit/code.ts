/** Lines of a file that is being generated. */
import type { GeneratedFile, Printable } from '@bufbuild/protoplugin';

const INDENT = '  ';

export class Code {
  readonly #file: GeneratedFile;
  #depth = 0;

  constructor(file: GeneratedFile) {
    this.#file = file;
  }

  get indent(): string {
    return INDENT.repeat(this.#depth);
  }

  /** One line; without parts an empty one. */
  line(...parts: Printable[]): void {
    if (parts.length === 0) this.#file.print();
    else this.#file.print(this.indent, ...parts);
  }

  /** Lines that are finished, such as those of a comment. */
  raw(lines: readonly string[]): void {
    for (const line of lines) this.#file.print(line);
  }

  /** `head {`, what `body` adds one step further in, `tail`. */
  block(head: readonly Printable[], body: () => void, tail = '}'): void {
    this.line(...head, ' {');
    this.#depth++;
    body();
    this.#depth--;
    this.line(tail);
  }

  /** A value import, or only its type. */
  import(name: string, from: string, typeOnly = false): Printable {
    return this.#file.import(name, from, typeOnly);
  }

  /** `export declaration name`, where imports of the same name give way. */
  export(declaration: string, name: string): Printable {
    return this.#file.export(declaration, name);
  }
}

/** A JavaScript string literal. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u2028\u2029]/g, (each) =>
    each === '\u2028' ? '\\u2028' : '\\u2029',
  );
}

/** A property name in an object literal or a type: quoted only if it must be. */
export function propertyKey(name: string): string {
  // In a literal `__proto__: x` would set the prototype; in brackets it is a name like any other.
  if (name === '__proto__') return '["__proto__"]';
  return /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name) ? name : quoted(name);
}
