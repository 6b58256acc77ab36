/** Bytes of a list's table with what aligns it: a count, and the chunk of each element. */
export function listTableBytes(count: number): number {
  return 3 + 4 + 4 * count;
}
