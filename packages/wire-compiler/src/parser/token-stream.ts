/** A cursor over tokens that hands comments to declarations the way protoc does. */
import { CompilerError, type CompilerErrorCode, type SourcePlace } from '../errors.ts';
import type { Comments, Token } from './lexer.ts';
import { integerValue, stringBytes } from './literals.ts';

export class TokenStream {
  readonly file: string;
  readonly #tokens: readonly Token[];
  #index = 0;
  #leading = '';
  #detached: readonly string[] = [];

  constructor(file: string, tokens: readonly Token[]) {
    this.file = file;
    this.#tokens = tokens;
    this.#leading = this.current.comments.leading;
    this.#detached = this.current.comments.detached;
  }

  get current(): Token {
    // The last token is the end, which is never consumed.
    return this.#tokens[this.#index]!;
  }

  /** The token before the current one. */
  get previous(): Token {
    return this.#tokens[Math.max(0, this.#index - 1)]!;
  }

  get following(): Token {
    return this.#tokens[Math.min(this.#index + 1, this.#tokens.length - 1)]!;
  }

  place(token: Token = this.current): SourcePlace {
    return { file: this.file, line: token.line + 1, column: token.column + 1 };
  }

  fail(reason: string, token: Token = this.current, code: CompilerErrorCode = 'SYNTAX'): never {
    throw new CompilerError(code, reason, this.place(token));
  }

  #expected(what: string): never {
    const { kind, text } = this.current;
    this.fail(`expected ${what}, found ${kind === 'end' ? 'the end of the file' : text}`);
  }

  next(): Token {
    const token = this.current;
    if (token.kind !== 'end') this.#index++;
    return token;
  }

  is(text: string): boolean {
    return this.current.text === text && this.current.kind !== 'string';
  }

  tryTake(text: string): boolean {
    if (!this.is(text)) return false;
    this.#index++;
    return true;
  }

  take(text: string): Token {
    if (!this.is(text)) this.#expected(JSON.stringify(text));
    return this.next();
  }

  takeName(what: string): Token {
    if (this.current.kind !== 'name') this.#expected(what);
    return this.next();
  }

  /** `a.b.c`, or `.a.b.c`. The token is the first one. */
  takeTypeName(what: string): { readonly name: string; readonly token: Token } {
    const token = this.current;
    let name = this.tryTake('.') ? '.' : '';
    name += this.takeName(what).text;
    while (this.tryTake('.')) name += `.${this.takeName(what).text}`;
    return { name, token };
  }

  /** An integer with its sign, inside the limits. */
  takeInteger(what: string, min: number, max: number): number {
    const token = this.current;
    const isNegative = min < 0 && this.tryTake('-');
    if (this.current.kind !== 'integer') this.#expected(what);
    const value = integerValue(this.next().text) * (isNegative ? -1n : 1n);
    if (value < BigInt(min) || value > BigInt(max))
      this.fail(`${what} must be between ${min} and ${max}, not ${value}`, token, 'RESERVED');
    return Number(value);
  }

  /** One string, or several one after another, which are one. */
  takeString(what: string): Uint8Array {
    if (this.current.kind !== 'string') this.#expected(what);
    const parts: Uint8Array[] = [];
    while (this.current.kind === 'string') {
      const bytes = stringBytes(this.current.text);
      if (bytes === undefined) this.fail('this string has an escape that does not exist');
      parts.push(bytes);
      this.next();
    }
    return new Uint8Array(Buffer.concat(parts));
  }

  takeText(what: string): string {
    const token = this.current;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.takeString(what));
    } catch (error) {
      if (error instanceof CompilerError) throw error;
      this.fail(`${what} is not UTF-8`, token);
    }
  }

  /**
   * Takes the token that ends a declaration or opens its body, and returns the declaration's comments. What
   * leads the next declaration is kept for its end.
   */
  takeEnd(text: ';' | '{' | '}', what: string): Comments {
    if (!this.is(text)) this.#expected(what);
    const mine = { leading: this.#leading, detached: this.#detached };
    this.next();
    const after = this.current.comments;
    this.#leading = after.leading;
    this.#detached = after.detached;
    return { ...mine, trailing: after.trailing };
  }
}
