/**
 * One line of traffic, from either of two kinds of text.
 *
 * ```
 *   ts=1795172165.394035 gid=6 type=item_get key=b status=not_found clsid=0 cfd=24 size=0      `watch` of a server
 *   ts=1795172165.393071 gid=2 type=conn_new rip=127.0.0.1 rport=53824 transport=tcp cfd=24
 *   skipped=12                                                        lines the server had no room for
 *   1000,user:7,6,250,31,get,0          Twitter's traces: timestamp,key,key_size,value_size,client_id,op,TTL
 * ```
 * `watch` is the same in memcached and in Larder, except that memcached also notes the look-up that is part of its
 * own stores and deletes; `TrafficSample` takes those out.
 */

export type TrafficEvent =
  | {
      readonly kind: 'get' | 'store' | 'delete';
      readonly atSeconds: number;
      readonly key: string;
      readonly isHit: boolean;
      /** Of the value; 0 where it is not known (a miss). */
      readonly valueBytes: number;
      /** What tells askers apart in this text: a connection's number, or a client's name. */
      readonly asker: string;
    }
  | { readonly kind: 'connect'; readonly asker: string; readonly address: string }
  | { readonly kind: 'skipped'; readonly lines: number };

const TWITTER_FIELDS = 7;
const RETRIEVALS: ReadonlySet<string> = new Set(['get', 'gets', 'gat', 'gats', 'mg', 'lease-get']);
const WORD = /([a-z]+)=(\S*)/g;

/** The event of a line, or undefined if it says nothing about traffic (also if it is no such line at all). */
export function parseTrafficLine(line: string): TrafficEvent | undefined {
  if (line.startsWith('ts=')) return parseWatchLine(line);
  if (line.startsWith('skipped=')) return skippedOf(line);
  return parseTwitterLine(line);
}

function skippedOf(line: string): TrafficEvent | undefined {
  const lines = Number(line.slice('skipped='.length));
  return Number.isFinite(lines) ? { kind: 'skipped', lines } : undefined;
}

function parseWatchLine(line: string): TrafficEvent | undefined {
  const words = new Map<string, string>();
  for (const [, name = '', value = ''] of line.matchAll(WORD)) if (!words.has(name)) words.set(name, value);
  const asker = words.get('cfd') ?? '';
  const type = words.get('type');
  if (type === 'conn_new') return { kind: 'connect', asker, address: words.get('rip') ?? '' };
  const kind =
    type === 'item_get' ? 'get' : type === 'item_store' ? 'store' : type === 'deleted' ? 'delete' : undefined;
  const atSeconds = Number(words.get('ts'));
  const key = words.get('key');
  if (kind === undefined || key === undefined || !Number.isFinite(atSeconds)) return undefined;
  return {
    kind,
    atSeconds,
    key: decoded(key),
    isHit: words.get('status') === 'found',
    valueBytes: Number(words.get('size') ?? 0) || 0,
    asker,
  };
}

/** Servers write keys as in a URL. What is not, is taken as it stands. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** Keys may hold commas in no trace that is known; a line with other fields is none of these. */
function parseTwitterLine(line: string): TrafficEvent | undefined {
  const fields = line.trimEnd().split(',');
  if (fields.length !== TWITTER_FIELDS) return undefined;
  const [time = '', key = '', , valueSize = '', asker = '', operation = ''] = fields;
  const atSeconds = Number(time);
  if (time === '' || !Number.isFinite(atSeconds) || key === '') return undefined;
  const isGet = RETRIEVALS.has(operation);
  const kind = isGet ? 'get' : operation === 'delete' ? 'delete' : 'store';
  const valueBytes = Number(valueSize) || 0;
  return { kind, atSeconds, key, isHit: isGet && valueBytes > 0, valueBytes, asker };
}
