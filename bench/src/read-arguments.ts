/** Command lines of the suites: Node's parser, with its complaints as usage errors. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { BenchError } from './errors.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Arguments<O extends Options> = ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>>;

/** Options and names. Throws `USAGE`. */
export function readArguments<const O extends Options>(args: readonly string[], options: O): Arguments<O> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    throw new BenchError('USAGE', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Options of a suite that takes no names. */
export function readOptions<const O extends Options>(
  args: readonly string[],
  options: O,
): Arguments<O>['values'] {
  const { values, positionals } = readArguments(args, options);
  if (positionals.length > 0) throw new BenchError('USAGE', `"${positionals[0]}" is no option`);
  return values;
}

export function positiveNumber(name: string, text: string | undefined): number {
  const value = Number(text);
  if (!(value > 0)) throw new BenchError('USAGE', `${name} is a number above 0, not "${text}"`);
  return value;
}
