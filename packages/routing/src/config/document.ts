/** The text of a configuration: JSON with comments and trailing commas, as mcrouter's users write it. */
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { RoutingError } from '../errors.ts';
import { CONFIG_BYTES_MAX, CONFIG_DEPTH_MAX } from '../limits.ts';

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
  const errors: ParseError[] = [];
  const document: unknown = parse(text, errors, { allowTrailingComma: true, disallowComments: false });
  const first = errors[0];
  if (first !== undefined) {
    const { line, column } = positionOf(text, first.offset);
    const what = printParseErrorCode(first.error)
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase();
    throw new RoutingError('CONFIG', `line ${line}, column ${column}: ${what}`);
  }
  checkDepth(document, 0);
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

/** Handles are built by recursion; a document must not be able to exhaust the stack. */
function checkDepth(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > CONFIG_DEPTH_MAX) {
    throw new RoutingError(
      'CONFIG',
      `the configuration is nested deeper than ${CONFIG_DEPTH_MAX} (CONFIG_DEPTH_MAX)`,
    );
  }
  for (const each of Object.values(value)) checkDepth(each, depth + 1);
}
