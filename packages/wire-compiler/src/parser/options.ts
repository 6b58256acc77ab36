/**
 * Options: `option name = value;` and `[name = value]`. protobuf's own options are set in their message and
 * checked against it; custom ones (in parentheses) are read over, because they say nothing about the data.
 *
 * ```
 * option   = name "=" value
 * name     = part { "." part }          part = ident | "(" [ "." ] ident { "." ident } ")"
 * value    = ident | [ "-" | "+" ] number | string | "{" aggregate "}"
 * ```
 */
import { create, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { OPTION_DEPTH_MAX } from '../limits.ts';
import type { Token } from './lexer.ts';
import { integerValue } from './literals.ts';
import type { TokenStream } from './token-stream.ts';

type OptionValue =
  | { readonly kind: 'name'; readonly text: string; readonly isNegative: boolean }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly bytes: Uint8Array }
  | { readonly kind: 'aggregate' };

export interface ParsedOption {
  readonly name: string;
  readonly isCustom: boolean;
  readonly value: OptionValue;
  /** The first token of the name. */
  readonly token: Token;
  /** The first token of the value. */
  readonly valueToken: Token;
}

/** `name = value`. */
export function parseOption(tokens: TokenStream): ParsedOption {
  const token = tokens.current;
  let isCustom = false;
  const parts: string[] = [];
  do {
    if (tokens.tryTake('(')) {
      isCustom = true;
      parts.push(`(${tokens.takeTypeName('the name of an option').name})`);
      tokens.take(')');
    } else {
      parts.push(tokens.takeName('the name of an option').text);
    }
  } while (tokens.tryTake('.'));
  tokens.take('=');
  const valueToken = tokens.current;
  return { name: parts.join('.'), isCustom, value: parseValue(tokens), token, valueToken };
}

function parseValue(tokens: TokenStream): OptionValue {
  if (tokens.is('{')) {
    skipAggregate(tokens);
    return { kind: 'aggregate' };
  }
  if (tokens.current.kind === 'string') return { kind: 'string', bytes: tokens.takeString('a value') };
  const isNegative = tokens.tryTake('-');
  if (!isNegative) tokens.tryTake('+');
  const token = tokens.next();
  if (token.kind === 'name') return { kind: 'name', text: token.text, isNegative };
  if (token.kind === 'integer') {
    const value = integerValue(token.text);
    return { kind: 'integer', value: isNegative ? -value : value };
  }
  if (token.kind === 'float') {
    const value = Number(token.text);
    return { kind: 'float', value: isNegative ? -value : value };
  }
  tokens.fail('expected the value of an option', token);
}

/** Reads over `{ … }`; its brackets must be balanced. */
function skipAggregate(tokens: TokenStream): void {
  const closers: string[] = [];
  const closerOf: Readonly<Record<string, string>> = { '{': '}', '[': ']', '<': '>' };
  do {
    const token = tokens.next();
    if (token.kind === 'end') tokens.fail('this value is not closed', token);
    if (token.kind !== 'symbol') continue;
    const closer = closerOf[token.text];
    if (closer !== undefined) {
      closers.push(closer);
      if (closers.length > OPTION_DEPTH_MAX)
        tokens.fail(`nested more than ${OPTION_DEPTH_MAX} deep`, token, 'LIMIT');
    } else if ('}]>'.includes(token.text) && closers.pop() !== token.text) {
      tokens.fail(`${token.text} closes nothing`, token);
    }
  } while (closers.length > 0);
}

/** Sets one of protobuf's own options. `target` is the options message, or undefined before the first one. */
export function applyOption<T extends Message>(
  tokens: TokenStream,
  option: ParsedOption,
  schema: DescMessage & { readonly typeName: string },
  target: T | undefined,
): T | undefined {
  if (option.isCustom) return target;
  if (option.name === 'features' || option.name.startsWith('features.'))
    tokens.fail('features belong to editions, which are not supported', option.token, 'UNSUPPORTED');
  const field = schema.fields.find((each) => each.name === option.name);
  if (field === undefined || field.name === 'uninterpreted_option')
    tokens.fail(`there is no option ${option.name} here`, option.token, 'OPTION');
  const options = target ?? (create(schema) as T);
  const reflected = reflect(schema, options);
  if (reflected.isSet(field)) tokens.fail(`option ${option.name} is set twice`, option.token, 'OPTION');
  const value = valueFor(tokens, field, option);
  try {
    reflected.set(field, value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    tokens.fail(`option ${option.name}: ${reason}`, option.valueToken, 'OPTION');
  }
  return options;
}

function valueFor(tokens: TokenStream, field: DescField, option: ParsedOption): boolean | number | string {
  const { value, valueToken } = option;
  const refuse = (wanted: string): never =>
    tokens.fail(`option ${option.name} takes ${wanted}`, valueToken, 'OPTION');
  if (field.fieldKind === 'enum') {
    const text = value.kind === 'name' && !value.isNegative ? value.text : undefined;
    const found = field.enum.values.find((each) => each.name === text);
    return found?.number ?? refuse(`one of ${field.enum.values.map((each) => each.name).join(', ')}`);
  }
  if (field.fieldKind !== 'scalar') return refuse('a message, which only custom options may have');
  if (field.scalar === ScalarType.BOOL) {
    if (value.kind === 'name' && !value.isNegative && (value.text === 'true' || value.text === 'false'))
      return value.text === 'true';
    return refuse('true or false');
  }
  if (field.scalar === ScalarType.STRING)
    return value.kind === 'string' ? new TextDecoder().decode(value.bytes) : refuse('a string');
  return value.kind === 'integer' ? Number(value.value) : refuse('an integer');
}

/** `json_name` is no option of the options message but has the syntax of one. */
export function optionText(tokens: TokenStream, option: ParsedOption): string {
  if (option.value.kind !== 'string')
    tokens.fail(`option ${option.name} takes a string`, option.valueToken, 'OPTION');
  return new TextDecoder().decode(option.value.bytes);
}
