/** What encoding allocates, for tests. */

/** The heap's growth per message, in the median of several rounds: compilers and collectors show in some. */
export function allocatedPerMessage(message: () => void): number {
  const count = 20_000;
  for (let index = 0; index < count; index++) message();
  const growth = (): number => {
    const before = process.memoryUsage();
    for (let index = 0; index < count; index++) message();
    const after = process.memoryUsage();
    return after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
  };
  const growths = Array.from({ length: 9 }, growth).filter((bytes) => bytes > -1_000_000);
  growths.sort((one, other) => one - other);
  return growths[growths.length >> 1]! / count;
}
