/**
 * Reads the values of options: sizes with k/m/g suffixes, numbers within bounds, octal modes. Every message
 * names the option as the operator wrote it, what was given, and what would have been right.
 */
import { HostError } from '../errors.ts';

const SUFFIXES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

function optionError(option: string, given: unknown, expected: string): HostError {
  return new HostError('OPTION', `${option}: ${JSON.stringify(given)} is not ${expected}`, { option });
}

/**
 * A size in bytes: `1048576`, `1024k`, `1.5m`, `1g` (also `kb`, `KiB`, …; a kilo is 1024). A number without
 * suffix counts in `unit` bytes.
 */
export function parseSize(option: string, text: string, unit: number = 1): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) throw optionError(option, text, 'a size such as 512k, 64m or 1g');
  const suffix = match[2]!.toLowerCase();
  return Math.floor(Number(match[1]) * (suffix === '' ? unit : SUFFIXES[suffix]!));
}

/** Bytes as a person writes them: the largest unit that stays exact to one decimal. */
export function formatSize(bytes: number): string {
  for (const [name, unit] of [
    ['GB', 1024 ** 3],
    ['MB', 1024 ** 2],
    ['KB', 1024],
  ] as const) {
    if (bytes >= unit) return `${Number((bytes / unit).toFixed(1))} ${name}`;
  }
  return `${bytes} bytes`;
}

export function parseInteger(option: string, text: string): number {
  if (!/^-?\d{1,15}$/.test(text.trim())) throw optionError(option, text, 'a whole number');
  return Number(text);
}

export function parseDecimal(option: string, text: string): number {
  if (!/^\d+(?:\.\d+)?$/.test(text.trim())) throw optionError(option, text, 'a number');
  return Number(text);
}

/** File permissions in octal, as `-a 0700`. */
export function parseMode(option: string, text: string): number {
  if (!/^[0-7]{1,4}$/.test(text.trim())) throw optionError(option, text, 'an octal mode such as 700');
  return Number.parseInt(text, 8);
}

/** Returns `value` when it is a whole number from `min` to `max`. */
export function integerWithin(option: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw optionError(option, value, `a whole number from ${min} to ${max}`);
  }
  return value;
}

export function decimalWithin(option: string, value: number, min: number, max: number): number {
  if (!(value >= min && value <= max)) throw optionError(option, value, `a number from ${min} to ${max}`);
  return value;
}

/** As integerWithin, with the bounds told as sizes. */
export function sizeWithin(option: string, bytes: number, min: number, max: number): number {
  if (!Number.isInteger(bytes) || bytes < min || bytes > max) {
    const given = Number.isInteger(bytes) ? formatSize(bytes) : String(bytes);
    throw new HostError(
      'OPTION',
      `${option}: ${given} is outside of ${formatSize(min)} to ${formatSize(max)}`,
      {
        option,
      },
    );
  }
  return bytes;
}
