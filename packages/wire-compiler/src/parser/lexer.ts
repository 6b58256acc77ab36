/**
 * The text of a .proto file as tokens, with the comments between them in the three roles that protobuf's
 * descriptors know: trailing (belongs to what ended before), detached, and leading (belongs to what follows).
 * The rules are protoc's: a comment on the line of the previous token is that token's; one directly above a
 * token is that token's; anything followed by a blank line is detached.
 */
import { CompilerError } from '../errors.ts';
import { SCHEMA_LENGTH_MAX } from '../limits.ts';

export type TokenKind = 'name' | 'integer' | 'float' | 'string' | 'symbol' | 'end';

export interface Comments {
  readonly trailing: string;
  readonly detached: readonly string[];
  readonly leading: string;
}

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a string, with its quotes. */
  readonly text: string;
  /** From 0, as in descriptors. */
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
  /** The comments between the previous token and this one. */
  readonly comments: Comments;
}

const NO_COMMENTS: Comments = { trailing: '', detached: [], leading: '' };

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /0[xX][0-9a-fA-F]+|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?/y;
const DECIMAL_OR_OCTAL = /^(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/;
const SYMBOLS = '{}[]()<>;,.=-+/:';
/** Lines at the end of which protoc gives up attaching comments to what follows. */
const SCOPE_ENDS: ReadonlySet<string> = new Set(['}', ']', ')']);

/** Decides which token a comment belongs to. */
class CommentCollector {
  trailing = '';
  readonly detached: string[] = [];
  #buffer = '';
  #kind: 'none' | 'line' | 'block' = 'none';
  canBeTrailing = true;

  add(text: string, kind: 'line' | 'block'): void {
    // Line comments on consecutive lines are one comment; a block is one by itself.
    if (this.#kind !== 'none' && !(kind === 'line' && this.#kind === 'line')) this.flush();
    this.#buffer += text;
    this.#kind = kind;
  }

  flush(): void {
    if (this.#kind === 'none') return;
    if (this.canBeTrailing) {
      this.trailing += this.#buffer;
      this.canBeTrailing = false;
    } else {
      this.detached.push(this.#buffer);
    }
    this.clear();
  }

  clear(): void {
    this.#buffer = '';
    this.#kind = 'none';
  }

  comments(): Comments {
    if (this.trailing === '' && this.detached.length === 0 && this.#buffer === '') return NO_COMMENTS;
    return { trailing: this.trailing, detached: this.detached, leading: this.#buffer };
  }
}

/** Splits a whole file. Throws `CompilerError` with the place of what is not a token. */
export function tokenize(file: string, text: string): readonly Token[] {
  if (text.length > SCHEMA_LENGTH_MAX)
    throw new CompilerError('LIMIT', `larger than ${SCHEMA_LENGTH_MAX} characters`, {
      file,
      line: 1,
      column: 1,
    });
  // Half a surrogate pair has no place in a descriptor.
  if (!text.isWellFormed())
    throw new CompilerError('SYNTAX', 'the text is not Unicode', { file, line: 1, column: 1 });
  return new Lexer(file, text).run();
}

class Lexer {
  readonly #file: string;
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 0;
  #lineStart = 0;

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
    if (text.charCodeAt(0) === 0xfeff) {
      this.#at = 1;
      this.#lineStart = 1;
    }
  }

  run(): readonly Token[] {
    let isFirst = true;
    for (;;) {
      const collector = new CommentCollector();
      const isOwnLine = this.#skipToLineEnd(collector, isFirst);
      if (isOwnLine) this.#skipLines(collector);
      isFirst = false;
      const token = this.#token(collector);
      this.#tokens.push(token);
      if (token.kind === 'end') return this.#tokens;
    }
  }

  #fail(reason: string, at = this.#at): never {
    throw new CompilerError('SYNTAX', reason, {
      file: this.#file,
      line: this.#line + 1,
      column: at - this.#lineStart + 1,
    });
  }

  /** What follows the previous token on its line; true when the line ends before the next token. */
  #skipToLineEnd(collector: CommentCollector, isFirst: boolean): boolean {
    if (isFirst) {
      collector.canBeTrailing = false;
      return true;
    }
    this.#skipSpaces();
    if (this.#text.startsWith('//', this.#at)) {
      collector.add(this.#lineComment(), 'line');
      collector.flush();
      return true;
    }
    if (this.#text.startsWith('/*', this.#at)) {
      collector.add(this.#blockComment(), 'block');
      this.#skipSpaces();
      if (!this.#skipNewline()) {
        // The next token is on the same line: nobody knows whose comment this was.
        collector.clear();
        this.#skipAllOnLine();
        return false;
      }
      collector.flush();
      return true;
    }
    return this.#skipNewline();
  }

  #skipLines(collector: CommentCollector): void {
    for (;;) {
      this.#skipSpaces();
      if (this.#text.startsWith('//', this.#at)) {
        collector.add(this.#lineComment(), 'line');
      } else if (this.#text.startsWith('/*', this.#at)) {
        collector.add(this.#blockComment(), 'block');
        this.#skipSpaces();
        this.#skipNewline();
      } else if (this.#skipNewline()) {
        collector.flush();
        collector.canBeTrailing = false;
      } else {
        const next = this.#text[this.#at];
        if (next === undefined || SCOPE_ENDS.has(next)) collector.flush();
        return;
      }
    }
  }

  /** White space and comments that nobody will attach to anything. */
  #skipAllOnLine(): void {
    for (;;) {
      this.#skipSpaces();
      if (this.#text.startsWith('/*', this.#at)) this.#blockComment();
      else if (this.#text.startsWith('//', this.#at)) this.#lineComment();
      else if (!this.#skipNewline()) return;
    }
  }

  #skipSpaces(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 32 && code !== 9 && code !== 13 && code !== 11 && code !== 12) return;
      this.#at++;
    }
  }

  #skipNewline(): boolean {
    if (this.#text.charCodeAt(this.#at) !== 10) return false;
    this.#at++;
    this.#line++;
    this.#lineStart = this.#at;
    return true;
  }

  /** The text after `//` with its newline. */
  #lineComment(): string {
    const end = this.#text.indexOf('\n', this.#at);
    const stop = end < 0 ? this.#text.length : end;
    const text = this.#text.slice(this.#at + 2, stop).replace(/\r$/, '');
    this.#at = stop;
    return this.#skipNewline() ? `${text}\n` : text;
  }

  /** The text of a block, without what stands before the asterisks at the start of its lines. */
  #blockComment(): string {
    const start = this.#at;
    const end = this.#text.indexOf('*/', start + 2);
    if (end < 0) this.#fail('this comment is not closed', start);
    const body = this.#text.slice(start + 2, end);
    this.#at = end + 2;
    for (let index = body.indexOf('\n'); index >= 0; index = body.indexOf('\n', index + 1)) {
      this.#line++;
      this.#lineStart = start + 2 + index + 1;
    }
    return body.replaceAll('\r\n', '\n').replace(/\n[ \t\r\v\f]*\*?/g, '\n');
  }

  #token(collector: CommentCollector): Token {
    const start = this.#at;
    const line = this.#line;
    const column = start - this.#lineStart;
    const comments = collector.comments();
    const first = this.#text[start];
    if (first === undefined) return { kind: 'end', text: '', line, column, endColumn: column, comments };
    const kind = this.#scan(first, start);
    const text = this.#text.slice(start, this.#at);
    return { kind, text, line, column, endColumn: column + text.length, comments };
  }

  #scan(first: string, start: number): TokenKind {
    NAME.lastIndex = start;
    const name = NAME.exec(this.#text);
    if (name) {
      this.#at += name[0].length;
      return 'name';
    }
    NUMBER.lastIndex = start;
    const number = NUMBER.exec(this.#text);
    if (number) return this.#number(number[0]);
    if (first === '"' || first === "'") {
      this.#string(first);
      return 'string';
    }
    if (!SYMBOLS.includes(first)) this.#fail(`${JSON.stringify(first)} means nothing here`);
    this.#at++;
    return 'symbol';
  }

  #number(text: string): TokenKind {
    this.#at += text.length;
    if (/[A-Za-z_0-9]/.test(this.#text[this.#at] ?? '')) this.#fail('a space is missing after this number');
    const isInteger = /^(?:0[xX].*|\d+)$/.test(text);
    if (isInteger && !DECIMAL_OR_OCTAL.test(text))
      this.#fail('a number that starts with 0 is octal', this.#at - text.length);
    return isInteger ? 'integer' : 'float';
  }

  #string(quote: string): void {
    const start = this.#at;
    for (let at = start + 1; ; at++) {
      const each = this.#text[at];
      if (each === undefined || each === '\n') this.#fail('this string is not closed', start);
      if (each === '\\') at++;
      else if (each === quote) {
        this.#at = at + 1;
        return;
      }
    }
  }
}
