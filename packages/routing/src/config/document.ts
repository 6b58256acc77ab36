/** The text of a configuration: JSON with comments and trailing commas, as mcrouter's users write it. */
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { RoutingError } from '../errors.ts';
import { CONFIG_BYTES_MAX, CONFIG_DEPTH_MAX } from '../limits.ts';

/** How long the name is with every character escaped. */
const RESERVED_CHARACTERS_MAX = 2 + '__proto__'.length * '\\u0000'.length;

/** A step into the document: a member's name or an element's index. */
export type Step = string | number;

/** Parses the text; throws a RoutingError CONFIG that names line and column. */
export function parseDocument(text: string): unknown {
  if (text.length > CONFIG_BYTES_MAX) {
    throw new RoutingError(
      'CONFIG',
      `the configuration is longer than ${CONFIG_BYTES_MAX} bytes (CONFIG_BYTES_MAX)`,
    );
  }
  checkTokens(text);
  const errors: ParseError[] = [];
  const document: unknown = parse(text, errors, { allowTrailingComma: true, disallowComments: false });
  const first = errors[0];
  if (first !== undefined) {
    const what = printParseErrorCode(first.error)
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase();
    throw textError(text, first.offset, what);
  }
  return document;
}

/** `pools.A.servers[1]`; the document itself is `the configuration`. */
export function formatPath(steps: readonly PropertyKey[]): string {
  let text = '';
  for (const step of steps) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(String(step))) text += text === '' ? String(step) : `.${String(step)}`;
    else text += `[${JSON.stringify(String(step))}]`;
  }
  return text === '' ? 'the configuration' : text;
}

/** An error about a place in the document. */
export function configError(steps: readonly PropertyKey[], message: string): RoutingError {
  const path = formatPath(steps);
  return new RoutingError('CONFIG', `${path}: ${message}`, { path });
}

function positionOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}

/**
 * What the parser must not see: it calls itself for each level, as do those who build handles, and a member named
 * __proto__ would be none, but what all members are inherited from.
 */
function checkTokens(text: string): void {
  let depth = 0;
  /** Where the text began that came last, if nothing came after it. */
  let name = -1;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    if (token === ':' && name >= 0 && isReserved(text, name)) {
      throw textError(text, name, 'nothing can be named "__proto__"');
    }
    if (token.startsWith('/')) continue;
    name = token.startsWith('"') ? index : -1;
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    if (depth > CONFIG_DEPTH_MAX) {
      throw textError(text, index, `nested deeper than ${CONFIG_DEPTH_MAX} (CONFIG_DEPTH_MAX)`);
    }
  }
}

/** Comments, texts, and what structures a document. */
const TOKENS = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|[{}[\]:,]/g;

function isReserved(text: string, at: number): boolean {
  const end = text.slice(at, at + RESERVED_CHARACTERS_MAX);
  const match = /^"(?:[^"\\\n]|\\.)*"/.exec(end);
  if (match === null) return false;
  try {
    return JSON.parse(match[0]) === '__proto__';
  } catch {
    // The parser says what is wrong with it.
    return false;
  }
}

function textError(text: string, offset: number, what: string): RoutingError {
  const { line, column } = positionOf(text, offset);
  return new RoutingError('CONFIG', `line ${line}, column ${column}: ${what}`);
}
