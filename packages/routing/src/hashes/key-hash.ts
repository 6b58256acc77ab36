/**
 * What every hash of this folder is: a function from a key's bytes to the index of a child. They are built
 * once per configuration and answer synchronously; none allocates while answering, so a route handle that
 * only selects costs nothing for the garbage collector. Their scratch memory is their own: an instance
 * belongs to one thread.
 */
export interface KeyHash {
  /** The name in a configuration (`hash_func`), as mcrouter spells it where mcrouter has it. */
  readonly name: string;
  /** An index in [0, number of children) for the bytes of `bytes` in [start, end). */
  select(bytes: Uint8Array, start: number, end: number): number;
}
