/**
 * Names that nobody knows. mcrouter ignores them all, so that configurations have some that do nothing: they are
 * told and left out. What looks like a typing error, and what has a meaning that Larder has nothing for, is refused.
 */
import type { z } from 'zod';
import { configError, type Step } from './document.ts';

/** mcrouter's names that change where requests go, or as what. */
const REFUSED: Readonly<Record<string, string>> = {
  shard_splits: 'KeySplitRoute splits keys',
  shard_map: 'there is no hash by shard map',
  bucketize: 'there are no buckets',
};
/** Two letters that are missing, too many or others make a name a typing error. */
const TYPO_DISTANCE_MAX = 2;

/** The names that are known in one place of a document. */
export type KnownNames = (path: readonly PropertyKey[]) => readonly string[] | undefined;

/** Parses, without what nobody knows; throws a CONFIG error for what is refused. */
export function parseWithout<T>(
  schema: z.ZodType<T>,
  json: unknown,
  steps: readonly Step[],
  known: KnownNames,
  onUnknown: (steps: readonly Step[]) => void,
): z.ZodSafeParseResult<T> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed;
  let cleaned = json;
  const dropped: Step[][] = [];
  for (const issue of parsed.error.issues) {
    const names = issue.code === 'unrecognized_keys' ? known(issue.path) : undefined;
    // Something else is wrong: that is to be told.
    if (issue.code !== 'unrecognized_keys' || names === undefined) return parsed;
    const place = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
    for (const name of issue.keys) refuse(name, names, [...steps, ...place]);
    cleaned = without(cleaned, place, issue.keys);
    dropped.push(...issue.keys.map((name) => [...steps, ...place, name]));
  }
  for (const each of dropped) onUnknown(each);
  return schema.safeParse(cleaned);
}

function refuse(name: string, known: readonly string[], place: readonly Step[]): void {
  const reason = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
  if (reason !== undefined) throw configError(place, `does not know "${name}": ${reason}`);
  const near = known.find((each) => isTypo(name.toLowerCase(), each.toLowerCase()));
  if (near !== undefined) throw configError(place, `does not know "${name}", is "${near}" meant?`);
}

function without(json: unknown, place: readonly Step[], names: readonly string[]): unknown {
  if (typeof json !== 'object' || json === null) return json;
  const [step, ...rest] = place;
  if (Array.isArray(json)) {
    return json.map((each: unknown, index) => (index === step ? without(each, rest, names) : each));
  }
  const entries = Object.entries(json);
  if (step === undefined) return Object.fromEntries(entries.filter(([name]) => !names.includes(name)));
  return Object.fromEntries(
    entries.map(([name, each]) => [name, name === step ? without(each, rest, names) : each]),
  );
}

/** Whether so few letters differ; of short names fewer, because any two of them are near each other. */
function isTypo(name: string, known: string): boolean {
  const most = Math.min(TYPO_DISTANCE_MAX, Math.floor(Math.min(name.length, known.length) / 3));
  if (Math.abs(name.length - known.length) > most) return false;
  let row = Array.from({ length: known.length + 1 }, (_, at) => at);
  for (let at = 1; at <= name.length; at++) {
    const next = [at];
    for (let other = 1; other <= known.length; other++) {
      const change = row[other - 1]! + (name[at - 1] === known[other - 1] ? 0 : 1);
      next.push(Math.min(change, row[other]! + 1, next[other - 1]! + 1));
    }
    row = next;
  }
  return row[known.length]! <= most;
}
