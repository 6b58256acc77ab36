/** The flags that name a code: `--code star --p 13`, `--code crs --k 10 --m 4 --w 4`. */
import { type CodeFamily, codeFamilies, createCode, type ErasureCode, ErasureError } from '@larder/erasure';
import type { Command } from 'commander';
import { ErasureFileError } from './errors.ts';

const PARAMETERS = ['p', 'k', 'm', 'w'] as const;

export interface CodeFlags {
  readonly code: string;
  readonly p?: string;
  readonly k?: string;
  readonly m?: string;
  readonly w?: string;
}

/** Without a default code the flag is required. */
export function addCodeFlags(command: Command, defaultCode?: string): Command {
  const names = codeFamilies.map((family) => family.name).join(', ');
  if (defaultCode === undefined) command.requiredOption('--code <name>', names);
  else command.option('--code <name>', names, defaultCode);
  return command
    .option('--p <prime>', 'prime of rdp, evenodd, xcode, hdp and star')
    .option('--k <count>', 'data nodes; array codes may have fewer than their prime gives')
    .option('--m <count>', 'parity nodes of crs, crs-original and rs')
    .option('--w <count>', 'symbols per node of crs, crs-original, liberation and blaum-roth');
}

/** `defaults` are the parameters when no flag gives any. */
export function codeFromFlags(
  flags: CodeFlags,
  defaults: Readonly<Record<string, number>> = {},
): ErasureCode {
  const parameters: Record<string, number> = {};
  for (const name of PARAMETERS) {
    const text = flags[name];
    if (text !== undefined) parameters[name] = wholeNumber(`--${name}`, text);
  }
  const family = codeFamilies.find((candidate) => candidate.name === flags.code);
  try {
    return createCode(flags.code, Object.keys(parameters).length > 0 ? parameters : defaults);
  } catch (error) {
    const { message } = ErasureError.from(error);
    const rules = family ? ` (${usageOf(family)}: ${family.rules})` : '';
    throw new ErasureFileError('OPTION', `${message}${rules}`, { cause: error });
  }
}

/** `--p <p> [--k <k>]` */
export function usageOf(family: CodeFamily): string {
  const required = family.required.map((name) => `--${name} <${name}>`);
  const optional = family.optional.map((name) => `[--${name} <${name}>]`);
  return [...required, ...optional].join(' ');
}

export function wholeNumber(flag: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new ErasureFileError('OPTION', `${flag} is a whole number, not "${text}"`);
  }
  return Number(text);
}

/** `0,3,5` or `2-4`. */
export function numberList(flag: string, text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [, first, last] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part.trim()) ?? [];
    if (first === undefined) {
      throw new ErasureFileError('OPTION', `${flag} is a list such as 0,2 or 0-3, not "${text}"`);
    }
    const [from, to] = [Number(first), Number(last ?? first)];
    if (to < from || to - from > 100_000)
      throw new ErasureFileError('OPTION', `${flag}: "${part}" is no range`);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}
