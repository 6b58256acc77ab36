/** The size of the last-level cache, from which working sets are chosen. */
import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = '/sys/devices/system/cpu/cpu0/cache';
/** Where the system does not say. */
const ASSUMED_BYTES: number = 32 * 2 ** 20;
const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Bytes of a size as the kernel writes it: 32768K. */
export function parseCacheSize(text: string): number {
  const match = /^(\d+)([KMG]?)$/.exec(text.trim());
  return match === null ? 0 : Number(match[1]) * UNITS[match[2]!]!;
}

export function lastLevelCacheBytes(): number {
  try {
    const sizes = readdirSync(FOLDER)
      .filter((name) => name.startsWith('index'))
      .map((name) => parseCacheSize(readFileSync(`${FOLDER}/${name}/size`, 'latin1')));
    return Math.max(...sizes) || ASSUMED_BYTES;
  } catch {
    return ASSUMED_BYTES;
  }
}
