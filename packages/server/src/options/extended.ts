/**
 * memcached's `-o name=value,name,no_name`. What Larder has is read, what memcached's own defaults already
 * are is accepted silently, the rest is an error that names it.
 */
import { parseInteger } from '@larder/host';
import { ServerError } from '../errors.ts';
import { MIB } from '../limits.ts';

export interface ExtendedOptions {
  idleTimeoutSeconds?: number;
  refuseWhenFull?: boolean;
  readBufferBytesMax?: number;
}

/** Options of memcached that describe what Larder always does, so that a known start script keeps working. */
const ALWAYS_ON: ReadonlySet<string> = new Set([
  'modern',
  'lru_crawler',
  'lru_maintainer',
  'slab_reassign',
  'slab_automove',
  'hashpower',
  'track_sizes',
  'hash_algorithm',
]);

export function parseExtended(text: string): ExtendedOptions {
  const result: ExtendedOptions = {};
  for (const part of text.split(',')) {
    const [name = '', value] = part.trim().split('=', 2);
    if (name === 'idle_timeout') {
      if (value === undefined) throw unusable(part, 'needs seconds, as idle_timeout=60');
      result.idleTimeoutSeconds = parseInteger('-o idle_timeout', value);
    } else if (name === 'read_buf_mem_limit') {
      if (value === undefined) throw unusable(part, 'needs megabytes, as read_buf_mem_limit=64');
      result.readBufferBytesMax = parseInteger('-o read_buf_mem_limit', value) * MIB;
    } else if (name === 'maxconns_fast' || name === 'no_maxconns_fast') {
      if (value !== undefined) throw unusable(part, 'takes no value');
      result.refuseWhenFull = name === 'maxconns_fast';
    } else if (!ALWAYS_ON.has(name)) {
      throw unusable(
        part,
        'is not known here; idle_timeout=<seconds>, read_buf_mem_limit=<megabytes>, maxconns_fast and no_maxconns_fast are',
      );
    }
  }
  return result;
}

function unusable(part: string, why: string): ServerError {
  return new ServerError('OPTION', `-o: ${JSON.stringify(part)} ${why}`, { option: '-o/--extended' });
}
