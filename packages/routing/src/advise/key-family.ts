/** Which family a key belongs to: the leading part that keys of one kind share. */

/** What usually stands between the name of a kind and what follows. */
const SEPARATORS = ':/._-|';

/** Gives the family of a key. */
export type FamilyOf = (key: string) => string;

/**
 * The first `depth` parts of the key, separators included: `user:7:name` is of `user:`, with depth 2 of `user:7:`.
 * A key without separators is of the letters before its first digit; one without those too is of `(other)`.
 */
export function familyByPrefix(depth: number = 1, separators: string = SEPARATORS): FamilyOf {
  return (key) => {
    let parts = 0;
    for (let at = 0; at < key.length; at++) {
      if (separators.includes(key[at] ?? '') && ++parts === depth) return key.slice(0, at + 1);
    }
    const letters = /^[^\d]+/.exec(key)?.[0] ?? '';
    return letters === '' || letters.length === key.length ? '(other)' : letters;
  };
}

/** The longest of the given prefixes that the key begins with. */
export function familyByList(prefixes: readonly string[]): FamilyOf {
  const longestFirst = [...prefixes].sort((one, other) => other.length - one.length);
  return (key) => longestFirst.find((prefix) => key.startsWith(prefix)) ?? '(other)';
}
